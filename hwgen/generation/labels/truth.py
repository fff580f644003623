"""What is true of a picture: its lines, their characters, the components of these, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hwgen.charset.normal_form import plain

if TYPE_CHECKING:
    from hwgen.charset.encoding import Charset, EncodedText
    from hwgen.generation.verification import Verified
    from hwgen.inference.line_boxes import LineBoxes

Box = tuple[int, int, int, int]  # px x0, y0, x1, y1 in the picture, x1 and y1 behind the last pixel


class Component(NamedTuple):
    """A component of a character: its name, its slot (0 to 3), its box."""

    name: str
    slot: int
    box: Box


class Character(NamedTuple):
    """A character of a line.

    Attributes:
        text: as it was asked for; a sequence such as ⿱山鱼 is one.
        structure: how its components lie, such as '⿰□□'.
        box: of its ink; None where it has none, as a space.
        room: the cell, or the room along the line, that it was given.
        components: those it is made of; none where it has no ink.
    """

    text: str
    structure: str
    box: Box | None
    room: Box
    components: tuple[Component, ...]


class TrueLine(NamedTuple):
    """A line: its text, its characters, and what a reader made of it, or None."""

    text: str
    characters: tuple[Character, ...]
    verified: Verified | None

    @property
    def box(self) -> Box:
        """The box of its ink; where it has none, of the room of its characters."""
        return around(
            [one.box for one in self.characters if one.box] or [one.room for one in self.characters]
        )

    def words(self) -> Iterator[list[Character]]:
        """Its characters from space to space, those with ink."""
        word: list[Character] = []
        for one in self.characters:
            if one.box is None or not plain(one.text).strip():
                if word:
                    yield word
                word = []
            else:
                word.append(one)
        if word:
            yield word


class TruePicture(NamedTuple):
    """A picture: the name of its file, its size in px, what it was written with, its lines."""

    name: str
    width: int
    height: int
    style: str
    lines: tuple[TrueLine, ...]


def around(boxes: Sequence[Box]) -> Box:
    """The box around boxes."""
    lows, highs = np.array(boxes)[:, :2].min(0), np.array(boxes)[:, 2:].max(0)
    return int(lows[0]), int(lows[1]), int(highs[0]), int(highs[1])


class Placing(NamedTuple):
    """Where a line as it was written stands in its picture: a point of it times `scale`, and `origin`."""

    origin: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)

    def box(self, box: Any, size: tuple[int, int]) -> Box | None:
        """A box of a line in its picture of a size (W, H), whole pixels around it; None where empty."""
        if box[2] <= box[0] or box[3] <= box[1]:
            return None
        ends = np.array(box, float) * np.tile(self.scale, 2) + np.tile(self.origin, 2)
        limits = np.tile(size, 2)
        low, high = np.floor(ends[:2] + 1e-6), np.ceil(ends[2:] - 1e-6)
        x0, y0, x1, y1 = np.clip(np.concatenate([low, high]), 0, limits).astype(int).tolist()
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def true_line(
    text: str,
    encoded: EncodedText,
    charset: Charset,
    *,
    rooms: np.ndarray,
    boxes: LineBoxes,
    placing: Placing,
    size: tuple[int, int],
    verified: Verified | None = None,
) -> TrueLine:
    """A line as it stands in its picture.

    Args:
        text: what was asked for.
        encoded: its codes.
        charset: whose codes these are.
        rooms: int [N, 4], the room of each character in the line as it was written.
        boxes: of ink, likewise.
        placing: where the line stands.
        size: width and height of the picture.
        verified: what was read, or None.
    """
    characters = []
    for place, unit in enumerate(encoded.units):
        found = []
        for slot, component in enumerate(encoded.component_ids[place].tolist()):
            box = placing.box(boxes.components[place, slot], size) if component else None
            if box:
                found.append(Component(charset.components[component], slot, box))
        room = placing.box(rooms[place], size) or (0, 0, *size)
        structure = charset.structures[int(encoded.structure_ids[place])]
        characters.append(
            Character(unit, structure, placing.box(boxes.characters[place], size), room, tuple(found))
        )
    return TrueLine(text, tuple(characters), verified)
