"""A simulated writer with a pen: lines written movement by movement, with what is true of them.

A text becomes targets (`letterforms.py`), placed along a line; one movement goes through them
(`movement.py`), stroke by stroke, with the travel between; what of it touches paper leaves ink (`ink.py`).
`docs/scribe.md` tells how such hands compare with people's.
"""

import numpy as np

from hwgen.charset.encoding import Charset, normalize
from hwgen.data.scribe import ink, movement
from hwgen.data.scribe.letterforms import Letterforms
from hwgen.data.scribe.slips import draw_slips, slip
from hwgen.data.scribe.traits import draw_traits
from hwgen.data.scribe.written_line import WrittenLine

_STREAM = 0x9E4
_POINTS = frozenset('，。、；：！？,.;:!?…·')
_LEAST_PX = 16
_LEAST_HEIGHT = 0.84  # em: a line of 一 is not enlarged until it fills the height
_LEAST_CELL = 0.34  # em
_GAP = 0.15  # em between the ink of two hanzi, where cells go by the width of characters
_JOIN_EM = 2.4  # how fast joining falls with the length of the travel, and with how far it goes up
_JOIN_UP = 5.0
_LIFT_SEC = 0.025  # the pen takes so long to come down and to lift
_NEIGHBOURS = 0.35  # two characters are joined so much more rarely than two strokes
_POINT_EM = 0.09  # ink that reaches no further is a point
_LIGHT = 0.55  # pressure of ink between strokes


