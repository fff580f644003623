"""Running hand: the tables, and what is said of rows that cannot be read."""

import re

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.scribe import running_hand
from hwgen.data.scribe.running_hand import read_orders, read_running, running_variants, stroke_orders

# How many strokes each is printed with: number -> tokens.
PRINTED = {
    2: '讠亻阝冫刂力又卩勹匕儿冖亠丷𠂉⺈𠆢廴冂匚厂厶了人九十刀几𠂇乃七',
    3: (
        '纟氵扌彳忄犭饣土女马口弓寸𠃓勺己艹宀⺌䒑𭕄士辶门囗广尸巾子𫜹夂小大山夕个么与飞万上下也及千干工亡廾三叉义丬'
    ),
    4: (
        '礻𤣩木火车贝日月⺝牜攵欠殳斤勿巴戋戈夬尤文牛爫龶耂龷龵户灬心止方不为以书长见无开从天手水王今午五比友巨少毛夫丰云元斗气犬太六中丹丑区'
    ),
    5: (
        '钅衤禾石目立𢀖古矢穴龸罒疒皿𤴓且田白示鸟生东头发去乐出必用业可正令平半主世电母北左右由皮们对旦尔外它布甲申凸四'
    ),
    6: (
        '米虫耳页艮羽羊寺各舌吉𥫗覀⺶虍糸衣自至在有会那后年多再而当成师过问舟好共合先早交光全名回因曲西百关此灰州'
    ),
    7: '𧾷足酉言身告走豆里我这来还两时没你甫君吾更医进',
    8: '鱼隹青者雨金的事学所国其实非明现京话',
    9: '是看点很重前面要食说给革',
    10: '能家高爱',
    11: '得着第常',
    12: '等道最然就黑',
    13: '想感意',
}
COUNTS = {token: count for count, tokens in PRINTED.items() for token in tokens}
FORMS = [
    (token, place, read())
    for (token, place), forms in read_running(running_hand.FOLDER / 'running.txt').items()
    for read in forms
]
ORDERS = read_orders(running_hand.FOLDER / 'orders.txt')


def test_there_are_many():
    tokens = {token for token, _, _ in FORMS}
    assert len(FORMS) >= 400 and len(tokens) >= 200 and sum(map(len, ORDERS.values())) >= 80


def test_the_dictionary_knows_every_token():
    charset = Charset.load()
    assert ({token for token, _, _ in FORMS} | set(ORDERS)) <= set(charset.components) | set(
        charset.characters
    )


def test_forms_keep_to_their_range():
    for token, place, form in FORMS:
        points = np.concatenate(form.strokes)
        assert -0.2 <= points.min() and points.max() <= 1.2, (token, place, form.name)
        assert 0 <= form.degree <= 1 and all(
            stroke.dtype == np.float32 and len(stroke) > 1 for stroke in form.strokes
        ), (token, place, form.name)
        assert re.fullmatch('[a-z-]+', form.name)


def test_forms_are_as_large_as_their_box():
    for token, place, form in FORMS:
        points = np.concatenate(form.strokes)
        assert np.ptp(points, axis=0).max() > 0.75, (token, place, form.name)


def test_forms_have_no_more_strokes_than_the_printed():
    for token, place, form in FORMS:
        assert len(form.strokes) <= COUNTS[token], (token, place, form.name)


def test_orders_are_other_orders_of_the_printed_strokes():
    for token, orders in ORDERS.items():
        for order in orders:
            assert sorted(order) == list(range(COUNTS[token])) and order != tuple(range(COUNTS[token])), token


def test_a_mouth_in_two_strokes():
    two = next(form for form in running_variants('口') if form.name == 'two')
    left, rest = two.strokes
    # Worked by hand: `~4,5 12,50 22,98` starts at its first point and ends at its last; the other stroke
    # comes back to the foot of it.
    np.testing.assert_allclose([left[0], left[-1]], [[0.04, 0.05], [0.22, 0.98]], atol=1e-6)
    assert two.degree < 0.2 and abs(rest[-1] - left[-1]).max() < 0.1


def test_a_place_of_its_own_goes_before_the_general_form():
    left, anywhere = running_variants('木', 'left'), running_variants('木')
    assert left and anywhere and left is not anywhere
    assert running_variants('木', 'right') is anywhere and running_variants('木', 'left') is left  # read once
    assert running_variants('阝') == () and running_variants('阝', 'right') and running_variants('阝', 'left')


