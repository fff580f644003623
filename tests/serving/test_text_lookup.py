"""Text in the graph against the charset in Python: the same codes, and the same place of the first
character nobody knows.
"""

import types

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from hwgen.charset import ids
from hwgen.charset.encoding import Charset, CharsetError
from hwgen.charset.normal_form import plain
from hwgen.serving.text_lookup import TextLookup, name_code_points

MOST = 50


@pytest.fixture(scope='module')
def lookup(writer):
    return TextLookup(writer, max_characters=MOST)


def look_up(lookup, *texts):
    found = lookup.look_up([text if isinstance(text, bytes) else text.encode() for text in texts])
    return (
        found.rows.numpy(),
        found.lengths.numpy().tolist(),
        [error.decode() for error in found.errors.numpy()],
    )


def test_every_known_character_has_the_codes_of_the_charset(lookup):
    characters = lookup.characters
    assert len(characters) > 20_000 and '𠮷' in characters and 'Ａ' in characters
    texts = [characters[i : i + MOST] for i in range(0, len(characters), MOST)]
    rows, lengths, errors = look_up(lookup, *texts)
    assert not any(errors) and lengths == list(map(len, texts))
    codes = lookup.characters_of(np.concatenate([row[:n] for row, n in zip(rows, lengths)]))
    expected = Charset.load().encode(characters)
    for name, found in codes._asdict().items():
        np.testing.assert_array_equal(found.numpy(), getattr(expected.characters, name), err_msg=name)


def test_no_character_is_forgotten():
    """Of a spread of code points, those that `encode` takes are those of the table (all were tried once:
    it takes a minute).
    """
    charset = Charset.load()
    known = set(charset.encodable_characters())
    spread = [
        *range(0x20, 0x500, 7),
        *range(0x2000, 0x4000, 61),
        *range(0x4E00, 0xA000, 211),
        *range(0xF900, 0x30000, 1013),
        0xFF21,
        0x20BB7,
    ]
    for point in spread:
        character = chr(point)
        try:
            taken = bool(charset.encode(character).units)
        except CharsetError:
            taken = False
        assert taken == (character in known), f'U+{point:04X}'


@pytest.mark.parametrize(
    'text, error',
    [
        (b'', f'empty text: expected 1 to {MOST} characters'),
        (b'\xe6\x98\x8e\xff', 'U+FFFD at position 1'),  # 明, then a byte that is no UTF-8
        (b'\xe6\x98', 'U+FFFD at position 0'),  # cut short
        (b'\xed\xa0\xbd\xed\xb8\x80', 'U+FFFD at position 0'),  # a pair of surrogates, as CESU-8 has it
        (b'\xc0\xaf', 'U+FFFD at position 0'),  # an overlong slash
        ('明\0天', 'U+0000 at position 1'),
        ('明\n', 'U+000A at position 1'),
        ('e\u0301', 'U+0301 at position 1'),  # a combining acute accent
        ('明天\U0001f600', 'U+1F600 at position 2'),
        ('𠮷𠮷\U0010ffff', 'U+10FFFF at position 2'),  # code points are counted, not UTF-16 units
        ('天⿱山鱼', 'U+2FF1 at position 1'),
        ('〾天', 'U+303E at position 0'),
        ('\ufeff明\u200b☃', 'U+2603 at position 3'),  # invisible characters count in places
        ('\u200b\ufeff', f'empty text: expected 1 to {MOST} characters'),
        ('明' * 10_000, f'10000 characters: expected at most {MOST}'),
        ('\0' * (MOST + 1), f'{MOST + 1} characters: expected at most {MOST}'),
    ],
)
def test_hostile_texts_are_named_and_fail_nobody_else(lookup, text, error):
    rows, lengths, errors = look_up(lookup, '明天', text, '人')
    assert errors == ['', error, ''] and lengths == [2, 0, 1]
    np.testing.assert_array_equal(rows[:1, :2], look_up(lookup, '明天')[0][:, :2])


