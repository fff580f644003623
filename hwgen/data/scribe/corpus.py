"""Plans the embedded corpus: chooses its characters, those that are held out, and who writes which split."""

import hashlib
import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from hwgen.charset import symbols
from hwgen.charset.encoding import Charset
from hwgen.data.scribe import sentences
from hwgen.data.scribe.composers import SYMBOLS
from hwgen.data.scribe.fonts import FALLBACK, default_fonts, open_font
from hwgen.data.scribe.plan import (
    FONTS_VERSION,
    PEN_SHARE,
    SCRIBE_VERSION,
    SHOTS_STREAM,
    SPLITS,
    VERSIONS,
    Plan,
    corpus_charset,
)

# Characters held out are as common as those with images: they are taken from this many of the most frequent
# ones.
_COMMON = 2500


def plan_corpus(
    charset: Charset | None = None,
    *,
    seed: int = 0,
    lines: int = 48000,
    validation_lines: int = 500,
    test_lines: int = 500,
    unseen_lines: int = 500,
    vocabulary_size: int = 3500,
    held_out: int = 200,
    num_writers: int = 400,
    min_characters: int = 2,
    max_characters: int = 8,
    height_px: int = 64,
    script: str = 'chinese',
    shots: Sequence[int] = (),
    version: str = SCRIBE_VERSION,
    pen_share: float | None = None,
    texts: Sequence[str] = (),
    vertical: bool = False,
    slips: float = 0.0,
) -> Plan:
    """Plans a corpus.

    The vocabulary of Chinese is the characters that together show every component and structure
    (`Charset.component_cover`), filled up with the most frequent ones; where it is too small for them, the
    most frequent only. Held-out characters are common ones of which every component and the structure are in
    the vocabulary. They depend on neither seed nor vocabulary (but for small ones), so figures of runs
    compare.

    With `shots` the seed divides the held-out characters into as many groups of equal size (the first ones
    larger by one where they do not come out even), and each character of a group takes the place of a
    character in as many training lines as its shots, at most one a line. All other lines are those of the
    corpus without shots.

    With `texts` these are written, in their order: all of them and again, by other writers, where a split has
    more lines, one out of each of as many equal parts where it has fewer. Their characters are the
    vocabulary, and there is no split `unseen`.

    Args:
        charset: Charset or None for `corpus_charset`.
        seed: int >= 0.
        lines, validation_lines, test_lines, unseen_lines: int >= 0.
        vocabulary_size: int, hanzi with images, at most; symbols come on top. Latin: ignored.
        held_out: int, hanzi without images, at most; Latin: none.
        num_writers: int >= 1, of train; each other split has a tenth as many of its own, at least 4.
        min_characters, max_characters: int, 1 <= min <= max.
        height_px: int >= 16.
        script: 'chinese' | 'latin'.
        shots: sequence of different ints >= 0, a group each; empty: no held-out character is in a training
            line.
        version: str, of VERSIONS: FONTS_VERSION is the corpus of four fonts, as it was.
        pen_share: float in [0, 1], share of the writers of each split who write with a pen; None: PEN_SHARE,
            of the first corpus and of Latin 0.
        vertical: bool, lines from top to bottom, height_px wide; slips: float in [0, 1], how often a
            character is begun wrongly and struck out. Both ask for pens: pen_share is 1 then.
        texts: sequence of str, none empty, to be written instead of composed ones; vocabulary_size, held_out
            and the lengths are no matter then.

    Returns:
        Plan.

    Raises:
        ValueError: an argument out of range, lines of held-out characters where there are none, too few
            characters or lines for the shots, or texts and shots.
    """
    _check_least(0, seed=seed, lines=lines, validation_lines=validation_lines, test_lines=test_lines)
    _check_least(0, unseen_lines=unseen_lines, held_out=held_out)
    _check_least(1, vocabulary_size=vocabulary_size, num_writers=num_writers, min_characters=min_characters)
    _check_least(16, height_px=height_px)
    if max_characters < min_characters:
        raise ValueError(
            f'max_characters={max_characters}: expected at least min_characters={min_characters}'
        )
    if script not in SYMBOLS:
        raise ValueError(f'script={script!r}: expected one of {", ".join(SYMBOLS)}')
    if version not in VERSIONS:
        raise ValueError(f'version={version!r}: expected one of {", ".join(VERSIONS)}')
    pen_share = _pen_share(version, script, pen_share, vertical=vertical, slips=slips)
    charset = charset or corpus_charset(version)
    if version == FONTS_VERSION or script == 'latin':
        own_symbols = SYMBOLS[script]
    else:
        own_symbols = symbols.SYMBOLS + symbols.FURTHER_SYMBOLS
    symbol_ids = [i for i in map(charset.character_id, own_symbols) if i]
    hanzi: list[int] = []
    unseen: list[int] = []
    if texts:
        if shots or unseen_lines:
            raise ValueError(
                f'shots={shots}, unseen_lines={unseen_lines} with texts: expected none, all characters of'
                ' given texts are written'
            )
        hanzi = sorted({int(i) for text in texts for i in charset.encode(text).character_ids if i})
        symbol_ids = []
    elif script == 'latin':
        unseen_lines = 0
    else:
        hanzi, unseen = _choose_hanzi(
            charset,
            vocabulary_size=vocabulary_size,
            held_out=held_out,
            drawable=_drawable(version, pen_share),
        )
        if unseen_lines and not unseen:
            raise ValueError(
                f'unseen_lines={unseen_lines}: no character is left to hold out with'
                f' vocabulary_size={vocabulary_size}, held_out={held_out}; expected unseen_lines=0 or a'
                ' smaller vocabulary'
            )
    groups: dict[int, tuple[int, ...]] = {}
    shown: dict[int, int] = {}
    if shots:
        groups, shown = _choose_shots(unseen, shots, seed=seed, lines=lines, min_characters=min_characters)
    others = max(4, num_writers // 10)
    starts = np.cumsum([0, num_writers, others, others, others]).tolist()
    return Plan(
        seed=seed,
        min_characters=min_characters,
        max_characters=max_characters,
        height_px=height_px,
        script=script,
        version=version,
        pen_share=float(pen_share),
        splits=dict(zip(SPLITS, (lines, validation_lines, test_lines, unseen_lines), strict=True)),
        writers={split: range(*ends) for split, ends in zip(SPLITS, itertools.pairwise(starts), strict=True)},
        vocabulary=tuple(sorted({*hanzi, *symbol_ids})),
        held_out=tuple(sorted(unseen)),
        shots=groups,
        shown=shown,
        texts=tuple(texts),
        vertical=vertical,
        slips=slips,
    )


def _check_least(least: int, **values: int) -> None:
    """Refuses the first value that is too small."""
    for name, value in values.items():
        if value < least:
            raise ValueError(f'{name}={value}: expected at least {least}')


def _pen_share(version: str, script: str, pen_share: float | None, *, vertical: bool, slips: float) -> float:
    """The share of the writers who write with a pen; ValueError where fonts cannot do what is asked for."""
    old = version == FONTS_VERSION
    if pen_share is None:
        usual = 1.0 if vertical or slips else PEN_SHARE
        pen_share = 0.0 if old or script == 'latin' else usual
    if not 0 <= pen_share <= (0 if old else 1):
        raise ValueError(
            f'pen_share={pen_share}: expected a share, 0 to 1'
            + (f'; version {FONTS_VERSION} has no pens' if old else '')
        )
    if not 0 <= slips <= 1:
        raise ValueError(f'slips={slips}: expected a share, 0 to 1')
    if (vertical or slips) and pen_share < 1:
        raise ValueError(
            f'vertical={vertical}, slips={slips} with pen_share={pen_share}: fonts write neither; expected'
            ' pen_share=1'
        )
    return pen_share


def _choose_shots(
    held_out: Sequence[int], shots: Sequence[int], *, seed: int, lines: int, min_characters: int
) -> tuple[dict[int, tuple[int, ...]], dict[int, int]]:
    """The groups of the held-out characters, and which training line shows which of them."""
    told = f'shots={",".join(map(str, shots))}'
    if len(set(shots)) < len(shots) or min(shots) < 0:
        raise ValueError(f'{told}: expected different numbers of at least 0')
    if len(held_out) < len(shots):
        raise ValueError(
            f'{told}: expected at least as many held-out characters as groups, there are {len(held_out)}'
        )
    if min_characters < 2:
        raise ValueError(
            f'{told}, min_characters={min_characters}: expected at least 2, for the characters are shown'
            ' among others'
        )
    rng = np.random.default_rng((seed, SHOTS_STREAM))
    groups = dict(zip(shots, np.array_split(rng.permutation(sorted(held_out)), len(shots)), strict=True))
    copies = np.concatenate([np.repeat(group, count) for count, group in groups.items()])
    if len(copies) > lines:
        raise ValueError(
            f'{told}: {len(copies)} training lines are to show a held-out character each; expected at least'
            f' as many, lines={lines}'
        )
    chosen = rng.permutation(lines)[: len(copies)]
    return (
        {count: tuple(sorted(group.tolist())) for count, group in groups.items()},
        dict(sorted(zip(chosen.tolist(), copies.tolist(), strict=True))),
    )


def _drawable(version: str, pen_share: float) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    """What can be shown: (what frequent characters must be in, what those that show a component must be
    in), frozensets of str, or None for all.
    """
    if version == FONTS_VERSION:
        fallback = open_font(FALLBACK).characters
        return (
            fallback.intersection(*(open_font(name).characters for name in default_fonts('chinese'))),
            fallback,
        )
    if pen_share:
        return None, None
    some = frozenset().union(*(open_font(name).characters for name in default_fonts('chinese', version)))
    return some, some


def _choose_hanzi(
    charset: Charset,
    *,
    vocabulary_size: int,
    held_out: int,
    drawable: tuple[frozenset[str] | None, frozenset[str] | None],
) -> tuple[list[int], list[int]]:
    """The hanzi that have images, and those that are held out."""
    common, showing = drawable
    frequent = [
        i
        for i in map(charset.character_id, sentences.character_counts())
        if i and (common is None or charset.characters[i] in common)
    ]
    cover = [i for i in charset.component_cover() if showing is None or charset.characters[i] in showing]
    cover = cover if len(cover) <= vocabulary_size else []

    def by_hash(ids: Iterable[int]) -> list[int]:
        return sorted(ids, key=lambda i: hashlib.sha256(charset.characters[i].encode()).digest())

    first = set(cover)
    unseen = by_hash(i for i in frequent[:_COMMON] if i not in first)[:held_out] if cover else []
    kept_out = set(unseen)
    rest = [i for i in frequent if i not in first and i not in kept_out]
    hanzi = (cover + rest)[:vocabulary_size]
    if not cover:
        components = set(charset.character_components[hanzi].ravel().tolist())
        structures = set(charset.character_structures[hanzi].tolist())
        unseen = by_hash(
            i
            for i in rest[vocabulary_size:_COMMON]
            if components.issuperset(charset.character_components[i].tolist())
            and int(charset.character_structures[i]) in structures
        )[:held_out]
    return hanzi, unseen
