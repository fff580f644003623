"""How one hand writes one character: the skeleton, made its own by habit, and varied from copy to copy.

Habits belong to a component (who bends the 口 of 吗 bends that of 吃), to a character (its proportions, a
form of running hand of its own), and to the hand (`traits.py`). All are drawn from generators that are seeded
by the hand and the thing, so that they need no memory and no order.
"""

import functools
import zlib
from typing import NamedTuple

import numpy as np

from hwgen.data.scribe import skeletons
from hwgen.data.scribe.running_hand import PLACES, running_variants, stroke_orders
from hwgen.data.scribe.symbol_strokes import symbol_strokes, written_symbols
from hwgen.data.scribe.traits import Traits

_STREAM = 0x9E4C0DE
_ROWS = 32  # strokes of a component with a habit of their own
_RICH = 9  # strokes: richer characters have less room for each stroke to stray
_LONG = 0.28  # em: horizontals and verticals from this length on, fully at 0.2 more, are long ones
_FLICKER = 0.1  # how often a copy is written otherwise than the hand's habit
_USUAL = 0.75  # share of hands that write otherwise than print where most people do
_ALONG, _ACROSS = 1.3, 0.6
_ORDER = 0.3  # share of hands that write a component in an order of their own, where orders vary


class Form(NamedTuple):
    """What a hand means to write: targets of the pen, before the movement.

    Attributes:
        points: float32 [P, 2], em around the centre of the cell (0, 0), y downwards.
        stroke_of: int32 [P]; slots: int32 [S].
        advance: float, em, of the cell; hanzi: 1.
        symbol: bool.
        abreast, stacked: bool, parts side by side; one above the other.
    """

    points: np.ndarray
    stroke_of: np.ndarray
    slots: np.ndarray
    advance: float
    symbol: bool
    abreast: bool = False
    stacked: bool = False


class Habit(NamedTuple):
    """A hand's way with a component or character: random numbers that stay."""

    strokes: np.ndarray  # [_ROWS, 3, 2] standard normal: moved, stretched, bowed
    whole: np.ndarray  # [12] standard normal
    choice: np.ndarray  # [6] uniform


