"""Protocol `usefulness`: what written characters teach, beside as many of the corpus that the writer learned
from.

A small network learns characters that are taken for one another (`lookalikes`) from what the model writes,
the same network from lines of the same texts by training writers of its corpus, and both read hands that
taught neither: simulated ones of the other kind (pens for a corpus of fonts, fonts for one of pens;
held-out writers of both kinds for a corpus of both), and people's numerals. What the first reads less than
the second is what the writer lost of what it was shown. The corpus' lines are scaled to the model's cells,
as training saw them, so that resolution is not what is measured; a third network learns from the same lines
as they were written.

The measure is that of "What each corpus is worth" (docs/results/corpus.md). Differs: characters are cut out
of lines, of a corpus by their true boxes and of a model at the edges of its cells, and are not brought down
to the resolution of people's scans.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.plan import SCRIBE_VERSION, Plan
from hwgen.evaluation.measuring import real_lines
from hwgen.evaluation.measuring.character_pictures import as_seen
from hwgen.evaluation.measuring.people import NUMERALS
from hwgen.evaluation.measuring.usefulness_lines import (
    at_height,
    characters_of,
    corpus_lines,
    in_cells,
    labels_of,
    lines_of,
    plan_lines,
    written_lines,
)

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer

ARMS = {
    'generated': 'the model',
    'floor': "its corpus in the model's cells",
    'as_written': 'its corpus as written',
}
_STREAM = 33  # of the hands that are read
_SHOWN, _LINES_SHOWN = 4, 12  # of the sheets: pictures of a character, lines


class Tested(NamedTuple):
    """Pictures that are read.

    Attributes:
        pictures: uint8 [P, side, side], 255 = ink.
        labels: int [P], places in the characters that are told apart.
        owners: int [P], whose hand.
        among: int or None: the first characters alone are to choose from.
    """

    pictures: np.ndarray
    labels: np.ndarray
    owners: np.ndarray
    among: int | None = None


class Taught(NamedTuple):
    """What one seed gave.

    Attributes:
        right: dict (tested, arm) -> int [hands], pictures of each hand that are read right.
        totals: dict tested -> int [hands].
        samples: dict of what sheets show: `characters` dict arm -> dict character -> pictures; `lines` list
            of (line of the corpus in the model's cells, the same text by the model).
        num_lines, num_hands, num_pictures: int, that taught each network.
        digest: str, SHA-256 of the texts and their writers.
    """

    right: dict[tuple[str, str], np.ndarray]
    totals: dict[str, np.ndarray]
    samples: dict[str, Any]
    num_lines: int
    num_hands: int
    num_pictures: int
    digest: str


def tested_kinds(plan: Plan) -> dict[str, Plan]:
    """The kinds of hands that are read: dict name -> the plan that they are of.

    Of a corpus of one kind the other, of a corpus of both each.
    """
    if plan.pen_share == 0:
        return {'pens': plan._replace(version=SCRIBE_VERSION, pen_share=1.0)}
    if plan.pen_share == 1:
        return {'fonts': plan._replace(pen_share=0.0)}
    return {'pens': plan, 'fonts': plan}


def draw_tested(plan: Plan, characters: str, *, num_hands: int, side_px: int) -> dict[str, Tested]:
    """Simulated hands that teach nothing: writers of the splits test and unseen.

    Args:
        plan: Plan of the corpus.
        characters: str, told apart.
        num_hands: int, of each kind, at most.
        side_px: int, of the pictures.

    Returns:
        dict kind -> Tested. The same for every model and seed.
    """
    found = {}
    for kind, of in tested_kinds(plan).items():
        held_out = [*plan.writers['test'], *plan.writers['unseen']]
        able = [index for index in held_out if isinstance(of.writer(index), FontWriter) == (kind == 'fonts')]
        rng = np.random.default_rng([_STREAM, plan.seed])
        lines = lines_of(of, able[:num_hands], characters, rng)
        cut = [characters_of(image, boxes) for image, boxes in corpus_lines(of, lines, seed=_STREAM)]
        found[kind] = Tested(
            np.stack([as_seen(picture, side_px=side_px) for line in cut for picture in line]),
            labels_of(lines, characters),
            np.repeat(lines.hands, [len(text) for text in lines.texts]),
        )
    return found


def people_tested(people: np.ndarray, characters: str, *, copies: int, side_px: int) -> dict[str, Tested]:
    """People's numerals, told from all characters and among the numerals.

    Args:
        people: uint8 [people, 15, copies, H, W], 255 = paper, of `read_people`.
        characters: str, told apart, the numerals first.
        copies: int, of each numeral, at most.
        side_px: int, of the pictures.

    Returns:
        dict `people` and `people_numerals` -> Tested; empty where fewer than two numerals are told apart.
    """
    numerals = [c for c in characters if c in NUMERALS]
    if len(numerals) < 2:
        return {}
    scans = people[:, [NUMERALS.index(c) for c in numerals], :copies]
    hands, kinds, times = scans.shape[:3]
    pictures = np.stack([as_seen(scan, side_px=side_px) for scan in scans.reshape(-1, *scans.shape[3:])])
    labels = np.tile(np.repeat(np.arange(kinds), times), hands)
    everything = Tested(pictures, labels, np.repeat(np.arange(hands), kinds * times))
    return {'people': everything, 'people_numerals': everything._replace(among=kinds)}


def digests_of(tested: Mapping[str, Tested]) -> dict[str, str]:
    """SHA-256 of the pictures that are read: dict of what is read -> str."""
    return {name: hashlib.sha256(one.pictures.tobytes()).hexdigest() for name, one in tested.items()}


def teach(
    model: Writer,
    plan: Plan,
    characters: str,
    tested: Mapping[str, Tested],
    *,
    num_lines: int,
    steps: int,
    side_px: int,
    seed: int,
    truncation: float,
    report: Callable[[str], object] = print,
) -> Taught:
    """Teaches the networks of one seed, and has them read.

    Args:
        model: Writer.
        plan: Plan of the corpus that it learned from.
        characters: str, told apart.
        tested: dict of what is read.
        num_lines: int, of each arm, at most.
        steps: int, of each network.
        side_px: int, of the pictures.
        seed: int, of lines, styles and networks.
        truncation: float, of the styles.
        report: function of a str.

    Returns:
        Taught.
    """
    from hwgen.evaluation.measuring.small_network import SmallNetwork

    lines = plan_lines(plan, characters, num_lines=num_lines, seed=seed)
    labels = labels_of(lines, characters)
    cells = {'char_px': model.char_px, 'char_width_px': model.char_width_px}
    spaced, model = real_lines.are_spaced(model), real_lines.of_cells(model)
    of_corpus = corpus_lines(plan, lines, seed=seed)
    of_training = [
        at_height(image, boxes, model.char_px) if spaced else in_cells(image, boxes, **cells)
        for image, boxes in of_corpus
    ]
    of_model = written_lines(model, lines, seed=seed, truncation=truncation)
    report(f'seed {seed}: {len(lines.texts)} lines of {len(lines.writers)} hands written, by each')
    cut = {
        'generated': [
            picture
            for image, text in zip(of_model, lines.texts, strict=True)
            for picture in np.split(image, len(text), axis=1)
        ],
        'floor': [picture for line in of_training for picture in characters_of(*line)],
        'as_written': [picture for line in of_corpus for picture in characters_of(*line)],
    }
    right, shown = {}, {}
    totals = {name: np.bincount(one.owners) for name, one in tested.items()}
    for arm in ARMS:
        pictures = np.stack([as_seen(picture, side_px=side_px) for picture in cut[arm]])
        network = SmallNetwork(len(characters), seed=seed, side_px=side_px).train(
            pictures, labels, steps=steps
        )
        for name, one in tested.items():
            found = network.logits(one.pictures)[:, : one.among].argmax(1) == one.labels
            right[name, arm] = np.bincount(one.owners, found, len(totals[name])).astype(int)
        shown[arm] = {c: pictures[labels == n][:_SHOWN] for n, c in enumerate(characters)}
        told = ', '.join(f'{name} {right[name, arm].sum() / totals[name].sum():.3f}' for name in tested)
        report(f'seed {seed}: taught by {ARMS[arm]}: {told}')
    digest = hashlib.sha256(repr((lines.texts, lines.writers)).encode()).hexdigest()
    pairs = [(image, written) for (image, _), written in zip(of_training, of_model, strict=True)]
    samples = {'characters': shown, 'lines': pairs[:: max(1, len(pairs) // _LINES_SHOWN)][:_LINES_SHOWN]}
    return Taught(right, totals, samples, len(lines.texts), len(lines.writers), len(labels), digest)


def figures(taught: Taught) -> dict[str, dict[str, float]]:
    """Shares read right, and what the model lost, as figures of `seed_figures.gather`.

    Args:
        taught: Taught of a seed.

    Returns:
        dict `reads_pens_6000` (what is read, how many pictures) -> dict of ARMS; `loss_pens_6000` -> dict of
        `generated` (floor - generated) and `as_written` (as_written - generated).
    """
    rows: dict[str, dict[str, float]] = {}
    for name, totals in taught.totals.items():
        count = int(totals.sum())
        shares = {arm: float(taught.right[name, arm].sum() / count) for arm in ARMS}
        rows[f'reads_{name}_{count}'] = shares
        rows[f'loss_{name}_{count}'] = {
            'generated': shares['floor'] - shares['generated'],
            'as_written': shares['as_written'] - shares['generated'],
        }
    return rows
