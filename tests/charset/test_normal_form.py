"""Characters that are equal in Unicode's eyes, and invisible ones: the same codes; what was written stays in the units and in the positions of errors."""

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
    """A model's list of characters has the Kelvin sign, radicals and compatibility ideographs, too, each code point once and in order."""
    found = CHARSET.encodable_characters()
    assert set('\u212a\uf90a\u2f54金K水') <= set(found) and list(found) == sorted(set(found))


@pytest.mark.parametrize('written, as_, units', [
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
])
def test_the_same_codes_as(written, as_, units):
    encoded, expected = CHARSET.encode(written), CHARSET.encode(as_)
    assert list(encoded.units) == units and ''.join(encoded.units) == written
    for found, wanted in zip(encoded[1:], expected[1:]):
        np.testing.assert_array_equal(found, wanted)


def test_nothing_visible_is_nothing():
    assert CHARSET.encode('\u200b\ufeff').units == () and symbols.normalize('\u200b\ufeff') == ''


@pytest.mark.parametrize('text, position, says', [
    ('\u200b水\ufeff☃', 3, 'U\\+2603 ☃ at position 3'),  # places are those of the text as it was written
    ('ae\u0301', 1, 'U\\+00E9 é at position 1: .*U\\+0065 e is known'),
    ('é', 0, 'U\\+00E9 é at position 0'),
    ('ax\u030c', 2, 'U\\+030C .* at position 2'),
    ('\u200bx\u0338\u030c', 2, 'U\\+0338 .* at position 2'),
    ('水\u200b⿱山\ufeff☃', 5, 'U\\+2603 ☃ at position 5'),
    ('水\u200b⿱山\ufeff', 5, 'position 5: the text ends inside ⿱ of position 2'),
    ('\u200b⿰山{', 3, '{ at position 3: a number'),
    ('⑴', 0, r'U\+2474 ⑴ at position 0: .*; \(1\) is known'),
])
def test_errors_have_the_places_of_the_text_as_it_was_written(text, position, says):
    with pytest.raises(CharsetError, match=says) as caught:
        CHARSET.encode(text)
    assert caught.value.position == position


def test_the_ignorable_are_those_of_unicode():
    points = {code for first, last in IGNORABLE for code in range(first, last + 1)}
    assert points >= {0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x202A, 0x2060, 0xFE00, 0xFE0F, 0xFEFF, 0xE0100, 0xE01EF} and not points & {0x20, 0x3000, 0xFFFD, 0x2FF0}
    assert {code for code in range(0x110000) if unicodedata.category(chr(code)) == 'Cf'} - points == {
        *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, *range(0xFFF9, 0xFFFC), 0x110BD, 0x110CD, *range(0x13430, 0x13440)} & {
        code for code in range(0x110000) if unicodedata.category(chr(code)) == 'Cf'}


def test_no_component_is_taken_for_another_character():
    names = {*CHARSET.components, *CHARSET.characters}
    assert not names & singletons().keys() and not names & symbols.VARIANTS.keys()
    assert len(RADICALS) == 214 + 100 and all(plain(name) == name for name in names if len(name) == 1)


def test_a_text_in_normal_form_is_left_alone():
    for text in ('明天⿱山鱼', 'abc', '', '，：；！？'):
        assert normal_form(text) == (text, range(len(text) + 1))


def test_where_a_letter_and_its_mark_are_two():
    assert has_parts('e\u0301') and has_parts('=\u0338') and not has_parts('葛\U000e0100') and not has_parts('é水A')


@given(st.text(st.sampled_from('水金侮侮\uf90a\ufa30≠≮≯=<>A，\u0338\u200b\ufeff\u00ad\u2f54⿰{') | st.characters(exclude_categories=['Cs']), max_size=12))
def test_canonically_equal_texts_have_equal_codes(text):
    def read(written):
        try:
            return [column.tolist() for column in CHARSET.encode(written)[1:]]
        except CharsetError as error:
            return str(error).split(' at ')[0].split(':')[0] if 'position' not in str(error).split(' at ')[0] else 'refused'
    assert read(unicodedata.normalize('NFD', text)) == read(unicodedata.normalize('NFC', text)) == read(text)


@given(st.text(st.characters(exclude_categories=['Cs']), max_size=12))
def test_starts_are_places(text):
    form = normal_form(text)
    assert len(form.starts) == len(form.text) + 1 and form.starts[-1] == len(text)
    assert list(form.starts) == sorted(form.starts) and plain(form.text) == form.text
