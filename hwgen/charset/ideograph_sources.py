"""What the dictionary is built from: sequences of ideographs, lists of characters, frequencies.

Source: the npm package @mandel59/mojidata 1.8, whose moji.db has BabelStone's Ideographic Description
Sequences (copyright waived), the list of common standard characters and word frequencies.
"""

import collections
import os
import pathlib
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

STROKES = '一丨丿丶乙乚亅乛' + ''.join(map(chr, range(0x31C0, 0x31E4)))
# Character -> its sequences in the order of the file, each with the letters of its sources.
SourcedSequences: TypeAlias = Mapping[str, Sequence[tuple[str, str]]]


class Sources(NamedTuple):
    """What the builder reads.

    Attributes:
        sequences: dict str -> list of (source letters, sequence), in the order of the file.
        standard: str, the common standard characters in their official order.
        frequencies: dict str -> int, occurrences in a modern corpus, where known.
        strokes: set of str, characters of one stroke.
    """

    sequences: SourcedSequences
    standard: str
    frequencies: dict[str, int]
    strokes: set[str]


def read_moji_db(path: str | os.PathLike[str]) -> Sources:
    """Reads the tables that the builder needs.

    Args:
        path: path of moji.db of @mandel59/mojidata 1.8.

    Returns:
        Sources.

    Raises:
        OSError: the file cannot be read or lacks a table.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path}: not a file, expected moji.db of the npm package @mandel59/mojidata')
    connection = sqlite3.connect(f'{path.resolve().as_uri()}?mode=ro', uri=True)
    try:
        sequences = collections.defaultdict(list)
        for character, source, sequence in connection.execute(
            'select UCS, source, IDS from ids order by rowid'
        ):
            sequences[character].append((source, sequence))
        standard = ''.join(row[0] for row in connection.execute('select 规范字 from tghb order by 序号'))
        frequencies: collections.Counter[str] = collections.Counter()
        for character, reading in connection.execute('select UCS, value from unihan_each_kHanyuPinlu'):
            frequencies[character] += int(re.findall(r'\((\d+)\)', reading)[0])
        strokes = {
            character
            for character, count in connection.execute('select UCS, value from unihan_kTotalStrokes')
            if count.split()[0] == '1'
        }
    except sqlite3.Error as error:
        raise OSError(
            f'{path}: {error}, expected the tables ids, tghb, unihan_each_kHanyuPinlu and'
            ' unihan_kTotalStrokes'
        ) from error
    finally:
        connection.close()
    return Sources(dict(sequences), standard, dict(frequencies), strokes | set(STROKES))


def gb2312_hanzi() -> str:
    """The 6,763 ideographs of GB 2312 in its order: str."""
    cells = (bytes([row, cell]) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    return ''.join(cell.decode('gb2312', 'ignore') for cell in cells)


def gbk_and_big5_hanzi() -> str:
    """The ideographs of GBK and then of Big5, in their order: str.

    Compatibility ideographs count as those that they are equal to.
    """
    found = (
        bytes([row, cell]).decode(encoding, 'ignore')
        for encoding, rows in (('gbk', range(0x81, 0xFF)), ('big5', range(0xA4, 0xFA)))
        for row in rows
        for cell in range(0x40, 0xFF)
    )
    return ''.join(
        dict.fromkeys(
            unicodedata.normalize('NFC', character)
            for character in found
            if '\u4e00' <= character <= '\ufaff'
        )
    )


def choose_sequence(rows: Iterable[tuple[str, str]]) -> str | None:
    """The sequence to take: the first of a source with G (mainland China), else the first that is not of X or
    Z (guesses, unifications).

    Args:
        rows: list of (source letters, sequence).

    Returns:
        str, or None.
    """
    mainland = [sequence for source, sequence in rows if 'G' in source]
    others = [sequence for source, sequence in rows if not set(source) & set('XZ')]
    return (mainland + others + [None])[0]
