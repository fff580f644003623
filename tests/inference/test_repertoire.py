"""What a generator can write, told from its description: shown, composed of what was shown, folded, blank,
or refused with its place.
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import hwgen
from hwgen.charset.encoding import Charset, CharsetError
from hwgen.inference.description import ArtefactError, read_description
from hwgen.inference.repertoire import Repertoire

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
SHIPPED = str(CHECKOUT / 'saved_models' / 'demo')
SIZES = dict(
    content_encoding='layout',
    num_components=10**6,
    num_structures=10**6,
    num_characters=10**6,
    char_px=16,
    char_width_px=16,
)


def make(seen, **options):
    encoding = options.pop('content_encoding', 'layout')
    return Repertoire(Charset.load(), {**SIZES, 'content_encoding': encoding}, seen=seen, **options)


@pytest.fixture(scope='module')
def shipped():
    return Repertoire.load(SHIPPED)


def refused(repertoire, text):
    with pytest.raises(CharsetError) as caught:
        repertoire.encode(text)
    return str(caught.value), caught.value.position


def test_characters_are_written_by_the_parts_that_were_shown():
    repertoire = make('明早一，')
    charset = repertoire.charset
    for text in ('明', '早', '，', '日', '\u3000', ' ', '\u00a0', '⿰日十', '⿱月日', ','):
        codes = repertoire.encode(text)
        assert {charset.components[i] for i in codes.component_ids[0] if i} <= {'日', '月', '十', '，', ' '}
    message, position = refused(repertoire, '明 鱼')
    assert (
        message.startswith('U+9C7C 鱼 at position 2: no training picture of this model showed it')
        and position == 2
    )
    assert 'allow_unseen' in message
    message, position = refused(repertoire, '早⿰氵明')
    assert (
        message.startswith(
            '⿰氵明 at position 1: no training picture of this model showed it, nor its component 氵'
        )
        and position == 1
    )
    # Both parts are known, but not one above the other.
    assert 'nor its structure' in refused(make('明'), '⿱日月')[0]


def test_places_are_those_of_the_text_as_written():
    message, position = refused(make('明'), '明\u200b明﹐.')
    assert position == 3 and message.startswith('U+FE50')  # not in the table at all
    message, position = refused(make('明'), '\ufeff明\u200b.')
    assert (message[:24], position) == ('U+002E . at position 3: ', 3)


def test_one_hot_generators_compose_nothing():
    repertoire = make('明早，日月', content_encoding='onehot')
    repertoire.encode('明早，日月 ')
    assert refused(repertoire, '昌')[1] == 0
    assert [repertoire.charset.characters[i] for i in repertoire.encode(',').character_ids] == ['，']


def test_labels_keep_what_was_written(shipped):
    encoded = shipped.encode('他说"好",(a)!')
    assert ''.join(encoded.units) == '他说"好",(a)!'
    assert ''.join(shipped.charset.characters[i] for i in encoded.character_ids) == '他说“好”，（a）！'
    np.testing.assert_array_equal(
        shipped.encode('"', quotes_before=3).character_ids, shipped.encode('”').character_ids
    )


def test_nothing_is_refused_where_nothing_is_known():
    repertoire = make(None)
    assert not repertoire.knows_seen and not repertoire.folding
    repertoire.encode('鱼.—…')
    assert repertoire.can_write(repertoire.charset.encode('鱼.')).all()


def test_allow_unseen_writes_all_and_says_so_once():
    said = []
    repertoire = make('明', allow_unseen=True, tell=said.append)
    repertoire.encode('明')
    assert not said
    for text in ('明鱼', '鱼.', '.'):
        repertoire.encode(text)
    assert len(said) == 1 and said[0].startswith('U+9C7C 鱼 is written though no training picture')
    assert repertoire.can_write(repertoire.charset.encode('鱼.')).all()
    assert not repertoire.can_write(repertoire.charset.encode('鱼.'), allow_unseen=False).any()


def test_the_shipped_model(shipped):
    """All hanzi of its table, the 200 held-out ones among them; 94 of 251 symbols: 75 shown, the space, 18
    folded.
    """
    charset = shipped.charset
    table = charset.encode(''.join(charset.characters[1:]))
    symbol = np.array([charset.structures[i].startswith('sym-') for i in table.structure_ids])
    written = shipped.can_write(table)
    assert (written.sum(), (written & symbol).sum(), symbol.sum(), (~symbol).sum()) == (8324, 94, 251, 8230)
    assert shipped.seen_characters[1:].sum() == 3576
    for text in (
        '明天去钓鱼',
        '明天⿱山鱼',
        '永和九年',
        '你好，世界',
        'Hello world',
        '他说：“好！”（《书》）',
        '２０２４年ＡＢ',
        '愛',
    ):
        shipped.encode(text)
    for text, position in (
        ('3.14', 1),
        ('100%', 3),
        ('100％', 3),
        ('去——看', 1),
        ('…', 0),
        ('【书】', 0),
        ('￥5', 0),
        ('①', 0),
        ('α', 0),
        ("it's", 2),
        ('a-b', 1),
    ):
        assert refused(shipped, text)[1] == position


def test_a_text_is_checked_without_tensorflow():
    done = subprocess.run(
        [
            sys.executable,
            '-P',
            '-c',
            (
                'import sys; from hwgen.inference.repertoire import Repertoire;'
                ' Repertoire.load(sys.argv[1]).encode("明天"); print([name for name in ("tensorflow",'
                ' "keras") if name in sys.modules])'
            ),
            SHIPPED,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
    )
    assert (done.stdout, done.returncode) == ('[]\n', 0), done.stderr


def test_descriptions_that_are_none(tmp_path):
    file = tmp_path / 'generator.json'
    sizes = dict(num_components=3, num_structures=3, num_characters=3, char_px=16, char_width_px=16)
    good = dict(format=1, generator=sizes, charset=dict(row_count=1, hash=''))
    broken = [
        {**good, 'generator': {**sizes, name: value}} for name, value in dict.fromkeys(sizes, '3').items()
    ]
    broken += [
        {**good, 'charset': {**good['charset'], **wrong}} for wrong in (dict(row_count=1.5), dict(hash=7))
    ]
    for content, said in (
        (None, 'no generator there'),
        ('{', 'not a generator description'),
        ('[]', 'not a generator description'),
        (json.dumps({**good, 'generator': {}}), 'num_components'),
        (json.dumps({**good, 'format': 2}), 'format 2, expected 1'),
        (json.dumps({**good, 'seen': [1]}), 'seen list, expected a text'),
        (json.dumps({**good, 'seen': None}), 'seen NoneType, expected a text'),
        *(
            (
                json.dumps(one),
                (
                    'expected whole numbers num_components, .*char_width_px and charset.row_count, and'
                    ' charset.hash'
                ),
            )
            for one in broken
        ),
    ):
        if content is not None:
            file.write_text(content, encoding='utf-8')
        with pytest.raises(ArtefactError, match=said):
            read_description(str(tmp_path))
    file.write_text(json.dumps(good), encoding='utf-8')
    assert read_description(str(tmp_path)) == good


def test_sizes_of_pictures():
    """By hand, with cells of 32 x 24: three are 72 wide; at 48 px 108, at 11 px 24.75."""
    repertoire = Repertoire(Charset.load(), {**SIZES, 'char_px': 32, 'char_width_px': 24})
    assert [repertoire.picture_size(3, height) for height in (None, 32, 48, 11)] == [
        (72, 32),
        (72, 32),
        (108, 48),
        (25, 11),
    ]
    assert (repertoire.char_px, repertoire.char_width_px) == (32, 24)


def test_a_model_that_does_not_say_what_it_was_shown():
    assert make('').note == '' and make('').knows_seen
    assert (
        make(None).note
        == 'it does not say which characters its training pictures showed, so that none is refused for that'
    )


def test_why_a_character_is_refused():
    """A symbol that is its own component is told of alone; of a composed character all parts that are not
    known, else the structure.
    """
    repertoire = make('明早')
    assert refused(repertoire, '.')[0].startswith(
        'U+002E . at position 0: no training picture of this model showed it; expected'
    )
    assert refused(repertoire, '⿰鱼鸟')[0].startswith(
        '⿰鱼鸟 at position 0: no training picture of this model showed it, nor its component 鱼, 鸟;'
        ' expected'
    )
    assert refused(repertoire, '⿰日鱼')[0].startswith(
        '⿰日鱼 at position 0: no training picture of this model showed it, nor its component 鱼; expected'
    )
    assert refused(repertoire, '⿺月日')[0].startswith(
        '⿺月日 at position 0: no training picture of this model showed it, nor its structure ⿺'
    )
    whole = make('明', content_encoding='onehot')
    assert refused(whole, '明早')[0].startswith(
        'U+65E9 早 at position 1: no training picture of this model showed it; expected'
    )


def test_what_the_network_has_no_numbers_for():
    """The tables end one below their size: at the size itself there is nothing.

    What `allow_unseen` allows ends there, too.
    """
    charset = Charset.load()
    code = charset.encode('明')
    character, structure, components = (
        int(code.character_ids[0]),
        int(code.structure_ids[0]),
        code.component_ids[0],
    )
    for size, kind, encoding, said in (
        (character, 'num_characters', 'onehot', 'has no filter in this model'),
        (int(components.max()), 'num_components', 'layout', 'has a component that was added'),
        (structure, 'num_structures', 'layout', 'has a structure that was added'),
    ):
        for allow_unseen in (False, True):
            options = dict(allow_unseen=allow_unseen, tell=None)
            enough, small = (
                Repertoire(charset, {**SIZES, 'content_encoding': encoding, kind: size + more}, **options)
                for more in (1, 0)
            )
            assert enough.can_write(code).tolist() == [True] and small.can_write(code).tolist() == [False]
            enough.encode('明')
            assert said in refused(small, '明')[0]


def test_spaces_and_padding_are_always_known():
    for encoding in ('layout', 'onehot'):
        repertoire = make('明', content_encoding=encoding)
        assert repertoire.can_write(repertoire.charset.encode('明 天')).tolist() == [True, True, False]
        assert (
            repertoire.seen_characters[0] and repertoire.seen_components[0] and repertoire.seen_structures[0]
        )
        assert repertoire.seen_characters.sum() == 3  # padding, 明 and the space


def test_a_description_gives_its_table_and_its_encoding():
    older = Charset.load().prefix(9658)
    description = dict(
        generator={name: value for name, value in SIZES.items() if name != 'content_encoding'},
        charset=dict(row_count=9658, hash=older.hash),
        seen='明',
    )
    description['generator'] |= dict(char_px=32, char_width_px=16)
    found = Repertoire.of(description, allow_unseen=True, tell=None)
    assert (
        found.charset is older
        and not found.by_character
        and found.allow_unseen
        and found.knows_seen
        and found.char_width_px == 16
    )
    assert Repertoire.of(
        {**description, 'generator': {**description['generator'], 'content_encoding': 'onehot'}}
    ).by_character
    with pytest.raises(ValueError, match='0000'):
        Repertoire.of({**description, 'charset': dict(row_count=9658, hash='0' * 64)})
