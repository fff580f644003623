"""Characters that are equal in Unicode's eyes, and invisible ones: the same codes; what was written stays
in the units and in the positions of errors.
"""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.charset import symbols
from hwgen.charset.encoding import Charset, CharsetError
from hwgen.charset.normal_form import IGNORABLE, RADICALS, has_parts, normal_form, plain, singletons

CHARSET = Charset.load()


def test_what_is_equal_to_a_character_counts_as_encodable():
    """A model's list of characters has the Kelvin sign, radicals and compatibility ideographs, too, each
    code point once and in order.
    """
    found = CHARSET.encodable_characters()
    assert set('\u212a\uf90a\u2f54金K水') <= set(found) and list(found) == sorted(set(found))


@pytest.mark.parametrize(
    'written, as_, units',
    [
        ('\u2f54', '水', ['\u2f54']),  # a Kangxi radical
        ('\u2ec5\u2ea1', '见氵', ['\u2ec5', '\u2ea1']),  # radicals of the supplement
        ('\uf90a\ufa30', '金侮', ['\uf90a', '\ufa30']),  # compatibility ideographs
        ('水\u200b火', '水火', ['水\u200b', '火']),
        ('\ufeff\u200b水', '水', ['\ufeff\u200b水']),
        ('葛\U000e0100飾', '葛飾', ['葛\U000e0100', '飾']),  # a variation selector
        ('a\u00adb\u200d\u202e', 'ab', ['a\u00ad', 'b\u200d\u202e']),
        ('=\u0338A', '≠A', ['=\u0338', 'A']),  # two code points, one character
        ('<\u200b\u0338', '≮', ['<\u200b\u0338']),
        ('⿱\u2f2d\u200b鱼天', '⿱山鱼天', ['⿱\u2f2d\u200b鱼', '天']),  # within a sequence
        ('⿰\u200b日\ufe00月\u200b', '明', ['⿰\u200b日\ufe00月\u200b']),
        ('\u212a\u2126\u037e', 'KΩ;', ['\u212a', '\u2126', '\u037e']),  # Kelvin, Ohm, the Greek question mark
        ('1990–2000', '1990-2000', list('1990–2000')),
        ('‐‑−', '---', list('‐‑−')),
        ('\u2003', ' ', ['\u2003']),
    ],
)
def test_the_same_codes_as(written, as_, units):
    encoded, expected = CHARSET.encode(written), CHARSET.encode(as_)
    assert list(encoded.units) == units and ''.join(encoded.units) == written
    for found, wanted in zip(encoded[1:], expected[1:]):
        np.testing.assert_array_equal(found, wanted)


def test_nothing_visible_is_nothing():
    assert CHARSET.encode('\u200b\ufeff').units == () and symbols.normalize('\u200b\ufeff') == ''


@pytest.mark.parametrize(
    'text, position, says',
    [
        ('\u200b水\ufeff☃', 3, 'U\\+2603 ☃ at position 3'),  # places are those of the text as it was written
        ('ae\u0301', 1, 'U\\+00E9 é at position 1: .*U\\+0065 e is known'),
        ('é', 0, 'U\\+00E9 é at position 0'),
        ('ax\u030c', 2, 'U\\+030C .* at position 2'),
        ('\u200bx\u0338\u030c', 2, 'U\\+0338 .* at position 2'),
        ('水\u200b⿱山\ufeff☃', 5, 'U\\+2603 ☃ at position 5'),
        ('水\u200b⿱山\ufeff', 5, 'position 5: the text ends inside ⿱ of position 2'),
        ('\u200b⿰山{', 3, '{ at position 3: a number'),
        ('⑴', 0, r'U\+2474 ⑴ at position 0: .*; \(1\) is known'),
    ],
)
def test_errors_have_the_places_of_the_text_as_it_was_written(text, position, says):
    with pytest.raises(CharsetError, match=says) as caught:
        CHARSET.encode(text)
    assert caught.value.position == position