class Letterforms:
    """The letterforms of a hand.

    Args:
        seed, index: int >= 0, the hand.
        traits: Traits.
    """

    def __init__(self, seed: int, index: int, traits: Traits):
        self._key, self._traits = (seed, index), traits
        self._habits: dict[str, Habit] = {}

    def habit(self, name: str) -> Habit:
        """The habit of a component or character: Habit; the same for the same hand and name."""
        found = self._habits.get(name)
        if found is None:
            if len(self._habits) > 3000:
                self._habits.clear()
            rng = np.random.default_rng((_STREAM, *self._key, zlib.crc32(name.encode())))
            found = Habit(rng.standard_normal((_ROWS, 3, 2)), rng.standard_normal(12), rng.random(6))
            self._habits[name] = found
        return found

    def form(self, unit: str, rng: np.random.Generator) -> Form:
        """How the hand writes a character, this time.

        Args:
            unit: str, a character or a sequence.
            rng: numpy Generator.

        Returns:
            Form.

        Raises:
            CharsetError, LookupError: it cannot be written (`skeletons.skeleton`).
        """
        skeleton = self._skeleton(unit, rng)
        symbol = skeleton.places == ('symbol',)
        if not len(skeleton.points):
            return Form(skeleton.points, skeleton.stroke_of, skeleton.slots, skeleton.advance, symbol)
        points = self._hooked(skeleton, unit)
        points = points + self._strayed(skeleton, rng)
        points -= [skeleton.advance / 2 if symbol else 0.5, 0.5]
        if len(skeleton.tokens) > 1:
            points = self._parts(points, skeleton, unit, rng)
        points = self._bent(points, unit, rng, amount=0.45 if symbol else 1.0)
        return Form(
            points.astype(np.float32),
            skeleton.stroke_of,
            skeleton.slots,
            skeleton.advance,
            symbol,
            'left' in skeleton.places,
            'top' in skeleton.places,
        )

    def _skeleton(self, unit, rng):
        """The skeleton with the hand's choice of forms and orders."""
        own = self.habit(unit)
        if unit in written_symbols():
            variants = symbol_strokes(unit)
            return _symbol(unit, int(own.choice[0] * len(variants)))
        flicker = rng.random(6)
        whole = _chosen(
            running_variants(unit), self._traits, own.choice[1] if flicker[4] > _FLICKER else flicker[5]
        )
        if whole is not None:
            return _replaced(unit, (('whole', whole),), ())
        base = skeletons.skeleton(unit)
        forms, orders = [], []
        for slot, (token, place) in enumerate(zip(base.tokens, base.places, strict=True)):
            habit = self.habit(token)
            choice = habit.choice[1] if flicker[slot] > _FLICKER else flicker[slot] / _FLICKER
            form = _chosen(running_variants(token, _place(place)), self._traits, choice)
            if form is not None:
                forms.append((slot, form))
            elif stroke_orders(token) and habit.choice[2] < _ORDER:
                orders.append((slot, int(habit.choice[2] / _ORDER * len(stroke_orders(token)))))
        return _replaced(unit, tuple(forms), tuple(orders)) if forms or orders else base

    def _strayed(self, skeleton, rng):
        """Displacement of every point: each stroke moved, stretched and bowed, by habit and anew."""
        traits, count = self._traits, len(skeleton.slots)
        habits = np.concatenate(
            [
                self.habit(token).strokes[np.arange(n) % _ROWS]
                for token, n in zip(
                    skeleton.tokens,
                    np.bincount(skeleton.slots, minlength=len(skeleton.tokens)),
                    strict=True,
                )
            ]
        )
        # Rows lie slot by slot; strokes may not.
        order = np.argsort(skeleton.slots, kind='stable')
        by_stroke = np.empty_like(habits)
        by_stroke[order] = habits
        share = traits.copy_share
        drawn = np.sqrt(1 - share**2) * by_stroke + share * rng.standard_normal((count, 3, 2))
        # Dense characters leave less room.
        amount = (
            traits.stroke
            * (0.5 if skeleton.places == ('symbol',) else 1)
            * min(1.25, (_RICH / max(count, 2)) ** 0.35)
        )
        drawn *= amount * np.array([1.0, 1.0, 0.8])[:, None]
        # A stroke changes its length more readily than its direction.
        ends = np.searchsorted(skeleton.stroke_of, np.arange(count), side='right') - 1
        chords = (
            skeleton.points[ends] - skeleton.points[np.searchsorted(skeleton.stroke_of, np.arange(count))]
        )
        chords /= np.maximum(np.hypot(*chords.T), 1e-6)[:, None]
        drawn[:, 1] = (
            _ACROSS * drawn[:, 1] + (_ALONG - _ACROSS) * (drawn[:, 1] * chords).sum(1, keepdims=True) * chords
        )
        # Short strokes are not stretched by more than a part of their length.
        of, u = skeleton.stroke_of, skeleton.along[:, None]
        lengths = _lengths(skeleton)
        drawn[:, 1:] *= np.minimum(1, lengths / 0.22)[:, None, None]
        return drawn[of, 0] + u * drawn[of, 1] + (1 - u * u) * drawn[of, 2] + self._reached(skeleton)

    def _hooked(self, skeleton, unit):
        """The points with the hooks as large as the hand makes them: many people leave them out in most
        characters.
        """
        hooked = skeleton.hook_of != np.arange(len(skeleton.points))
        if not hooked.any():
            return skeleton.points
        factor = np.clip(self._traits.hook * (1 + 0.3 * self.habit('/' + unit).whole[0]), 0, 2.6)
        corner = skeleton.points[skeleton.hook_of]
        return corner + (skeleton.points - corner) * np.where(hooked, factor, 1)[:, None]

    def _reached(self, skeleton):
        """Strokes shorter or longer than printed, about their middle; long horizontals by a measure of their
        own: where they stand above the rest, printed ones are longer than people's.
        """
        traits, of = self._traits, skeleton.stroke_of
        low, high = _extents(skeleton)
        size = high - low
        long, tall = (
            np.clip((size[:, k] - _LONG) / 0.2, 0, 1) * (size[:, 1 - k] < 0.5 * size[:, k]) for k in (0, 1)
        )
        # Not those on which a character stands: 二, 五, 土 keep their base.
        long *= np.clip((0.75 - (low + high)[:, 1] / 2) / 0.4, 0, 1)
        factor = np.exp(traits.reach + traits.long_reach * long + traits.tall_reach * tall) - 1
        return (skeleton.points - ((low + high) / 2)[of]) * factor[of, None]

    def _parts(self, points, skeleton, unit, rng):
        """Components moved and scaled, by the hand's balance, by habit and anew."""
        traits = self._traits
        own, anew = self.habit('/' + unit).strokes, rng.standard_normal((len(skeleton.tokens), 2, 2))
        slot_of = skeleton.slots[skeleton.stroke_of]
        points = points.copy()
        for slot in range(len(skeleton.tokens)):
            mine = slot_of == slot
            if not mine.any():
                continue
            low, high = points[mine].min(0), points[mine].max(0)
            centre, size = (low + high) / 2, high - low
            kept = self.habit(skeleton.tokens[slot]).whole
            random = 0.75 * own[slot % _ROWS, :2] + 0.45 * anew[slot] + 0.4 * kept[:4].reshape(2, 2)
            shift = traits.part * 0.55 * random[0] * np.minimum(1, 0.3 + size)
            scale = np.exp(traits.part * 1.6 * random[1] + traits.balance * np.sign(centre) * -1)
            points[mine] = (points[mine] - centre) * scale + centre * (1 + 0.5 * traits.balance) + shift
        return points

    def _bent(self, points, unit, rng, *, amount):
        """The whole character bends: a polynomial of second degree, of the hand, by habit and anew."""
        traits = self._traits
        x, y = points[:, 0], points[:, 1]
        basis = np.stack([x, y, 2 * x * y, 2 * x * x, 2 * y * y, np.ones_like(x)], 1)
        habit = self.habit('/' + unit).whole.reshape(6, 2)
        bend = traits.fixed_warp + traits.warp * (0.7 * habit + 0.6 * rng.standard_normal((6, 2)))
        return points + amount * (basis @ bend)


