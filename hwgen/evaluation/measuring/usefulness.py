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

from hwgen.data.scribe.corpus import plan_corpus
from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.plan import FONTS_VERSION, SCRIBE_VERSION, Plan, corpus_charset
from hwgen.evaluation.measuring.character_pictures import as_seen
from hwgen.evaluation.measuring.lookalikes import CLASSES
from hwgen.evaluation.measuring.people import NUMERALS
from hwgen.images import to_cells

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer

ARMS = {
    'generated': 'the model',
    'floor': "its corpus in the model's cells",
    'as_written': 'its corpus as written',
}
LINE_CHARACTERS = 6  # of a line, at most
_STREAMS = {'lines': 30, 'corpus': 31, 'styles': 32, 'tested': 33}
_SETTINGS = ('seed', 'script', 'num_writers', 'pen_share')  # of a corpus: who its writers are
_SHOWN, _LINES_SHOWN = 4, 12  # of the sheets: pictures of a character, lines
_PAPER_PX = 4  # around a character that was cut out by its box: none of its strokes is at an edge


class Lines(NamedTuple):
    """What the hands of both arms write.

    Attributes:
        texts: list of str.
        hands: int [lines], whose line it is.
        places: int [lines], characters that the hand wrote before.
        writers: list of int, index of the corpus' writer of each hand.
    """

    texts: list[str]
    hands: np.ndarray
    places: np.ndarray
    writers: list[int]


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


def plan_of(info: Mapping[str, Any]) -> Plan:
    """The writers of the corpus that data is of.

    Args:
        info: dict, info.json.

    Returns:
        Plan without lines.

    Raises:
        ValueError: data that is not of the embedded corpus in Chinese.
    """
    settings = info.get('settings') or {}
    if info.get('source') != 'scribe' or settings.get('script', 'chinese') != 'chinese':
        raise ValueError(
            f'data of {info.get("source", "an unknown source")}: expected the embedded corpus in Chinese'
            ' (tfrecords/demo), whose writers can be asked for further lines'
        )
    return plan_corpus(
        version=info['version'],
        lines=0,
        validation_lines=0,
        test_lines=0,
        unseen_lines=0,
        vocabulary_size=1,
        held_out=0,
        **{name: settings[name] for name in _SETTINGS if name in settings},
    )


def choose_characters(info: Mapping[str, Any], *, count: int | None = None) -> str:
    """The look-alikes that the corpus has pictures of.

    Args:
        info: dict, info.json.
        count: int or None, at most; the numerals are first.

    Returns:
        str.

    Raises:
        ValueError: fewer than two.
    """
    table = corpus_charset(info['version']).characters
    there = {table[i] for i in info['vocabulary']}
    found = ''.join(c for c in CLASSES if c in there)[:count]
    if len(found) < 2:
        raise ValueError(
            f'{len(found)} of {len(CLASSES)} look-alike characters to tell apart: expected at least 2'
        )
    return found


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
        rng = np.random.default_rng([_STREAMS['tested'], plan.seed])
        lines = _lines_of(of, able[:num_hands], characters, rng)
        cut = [
            characters_of(image, boxes) for image, boxes in corpus_lines(of, lines, seed=_STREAMS['tested'])
        ]
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