def test_the_ignorable_are_those_of_unicode():
    points = {code for first, last in IGNORABLE for code in range(first, last + 1)}
    assert points >= {
        0xAD,
        0x200B,
        0x200C,
        0x200D,
        0x200E,
        0x202A,
        0x2060,
        0xFE00,
        0xFE0F,
        0xFEFF,
        0xE0100,
        0xE01EF,
    } and not points & {0x20, 0x3000, 0xFFFD, 0x2FF0}
    assert {code for code in range(0x110000) if unicodedata.category(chr(code)) == 'Cf'} - points == {
        *range(0x600, 0x606),
        0x6DD,
        0x70F,
        0x890,
        0x891,
        0x8E2,
        *range(0xFFF9, 0xFFFC),
        0x110BD,
        0x110CD,
        *range(0x13430, 0x13440),
    } & {code for code in range(0x110000) if unicodedata.category(chr(code)) == 'Cf'}


def test_how_many_are_ignorable():
    """DerivedCoreProperties.txt counts 4,174 with Default_Ignorable_Code_Point; at the edges of its ranges
    stand visible ones.
    """
    assert sum(last - first + 1 for first, last in IGNORABLE) == 4174 and all(
        first <= last for first, last in IGNORABLE
    )
    inside = [
        0xAD,
        0x34F,
        0x61C,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x180B,
        0x180F,
        0x200F,
        0x202E,
        0x206F,
        0x3164,
        0xFFA0,
        0xFFF0,
        0xFFF8,
        0x1BCA0,
        0x1BCA3,
        0x1D173,
        0x1D17A,
        0xE0000,
        0xE0FFF,
    ]
    assert all(plain('水' + chr(code)) == '水' for code in inside)
    assert all(
        plain('水' + chr(code)) == '水' + chr(code)
        for code in (0xAC, 0xAE, 0x180A, 0x2010, 0x202F, 0x3165, 0xFFF9, 0x1BCA4, 0xDFFFF, 0xE1000)
    )


def test_singletons_are_those_of_unicode():
    """All code points that normalise to one other; and the radicals."""
    # none beyond has one
    found = {
        chr(code): unicodedata.normalize('NFC', chr(code))
        for code in range(0x30000)
        if not 0xD800 <= code < 0xE000
    }
    assert (
        singletons()
        == {one: other for one, other in found.items() if one != other and len(other) == 1} | RADICALS
    )


@pytest.mark.parametrize(
    'radical, ideograph',
    [
        (0x2F00, 0x4E00),
        (0x2FD5, 0x9FA0),
        (0x2F24, 0x5927),
        (0x2E81, 0x5382),
        (0x2E85, 0x4EBB),
        (0x2E89, 0x5202),
        (0x2E96, 0x5FC4),
        (0x2E98, 0x624C),
        (0x2EA1, 0x6C35),
        (0x2EA3, 0x706C),
        (0x2EA8, 0x72AD),
        (0x2EAE, 0x25AD7),
        (0x2EAF, 0x7CF9),
        (0x2EB0, 0x7E9F),
        (0x2EBE, 0x8279),
        (0x2EC2, 0x8864),
        (0x2EC5, 0x89C1),
        (0x2EC8, 0x8BA0),
        (0x2EC9, 0x8D1D),
        (0x2ECB, 0x8F66),
        (0x2ED0, 0x9485),
        (0x2ED3, 0x957F),
        (0x2ED4, 0x95E8),
        (0x2EDA, 0x9875),
        (0x2EDB, 0x98CE),
        (0x2EE0, 0x9963),
        (0x2EE2, 0x9A6C),
        (0x2EE5, 0x9C7C),
        (0x2EE6, 0x9E1F),
        (0x2EE8, 0x9EA6),
        (0x2EEC, 0x9F50),
        (0x2EEE, 0x9F7F),
        (0x2EF0, 0x9F99),
        (0x2EF2, 0x4E80),
        (0x2EF3, 0x9F9F),
    ],
)
def test_radicals_and_ideographs(radical, ideograph):
    """EquivalentUnifiedIdeograph.txt of Unicode, a part of it."""
    assert RADICALS[chr(radical)] == chr(ideograph) == plain(chr(radical))


