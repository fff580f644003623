"""Results: figures over seeds against NumPy, files that are equal byte for byte, comparisons that say what
differs, pages that hold what was measured.
"""

import json
import pathlib
import statistics
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageFont

from hwgen.evaluation.protocols.registry import find_protocol, find_protocols
from hwgen.evaluation.reporting import picture_sheet, result_file, result_page, seed_figures

DIRECTIONS = find_protocol('hct').directions
KINDS = {**find_protocol('hct').kinds, **find_protocol('neighbours').kinds}

FIGURES = [
    {
        'fid_recognizer_25': {'floor': 2.0, 'generated': 3.0},
        'copying_z_recognizer_25': {'floor': 0.0, 'generated': -1.0},
    },
    {
        'fid_recognizer_25': {'floor': 4.0, 'generated': 3.5},
        'copying_z_recognizer_25': {'floor': 0.5, 'generated': -2.0},
    },
    {
        'fid_recognizer_25': {'floor': 3.0, 'generated': 4.0},
        'copying_z_recognizer_25': {'floor': -0.5, 'generated': 0.0},
    },
]


def result(figures=None, **under):
    return {
        'protocol': 'hct',
        'seeds': [0, 1, 2],
        'measured_under': {'protocol': 'hct', 'lines_sha256': ['a', 'b', 'c'], **under},
        'figures': seed_figures.gather(figures or FIGURES, DIRECTIONS),
    }


def test_mean_and_spread():
    fid, copying = seed_figures.gather(FIGURES, DIRECTIONS)
    assert (fid['name'], fid['better'], copying['better']) == ('fid_recognizer_25', 'lower', None)
    assert fid['generated'] == {
        'values': [3.0, 3.5, 4.0],
        'mean': 3.5,
        'spread': pytest.approx(statistics.stdev([3.0, 3.5, 4.0])),
    }
    assert (
        seed_figures.kinds(fid) == ['generated', 'floor']
        and seed_figures.describe(fid['generated']) == '3.5 ± 0.5'
    )
    single, _ = seed_figures.gather(FIGURES[:1], DIRECTIONS)
    assert single['floor']['spread'] is None and seed_figures.describe(single['floor']) == '2'


def test_files_are_read_back_and_equal():
    for path in ('a.json', 'b.json'):
        result_file.write_result(path, result())
    assert pathlib.Path('a.json').read_bytes() == pathlib.Path('b.json').read_bytes()
    assert {
        name: value for name, value in result_file.read_result('a.json').items() if name != 'format'
    } == json.loads(json.dumps(result()))
    for content, message in (
        (None, 'no such file'),
        ('{', 'no JSON'),
        ('[]', 'not a result'),
        ('{"format": 2, "measured_under": {}}', 'of format 1'),
    ):
        if content is not None:
            pathlib.Path('c.json').write_text(content)
        with pytest.raises(seed_figures.ResultError, match=message):
            result_file.read_result('c.json')
    with pytest.raises(seed_figures.ResultError, match='no such file'):
        result_file.read_result('.')


def test_against_another():
    moved = [
        {name: {kind: value + shift for kind, value in values.items()} for name, values in figures.items()}
        for figures, shift in zip(FIGURES, (1.0, 1.0, 1.0))
    ]
    far = [
        {name: {kind: value + 9.0 for kind, value in values.items()} for name, values in figures.items()}
        for figures in FIGURES
    ]
    rows = result_file.differences(result(), result(moved))
    assert rows[0] == {
        'name': 'fid_recognizer_25',
        'kind': 'generated',
        'here': 3.5,
        'there': 4.5,
        'difference': -1.0,
        'within': True,
    }
    assert len(rows) == 4 and not any(row['within'] for row in result_file.differences(result(), result(far)))
    assert result_file.differences(result(FIGURES[:1]), result())[0]['within'] is None
    assert result_file.differences(result(), {'figures': []}) == []
    here = result()['measured_under']
    result_file.check_comparable(here, result()['measured_under'], place='x.json')
    # what is not known yet is not compared
    result_file.check_comparable({'protocol': 'hct'}, here, place='x.json')
    with pytest.raises(
        seed_figures.ResultError,
        match=r'x.json: measured under other conditions: lines_sha256 \["z"\] there, \["a", "b", "c"\] here',
    ):
        result_file.check_comparable(here, {**here, 'lines_sha256': ['z']}, place='x.json')


