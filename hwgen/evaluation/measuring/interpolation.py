"""Protocol `interpolation`: do pictures change evenly on the way from one style to another, and from one
character to another?

Paths of STEPS steps: between drawn styles, one text (great circle, `styles.interpolate_styles`); between two
characters in one hand, of equal structure and of different ones (`ContentInterpolation`). Each is measured in
pixels and in a network's features, beside two other paths:
  cross_fade   the two end pictures laid over each other, one fading out: what costs nothing, and in pixels is
  the evenest and straightest of all
  independent  as many pictures that have nothing to do with each other: independent styles, independent
  characters
"""

from __future__ import annotations

import collections
import hashlib
import itertools
from typing import TYPE_CHECKING

import numpy as np

from hwgen.charset.encoding import CharsetError
from hwgen.evaluation.measuring import real_lines
from hwgen.evaluation.reporting.seed_figures import Measured
from hwgen.inference import picture_files
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.metrics import path_smoothness

if TYPE_CHECKING:
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.judges.feature_space import FeatureSpace
    from hwgen.inference.content_interpolation import ContentInterpolation
    from hwgen.inference.writer import Writer

STEPS = 16
DEFAULT_PAIRS = 60
_STREAMS = {'lines': 0, 'characters': 1, 'styles': 2, 'others': 3}
_KINDS = ('styles', 'same_structure', 'other_structure')
_SHOWN_STEPS, _SHOWN_HANDS, _SHOWN_TEXTS = 12, 10, 10
_SHOWN_TEXT = '春眠不觉晓'
# Of equal structure and of different ones, where the model can write them; else the first that were drawn.
_SHOWN_CHARACTERS = {
    'same_structure': ('江河', '明时', '草苗', '国园', '思忘'),
    'other_structure': ('明花', '山湖', '人国', '水想', '好字'),
}


def measure(
    index: RecordIndex,
    model: Writer,
    *,
    between: ContentInterpolation,
    space: FeatureSpace,
    num_pairs: int | None = None,
    seed: int = 0,
    truncation: float = DEFAULT_TRUNCATION,
) -> Measured:
    """Measures the paths of one seed.

    Args:
        index: RecordIndex, whose texts and characters are written.
        model: Writer.
        between: ContentInterpolation of the model.
        space: feature space.
        num_pairs: int, paths of each kind at most; None: DEFAULT_PAIRS.
        seed: int, of texts, characters and styles.
        truncation: float, of styles and character noise.

    Returns:
        Measured. Figures, each in both spaces, `ppl_styles_recognizer_60` for one: ppl (perceptual path
        length), uneven (largest step over mean step), detour (length of all paths over the distance of their
        ends), step (mean step); darkness, see `path_smoothness.middle_darkness`. Kinds: generated,
        cross_fade, independent. A kind of pairs that the lines do not have is left out.

    Raises:
        ValueError: the split has no characters to pair.
        CharsetError: the model cannot write one of the texts.
    """
    model = real_lines.of_cells(model)  # as `between` writes
    texts, pairs, characters = _choose(index, num_pairs or DEFAULT_PAIRS, seed)
    digest = hashlib.sha256(repr((STEPS, texts, pairs)).encode()).hexdigest()

    def draw(name, size):
        return np.random.default_rng([seed, _STREAMS[name]]).integers(2**63, size=size)

    paths = {
        'styles': (
            (
                model.write(
                    [text] * (STEPS + 1),
                    style_seeds=int(seeds[0]),
                    styles=model.styles_between(
                        int(seeds[0]), int(seeds[1]), steps=STEPS + 1, truncation=truncation
                    ),
                    truncation=truncation,
                ),
                model.write([text] * (STEPS + 1), style_seeds=seeds, truncation=truncation),
            )
            for text, seeds in zip(texts, draw('styles', [len(texts), STEPS + 1]), strict=True)
        )
    }
    rng = np.random.default_rng([seed, _STREAMS['others']])
    for kind, chosen in pairs.items():
        hands = draw('styles', [len(_KINDS), len(chosen)])[_KINDS.index(kind)]
        paths[kind] = (
            (
                between.write(*ends, steps=STEPS + 1, style_seed=int(hand), truncation=truncation),
                model.write(
                    list(rng.choice(characters, STEPS + 1)), style_seeds=int(hand), truncation=truncation
                ),
            )
            for ends, hand in zip(chosen, hands, strict=True)
        )
    figures, by_pair = {}, {}
    for kind, ways in paths.items():
        found = [_measure_path(written, others, space) for written, others in ways]
        names = {name: [one[name] for one in found] for name in found[0]}
        for (figure, place), values in names.items():
            by_way = {way: [one[way] for one in values] for way in values[0]}
            name = f'{figure}_{kind}_{place}_{len(found)}'
            if figure == 'detour':  # sums, since two ends may be equal
                figures[name] = {way: _ratio(*np.sum(ends, axis=0)) for way, ends in by_way.items()}
            else:
                figures[name] = {way: float(np.mean(one)) for way, one in by_way.items()}
                by_pair[name] = by_way
    return Measured(figures, by_pair, digest)


def cross_fade(first: np.ndarray, second: np.ndarray, *, steps: int) -> list[np.ndarray]:
    """Pictures from one to another by mixing their pixels: uint8 [H, W] each, both ends included, `steps`
    of them.
    """
    here, there = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return [np.rint((1.0 - t) * here + t * there).astype(np.uint8) for t in np.linspace(0.0, 1.0, steps)]


