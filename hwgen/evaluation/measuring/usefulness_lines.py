"""Protocol `usefulness`, what teaches: who writes which lines, and how characters are cut out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hwgen.data.scribe.corpus import plan_corpus
from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.plan import FONTS_VERSION, Plan, corpus_charset
from hwgen.evaluation.measuring.lookalikes import CLASSES
from hwgen.images import to_cells, to_height

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer

LINE_CHARACTERS = 6  # of a line, at most
_STREAMS = {'lines': 30, 'corpus': 31, 'styles': 32}
_SETTINGS = ('seed', 'script', 'num_writers', 'pen_share')  # of a corpus: who its writers are
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
    lines = lines_of(plan, writers, characters, rng)
    missing = set(characters).difference(*lines.texts)
    if missing:
        raise ValueError(
            f'num_lines={num_lines}: none of {len(writers)} writers has {"".join(sorted(missing))} in its'
            ' font; expected more lines'
        )
    return lines


def _num_lines(num_characters):
    return -(-num_characters // LINE_CHARACTERS)


def lines_of(plan: Plan, writers: Sequence[int], characters: str, rng: np.random.Generator) -> Lines:
    """Lines in which each writer writes once the characters that its letterforms have.

    Args:
        plan: Plan.
        writers: sequence of int, their indices.
        characters: str.
        rng: numpy Generator, of the order.

    Returns:
        Lines.
    """
    texts, hands, places = [], [], []
    for hand, index in enumerate(writers):
        writer, own = plan.writer(index), list(characters)
        # Only in the first corpus another font stood in for what a font lacks.
        if isinstance(writer, FontWriter) and plan.version != FONTS_VERSION:
            own = [c for c in own if c in writer.characters]
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


def at_height(image: np.ndarray, boxes: np.ndarray, height_px: int) -> tuple[np.ndarray, np.ndarray]:
    """A line as training saw it where characters have the room that they take, and its boxes.

    Args:
        image: uint8 [H, W]; boxes: [N, 4], px.
        height_px: int, of the model's lines.

    Returns:
        uint8 [height_px, W']; float [N, 4].
    """
    scaled = to_height(image, height_px)
    across, down = scaled.shape[1] / image.shape[1], height_px / image.shape[0]
    return scaled, np.asarray(boxes, float) * [across, down, across, down]


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