def test_the_page():
    compared = result_file.differences(result(), result())
    page = result_page.format_page(
        {**result(), 'model': '<b> & co'},
        title='Figures',
        explained=KINDS,
        pictures=[('hct.png', 'Lines')],
        differences=compared,
        against='old.json',
    )
    # well formed, so a browser shows it as it is meant
    tree = ElementTree.fromstring(page.removeprefix('<!DOCTYPE html>\n'))
    text = ''.join(tree.itertext())
    assert (
        '3.5 ± 0.5' in text
        and '<b> & co' in text
        and 'Against old.json' in text
        and 'within the spreads' in text
        and 'like the floor' in text
    )
    assert [image.get('src') for image in tree.iter('img')] == ['hct.png']
    plots = list(tree.iter('svg'))
    assert len(plots) == 2 and [len(list(plot.iter('circle'))) for plot in plots] == [6, 6]
    # 0 to 4 over the plot's width: the seeds 3, 3.5, 4 lie at three quarters, seven eighths and the end.
    places = [float(dot.get('cx')) for dot in list(plots[0].iter('circle'))[:3]]
    np.testing.assert_allclose(
        places, [result_page._LABEL_PX + share * result_page._PLOT_PX for share in (0.75, 0.875, 1.0)]
    )
    assert 'Against' not in result_page.format_page(result(), title='Figures', explained=KINDS)


def test_the_sheet():
    rows = [
        [np.zeros([48, 100], np.uint8), np.zeros([24, 30], np.uint8)],
        [np.zeros([96, 96], np.uint8), np.zeros([48, 20], np.uint8)],
    ]
    picture_sheet.write_sheet('sheet.png', rows)
    with Image.open('sheet.png') as sheet:
        pixels = np.asarray(sheet)
    # Columns of 100 + 48 and 60 + 48 px; rows of 48 px with a quarter between them.
    assert pixels.shape == (108, 256) and (pixels[:48, :100] == 0).all() and (pixels[60:, 148:168] == 0).all()
    assert (pixels[:48] == 0).sum() == 48 * (100 + 60) and (pixels[60:] == 0).sum() == 48 * (48 + 20)


def test_which_way_is_better():
    """The first word of a name tells, also where characters without images were written."""
    expected = {
        'fid_a_2k': 'lower',
        'kid_a': 'lower',
        'geometry_score_pixels_5k': 'lower',
        'hwd_a': 'lower',
        'cer_seen_9': 'lower',
        'label_error_9': 'lower',
        'error_x': 'lower',
        'is_a_9': 'higher',
        'copying_z_a': None,
        'copied_share_a': None,
        'hands_distance_pixels': None,
        'identified_8x12': None,
        'equal_copies': 'lower',
        'ppl_styles': 'lower',
        'uneven_x': 'lower',
        'detour_x': 'lower',
        'step_x': 'neither',
        'darkness_x': 'near 1',
        'neighbour_pixels_1': 'neither',
        'nearest_eighth': 'neither',
        'copies_x': 'neither',
        'real_x': 'neither',
        'own_distance': None,
        'other_distance': 'neither',
        'centred_own_distance': None,
        'reads_x': None,
        'loss_x': 'lower',
    }
    directions = {
        word: better for protocol in find_protocols().values() for word, better in protocol.directions.items()
    }
    rows = seed_figures.gather(
        [{name: {'floor': 1.0} for name in (*expected, 'unseen_cer_9', 'unseen_is_9')}], directions
    )
    assert {row['name']: row['better'] for row in rows} == {
        **expected,
        'unseen_cer_9': 'lower',
        'unseen_is_9': 'higher',
    }
    assert set(directions) == {name.split('_')[0] for name in expected}
    # No two protocols say otherwise, and what a protocol does not name it cannot report.
    assert all(
        directions[word] == better
        for protocol in find_protocols().values()
        for word, better in protocol.directions.items()
    )
    with pytest.raises(
        seed_figures.ResultError,
        match=(
            'figure cer_9: the protocol does not say which way cer is better; its directions are those of'
            ' fid, kid'
        ),
    ):
        seed_figures.gather([{'cer_9': {'floor': 1.0}}], DIRECTIONS)