def test_limits(lookup):
    assert look_up(lookup, '明' * MOST, '明')[1:] == ([MOST, 1], ['', ''])
    assert lookup.look_up(np.zeros([0], object).astype(str)).lengths.shape == [0]
    with pytest.raises(ValueError, match='max_characters=0: expected at least 1'):
        TextLookup(None, max_characters=0)


def test_forms_and_invisible_characters_are_read_as_the_charset_reads_them(lookup):
    for written, visible in (
        ('\u2f54\uf90a\u212aＡ–', 5),
        ('\ufeff葛\U000e0100飾\u200b', 2),
        ('a\u00ad' * MOST, MOST),
    ):
        rows, lengths, errors = look_up(lookup, written)
        assert errors == [''] and lengths == [visible]
        expected = Charset.load().encode(written)
        for name, found in lookup.characters_of(rows[0][:visible])._asdict().items():
            np.testing.assert_array_equal(found.numpy(), getattr(expected.characters, name), err_msg=name)


# Marks are excluded: in Python they are composed with what stands before them, here they are errors.
@hypothesis.given(
    st.lists(
        st.text(
            st.characters(
                exclude_categories=['Cs', 'Mn', 'Mc', 'Me'], exclude_characters=[*ids.ARITY, ids.VARIATION]
            )
            | st.sampled_from('明天去钓鱼，A\u2f54\uf90a\u200b\ufe00\U000e0100'),
            min_size=1,
            max_size=12,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_text_has_the_first_unknown_character_of_the_charset(lookup, texts):
    expected = []
    for text in texts:
        try:
            visible = Charset.load().encode(text).units
            expected.append('' if visible else f'empty text: expected 1 to {MOST} characters')
        except CharsetError as error:
            expected.append(f'U+{ord(text[error.position]):04X} at position {error.position}')
    assert look_up(lookup, *texts)[2] == expected


def test_any_bytes_are_taken(lookup):
    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 256, size, np.uint8).tobytes() for size in range(1, 40)]
    for text, length, error in zip(texts, *look_up(lookup, *texts)[1:]):
        visible = plain(text.decode('utf-8', 'replace'))
        assert (
            (length > 0) == (error == '') == (visible != '' and all(c in lookup.characters for c in visible))
        )


@hypothesis.given(st.text('ae=水', min_size=1, max_size=4), st.sampled_from('\u0301\u0338\u030c\u3099'))
def test_a_combining_mark_is_an_error_never_another_picture(lookup, text, mark):
    assert look_up(lookup, text + mark + text)[2] == [f'U+{ord(mark):04X} at position {len(text)}']


@pytest.mark.parametrize('points', [[0, 9, 0xABC, 0xFFFF, 0x10000, 0x20BB7, 0x10FFFF]])
def test_names_of_code_points(points):
    assert [name.decode() for name in name_code_points(np.array(points, np.int32)).numpy()] == [
        f'U+{point:04X}' for point in points
    ]


def test_what_the_model_did_not_learn_is_unknown():
    charset = Charset.load()
    known, newer = sorted('永人山口', key=lambda character: charset.encode(character).component_ids.max())[
        ::3
    ]
    limit = charset.encode(newer).component_ids.max()
    older = types.SimpleNamespace(
        charset=charset, can_write=lambda encoded: (encoded.component_ids < limit).all(axis=1)
    )
    lookup = TextLookup(older, max_characters=9)
    assert look_up(lookup, known + newer)[2] == [f'U+{ord(newer):04X} at position 1']
    assert 0 < len(lookup.characters) < len(charset.encodable_characters())


@pytest.mark.slow
def test_an_older_model_writes_in_its_own_table():
    charset = Charset.load().prefix(9658)
    lookup = TextLookup(
        types.SimpleNamespace(charset=charset, can_write=lambda encoded: np.ones(len(encoded.units), bool)),
        max_characters=9,
    )
    rows, _, errors = look_up(lookup, '漢寫囍', '我們')
    assert errors == ['', 'U+5011 at position 1']
    np.testing.assert_array_equal(
        lookup.characters_of(rows[0][:3]).component_ids.numpy(), charset.encode('漢寫囍').component_ids
    )
