"""Punctuation, digits and Latin letters by themselves: what a reader makes of them, apart from the hanzi
between which they stand.

In running text one character in ten is a symbol, and a line's error hides that a full stop is a dash. So
lines are made that hold many of them, as they
occur: marks between words, dates and numbers, English words. Only what was read at the symbols' places counts
(of hanzi around them nothing). The real side are the simulated writers of the embedded corpus, none of whom
is in training lines, with the same texts: every symbol is then there often enough, in whatever collection is
measured.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.charset.encoding import CharsetError
from hwgen.charset.reading_form import folded
from hwgen.data.scribe import corpus, sentences
from hwgen.evaluation.measuring import real_lines
from hwgen.evaluation.measuring.reading import Condition
from hwgen.images import crop_to_ink, to_cells, to_height
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.metrics import text as text_metrics

if TYPE_CHECKING:
    from hwgen.evaluation.judges.independent_reader import TextReader
    from hwgen.inference.writer import Writer

SINGLE_MARKS, PAIRS = '，。、；：？！', ('“”', '（）', '《》')
MARKS = SINGLE_MARKS + ''.join(PAIRS)
DIGITS = '0123456789'
LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
KINDS = {'punctuation': MARKS, 'digits': DIGITS, 'latin': LETTERS}
_STREAMS = {'texts': 3, 'styles': 4}  # what a random stream is for; reading.py has 0 to 2
_COMMON_WORDS = 2000
_LONGEST_WORD = 8


def draw_texts(kind: str, count: int, *, seed: int | Sequence[int]) -> list[str]:
    """Lines that hold many symbols of a kind; every mark, every digit about equally often.

    Args:
        kind: 'punctuation' (words of two hanzi, a mark or a pair of them behind each), 'digits' (dates,
            amounts, numbers) or 'latin' (English words in small letters, with a capital, in capitals).
        count: int.
        seed: of the draw.

    Returns:
        list of str.
    """
    rng = np.random.default_rng(seed)
    if kind == 'punctuation':
        words = [word for word, _ in sentences.words() if len(word) == 2][:_COMMON_WORDS]

        def word():
            return words[rng.integers(len(words))]

        deck = _shuffled([*SINGLE_MARKS, *PAIRS], rng)

        def behind(mark):
            return mark if len(mark) == 1 else mark[0] + word() + mark[1]

        return [''.join(word() + behind(next(deck)) for _ in range(2)) for _ in range(count)]
    if kind == 'digits':
        deck = _shuffled(DIGITS, rng)

        def digits(least, most):
            return ''.join(itertools.islice(deck, int(rng.integers(least, most + 1))))

        ways = (
            lambda: f'{digits(4, 4)}年{digits(1, 2)}月{digits(1, 2)}日',
            lambda: f'第{digits(1, 3)}页',
            lambda: f'{digits(2, 5)}元',
            lambda: digits(4, 8),
            lambda: digits(11, 11),
        )
        return [ways[line % len(ways)]() for line in range(count)]
    words = [word for word in sentences.english_words() if 2 < len(word) <= _LONGEST_WORD]
    cases = (str, str.capitalize, str.upper)
    return [cases[line % len(cases)](words[rng.integers(len(words))]) for line in range(count)]


def _shuffled(members, rng):
    """All members in a random order, then all in another, without an end."""
    while True:
        yield from (members[k] for k in rng.permutation(len(members)))


def comparable(text: str) -> str:
    """The form in which symbols are compared: folded, and without regard to capitals, whose size is lost
    in cells of one em.
    """
    return folded(text).lower()


def count_errors(
    texts: Sequence[str], readings: Sequence[str], symbols: Iterable[str]
) -> tuple[text_metrics.EditCounts, dict[str, list[int]]]:
    """What was misread at the places of some symbols.

    Args:
        texts, readings: L str each, as written and as read.
        symbols: str, those that count.

    Returns:
        EditCounts: `substitutions` are places where another character or none was read, `insertions` symbols
            of the kind that were read besides; dict of str (comparable) -> [int, int]: places of each symbol,
            and those of them where it was not read.
    """
    kind, rows = set(map(comparable, symbols)), []
    places: dict[str, list[int]] = {}
    for text, reading in zip(map(comparable, texts), map(comparable, readings), strict=True):
        wrong = [
            not match
            for character, match in zip(text, text_metrics.matched_units(text, reading), strict=True)
            if character in kind
        ]
        for character, missed in zip((c for c in text if c in kind), wrong, strict=True):
            found = places.setdefault(character, [0, 0])
            found[0], found[1] = found[0] + 1, found[1] + missed
        read = sum(character in kind for character in reading)
        rows.append((sum(wrong), 0, max(0, read - len(wrong)), len(wrong), read))
    return text_metrics.EditCounts(*np.array(rows, np.int64).reshape(-1, 5).T), places


def simulated_lines(
    texts: Sequence[str], *, info: Mapping[str, Any], cells: Mapping[str, int], spaced: bool = False
) -> list[np.ndarray]:
    """The texts by simulated writers of the test split.

    Args:
        texts: list of str.
        info: dict, info.json of the data that is measured: of an embedded corpus its version and seed are
            taken.
        cells: dict of char_px, char_width_px.
        spaced: as they were written, scaled to char_px in height only.

    Returns:
        list of uint8 [char_px, N * char_width_px], or [char_px, W].
    """
    own = info.get('source') == 'scribe' and info.get('version') in corpus.VERSIONS
    plan = corpus.plan_corpus(
        seed=info['seed'] if own else 0,
        version=info['version'] if own else corpus.SCRIBE_VERSION,
        texts=texts,
        lines=0,
        validation_lines=0,
        test_lines=len(texts),
        unseen_lines=0,
    )
    records = (plan.line('test', i) for i in range(len(texts)))
    if spaced:
        return [to_height(record.image, cells['char_px']) for record in records]
    return [to_cells(record.image, len(record.character_ids), **cells) for record in records]


def read_symbols(
    reader: TextReader,
    *,
    info: Mapping[str, Any],
    model: Writer | None = None,
    num_lines: int = 200,
    seed: int = 0,
    char_px: int = 32,
    char_width_px: int = 32,
    crop: bool = False,
    truncation: float = DEFAULT_TRUNCATION,
    report: Callable[[str], object] = print,
) -> tuple[list[Condition], list[dict[str, Any]]]:
    """Has lines of symbols read; arguments as of `reading.reader_protocol`, of whose lines a quarter is drawn
    for each kind.

    Returns:
        list of reading.Condition, `real_punctuation`, `generated_punctuation`, `real_digits`, ...: their
        counts are of the symbols' places alone. A kind that the model has no characters for is left out,
        which `report` is told.
        list of dict: kind, symbol, num_places, and for real and generated how many of them were misread.
    """
    if model is not None:
        char_px, char_width_px = model.char_px, model.char_width_px
    shown: dict[str, Any] = {'cells': {'char_px': char_px, 'char_width_px': char_width_px}}
    if real_lines.are_spaced(model):
        shown['spaced'] = True
    conditions: list[Condition] = []
    symbols: dict[tuple[str, str], dict[str, Any]] = {}
    for number, (kind, members) in enumerate(KINDS.items()):
        texts = draw_texts(kind, math.ceil(num_lines / 4), seed=[seed, _STREAMS['texts'], number])
        sides = {'real': simulated_lines(texts, info=info, **shown)}
        if model is not None:
            seeds = np.random.default_rng([seed, _STREAMS['styles'], number]).integers(2**63, size=len(texts))
            try:
                sides['generated'] = model.write(texts, style_seeds=seeds, truncation=truncation)
            except CharsetError as error:
                report(f'{kind}: left out, the model cannot write it: {error}')
                continue
        for side, images in sides.items():
            images = [crop_to_ink(image) for image in images] if crop else images
            readings = reader.read(images)
            counts, places = count_errors(texts, readings, members)
            unreadable = sum(
                character not in reader.characters
                for text in map(folded, texts)
                for character in text
                if character in set(map(folded, members))
            )
            conditions.append(Condition(f'{side}_{kind}', images, texts, readings, counts, unreadable))
            for symbol, (total, missed) in places.items():
                symbols.setdefault((kind, symbol), {'kind': kind, 'symbol': symbol, 'num_places': total})[
                    side
                ] = missed
            report(
                f'{side}_{kind}: {len(texts)} lines read, {text_metrics.character_error_rate(counts):.3f} of'
                f' {int(counts.reference_lengths.sum())} symbols misread'
            )
    return conditions, [symbols[key] for key in sorted(symbols)]


def summed(by_seed: Iterable[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The tables of symbols of several seeds as one.

    Args:
        by_seed: list of what `read_symbols` returns second.

    Returns:
        list of dict, as there.
    """
    total: dict[tuple[str, str], dict[str, Any]] = {}
    for row in itertools.chain.from_iterable(by_seed):
        found = total.setdefault(
            (row['kind'], row['symbol']),
            {name: value if isinstance(value, str) else 0 for name, value in row.items()},
        )
        for name, value in row.items():
            if not isinstance(value, str):
                found[name] = found.get(name, 0) + value
    return [total[key] for key in sorted(total)]


def format_markdown(symbols: Sequence[Mapping[str, Any]]) -> str:
    """A table of `summed`, symbol by symbol; the model's column only where a model was measured."""
    sides = [side for side in ('real', 'generated') if any(side in row for row in symbols)]
    lines = [
        '| kind | symbol | N | ' + ' | '.join(f'{side} misread' for side in sides) + ' |',
        '|---|---|---|' + '---|' * len(sides),
    ]
    lines += [
        f'| {row["kind"]} | {row["symbol"]} | {row["num_places"]} | '
        + ' | '.join(f'{row[side] / row["num_places"]:.2f}' for side in sides)
        + ' |'
        for row in symbols
    ]
    return '\n'.join(lines) + '\n'