class PenWriter:
    """Writes lines in one hand.

    Args:
        seed: int >= 0.
        index: int >= 0; (seed, index) determine the hand.

    Attributes:
        traits: Traits.
        name: str, by which records know the writer.
    """

    def __init__(self, seed: int, index: int):
        self.name = f'pen {seed}-{index}'
        self.traits = draw_traits(np.random.default_rng((_STREAM, seed, index)))
        self._letterforms = Letterforms(seed, index, self.traits)

    def write_line(
        self,
        text: str,
        rng: np.random.Generator,
        *,
        height_px: int = 64,
        vertical: bool = False,
        slips: float = 0.0,
        em_px: float | None = None,
    ) -> WrittenLine:
        """Writes a line.

        Args:
            text: str, N >= 1 characters or sequences.
            rng: numpy Generator, the variation from copy to copy.
            height_px: int >= 16, height of the result; its width where the line is vertical.
            vertical: bool, characters one below the other.
            slips: float in [0, 1], how often a character was first begun wrongly and struck out; the text
                does not tell of it.
            em_px: float, px of a usual em: the line is drawn in the size that the hand writes it, whatever
                height comes of it. None: it is brought to height_px.

        Returns:
            WrittenLine.

        Raises:
            ValueError: a text of no character, one that cannot be written (names it and its position), or a
                height below 16 px.
        """
        if height_px < _LEAST_PX:
            raise ValueError(f'height_px={height_px}: expected at least {_LEAST_PX}')
        units = [normalize(unit) for unit in Charset.load().encode(text).units]
        if not units:
            raise ValueError(
                f'text: {"empty" if not text else f"{text!r} is empty but for invisible characters"},'
                ' expected at least one character'
            )
        slipped = draw_slips(len(units), rng, chance=slips) if slips else np.zeros(len(units), bool)
        forms, owners = [], []  # what is written, and which character it is; -1: what was struck out
        for position, unit in enumerate(units):
            try:
                if slipped[position]:
                    forms.append(slip(self._letterforms, unit, rng))
                    owners.append(-1)
                forms.append(self._letterforms.form(unit, rng))
                owners.append(position)
            except LookupError as error:
                raise ValueError(f'text, character {position}: {error}') from error
        placed, cells = self._places(
            [units[owner] if owner >= 0 else '' for owner in owners], forms, rng, vertical=vertical
        )
        path = self._path(forms, owners, placed, rng)
        return self._drawn(
            path,
            cells[[n for n, owner in enumerate(owners) if owner >= 0]],
            rng,
            size_px=height_px,
            em_px=em_px,
            vertical=vertical,
        )

    # ---- places

    def _places(self, units, forms, rng, *, vertical):
        """Forms in their place on the line, em: list of float32 [P, 2]; cells float [N, 2], from and to
        along the line.
        """
        traits, count = self.traits, len(forms)
        random = np.clip(rng.standard_normal((count, 6)), -2.5, 2.5)
        wander = np.cumsum(random[:, 5]) * traits.size_wander / np.sqrt(np.arange(count) + 4)
        shaped = [self._shaped(form, random[n], wander[n]) for n, form in enumerate(forms)]
        widths = np.array(
            [
                self._cell(unit, form, points, vertical=vertical)
                for unit, form, points in zip(units, forms, shaped, strict=True)
            ]
        )
        widths *= (
            traits.pitch
            * traits.size**0.85
            * (1 + np.clip(traits.pitch_deviation * random[:, 3], -0.18, 0.18))
        )
        ends = np.cumsum(widths)
        centres = ends - widths / 2
        phase, period = rng.uniform(0, 2 * np.pi), rng.uniform(4, 9)
        rise = np.clip(traits.drift + rng.normal(0, 0.004), -0.03, 0.03) * min(1, 8 / count)
        rows = (
            -rise * (centres - centres.mean())
            + traits.sway * np.sin(phase + centres * 2 * np.pi / period)
            + traits.shift_deviation * random[:, 4]
        )
        placed = []
        for form, points, centre, row in zip(forms, shaped, centres, rows, strict=True):
            middle = np.zeros(2)
            if len(points) and not form.symbol:
                low, high = points.min(0), points.max(0)
                # Along the line the ink lies in the middle of its cell; across it hangs together with how
                # tall it is only by half.
                middle = (low + high) / np.array([4, 2] if vertical else [2, 4])
            placed.append(
                (points - middle + ([row, centre] if vertical else [centre, row])).astype(np.float32)
            )
        return placed, np.stack([ends - widths, ends], 1)

    def _shaped(self, form, random, wander):
        """A form in the hand's size, slant and turn, around (0, 0): float32 [P, 2], em."""
        traits = self.traits
        size = 0.93 * traits.size * (1 + traits.size_deviation * random[0] + np.clip(wander, -0.12, 0.12))
        slant = traits.slant + traits.slant_deviation * random[1]
        turn = traits.turn + traits.turn_deviation * random[2]
        aspect = traits.aspect + traits.abreast * form.abreast - traits.stacked * form.stacked
        wide, high = (
            np.exp((0.3 if form.symbol else 1) * aspect / 2 + 0.03 * random[5]),
            np.exp((0.3 if form.symbol else 1) * -aspect / 2),
        )
        # x' = wide x - slant y; y' = high y - rise x, then turned.
        shear = np.array([[wide, -slant], [0 if form.symbol else -traits.rise, high]])
        rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        return form.points @ (rotate @ shear).T.astype(np.float32) * np.float32(size)

    def _cell(self, unit, form, points, *, vertical):
        """How much of the line a form takes: float, em."""
        traits = self.traits
        if form.symbol:
            wide = unit in _POINTS or form.advance >= 0.9
            return form.advance * (traits.point_cell if wide else traits.narrow) if not vertical else 0.7
        own = np.ptp(points[:, 1 if vertical else 0]) / traits.size + _GAP if len(points) else 1
        return max(_LEAST_CELL, traits.evenness + (1 - traits.evenness) * own)

    # ---- movement

    def _path(self, forms, owners, placed, rng):
        """The movement through a line: dict of arrays over T samples; None where nothing is written."""
        traits = self.traits
        parts, clock, last, after_symbol = [], 0.0, None, False
        for form, owner, targets in zip(forms, owners, placed, strict=True):
            if not len(targets):
                continue
            stroke_of = form.stroke_of
            if last is not None:  # the travel from the character before
                targets, stroke_of = np.concatenate([last[None], targets]), np.concatenate([[-1], stroke_of])
            hurry = float(
                np.clip(
                    traits.hurry
                    + traits.hurry_deviation * rng.standard_normal()
                    + 0.012 * (len(form.slots) - 8)
                    - (0.3 if form.symbol else 0),
                    0,
                    1.15,
                )
            )
            down = np.diff(stroke_of) == 0
            moved = movement.trace(targets, down, hurry=hurry, rest_sec=traits.rest_sec)
            inks = np.where(down, 1.0, 0.0)
            travels = np.flatnonzero(~down)
            ways = targets[travels + 1] - targets[travels]
            # Long ways are rarely joined, upward ones more rarely still: 十 keeps its corner free.
            distances = np.hypot(*ways.T) * _JOIN_EM + np.maximum(-ways[:, 1], 0) * _JOIN_UP
            chance = traits.joining * 1.7 * hurry**2 * np.exp(-distances) * (not form.symbol)
            if last is not None:
                chance[0] *= 0 if after_symbol else _NEIGHBOURS
            inks[travels] = np.where(rng.random(len(travels)) < chance, _LIGHT, 0)
            slot = (
                4 * owner + form.slots[np.maximum(stroke_of[1:], 0)] if owner >= 0 else np.full(len(down), -1)
            )
            if last is not None:
                slot[0] = -1
            piece = moved.piece_of
            parts.append((moved.points, moved.time_sec + clock, inks[piece], slot[piece]))
            clock, last, after_symbol = (
                clock + float(moved.time_sec[-1]) + 0.02,
                moved.points[-1],
                form.symbol,
            )
        if not parts:
            return None
        points, time, pen, slots = (np.concatenate(column) for column in zip(*parts, strict=True))
        points = points + _tremor(time, traits.tremor, rng)
        return {
            'points': points,
            'time': time,
            'pen': pen,
            'slots': slots,
            'shown': np.minimum(pen[:-1], pen[1:]) > 0,
        }

    def _pressure(self, path):
        """Pressure at each sample: the pen comes down and lifts while it moves, presses on strokes and
        floats between them; fast movement presses less.
        """
        traits, time, shown = self.traits, path['time'], path['shown']
        on = np.concatenate([[False], shown]) | np.concatenate([shown, [False]])
        starts, ends = (
            np.flatnonzero(on & ~np.concatenate([[False], shown])),
            np.flatnonzero(on & ~np.concatenate([shown, [False]])),
        )
        run = np.clip(
            np.searchsorted(starts, np.arange(len(time)), side='right') - 1, 0, max(0, len(starts) - 1)
        )
        pressure = path['pen'].astype(np.float32)
        if len(starts):
            since, left = time - time[starts[run]], time[ends[run]] - time
            pressure *= np.clip(0.75 + 0.25 * since / _LIFT_SEC, 0, 1)
            pressure *= 1 - traits.taper * 0.75 * np.clip(1 - left / (1.3 * _LIFT_SEC), 0, 1)
            # A point is pressed: the pen has no way to move while it comes down and lifts.
            points = np.array(
                [
                    np.ptp(path['points'][a : b + 1], axis=0).max() < _POINT_EM * traits.size
                    for a, b in zip(starts, ends, strict=True)
                ]
            )
            pressure = np.where(points[run] & on, 1, pressure)
        return np.where(on, np.clip(pressure, 0.12, 1), 0).astype(np.float32), on

    # ---- paper

    def _drawn(self, path, cells, rng, *, size_px, em_px, vertical):
        traits, count = self.traits, len(cells)
        along, across = (1, 0) if vertical else (0, 1)
        if path is None:  # spaces only
            boxes = np.zeros((count, 4))
            boxes[:, along], boxes[:, along + 2], boxes[:, across + 2] = (
                cells[:, 0] * size_px,
                cells[:, 1] * size_px,
                size_px,
            )
            boxes = np.rint(boxes).astype(np.int32)
            shape = (max(1, boxes[-1, 3]), max(1, boxes[-1, 2]))
            return WrittenLine(
                np.full(shape, 255, np.uint8),
                boxes,
                np.zeros((count, 4, 4), np.int32),
                np.zeros((0, 5), np.float32),
                np.zeros(0, np.int32),
            )
        pressure, on = self._pressure(path)
        points, time = path['points'], path['time']
        speed = np.hypot(*np.gradient(points, axis=0).T) / np.maximum(np.gradient(time), 1e-4)
        usual = np.median(speed[on]) + 1e-6
        fast = np.clip(speed / usual - 1, -0.4, 1.5)
        widths = (
            traits.width
            * (1 - traits.width_pressure * (1 - pressure))
            * (1 - 0.3 * traits.width_pressure * fast)
        )
        widths *= np.exp(np.clip(rng.normal(0, 0.05), -0.12, 0.12))
        darkness = (
            traits.darkness
            * (1 - traits.dark_pressure * (1 - pressure))
            * (1 - 0.2 * traits.dark_pressure * fast)
        )
        low, high = self._cut(points[on], cells, rng, along=along, across=across)
        scale = em_px or size_px / (high - low)[across]
        size_px = max(1, round((high - low)[across] * scale))
        shape = [0, 0]
        shape[1 - across], shape[1 - along] = size_px, max(1, round((high - low)[along] * scale))
        spots = ((points - low) * scale).astype(np.float32)
        painted = ink.draw(
            spots,
            np.maximum(widths * scale, 0.6),
            np.clip(darkness, 0.15, 1),
            path['shown'],
            shape=shape,
            fine=ink.fineness(size_px),
        )
        image = ink.scan(
            painted,
            rng,
            grain=traits.grain,
            grain_px=max(1.5, (0.022 if traits.pen == 'pencil' else 0.07) * size_px),
            blur_px=traits.blur * size_px / 64,
        )
        boxes, component_boxes = _boxes(
            spots,
            widths * scale / 2,
            path['slots'],
            on,
            (cells - low[along]) * scale,
            along=along,
            shape=shape,
        )
        trajectory = np.concatenate([spots, time[:, None], on[:, None], pressure[:, None]], 1).astype(
            np.float32
        )
        return WrittenLine(image, boxes, component_boxes, trajectory, path['slots'].astype(np.int32))

    def _cut(self, inked, cells, rng, *, along, across):
        """The corners of the rectangle that is kept, em: the ink and a small margin, at least a line's
        height, and most of the first and last cell.
        """
        margins = rng.uniform(0.02, 0.08, 4).reshape(2, 2) + self.traits.width / 2
        low, high = inked.min(0), inked.max(0)
        size = (high - low)[across]
        missing = max(0.0, _LEAST_HEIGHT * self.traits.size - size)
        # What is missing goes to the side where the line's middle leaves more room.
        share = np.clip((high[across] - np.median(inked[:, across])) / max(size, 1e-3), 0.3, 0.7)
        low[across], high[across] = low[across] - missing * (1 - share), high[across] + missing * share
        room = 0.12 * max(size, _LEAST_HEIGHT * self.traits.size)
        low[along], high[along] = min(low[along], cells[0, 0] + room), max(high[along], cells[-1, 1] - room)
        return low - margins[0], high + margins[1]


