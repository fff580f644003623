"""Texts that the user wants written: the lines of a file, each checked before the first is written."""

import collections
import contextlib
import functools
import hashlib
import math
import os
import pathlib
import sys
from typing import NamedTuple

from hwgen.charset.composition import describe
from hwgen.charset.encoding import Charset, CharsetError, normalize
from hwgen.charset.normal_form import plain
from hwgen.charset.printable import as_text, printable
from hwgen.data.formats.label_text import row_of_table, text_problem
from hwgen.data.formats.samples import MAX_LINE_PIXELS
from hwgen.data.scribe.fonts import default_fonts, open_font
from hwgen.data.scribe.letterforms import pen_problem
from hwgen.data.scribe.plan import corpus_charset

# A line is at most about so many times as wide as its height times its characters (docs/scribe.md: 95 % below
# 1.05).
_WIDEST = 1.25


class GivenTexts(NamedTuple):
    """The texts of a file.

    Attributes:
        name: str, of the file, without its folder.
        num_bytes: int.
        sha256: str.
        texts: tuple of str, without blanks at the ends, in the order of the file.
        refused: list of str, what was wrong with each line that was left out.
        skipped: dict of str -> int, how many those are by reason: text | length | size.
    """

    name: str
    num_bytes: int
    sha256: str
    texts: tuple[str, ...]
    refused: list[str]
    skipped: dict[str, int]


def read_texts(
    path: str | os.PathLike[str],
    *,
    script: str = 'chinese',
    version: str | None = None,
    height_px: int = 64,
    min_characters: int = 1,
    max_characters: int | None = None,
    on_error: str = 'fail',
) -> GivenTexts:
    """The texts of a file: each line that is not blank.

    Args:
        path: path of a UTF-8 file, `-` is standard input; a byte order mark, ends of lines by CR or CRLF, and
            blanks at both ends of a line (U+3000 too) are no part of the texts.
        script: 'chinese' | 'latin', of the writers.
        version: str, of the corpus (`corpus.VERSIONS`); None: the present one.
        height_px: int, of their lines.
        min_characters, max_characters: int, of a text; None: no limit.
        on_error: 'fail' stops where lines cannot be written; 'skip' leaves them out.

    Returns:
        GivenTexts.

    Raises:
        ValueError: not UTF-8 (names line and byte), no line that can be written, or on_error='fail' and one
            that cannot: names file, line and position, and how many more there are.
        OSError: no such file.
    """
    if on_error not in ('fail', 'skip'):
        raise ValueError(f'on_error={on_error!r}: expected fail or skip')
    if str(path) == '-' and sys.stdin is None:
        raise ValueError('standard input is closed: expected texts from it')
    data = sys.stdin.buffer.read() if str(path) == '-' else pathlib.Path(path).read_bytes()
    path = 'standard input' if str(path) == '-' else path
    end = b'\n' if b'\n' in data else b'\r'
    try:
        rows = data.decode('utf-8').removeprefix('\ufeff').split(end.decode())
    except UnicodeDecodeError as error:
        line = data.count(end, 0, error.start) + 1
        raise ValueError(
            f'{path}, line {line}, byte {error.start}: 0x{data[error.start]:02X} is no UTF-8, expected a'
            ' UTF-8 text file'
        ) from None
    charset = corpus_charset(version) if version else corpus_charset()
    limit = math.floor(MAX_LINE_PIXELS / (_WIDEST * height_px**2))
    texts: list[str] = []
    refused: list[str] = []
    skipped: collections.Counter[str] = collections.Counter()
    for number, row in enumerate(rows, 1):
        text = row.strip()
        if plain(text):  # what is invisible alone is a blank line, too
            reason, problem = _problem(
                text,
                charset=charset,
                script=script,
                shortest=min_characters,
                longest=max_characters or math.inf,
                limit=limit,
                height_px=height_px,
            )
            if problem:
                refused.append(f'{printable(path)}, line {number}: {problem}')
                skipped[reason] += 1
            else:
                texts.append(text)
    if refused and (on_error == 'fail' or not texts):
        more = f' (and {len(refused) - 1} more such lines)' if len(refused) > 1 else ''
        raise ValueError(
            f'{refused[0]}{more}; '
            + ('--on_error=skip leaves such lines out' if texts else 'no other line has a text')
        )
    if not texts:
        raise ValueError(f'{path}: no text in it, expected a line of text a row')
    return GivenTexts(
        as_text(pathlib.Path(path).name),
        len(data),
        hashlib.sha256(data).hexdigest(),
        tuple(texts),
        refused,
        dict(skipped),
    )


def _problem(text, *, charset, script, shortest, longest, limit, height_px):
    """Why a text is not written: (reason, str), or (None, None)."""
    foreign = row_of_table(text) or text_problem(text)
    if foreign:
        return 'text', foreign
    if len(text) < shortest:
        return 'length', f'{len(text)} characters, expected at least {shortest}'
    if len(text) > longest:
        return 'length', f'{len(text)} characters, expected at most {longest}'
    if len(text) > limit:
        return (
            'size',
            (
                f'{len(text)} characters make a picture that is larger than readers take, expected at most'
                f' {limit} at --height_px={height_px}; break the line, or lower --height_px'
            ),
        )
    try:
        encoded = charset.encode(text)
    except CharsetError as error:
        return 'text', _told(text, error, charset)
    position = 0
    for unit in encoded.units:
        if script == 'latin' and normalize(unit) not in latin_characters():
            hint = '; --script=chinese can' if pen_problem(normalize(unit)) is None else ''
            return (
                'text',
                f'{describe(unit)} at position {position}: writers of script {script} cannot write it{hint}',
            )
        problem = pen_problem(normalize(unit)) if script == 'chinese' else None
        if problem:
            return 'text', f'{unit} at position {position}: {problem}'
        position += len(unit)
    return None, None


def _told(text, error, charset):
    """What to say of a text that a dictionary cannot encode; where the present one can, that it is too
    old.
    """
    if charset.row_count < Charset.load().row_count and error.position is not None:
        with contextlib.suppress(CharsetError):
            Charset.load().encode(text)
            return (
                f'{describe(text[error.position])} at position {error.position}: not in the dictionary of'
                ' this version of the corpus; the present one has it'
            )
    return error


@functools.cache
def latin_characters() -> frozenset[str]:
    """What every writer of Latin can write: frozenset of str, in their normal form."""
    return frozenset.intersection(*(open_font(name).characters for name in default_fonts('latin')))