def test_a_seed_need_not_have_every_figure_and_kind():
    a, b = seed_figures.gather(
        [
            {'fid_a': {'floor': 1.0}},
            {'fid_a': {'generated': 5.0, 'floor': 4.0}, 'is_b': {'x': 2.0}},
            {'fid_a': {'floor': 7.0}},
        ],
        DIRECTIONS,
    )
    assert (a['floor']['values'], a['floor']['spread'], a['generated']) == (
        [1.0, 4.0, 7.0],
        3.0,
        {'values': [5.0], 'mean': 5.0, 'spread': None},
    ) and a['floor']['mean'] == 4.0
    assert (
        list(a) == ['name', 'better', 'floor', 'generated']
        and b['x']['values'] == [2.0]
        and seed_figures.kinds(a) == ['generated', 'floor']
    )
    assert seed_figures.kinds({'name': 'n', 'zeta': {}, 'floor': {}, 'alpha': {}, 'generated': {}}) == [
        'generated',
        'floor',
        'zeta',
        'alpha',
    ]
    assert (
        seed_figures.describe({'mean': 12.3456, 'spread': 0.04567}) == '12.35 ± 0.046'
        and seed_figures.describe({'mean': 1234567.0, 'spread': None}) == '1.235e+06'
    )


def test_the_pairs_of_all_seeds():
    def seed(*values):
        return seed_figures.Measured(
            {},
            {
                'ppl_a': {'generated': list(values), 'independent': [0.0, 8.0]},
                'uneven_a': {'generated': [1.0]},
            },
            '',
        )

    rows = seed_figures.over_pairs([seed(1.0, 2.0), seed(3.0, 10.0, 4.0)])
    assert rows[0] == {
        'name': 'ppl_a',
        'kind': 'generated',
        'num_pairs': 5,
        'mean': 4.0,
        'standard_deviation': pytest.approx(statistics.pstdev([1, 2, 3, 10, 4])),
        'largest': 10.0,
    }
    assert [
        (row['name'], row['kind'], row['num_pairs'], row['mean'], row['standard_deviation'], row['largest'])
        for row in rows[1:]
    ] == [('ppl_a', 'independent', 4, 4.0, 4.0, 8.0), ('uneven_a', 'generated', 2, 1.0, 0.0, 1.0)]


def test_within_is_no_further_than_both_spreads():
    def figure(mean, spread, kind='generated'):
        return {
            'figures': [
                {'name': 'fid_a', 'better': 'lower', kind: {'mean': mean, 'spread': spread, 'values': []}}
            ]
        }

    def within(here, there):
        return result_file.differences(figure(*here), figure(*there))[0]['within']

    assert [
        within((1.0, 1.0), (4.0, 2.0)),
        within((4.0, 2.0), (1.0, 1.0)),
        within((1.0, 1.0), (4.25, 2.0)),
        within((4.25, 2.0), (1.0, 1.0)),
    ] == [True, True, False, False]
    assert within((1.0, None), (1.0, 2.0)) is None and within((1.0, 2.0), (1.0, None)) is None
    (row,) = result_file.differences(figure(3.0, 1.0), figure(1.0, 1.0))
    assert (row['here'], row['there'], row['difference']) == (3.0, 1.0, 2.0) and result_file.differences(
        figure(3.0, 1.0), figure(1.0, 1.0, 'floor')
    ) == []


def test_what_differs_is_told_in_short():
    """Eighty characters of a value at most, all differences, tuples and lists alike."""
    result_file.check_comparable({'seeds': (0, 1)}, {'seeds': [0, 1]}, place='x')
    with pytest.raises(seed_figures.ResultError) as told:
        result_file.check_comparable(
            {'a': 1, 'b': 'y' * 78, 'c': 'z' * 79, 'd': 5},
            {'a': 2, 'b': 'v' * 78, 'c': 'w' * 79, 'e': 6},
            place='x',
        )
    assert (
        str(told.value)
        == f'x: measured under other conditions: a 2 there, 1 here; b "{"v" * 78}" there, "{"y" * 78}" here; '
        f'c "{"w" * 76}... there, "{"z" * 76}... here'
    )


