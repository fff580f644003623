"""Reports of the protocol `reader`: figures as Markdown, every line as TSV, and a sheet of pictures to
look at.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hwgen import files
from hwgen.charset.printable import as_text
from hwgen.inference.picture_files import encode_png

if TYPE_CHECKING:
    from hwgen.evaluation.measuring.reading import Condition

TEXT_PX = 22  # size of the sheet's letters
_SCALE = 2  # it shows lines at twice their size
_GAP_PX = 10
_MAX_LINE_PX = 1600  # longer lines are cut on the sheet
_COLOURS = {
    'paper': (255, 255, 255),
    'text': (110, 110, 110),
    'right': (20, 110, 40),
    'wrong': (180, 30, 30),
    'frame': (220, 220, 220),
}
_EXPLAINED = (
    'CER = (S + D + I) / N over all lines; CR = (N - S - D) / N; AR = 1 - CER; NED is the mean over '
    'lines. The interval is a bootstrap over lines (1,000\n'
    'resamples). Texts are compared without white space, full-width forms and curly quotes made '
    'plain. Real lines are the floor: what the reader makes of\n'
    'handwriting that is known to be right. Generated lines have the texts of the real ones. Of '
    "punctuation, digits and latin only the symbols' own places count,\n"
    'without regard to capitals; real lines are there those of simulated writers.'
)


def write_report(
    out_dir: str | os.PathLike[str],
    conditions: Sequence[Condition],
    summaries: Sequence[Mapping[str, Any]],
    *,
    title: str,
    facts: Mapping[str, Any],
    font: ImageFont.FreeTypeFont,
    lines_on_sheet: int = 12,
    further: str = '',
) -> dict:
    """Writes `<protocol>.md`, `.tsv` and `.png`; each appears whole or not at all.

    Args:
      out_dir: folder; made if it is not there.
      conditions: list of Condition.
      summaries: their `summary`, in the same order.
      title: of the Markdown page.
      facts: dict of JSON values: protocol (the name of the files), reader, model, data, seed and whatever
          else the figures depend on.
      font: PIL font of TEXT_PX that has the characters of texts and readings.
      lines_on_sheet: lines of each kind shown.
      further: str, Markdown that stands behind the table.

    Returns:
      kind of file -> its path.
    """
    out_dir = pathlib.Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    paths = {kind: out_dir / f'{facts["protocol"]}.{kind}' for kind in ('md', 'tsv', 'png')}
    files.write_file(
        paths['md'], as_text(format_markdown(summaries, title=title, facts=facts, further=further)).encode()
    )
    rows = [
        '\t'.join((condition.name, text, reading.replace('\t', ' '), str(errors)))
        for condition in conditions
        for text, reading, errors in zip(
            condition.texts, condition.readings, condition.counts.errors, strict=True
        )
    ]
    files.write_file(paths['tsv'], '\n'.join(['kind\ttext\treading\terrors', *rows, '']).encode())
    files.write_file(
        paths['png'], encode_png(np.asarray(draw_sheet(conditions, font=font, lines_on_sheet=lines_on_sheet)))
    )
    return paths


def format_markdown(
    summaries: Sequence[Mapping[str, Any]], *, title: str, facts: Mapping[str, Any], further: str = ''
) -> str:
    """A page with a table, a row a kind of lines, every rate with its numbers of lines and characters;
    behind it `further`, Markdown of another.
    """
    rows = [
        f'| {row["name"].replace("_", " ")} | {row["num_lines"]} | {row["num_characters"]} | {row["cer"]:.3f}'
        f' | {row["cer_95_low"]:.3f} to {row["cer_95_high"]:.3f} | {row["correct_rate"]:.3f} |'
        f' {row["accurate_rate"]:.3f} | {row["normalized_edit_distance"]:.3f} |'
        f' {row["num_unreadable_characters"]} |'
        for row in summaries
    ]
    described = '\n'.join(
        f'- {name.replace("_", " ")}:'
        f' {json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value}'
        for name, value in facts.items()
    )
    return f"""# {title}

| lines | N lines | N characters | CER | 95 % interval | CR | AR | NED | unknown to the reader |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

{_EXPLAINED}

{f'Symbol by symbol, over all seeds:{chr(10) * 2}{further}{chr(10)}' if further else ''}{described}
"""


def draw_sheet(
    conditions: Sequence[Condition], *, font: ImageFont.FreeTypeFont, lines_on_sheet: int = 12
) -> Image.Image:
    """The first lines of each kind side by side, real next to generated of the same text, what was read under
    each: green if right, else red with the text after it.

    Args:
      conditions: list of Condition; those whose names end alike (`real_seen`, `generated_seen`) share rows.
      font: PIL font of TEXT_PX that has the characters.
      lines_on_sheet: rows of each group.

    Returns:
      RGB image.
    """
    groups: dict[tuple[str, ...], list[Condition]] = {}
    for condition in conditions:
        groups.setdefault(tuple(condition.texts), []).append(condition)
    blocks = [
        _block(members, font=font, num_rows=min(lines_on_sheet, len(texts)))
        for texts, members in groups.items()
    ]
    sheet = Image.new(
        'RGB',
        (max(block.width for block in blocks), sum(block.height + _GAP_PX for block in blocks)),
        _COLOURS['paper'],
    )
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height + _GAP_PX
    return sheet


def _block(members, *, font, num_rows):
    """The rows of conditions with the same texts: one column a condition."""
    pictures = [
        [
            Image.fromarray(np.ascontiguousarray(image[:, : _MAX_LINE_PX // _SCALE]))
            for image in member.images[:num_rows]
        ]
        for member in members
    ]
    widths = []
    for member, column in zip(members, pictures, strict=True):
        words = [
            round(font.getlength(f'{reading}  {text}'))
            for reading, text in zip(member.readings[:num_rows], member.texts, strict=False)
        ]
        widths.append(
            min(_MAX_LINE_PX, max([TEXT_PX * 8, *words, *(picture.width * _SCALE for picture in column)]))
            + 2 * _GAP_PX
        )
    heights = [max(column[row].height for column in pictures) * _SCALE for row in range(num_rows)]
    row_px = TEXT_PX + 2 * _GAP_PX
    block = Image.new('RGB', (sum(widths), sum(heights) + row_px * num_rows + TEXT_PX * 2), _COLOURS['paper'])
    pen, left = ImageDraw.Draw(block), 0
    for member, column, width in zip(members, pictures, widths, strict=True):
        pen.text((left + _GAP_PX, _GAP_PX), member.name.replace('_', ' '), font=font, fill=_COLOURS['text'])
        top = TEXT_PX * 2
        for row in range(num_rows):
            picture = column[row].resize(
                (column[row].width * _SCALE, column[row].height * _SCALE), Image.Resampling.BICUBIC
            )
            block.paste(picture, (left + _GAP_PX, top))
            pen.rectangle(
                (left + _GAP_PX - 1, top - 1, left + _GAP_PX + picture.width, top + picture.height),
                outline=_COLOURS['frame'],
            )
            wrong, reading, place = (
                member.counts.errors[row],
                member.readings[row] or '(nothing)',
                (left + _GAP_PX, top + heights[row] + 2),
            )
            pen.text(place, reading, font=font, fill=_COLOURS['wrong' if wrong else 'right'])
            if wrong:
                pen.text(
                    (place[0] + font.getlength(reading + '  '), place[1]),
                    member.texts[row],
                    font=font,
                    fill=_COLOURS['text'],
                )
            top += heights[row] + row_px
        left += width
    return block