def test_those_without_an_ideograph_of_their_shape_stay():
    assert not RADICALS.keys() & set('⺍⺈⺌⺼⺀⺄⺊') and all(
        0x2E80 <= ord(radical) <= 0x2FD5 for radical in RADICALS
    )
    assert all(len(plain(ideograph)) == 1 and ideograph not in RADICALS for ideograph in RADICALS.values())


@pytest.mark.parametrize(
    'text, normal, starts',
    [
        ('e\u0301a', 'éa', [0, 2, 3]),
        ('\u200be\u0301', 'é', [1, 3]),
        ('a\u200b\u2f54b', 'a水b', [0, 2, 3, 4]),
        ('x\u030c\u0338a', 'x\u0338\u030ca', [0, 2, 1, 3, 4]),
        ('\u1100\u1161\u11a8!', '각!', [0, 3, 4]),
        ('\u200bx\u0338\u0338a', 'x\u0338\u0338a', [1, 2, 2, 4, 5]),
        ('\u200b', '', [1]),
        ('=\u0338=\u0338', '≠≠', [0, 2, 4]),
        ('\u0301', '\u0301', [0, 1]),
        ('金\uf90a', '金金', [0, 1, 2]),
    ],
)
def test_places(text, normal, starts):
    """Of a mark that stands there twice the first place."""
    form = normal_form(text)
    assert (form.text, list(form.starts)) == (normal, starts)


def test_no_component_is_taken_for_another_character():
    names = {*CHARSET.components, *CHARSET.characters}
    assert not names & singletons().keys() and not names & symbols.VARIANTS.keys()
    assert len(RADICALS) == 214 + 100 and all(plain(name) == name for name in names if len(name) == 1)


def test_a_text_in_normal_form_is_left_alone():
    for text in ('明天⿱山鱼', 'abc', '', '，：；！？'):
        assert normal_form(text) == (text, range(len(text) + 1))


def test_where_a_letter_and_its_mark_are_two():
    # marks beside, around and above
    assert has_parts('क\u0903') and has_parts('水\u20dd') and has_parts('a\u0300')
    assert (
        has_parts('\u1100\u1161')
        and has_parts('\u11ff')
        and not has_parts('\u115f\uac00\u1200')
        and not has_parts('')
    )
    assert (
        has_parts('e\u0301')
        and has_parts('=\u0338')
        and not has_parts('葛\U000e0100')
        and not has_parts('é水A')
    )


@given(
    st.text(
        st.sampled_from('水金侮侮\uf90a\ufa30≠≮≯=<>A，\u0338\u200b\ufeff\u00ad\u2f54⿰{')
        | st.characters(exclude_categories=['Cs']),
        max_size=12,
    )
)
def test_canonically_equal_texts_have_equal_codes(text):
    def read(written):
        try:
            return [column.tolist() for column in CHARSET.encode(written)[1:]]
        except CharsetError as error:
            return (
                str(error).split(' at ')[0].split(':')[0]
                if 'position' not in str(error).split(' at ')[0]
                else 'refused'
            )

    assert read(unicodedata.normalize('NFD', text)) == read(unicodedata.normalize('NFC', text)) == read(text)


@given(st.text(st.characters(exclude_categories=['Cs']), max_size=12))
def test_starts_are_places(text):
    form = normal_form(text)
    assert len(form.starts) == len(form.text) + 1 and form.starts[-1] == len(text)
    assert list(form.starts) == sorted(form.starts) and plain(form.text) == form.text
