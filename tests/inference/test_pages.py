"""Pages: the wrapping rules on worked cases and on random texts, and where the lines land."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from hwgen.inference import line_layout, pages
from hwgen.inference.line_layout import WrittenLine


def even_line(char_px, char_width_px, num_characters, shade):
    """A line of one grey in equal cells."""
    return WrittenLine(
        np.full([char_px, num_characters * char_width_px], shade, np.uint8),
        line_layout.even_boxes(num_characters, char_px=char_px, char_width_px=char_width_px),
    )


def wrapped(text, width, **options):
    return [text[start:stop] for start, stop in pages.wrap(text, width, **options)]


@pytest.mark.parametrize(
    'text, width, expected',
    [
        ('一二三四五六', 3, ['一二三', '四五六']),
        ('一二三，四五', 3, ['一二', '三，四', '五']),  # a comma does not begin a line
        ('一二（三四）五', 3, ['一二', '（三', '四）五']),  # brackets stay with what they enclose
        ('一二三。”四五', 4, ['一二', '三。”四', '五']),  # two closing marks
        ('一“《二》三', 2, ['一', '“《', '二》', '三']),  # too narrow for the rules: broken where it is full
        ('一二——三四', 3, ['一二', '——三', '四']),  # a dash is not torn
        ('一二三……四', 4, ['一二', '三……四']),  # nor an ellipsis, and it does not begin a line
        ('一二hello三', 5, ['一二', 'hello', '三']),  # nor a word
        ('a hello 3.14', 6, ['a', 'hello', '3.14']),  # spaces at a break belong to no line
        ('ab cd', 2, ['ab', 'cd']),
        ('abcdefgh', 3, ['abc', 'def', 'gh']),  # a word longer than the line
        ('，，，，', 2, ['，，', '，，']),
        ('   ', 2, []),
        ('', 5, []),
    ],
)
def test_wrap(text, width, expected):
    assert wrapped(text, width) == expected


def test_first_line_may_be_shorter():
    assert wrapped('一二三四五六', 4, first_width=2) == ['一二', '三四五六']


@hypothesis.given(
    text=st.text('一二三，。（）“”—…ab1 ', max_size=60), width=st.integers(1, 12), first=st.integers(1, 12)
)
def test_wrap_loses_nothing_and_obeys(text, width, first):
    spans = pages.wrap(text, width, first_width=first)
    covered = [i for start, stop in spans for i in range(start, stop)]
    assert covered == sorted(set(covered))
    assert all(text[i] == ' ' for i in set(range(len(text))) - set(covered))
    for number, (start, stop) in enumerate(spans):
        limit = width if number else first
        assert 0 < stop - start <= limit
        if stop < len(text) and text[stop] != ' ' and not pages.may_break(text[stop - 1], text[stop]):
            # A break the rules forbid only where the line is full and no other place in it was allowed.
            assert stop - start == limit
            assert not any(
                text[i] == ' ' or pages.may_break(text[i - 1], text[i]) for i in range(start + 1, stop)
            )


def test_sequences_of_components_are_one_character():
    assert pages.wrap(('明', '⿱山鱼', '，', '天'), 2) == [(0, 1), (1, 3), (3, 4)]


def test_invisible_characters_change_no_line():
    assert pages.wrap(('一', '二', '三\u200b', '，\u200b', '四\ufeff', ' \u200b', '五'), 3) == [
        (0, 2),
        (2, 5),
        (6, 7),
    ]


def test_layout_indents_counts_and_divides():
    style = pages.PageStyle(4, indent=2, lines=3)
    layout = pages.lay_out(['一二三四五六七', '', '八九'], style)
    assert layout == [
        [pages.PageLine('一二', 2, 0), pages.PageLine('三四五六', 0, 2), pages.PageLine('七', 0, 6)],
        [None, pages.PageLine('八九', 2, 7)],
    ]
    assert len(pages.lay_out(['一二三四五六七'] * 9, pages.PageStyle(4))) == 1


@pytest.mark.parametrize('mark', '，。、；：？！）］】〕〉》」』〗”’…～·％‰℃,.;:?!)]}>%．｝＞')
def test_marks_that_begin_no_line(mark):
    assert wrapped(f'一二三{mark}四五', 3) == ['一二', f'三{mark}四', '五']


@pytest.mark.parametrize('mark', '（［【〔〈《「『〖“‘￥＄([{<$｛＜')
def test_marks_that_end_no_line(mark):
    assert wrapped(f'一二{mark}三四五', 3) == ['一二', f'{mark}三四', '五']


def test_every_paragraph_keeps_the_width():
    paragraph, style = '天地玄黄宇宙洪荒日月', pages.PageStyle(4, indent=2)
    (page,) = pages.lay_out([paragraph] * 3, style)
    lines = [('天地', 2), ('玄黄宇宙', 0), ('洪荒日月', 0)]
    assert page == [
        pages.PageLine(text, indent, 10 * number + start)
        for number in range(3)
        for (text, indent), start in zip(lines, (0, 2, 6))
    ]
    written = [even_line(8, 4, len(line.text), 0) for line in page]
    assert pages.compose(page, written, style, char_px=8, char_width_px=4).shape[1] == 2 * 8 + 4 * 4


def test_compose_places_lines():
    style = pages.PageStyle(3, line_spacing=1.5, margin=0.5, indent=1, lines=0)
    (page,) = pages.lay_out(['一二三', '', '四'], style)
    written = [
        even_line(8, 4, len(line.text), shade) for shade, line in zip((10, 20, 30), filter(None, page))
    ]
    # Margin 4, pitch 12, four lines: 2 * 4 + 3 * 12 + 8 = 52 rows; 2 * 4 + 3 * 4 = 20 columns.
    expected = np.full([52, 20], 255, np.uint8)
    expected[4:12, 8:16] = 10  # 一二 after one blank character
    expected[16:24, 4:8] = 20  # 三
    expected[40:48, 8:12] = 30  # 四, after an empty line
    np.testing.assert_array_equal(pages.compose(page, written, style, char_px=8, char_width_px=4), expected)


def test_lines_stand_by_their_first_room_and_paper_beyond_the_page_is_cut():
    """A line whose first character stands in the middle of its cell, two columns from the line's left: its
    room begins at the margin; with a margin of a column the line's first column lies beyond the page.
    """
    style = pages.PageStyle(3, margin=0.125, indent=0)
    (page,) = pages.lay_out(['一二'], style)
    line = WrittenLine(np.full([8, 8], 7, np.uint8), np.array([[2, 0, 5, 8], [5, 0, 8, 8]], np.int32))
    expected = np.full([10, 14], 255, np.uint8)
    expected[1:9, :7] = 7
    np.testing.assert_array_equal(pages.compose(page, [line], style, char_px=8, char_width_px=4), expected)


def test_lines_are_as_full_as_the_room_of_their_characters_lets_them():
    """By hand: widths in characters of a full line."""
    room = [1.0, 0.5, 0.5, 1.5, 0.25, 2.0, 1.0]
    assert pages.wrap('一二三四五六七', 2, room=room) == [(0, 3), (3, 5), (5, 6), (6, 7)]
    assert pages.wrap('一二三四五六七', 2, first_width=1, room=room) == [
        (0, 1),
        (1, 3),
        (3, 5),
        (5, 6),
        (6, 7),
    ]
    assert pages.wrap('一二', 1, room=[3.0, 3.0]) == [(0, 1), (1, 2)]  # wider than a line: alone on it
    (lines,) = pages.lay_out(['一二三', '', '四'], pages.PageStyle(2, indent=0), rooms=[[0.5] * 3, None, [1]])
    assert [line and line.text for line in lines] == ['一二三', None, '四']


def test_full_pages_have_one_height():
    style = pages.PageStyle(3, indent=0, lines=2)
    layout = pages.lay_out(['一二三四五六七'], style)
    sizes = {
        pages.compose(page, [even_line(8, 8, 3, 0)] * len(page), style, char_px=8, char_width_px=8).shape
        for page in layout
    }
    assert len(layout) == 2 and len(sizes) == 1


@pytest.mark.parametrize(
    'text, characters',
    [('20', 20), ('100px', 6), ('16px', 1), (' 20 ', 20), ('20 px', 1), ('1', 1), ('31px', 1), ('32px', 2)],
)
def test_parse_width(text, characters):
    assert pages.parse_width(text, 16) == characters


@pytest.mark.parametrize('text', ['0', '15px', '-3', 'wide', '3em', '', 'px', '2.5'])
def test_parse_width_errors(text):
    with pytest.raises(ValueError, match='page width .*expected'):
        pages.parse_width(text, 16)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(characters=0), 'at least 1'),
        (dict(characters=2, indent=2), '0 to 1'),
        (dict(characters=9, line_spacing=0.9), 'line spacing'),
        (dict(characters=9, margin=-1.0), 'margin'),
        (dict(characters=9, lines=-1), 'lines a page'),
        (dict(characters=9, indent=-1), '0 to 8'),
        (dict(characters=9, line_spacing=100.1), 'line spacing'),
        (dict(characters=9, margin=100.1), 'margin'),
        (dict(characters=9, margin=float('nan')), 'margin'),
        (dict(characters=9, line_spacing=float('nan')), 'line spacing'),
    ],
)
def test_page_style_errors(options, message):
    with pytest.raises(ValueError, match=message):
        pages.PageStyle(**options)


def test_page_styles_at_their_limits():
    for options in (
        dict(characters=1, indent=0),
        dict(characters=3, indent=2),
        dict(characters=9, line_spacing=1.0),
        dict(characters=9, line_spacing=100.0),
        dict(characters=9, margin=0.0),
        dict(characters=9, margin=100.0),
        dict(characters=9, lines=1),
    ):
        pages.PageStyle(**options)
    style = pages.PageStyle(9)
    assert (style.line_spacing, style.margin, style.indent, style.lines) == (1.4, 1.0, 2, 0)


def test_page_sizes_by_hand():
    """Cells of 10 x 4: margins of 15, lines 14 apart; a page has room for all its lines, also where fewer
    stand on it, and an empty one for one.
    """
    style = pages.PageStyle(6, line_spacing=1.4, margin=1.5, indent=1, lines=0)
    full = pages.PageStyle(6, line_spacing=1.4, margin=1.5, indent=1, lines=3)

    def size(count, style):
        return pages.page_size(count, style, char_px=10, char_width_px=4)

    assert [size(count, style) for count in (0, 1, 2, 5)] == [(54, 40), (54, 40), (54, 54), (54, 96)]
    assert [size(count, full) for count in (0, 1, 3)] == [(54, 68)] * 3


def test_lines_know_what_went_before_them():
    """Places in the text of all paragraphs, and the plain quotation marks of the paragraph alone; a
    sequence of components is one place.
    """
    style = pages.PageStyle(3, indent=1)
    layout = pages.lay_out(
        [['"', '⿱山鱼', '一', '"', '"', '二'], [], ['三', '"', '四', '"\u200b', '五']], style
    )
    assert layout == [
        [
            pages.PageLine('"⿱山鱼', 1, 0, 0),
            pages.PageLine('一""', 0, 2, 1),
            pages.PageLine('二', 0, 5, 3),
            None,
            pages.PageLine('三"', 1, 6, 0),
            pages.PageLine('四"\u200b五', 0, 8, 1),
        ]
    ]
    assert pages.lay_out([], style) == []


@pytest.mark.parametrize('character', list("'-_.@/+&") + ['7', 'Z'])
def test_characters_of_words(character):
    assert not pages.may_break('a', character) and not pages.may_break(character, 'b')
    assert pages.may_break('一', '二') and pages.may_break('a', '一') and pages.may_break('一', 'a')


def test_what_may_part():
    assert (
        not pages.may_break('—', '—')
        and pages.may_break('—', '一')
        and pages.may_break('一', '—')
        and pages.may_break('é', 'é')
    )
    assert pages.may_break('a', '#') and pages.may_break('#', 'a') and wrapped('ab#cd', 3) == ['ab#', 'cd']


def test_a_space_may_stand_one_place_beyond_a_full_line():
    assert (
        wrapped('一二三 四五', 3) == ['一二三', '四五']
        and wrapped('  一二三', 3) == ['  一', '二三']
        and wrapped('一二  ', 2) == ['一二']
    )
    assert wrapped('一二三四五', 2, first_width=3) == ['一二三', '四五']
