"""Page layout: paragraphs are wrapped by the rules of Chinese typesetting, and the pictures of lines become
pages.

The rules are the prohibitions for line start and line end of "Requirements for Chinese Text Layout" (W3C): no
line begins with a closing mark or ends with an opening one, a dash and an ellipsis of two characters are not
torn, nor are words of Latin letters and numbers; a line that may not break where it is full breaks earlier.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from hwgen.charset.normal_form import plain

NOT_FIRST = frozenset('，。、；：？！）］】〕〉》」』〗”’…～·％‰℃,.;:?!)]}>%．｝＞，')
NOT_LAST = frozenset('（［【〔〈《「『〖“‘￥＄([{<$｛＜')
_TOGETHER = frozenset({'——', '……'})
PAPER = 255
_ROUNDING = 1e-6  # of sums of widths


@dataclasses.dataclass(frozen=True)
class PageStyle:
    """Measures of a page.

    Attributes:
        characters: int, characters of a full line.
        line_spacing: float >= 1, distance of lines in line heights.
        margin: float >= 0, on all four sides, in line heights.
        indent: int, blank characters before the first line of a paragraph.
        lines: int, lines of a full page; 0 puts everything on one page.
    """

    characters: int
    line_spacing: float = 1.4
    margin: float = 1.0
    indent: int = 2
    lines: int = 0

    def __post_init__(self):
        if self.characters < 1:
            raise ValueError(f'page of {self.characters} characters: expected at least 1 a line')
        if not 0 <= self.indent < self.characters:
            raise ValueError(
                f'indent of {self.indent} characters: expected 0 to {self.characters - 1}, less than a line'
            )
        if not 1.0 <= self.line_spacing <= 100.0:
            raise ValueError(
                f'line spacing {self.line_spacing}: expected 1 (lines touch) to 100 line heights'
            )
        if not 0.0 <= self.margin <= 100.0:
            raise ValueError(f'margin {self.margin}: expected 0 to 100 line heights')
        if self.lines < 0:
            raise ValueError(f'{self.lines} lines a page: expected at least 1, or 0 for no limit')


class PageLine(NamedTuple):
    """A line of a page: its text, the blank characters before it, the index of its first character in the
    text, plain quotation marks (") before it in its
    paragraph."""

    text: str
    indent: int
    offset: int
    quotes: int = 0


def parse_width(text: str, char_width_px: int) -> int:
    """Characters of a full line.

    Args:
        text: str, characters ('20') or pixels ('800px').
        char_width_px: int, width of a character on the page.

    Returns:
        int >= 1.

    Raises:
        ValueError: neither, or narrower than one character.
    """
    number, unit = (text[:-2], 'px') if text.endswith('px') else (text, '')
    if not number.strip().isdecimal():
        raise ValueError(
            f'page width {text!r}: expected a number of characters, such as 20, or of pixels, such as 800px'
        )
    characters = int(number) // char_width_px if unit else int(number)
    if characters < 1:
        raise ValueError(f'page width {text!r}: expected at least one character of {char_width_px} px')
    return characters


def may_break(before: str, after: str) -> bool:
    """Whether a line may end with the character `before` and the next one begin with `after`."""
    if before in NOT_LAST or after in NOT_FIRST:
        return False
    if before + after in _TOGETHER:
        return False
    return not (_in_word(before) and _in_word(after))


def _in_word(unit):
    return unit.isascii() and (unit.isalnum() or unit in "'-_.@/+&")


def wrap(
    units: Sequence[str],
    width: int,
    *,
    first_width: int | None = None,
    room: Sequence[float] | np.ndarray | None = None,
) -> list[tuple[int, int]]:
    """Breaks one paragraph into lines.

    Args:
        units: sequence of str, the characters (a sequence of components is one), with invisible ones or
            without.
        width: int >= 1, characters of a line.
        first_width: int >= 1, characters of the first line; None for `width`.
        room: the width of each character, in those that `width` counts; None: 1 for each.

    Returns:
        list of (start, stop) indices into `units`. Spaces at a break belong to no line. A stretch without any
        allowed break is broken where the line is full.
    """
    units, start = [plain(unit) for unit in units], 0
    ends = np.cumsum(np.ones(len(units)) if room is None else room)
    lines: list[tuple[int, int]] = []
    while start < len(units):
        limit = (first_width if first_width and not lines else width) + (ends[start - 1] if start else 0.0)
        full = max(start + 1, int(np.searchsorted(ends, limit + _ROUNDING, side='right')))
        if full >= len(units):
            stop = len(units)
        else:
            # A space at the break is dropped, so that it may stand one place beyond the full line.
            breaks = (
                i for i in range(full, start, -1) if units[i] == ' ' or may_break(units[i - 1], units[i])
            )
            stop = next(breaks, full)
        end = stop
        while end > start and units[end - 1] == ' ':
            end -= 1
        if end > start:
            lines.append((start, end))
        start = stop
        while start < len(units) and units[start] == ' ':
            start += 1
    return lines


def lay_out(
    paragraphs: Sequence[Sequence[str]],
    style: PageStyle,
    *,
    rooms: Sequence[Sequence[float] | np.ndarray | None] | None = None,
) -> list[list[PageLine | None]]:
    """Wraps paragraphs and divides them into pages.

    Args:
        paragraphs: sequence of sequences of str, the characters of each paragraph; an empty one is an empty
            line.
        style: PageStyle.
        rooms: for each paragraph the widths of its characters (`wrap`); None: each is 1.

    Returns:
        list of pages, each a list of PageLine or None (an empty line).
    """
    lines: list[PageLine | None] = []
    offset = 0
    for units, room in zip(paragraphs, rooms or [None] * len(paragraphs), strict=True):
        if not units:
            lines.append(None)
            continue
        broken = wrap(units, style.characters, first_width=style.characters - style.indent, room=room)
        for number, (start, stop) in enumerate(broken):
            quotes = sum(plain(unit) == '"' for unit in units[:start])
            lines.append(
                PageLine(''.join(units[start:stop]), 0 if number else style.indent, offset + start, quotes)
            )
        offset += len(units)
    size = style.lines or max(len(lines), 1)
    return [lines[begin : begin + size] for begin in range(0, len(lines), size)]


def page_size(num_lines: int, style: PageStyle, *, char_px: int, char_width_px: int) -> tuple[int, int]:
    """Width and height of a page in pixels.

    Args:
        num_lines: int, lines on it, empty ones too.
        style, char_px, char_width_px: see `compose`.

    Returns:
        int, int.
    """
    margin, pitch = round(style.margin * char_px), round(style.line_spacing * char_px)
    return (
        2 * margin + style.characters * char_width_px,
        2 * margin + ((style.lines or max(num_lines, 1)) - 1) * pitch + char_px,
    )


def place_of(
    number: int, line: PageLine, begins: int, style: PageStyle, *, char_px: int, char_width_px: int
) -> tuple[int, int]:
    """Where the picture of a line stands on its page: its left upper corner, px, perhaps left of the page.

    Args:
        number: int, of the line on its page, from 0.
        line: PageLine.
        begins: int, where in its picture the room of its first character begins, px.
        style, char_px, char_width_px: see `compose`.
    """
    margin, pitch = round(style.margin * char_px), round(style.line_spacing * char_px)
    return margin + line.indent * char_width_px - int(begins), margin + number * pitch


def compose(
    lines: Sequence[PageLine | None],
    written: Iterable[Any],
    style: PageStyle,
    *,
    char_px: int,
    char_width_px: int,
) -> np.ndarray:
    """Puts the pictures of lines on a page.

    Args:
        lines: list of PageLine or None, of `lay_out`.
        written: for each PageLine a WrittenLine, or what has its `image` and `boxes`;
            ink of a line's ends may reach into the margins.
        style: PageStyle.
        char_px, char_width_px: int, height of a line and width of a character in pixels.

    Returns:
        uint8 [H, W], 255 = paper.
    """
    page = np.full(
        page_size(len(lines), style, char_px=char_px, char_width_px=char_width_px)[::-1], PAPER, np.uint8
    )
    written = iter(written)
    for number, line in enumerate(lines):
        if line is not None:
            own = next(written)
            image = own.image
            left, top = place_of(
                number, line, own.boxes[0, 0], style, char_px=char_px, char_width_px=char_width_px
            )
            seen = image[:, max(0, -left) : page.shape[1] - left]
            page[top : top + char_px, max(0, left) : max(0, left) + seen.shape[1]] = seen
    return page