def _measure_path(written, others, space):
    """dict (figure, space) -> dict way -> float; of `detour` (length, distance of the ends)."""
    ways = {
        'generated': written,
        'cross_fade': cross_fade(written[0], written[-1], steps=len(written)),
        'independent': others,
    }
    vectors = np.split(
        space.measure([picture for way in ways.values() for picture in way]).vectors, len(ways)
    )
    found = {}
    for (way, pictures), features in zip(ways.items(), vectors, strict=True):
        for place, points in (('pixels', path_smoothness.pixel_points(pictures)), (space.name, features)):
            path = path_smoothness.path_figures(points)
            for figure, value in (
                ('ppl', path.perceptual_length),
                ('uneven', path.unevenness),
                ('detour', (path.length, path.end_distance)),
                ('step', path.length / (len(pictures) - 1)),
            ):
                found.setdefault((figure, place), {})[way] = value
        if way != 'independent':
            found.setdefault(('darkness', 'pixels'), {})[way] = path_smoothness.middle_darkness(pictures)
    return found


def _ratio(length, end_distance):
    return float(length / end_distance) if end_distance else 1.0


def _choose(index, num_pairs, seed):
    """Texts; dict kind -> pairs of characters; all characters, sorted."""
    texts, structures = [], {}
    for number in np.random.default_rng([seed, _STREAMS['lines']]).permutation(len(index)):
        record = index.read_record(int(number), decode_image=False)
        texts.append(record.text)
        # no sequences of components, each of several letters
        if len(record.text) == len(record.structure_ids):
            structures |= zip(record.text, record.structure_ids.tolist(), strict=True)
    characters = sorted(structures)
    if len(characters) < 2:
        raise ValueError(
            f'{index.folder}, split {index.split!r}: {len(characters)} characters, expected at least 2 to go'
            ' from one to another'
        )
    rng, pairs, counts = (
        np.random.default_rng([seed, _STREAMS['characters']]),
        {},
        collections.Counter(structures.values()),
    )
    for kind in _KINDS[1:]:
        equal = kind == 'same_structure'
        firsts = [one for one in characters if (counts[structures[one]] > 1 if equal else len(counts) > 1)]
        for first in itertools.islice(itertools.cycle(rng.permutation(firsts).tolist()), num_pairs):
            fits = [
                other
                for other in characters
                if other != first and (structures[other] == structures[first]) == equal
            ]
            pairs.setdefault(kind, []).append((first, str(rng.choice(fits))))
    return texts[:num_pairs], pairs, characters


def sheets(
    index: RecordIndex,
    model: Writer,
    *,
    between: ContentInterpolation,
    seed: int = 0,
    truncation: float = DEFAULT_TRUNCATION,
) -> dict[str, tuple[np.ndarray, str]]:
    """Pictures to look at.

    Args:
        As of `measure`.

    Returns:
        dict name -> (uint8 [H, W], caption).
    """
    model = real_lines.of_cells(model)
    texts, drawn, _ = _choose(index, _SHOWN_TEXTS, seed)
    texts = sorted(dict.fromkeys(texts), key=len)
    short = [text for text in texts if len(text) <= 3] or texts[:1]
    seeds = [
        int(one)
        for one in np.random.default_rng([seed, _STREAMS['styles']]).integers(2**63, size=_SHOWN_HANDS)
    ]

    def row(images):
        return np.concatenate(images, axis=1)

    styled = []
    for text, *ends in zip(short, seeds, seeds[1:], strict=False):
        styles = model.styles_between(*ends, steps=_SHOWN_STEPS, truncation=truncation)
        styled.append(
            picture_files.stack(
                model.write([text] * _SHOWN_STEPS, style_seeds=ends[0], styles=styles, truncation=truncation),
                gap=0.0,
            )
        )
    height = max(block.shape[0] for block in styled)
    styled = [
        np.pad(block, [(0, height - block.shape[0]), (0, model.char_width_px // 2)], constant_values=255)
        for block in styled
    ]
    found = {
        'styles': (row(styled), 'From hand to hand, downwards: one text each, the ends are drawn styles')
    }
    for kind, hand in zip(_KINDS[1:], seeds, strict=False):
        pairs = [tuple(pair) for pair in _SHOWN_CHARACTERS[kind] if _can_write(model, pair)] or drawn.get(
            kind, []
        )[:5]
        blocks = []
        for pair in pairs:
            way = between.write(*pair, steps=_SHOWN_STEPS, style_seed=hand, truncation=truncation)
            blocks.append(
                picture_files.stack([row(way), row(cross_fade(way[0], way[-1], steps=_SHOWN_STEPS))], gap=0.0)
            )
        if blocks:
            found[kind] = (
                picture_files.stack(blocks, gap=0.15),
                (
                    f'From character to character, of {kind.replace("_", " ")}; below each a cross-fade of'
                    ' the ends'
                ),
            )
    found['one_hand'] = (
        picture_files.stack(model.write(texts, style_seeds=seeds[0], truncation=truncation)),
        'One style, many texts',
    )
    text = _SHOWN_TEXT if _can_write(model, _SHOWN_TEXT) else texts[-1]
    found['one_text'] = (
        picture_files.stack(model.write([text] * _SHOWN_HANDS, style_seeds=seeds, truncation=truncation)),
        'One text, many styles',
    )
    return found


def _can_write(model, text):
    try:
        model.encode(''.join(text))
    except CharsetError:
        return False
    return True