def _tremor(time, amount, rng):
    """Trembling of the hand, about 9 Hz: float32 [T, 2], em."""
    ticks = np.arange(0, time[-1] + 0.12, 0.055)
    nodes = rng.standard_normal((len(ticks), 2)) * amount
    return np.stack([np.interp(time, ticks, nodes[:, k]) for k in (0, 1)], 1).astype(np.float32)


def _boxes(spots, halves, slots, on, cells, *, along, shape):
    """Boxes of characters and components, px: int32 [N, 4], [N, 4, 4]."""
    count, limits = len(cells), np.array([shape[1], shape[0]])
    low, high = np.full((4 * count, 2), np.inf), np.full((4 * count, 2), -np.inf)
    use = on & (slots >= 0)
    np.minimum.at(low, slots[use], spots[use] - halves[use, None])
    np.maximum.at(high, slots[use], spots[use] + halves[use, None])

    def whole(low, high):
        return np.concatenate([np.clip(np.floor(low), 0, limits), np.clip(np.ceil(high), 0, limits)], 1)

    inked = np.isfinite(low).all(1)
    low[~inked] = high[~inked] = 0
    component_boxes = whole(low, high).astype(np.int32).reshape(count, 4, 4)
    low[~inked], high[~inked] = np.inf, -np.inf
    low, high = low.reshape(count, 4, 2).min(1), high.reshape(count, 4, 2).max(1)
    empty = ~np.isfinite(low).all(1)
    low[empty], high[empty] = 0, limits
    low[empty, along], high[empty, along] = cells[empty, 0], cells[empty, 1]
    return whole(low, high).astype(np.int32), component_boxes