def plan_lines(plan: Plan, characters: str, *, num_lines: int, seed: int) -> Lines:
    """The lines of one seed: every hand writes each character once, in an order of its own.

    Args:
        plan: Plan.
        characters: str.
        num_lines: int, at most; hands write all their characters or nothing.
        seed: int.

    Returns:
        Lines.

    Raises:
        ValueError: too few for a single hand, or for every character.
    """
    rng = np.random.default_rng([seed, _STREAMS['lines']])
    each = _num_lines(len(characters))
    if num_lines < each:
        raise ValueError(
            f'num_lines={num_lines}: a hand writes {len(characters)} characters in {each} lines; expected at'
            ' least as many'
        )
    writers = np.resize(rng.permutation(plan.writers['train']), num_lines // each).tolist()
    lines = _lines_of(plan, writers, characters, rng)
    missing = set(characters).difference(*lines.texts)
    if missing:
        raise ValueError(
            f'num_lines={num_lines}: none of {len(writers)} writers has {"".join(sorted(missing))} in its'
            ' font; expected more lines'
        )
    return lines


def _num_lines(num_characters):
    return -(-num_characters // LINE_CHARACTERS)


def _lines_of(plan, writers, characters, rng):
    """Lines in which each writer writes the characters that its letterforms have."""
    texts, hands, places = [], [], []
    for hand, index in enumerate(writers):
        writer = plan.writer(index)
        # Only in the first corpus another font stood in for what a font lacks.
        lacks = isinstance(writer, FontWriter) and plan.version != FONTS_VERSION
        own = [c for c in characters if not lacks or c in writer.characters]
        order = rng.permutation(len(own))
        place = 0
        for part in np.array_split(order, max(1, _num_lines(len(own)))):
            if len(part):
                texts.append(''.join(own[i] for i in part))
                hands.append(hand)
                places.append(place)
                place += len(part)
    return Lines(texts, np.array(hands, int), np.array(places, int), list(writers))


def corpus_lines(plan: Plan, lines: Lines, *, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Lines by writers of a corpus.

    Args:
        plan: Plan.
        lines: Lines.
        seed: int, of the variation within a hand.

    Returns:
        list of (uint8 [H, W], 255 = paper; int32 [N, 4], boxes of the characters, px).
    """
    found = []
    for number, (text, hand) in enumerate(zip(lines.texts, lines.hands, strict=True)):
        rng = np.random.default_rng([seed, _STREAMS['corpus'], number])
        written = plan.writer(lines.writers[hand]).write_line(text, rng, height_px=plan.height_px)
        found.append((written.image, written.boxes))
    return found


def characters_of(image: np.ndarray, boxes: np.ndarray) -> list[np.ndarray]:
    """The characters of a line, cut out by their boxes, paper around each.

    Args:
        image: uint8 [H, W], 255 = paper.
        boxes: [N, 4], x0, y0, x1, y1, px; whole pixels that they touch are kept.

    Returns:
        list of uint8 [h, w].
    """
    height, width = image.shape
    found = []
    for box in np.asarray(boxes, float):
        left, top = np.floor(box[:2]).astype(int)
        right, bottom = np.ceil(box[2:]).astype(int)
        left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
        cut = image[top : max(bottom, top + 1), left : max(right, left + 1)]
        found.append(np.pad(cut, _PAPER_PX, constant_values=255))
    return found


def in_cells(
    image: np.ndarray, boxes: np.ndarray, *, char_px: int, char_width_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """A line as training saw it, and its boxes.

    Args:
        image: uint8 [H, W]; boxes: [N, 4], px.
        char_px, char_width_px: int, a cell.

    Returns:
        uint8 [char_px, N * char_width_px]; float [N, 4].
    """
    height, width = image.shape
    across, down = len(boxes) * char_width_px / width, char_px / height
    scaled = np.asarray(boxes, float) * [across, down, across, down]
    return to_cells(image, len(boxes), char_px=char_px, char_width_px=char_width_px), scaled


def written_lines(model: Writer, lines: Lines, *, seed: int, truncation: float) -> list[np.ndarray]:
    """The same texts by the model, a drawn style for each hand.

    Args:
        model: Writer.
        lines: Lines.
        seed: int, of the styles.
        truncation: float, of the styles.

    Returns:
        list of uint8 [char_px, N * char_width_px].
    """
    styles = np.random.default_rng([seed, _STREAMS['styles']]).integers(2**63, size=len(lines.writers))
    found: list[np.ndarray] = []
    for hand, style in enumerate(styles):
        own = np.flatnonzero(lines.hands == hand)
        found += model.write(
            [lines.texts[line] for line in own],
            style_seeds=int(style),
            truncation=truncation,
            noise_offsets=lines.places[own].tolist(),
        )
    return found


def labels_of(lines: Lines, characters: str) -> np.ndarray:
    """int [P], place in the characters of every character of the lines."""
    return np.array([characters.index(c) for text in lines.texts for c in text])


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
    of_corpus = corpus_lines(plan, lines, seed=seed)
    of_training = [in_cells(image, boxes, **cells) for image, boxes in of_corpus]
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