def test_what_has_no_row_has_no_form():
    assert running_variants('龘') == running_variants('A', 'left') == stroke_orders('龘') == ()


def test_orders_count_from_zero():
    assert stroke_orders('万') == ((0, 2, 1),)


def test_a_place_that_is_none_is_named():
    with pytest.raises(ValueError, match="place 'middle': expected one of left"):
        running_variants('口', 'middle')


@pytest.mark.parametrize(
    'row, told',
    [
        ('口\ttwo\t.1', '3 fields, expected component, name, degree and strokes'),
        ('口@middle\ttwo\t.1\t0,0 1,1', "'口@middle', expected COMPONENT"),
        ('口@\ttwo\t.1\t0,0 1,1', 'expected COMPONENT'),
        ('@left\ttwo\t.1\t0,0 1,1', 'expected COMPONENT'),
        ('口\ttwo\tmuch\t0,0 1,1', "degree 'much'"),
        ('口\ttwo\t1.2\t0,0 1,1', r"degree '1\.2'"),
        ('口\ttwo\tnan\t0,0 1,1', "degree 'nan'"),
        ('口\tone\t.1\t0,0 1,1', "name 'one'"),
        ('口\t\t.1\t0,0 1,1', "name ''"),
        ('口\ttwo\t.1\t0,0 1', "stroke 1, '1': expected x,y"),
        ('口\ttwo\t.1\t', 'two points'),
    ],
)
def test_malformed_forms_are_named(tmp_path, row, told):
    path = tmp_path / 'forms.txt'
    path.write_text(f'# header\n口\tone\t.4\t0,0 1,1\n\n{row}\n', encoding='utf-8')
    with pytest.raises(ValueError, match=f'forms.txt, row 4: .*{told}'):
        for forms in read_running(path).values():
            for read in forms:
                read()


@pytest.mark.parametrize(
    'row, told',
    [
        ('口', '1 fields, expected component and order'),
        ('口\t1 2 2', 'numbers 1 to n'),
        ('口\t2 3 4', 'numbers 1 to n'),
        ('口\t1 x 2', 'numbers 1 to n'),
        ('口\t1', 'n >= 2'),
        ('口\t', 'n >= 2'),
        ('\t2 1', 'numbers'),
        ('口\t2 1 3', 'not given before'),
    ],
)
def test_malformed_orders_are_named(tmp_path, row, told):
    path = tmp_path / 'orders.txt'
    path.write_text(f'口\t2 1 3\n{row}\n', encoding='utf-8')
    with pytest.raises(ValueError, match=f'orders.txt, row 2: .*{told}'):
        read_orders(path)


def test_the_tables_are_these():
    """Golden: forms, their degrees, all coordinates by their number, and the orders; a version of the
    corpus stands for them.
    """
    points = np.concatenate([stroke for _, _, form in FORMS for stroke in form.strokes]).astype(float)
    total = (points * np.cos(np.arange(points.size)).reshape(points.shape)).sum()
    orders = sum(
        n * (k + 1) for n, (_, orders) in enumerate(sorted(ORDERS.items())) for order in orders for k in order
    )
    np.testing.assert_allclose(
        (
            len(FORMS),
            sum(n % 7 * form.degree for n, (_, _, form) in enumerate(FORMS)),
            len(points),
            total,
            orders,
        ),
        TABLES,
        atol=1e-4,
    )


TABLES = (575, 678.5, 24580, -20.78955, 70023)


def test_degrees_at_both_ends_and_places_of_their_own(tmp_path):
    path = tmp_path / 'forms.txt'
    path.write_text(
        '口\ta\t0\t0,0 1,1\n口\tb\t1\t0,0 1,1; 2,2 3,3\n口@left\ta\t.5\t0,0 1,1\n', encoding='utf-8'
    )
    table = read_running(path)
    assert list(table) == [('口', None), ('口', 'left')]
    assert [
        (form.name, form.degree, len(form.strokes)) for form in (read() for read in table['口', None])
    ] == [('a', 0, 1), ('b', 1, 2)]
    assert running_hand.PLACES == ('left', 'right', 'top', 'bottom', 'around')
    path.write_text('口\t2 1\n口\t2 1 3\n木\t1 3 2 4\n', encoding='utf-8')
    assert read_orders(path) == {'口': ((1, 0), (1, 0, 2)), '木': ((0, 2, 1, 3),)}