def test_a_renamed_network_is_the_same_and_results_of_before_are_told_by_its_file():
    here = {'feature_sha256': 'named a', 'feature_weights_sha256': 'weights'}
    result_file.check_comparable(here, {**here, 'feature_sha256': 'named b'}, place='x')
    result_file.check_comparable(here, {'feature_sha256': 'named a'}, place='x')
    for there in ({'feature_sha256': 'named b'}, {**here, 'feature_weights_sha256': 'other weights'}):
        with pytest.raises(seed_figures.ResultError, match='measured under other conditions'):
            result_file.check_comparable(here, there, place='x')


def svg_of(kinds, **row):
    found = result_page._plot(
        {
            'name': 'fid',
            'better': 'lower',
            **{
                kind: {'values': values, 'mean': float(np.mean(values)), 'spread': None}
                for kind, values in kinds.items()
            },
            **row,
        }
    )
    return ElementTree.fromstring(found)


def test_a_plot():
    """Kind below kind on one axis that has 0 in it, a bar at the mean, a dot a seed; 24 px a kind below
    the name.
    """
    plot = svg_of({'generated': [-1.0, 2.0], 'floor': [3.0], 'some_other': [1.0]})

    def place(value):
        return 250 + 420 * (value + 1) / 4

    dots, bars, (line,) = list(plot.iter('circle')), list(plot.iter('rect')), list(plot.iter('line'))
    assert [float(dot.get('cx')) for dot in dots] == [place(-1), place(2), place(3), place(1)] and [
        float(dot.get('cy')) for dot in dots
    ] == [36.0, 36.0, 60.0, 84.0]
    assert [float(bar.get('x')) + 1 for bar in bars] == [place(0.5), place(3), place(1)] and [
        float(bar.get('y')) + 9 for bar in bars
    ] == [36.0, 60.0, 84.0]
    assert (
        (float(line.get('x1')), float(line.get('x2')), line.get('y1'), line.get('y2'))
        == (place(0), place(0), '24', '96')
        and plot.get('height') == '96'
        and plot.get('width') == '690'
    )
    assert (
        [bar.get('fill') for bar in bars]
        == ['#1b5fa8', '#777', '#b58a3a']
        == [dots[k].get('fill') for k in (0, 2, 3)]
    )
    words = list(plot.iter('text'))
    assert [word.text for word in words] == ['fid', 'generated 0.5', 'floor 3', 'some other 1'] and [
        word.get('y') for word in words[1:]
    ] == ['41.0', '65.0', '89.0']
    assert [float(dot.get('cx')) for dot in svg_of({'floor': [0.0, 0.0]}).iter('circle')] == [250.0] * 2
    below = svg_of({'floor': [-4.0, -2.0]})
    assert [float(dot.get('cx')) for dot in below.iter('circle')] == [250.0, 460.0] and float(
        next(below.iter('line')).get('x1')
    ) == 670.0