@functools.lru_cache(maxsize=32768)
def pen_problem(unit: str) -> str | None:
    """What keeps a pen from writing a character.

    Args:
        unit: str, a character that the dictionary can describe, or a sequence.

    Returns:
        str; None where a pen writes it.
    """
    try:
        if unit not in written_symbols():
            skeletons.skeleton(unit)
    except LookupError as error:
        return str(error)
    return None


def _place(place):
    """The place as the table of running hand has it; None for those it does not tell apart."""
    return place if place in PLACES else None


def _extents(skeleton):
    """Lower and upper corner of each stroke: two float [S, 2], em."""
    starts = np.searchsorted(skeleton.stroke_of, np.arange(len(skeleton.slots)))
    return np.minimum.reduceat(skeleton.points, starts), np.maximum.reduceat(skeleton.points, starts)


def _lengths(skeleton):
    """Extent of each stroke: float [S], em."""
    low, high = _extents(skeleton)
    return np.hypot(*(high - low).T)


def _chosen(forms, traits, choice):
    """Index of the form of running hand that a hand takes, or None for the printed one.

    A form of degree d is open to hands that run about so much; how often they take one at all is a trait of
    theirs. Forms of degree 0 are no abbreviations but what people write in place of print: most hands take
    them.
    """
    usual = [k for k, form in enumerate(forms) if form.degree == 0]
    if usual and choice < _USUAL:
        return usual[int(choice / _USUAL * len(usual))]
    choice = (choice - _USUAL) / (1 - _USUAL) if usual else choice
    open_ = [k for k, form in enumerate(forms) if form.degree <= traits.running + 0.1]
    if not open_:
        return None
    likely = traits.abbreviates * min(1.0, (traits.running + 0.1 - min(forms[k].degree for k in open_)) / 0.3)
    if choice >= likely:
        return None
    return open_[int(choice / likely * len(open_))]


@functools.lru_cache(maxsize=2048)
def _symbol(character, variant):
    shape = symbol_strokes(character)[variant]
    strokes = [stroke if len(stroke) > 1 else np.repeat(stroke, 2, 0) for stroke in shape.strokes]
    return skeletons.assemble(strokes, [0] * len(strokes), (character,), ('symbol',), advance=shape.advance)


@functools.lru_cache(maxsize=30000)
def _replaced(unit, forms, orders):
    """The skeleton of a unit with the strokes of some slots replaced or put in another order."""
    base = skeletons.skeleton(unit)
    if forms and forms[0][0] == 'whole':
        strokes = _into(running_variants(unit)[forms[0][1]].strokes, base.points.min(0), base.points.max(0))
        # Which of its strokes belong to which component is not told by a form of the whole: all to the
        # component they are nearest to.
        slots = [_nearest_slot(base, stroke) for stroke in strokes]
        return skeletons.assemble(strokes, slots, base.tokens, base.places, composed=base.composed)
    of = [base.points[base.stroke_of == k] for k in range(len(base.slots))]
    chosen, pieces = dict(forms), []
    order = {slot: stroke_orders(base.tokens[slot])[k] for slot, k in orders}
    for slot in range(len(base.tokens)):
        members = [k for k in range(len(of)) if base.slots[k] == slot]
        if not members:
            continue
        if slot in chosen:
            own = np.concatenate([of[k] for k in members])
            strokes = _into(
                running_variants(base.tokens[slot], _place(base.places[slot]))[chosen[slot]].strokes,
                own.min(0),
                own.max(0),
            )
            # They are written when the printed ones begin (or end, where those close an enclosure).
            at = np.linspace(members[0], members[-1], len(strokes)) if len(strokes) > 1 else [members[0]]
        elif slot in order and len(order[slot]) == len(members):
            strokes, at = [of[members[k]] for k in order[slot]], members
        else:
            strokes, at = [of[k] for k in members], members
        pieces += [
            (float(when), slot, n, stroke) for n, (when, stroke) in enumerate(zip(at, strokes, strict=True))
        ]
    pieces.sort(key=lambda piece: piece[:3])
    return skeletons.assemble(
        [piece[3] for piece in pieces],
        [piece[1] for piece in pieces],
        base.tokens,
        base.places,
        advance=base.advance,
        composed=base.composed,
    )


def _into(strokes, low, high):
    """Strokes of a unit box brought into another; a thin box keeps a little of the second direction."""
    size = np.maximum(high - low, 0.06)
    return [low + stroke * size for stroke in strokes]


def _nearest_slot(skeleton, stroke):
    if len(skeleton.tokens) == 1:
        return 0
    away = np.hypot(*(skeleton.points[:, None] - stroke[None]).transpose(2, 0, 1))
    near = skeleton.slots[skeleton.stroke_of[away.argmin(0)]]
    return int(np.bincount(near).argmax())