def test_words_of_the_page():
    """Explained is what stands in the table; signs, counts and verdicts of differences; facts but not the
    figures again.
    """
    rows = [
        {
            'name': 'fid_a',
            'kind': 'other_texts',
            'here': 1.23456,
            'there': 2.5,
            'difference': -1.26544,
            'within': False,
        },
        {'name': 'is_a', 'kind': 'floor', 'here': 3.0, 'there': 2.9, 'difference': 0.1, 'within': None},
    ]
    told = {**result(), 'conditions': 'many', 'num_lines': 5, 'data': {'folder': '手'}}
    page = result_page.format_page(
        told,
        title='A & B',
        explained=KINDS,
        pictures=[('a.png', 'One'), ('b.png', 'Two')],
        differences=rows,
        against='<old>',
    )

    def text(node):
        return ''.join(node.itertext())

    tree = ElementTree.fromstring(page.removeprefix('<!DOCTYPE html>\n'))
    tables = [[[text(cell) for cell in row] for row in table] for table in tree.iter('table')]
    assert tables[0] == [
        ['figure', 'better', 'generated', 'floor'],
        ['fid_recognizer_25', 'lower', '3.5 ± 0.5', '3 ± 1'],
        ['copying_z_recognizer_25', 'like the floor', '-1 ± 1', '0 ± 0.5'],
    ]
    assert tables[1] == [
        ['figure', 'kind', 'here', 'there', 'difference', ''],
        ['fid_a', 'other texts', '1.235', '2.5', '-1.27', 'beyond the spreads'],
        ['is_a', 'floor', '3', '2.9', '+0.1', ''],
    ]
    assert tables[2] == [
        ['', ''],
        ['protocol', 'hct'],
        ['seeds', '[0, 1, 2]'],
        ['measured under', json.dumps(result()['measured_under'])],
        ['num lines', '5'],
        ['data', '{"folder": "手"}'],
    ]
    assert [text(item).split(':')[0] for item in tree.iter('li')] == [
        'generated',
        'floor',
    ] and 'over the seeds 0, 1, 2. Names' in text(tree)
    assert (
        [text(head) for head in tree.iter('h1')] == ['A & B'] == [text(head) for head in tree.iter('title')]
    )
    assert [text(head) for head in tree.iter('h2')] == ['Against <old>', 'One', 'Two', 'Measured under'] and [
        image.get('src') for image in tree.iter('img')
    ] == ['a.png', 'b.png']
    partly = {
        'seeds': [0],
        'figures': seed_figures.gather(
            [{'cer_a': {'floor': 1.0, 'same_neighbours': 2.0}, 'fid_b': {'other_texts': 3.0}}],
            {'cer': 'lower', 'fid': 'lower'},
        ),
    }
    tree = ElementTree.fromstring(
        result_page.format_page(partly, title='', explained=KINDS).removeprefix('<!DOCTYPE html>\n')
    )
    assert [[text(cell) for cell in row] for row in next(tree.iter('table'))] == [
        ['figure', 'better', 'floor', 'same neighbours', 'other texts'],
        ['cer_a', 'lower', '1', '2', ''],
        ['fid_b', 'lower', '', '', '3'],
    ]
    assert [text(item).split(':')[0] for item in tree.iter('li')] == [
        'floor',
        'same neighbours',
        'other texts',
    ]
    tree = ElementTree.fromstring(
        result_page.format_page(partly, title='', explained=KINDS, systems=True).removeprefix(
            '<!DOCTYPE html>\n'
        )
    )
    assert [[text(cell) for cell in row] for row in next(tree.iter('table'))] == [
        ['system', 'cer a (lower)', 'fid b (lower)'],
        ['floor', '1', ''],
        ['same_neighbours', '2', ''],
        ['other_texts', '', '3'],
    ]


def test_heads_of_the_sheet():
    """Grey words that stand 6 px above the lower end, as wide as they are; above each column of pictures
    its own.
    """
    font = ImageFont.load_default(20)
    head = picture_sheet.head_picture('Agx', font)
    ink = np.argwhere(head < 200)
    assert (
        head.shape == (48, round(font.getlength('Agx')))
        and head.min() == 90
        and ink[:, 0].max() > 42
        and picture_sheet.head_picture('', font).shape == (48, 1)
    )
    assert np.argwhere(picture_sheet.head_picture('x', font) < 200)[:, 0].max() == 41
    picture_sheet.write_sheet(
        'heads.png',
        [[np.zeros([24, 20], np.uint8), np.zeros([48, 9], np.uint8)]],
        heads=['A', 'a longer one'],
        font=font,
    )
    with Image.open('heads.png') as sheet:
        pixels = np.asarray(sheet)
    width = round(font.getlength('a longer one'))
    assert pixels.shape == (48 + 12 + 48, 40 + 48 + width + 48)
    np.testing.assert_array_equal(
        pixels[:48, 88 : 88 + width], picture_sheet.head_picture('a longer one', font)
    )
    assert (pixels[60:, :40] == 0).all() and (pixels[60:, 88:97] == 0).all() and (pixels[48:60] == 255).all()
