"""How a hand makes a character its own, step by step: the form it chooses, hooks, strokes, parts, the bend
of the whole.
"""

import numpy as np
import pytest

from hwgen.data.scribe import letterforms, skeletons
from hwgen.data.scribe.letterforms import Letterforms
from hwgen.data.scribe.running_hand import RunningForm
from hwgen.data.scribe.traits import draw_traits

TRAITS = draw_traits(np.random.default_rng(0))._replace(running=0.5, abbreviates=0.6)


class Told:
    """Stands for a Generator: all draws are what is given."""

    def __init__(self, value):
        self.value = value

    def standard_normal(self, size):
        return np.full(size, self.value)


def hand(*, habit=0.0, **changes):
    """A hand whose habits are all the same number."""
    found = Letterforms(7, 0, TRAITS._replace(**changes))
    own = letterforms.Habit(np.full([32, 3, 2], habit), np.full(12, habit), np.full(6, 0.5))
    found.habit = lambda name: own
    return found


def forms(*degrees):
    return tuple(RunningForm(f'form {degree}', degree, ()) for degree in degrees)


@pytest.mark.parametrize(
    'degrees, choice, chosen',
    [
        # What people write in place of print: three quarters of the hands, in equal parts.
        ((0, 0, 0.9), 0.0, 0),
        ((0, 0, 0.9), 0.374, 0),
        ((0, 0, 0.9), 0.376, 1),
        ((0, 0, 0.9), 0.7499, 1),
        # The rest is shared out anew: of degrees up to .6 (running .5 and .1 more) those that are
        # abbreviations:
        # .6 of it here, for .6 is .3 away from the least.
        ((0.3, 0.9), 0.0, 0),
        ((0.3, 0.9), 0.599, 0),
        ((0.3, 0.9), 0.601, None),
        ((0.6, 0.2), 0.29, 0),
        ((0.6, 0.2), 0.31, 1),
        ((0.6, 0.2), 0.599, 1),
        ((0.601, 0.7), 0.0, None),
        ((), 0.0, None),
        ((0.6,), 0.0, None),
        ((0.599,), 0.0, 0),
        ((0.45,), 0.299, 0),
        ((0.45,), 0.301, None),
        ((0, 0.9), 0.751, 0),
        ((0, 0.9), 0.75 + 0.25 * 0.599, 0),
        ((0, 0.9), 0.75 + 0.25 * 0.601, None),
    ],
)
def test_which_form_a_hand_takes(degrees, choice, chosen):
    assert letterforms._chosen(forms(*degrees), TRAITS, choice) == chosen


def test_strokes_are_brought_into_a_box():
    """A thin box keeps .06 em of the second direction."""
    strokes = [np.array([[0, 0], [0.5, 1.0]]), np.array([[1, 1], [0.25, 0.5]])]
    found = letterforms._into(strokes, np.array([0.1, 0.2]), np.array([0.5, 0.21]))
    np.testing.assert_allclose(found[0], [[0.1, 0.2], [0.3, 0.26]])
    np.testing.assert_allclose(found[1], [[0.5, 0.26], [0.2, 0.23]])


def skeleton_of(*strokes, slots=None, tokens=('三',), places=('whole',)):
    return skeletons.assemble(
        [np.array(stroke, np.float32) for stroke in strokes], slots or [0] * len(strokes), tokens, places
    )


def test_a_stroke_of_a_whole_form_belongs_to_the_component_it_is_nearest_to():
    two = skeleton_of(
        [[0, 0], [0, 1]], [[1, 0], [1, 1]], slots=[0, 1], tokens=('甲', '乙'), places=('left', 'right')
    )
    assert (
        letterforms._nearest_slot(two, np.array([[0.6, 0], [0.7, 0.5], [0.2, 1]])) == 1
        and letterforms._nearest_slot(two, np.array([[0.4, 0], [0.4, 1], [0.9, 1]])) == 0
    )
    assert letterforms._nearest_slot(skeleton_of([[0, 0], [0, 1]]), np.array([[5.0, 5], [6, 6]])) == 0


def test_extents_and_lengths_of_strokes():
    skeleton = skeleton_of([[0.1, 0.2], [0.4, 0.6]], [[0.5, 0.5], [0.2, 0.5], [0.3, 0.9]])
    low, high = letterforms._extents(skeleton)
    np.testing.assert_allclose(low, [[0.1, 0.2], [0.2, 0.5]], atol=1e-6)
    np.testing.assert_allclose(high, [[0.4, 0.6], [0.5, 0.9]], atol=1e-6)
    np.testing.assert_allclose(letterforms._lengths(skeleton), [0.5, 0.5], atol=1e-6)


def test_hooks_are_as_long_as_the_hand_makes_them():
    """By hand: 1.5 (1 + .3 habit) times as long as printed, from none to 2.6 times."""
    skeleton = skeleton_of([[0.5, 0.1], [0.5, 0.9], [0.4, 0.8]])
    assert skeleton.hook_of[-1] == len(skeleton.points) - 2
    corner, printed = skeleton.points[-2], skeleton.points[-1] - skeleton.points[-2]
    for hook, habit, factor in (
        (1.5, 1.0, 1.95),
        (1.5, -1.0, 1.05),
        (0.0, 1.0, 0.0),
        (2.0, 2.0, 2.6),
        (1.0, -9.0, 0.0),
    ):
        found = hand(habit=habit, hook=hook)._hooked(skeleton, '丁')
        np.testing.assert_allclose(found[-1], corner + factor * printed, atol=1e-6)
        np.testing.assert_allclose(found[:-1], skeleton.points[:-1], atol=1e-7)
    plain = skeleton_of([[0.1, 0.1], [0.9, 0.1]])
    assert hand(hook=2.0)._hooked(plain, '一') is plain.points


def test_long_strokes_are_reached_for_by_their_own_measure():
    """By hand: .28 em long and less: not at all; .38: half; from .48 on wholly; verticals by tall_reach;
    neither where it slopes by half and more.
    """

    def factor(stroke, **traits):
        skeleton = skeleton_of(stroke)
        moved = hand(**{'reach': 0.0, 'long_reach': 0.0, 'tall_reach': 0.0, **traits})._reached(skeleton)
        return np.linalg.norm((skeleton.points + moved)[-1] - (skeleton.points + moved)[0]) / np.linalg.norm(
            skeleton.points[-1] - skeleton.points[0]
        )

    level, upright = (
        lambda length, y=0.2: [[0.1, y], [0.1 + length, y]],
        lambda length: [
            [0.2, 0.1],
            [0.2, 0.1 + length],
        ],
    )
    assert factor(level(0.3), reach=0.1) == pytest.approx(np.exp(0.1))
    for length, share in ((0.2, 0), (0.28, 0), (0.38, 0.5), (0.48, 1), (0.8, 1)):
        assert factor(level(length), long_reach=-0.4, tall_reach=9.0) == pytest.approx(
            np.exp(-0.4 * share), rel=1e-5
        ), length
        assert factor(upright(length), long_reach=9.0, tall_reach=0.2) == pytest.approx(
            np.exp(0.2 * share), rel=1e-5
        ), length
    for y, share in ((0.35, 1), (0.45, 0.75), (0.55, 0.5), (0.75, 0), (0.9, 0)):
        assert factor(level(0.6, y), long_reach=-0.4) == pytest.approx(np.exp(-0.4 * share), rel=1e-5), y
    assert factor([[0.1, 0.1], [0.7, 0.3]], long_reach=-0.4) == pytest.approx(
        np.exp(-0.4), rel=1e-5
    ) and factor([[0.1, 0.0], [0.7, 0.31]], long_reach=-0.4) == pytest.approx(1, rel=1e-5)


def test_strokes_stray_by_habit_and_anew():
    """By hand, for a level stroke: moved by the first draw, stretched by the second, 1.3 along and .6
    across, bowed by .8 of the third.
    """
    skeleton = skeleton_of([[0.1, 0.5], [0.5, 0.5]])
    straight = dict(reach=0.0, long_reach=0.0, tall_reach=0.0, stroke=0.04)
    amount = 0.04 * min(1.25, (9 / 2) ** 0.35)
    u = skeleton.along[:, None]

    def expected(value, amount):
        value = value * amount
        return value + u * value * np.array([1.3, 0.6]) + (1 - u * u) * 0.8 * value

    found = hand(habit=1.0, copy_share=0.0, **straight)._strayed(skeleton, Told(9.0))
    np.testing.assert_allclose(found, expected(1.0, amount), atol=1e-6)
    found = hand(habit=0.0, copy_share=0.5, **straight)._strayed(skeleton, Told(2.0))
    np.testing.assert_allclose(found, expected(1.0, amount), atol=1e-6)
    found = hand(habit=1.0, copy_share=0.6, **straight)._strayed(skeleton, Told(0.0))
    np.testing.assert_allclose(found, expected(0.8, amount), atol=1e-6)
    # A symbol half as much; short strokes are stretched and bowed only by their part of .22 em; of twenty
    # strokes each less.
    symbol = skeleton._replace(places=('symbol',))
    np.testing.assert_allclose(
        hand(habit=1.0, copy_share=0.0, **straight)._strayed(symbol, Told(0.0)),
        expected(0.5, amount),
        atol=1e-6,
    )
    short = skeleton_of([[0.1, 0.5], [0.21, 0.5]])
    u = short.along[:, None]
    found = hand(habit=1.0, copy_share=0.0, **straight)._strayed(short, Told(0.0))
    np.testing.assert_allclose(
        found, amount * (1 + 0.5 * (u * np.array([1.3, 0.6]) + (1 - u * u) * 0.8)), atol=1e-6
    )
    many = skeleton_of(*[[[0.1, 0.04 * k], [0.5, 0.04 * k]] for k in range(20)])
    found = hand(habit=1.0, copy_share=0.0, **straight)._strayed(many, Told(0.0))
    u = many.along[:, None]
    np.testing.assert_allclose(
        found, 0.04 * (9 / 20) ** 0.35 * (1 + u * np.array([1.3, 0.6]) + (1 - u * u) * 0.8), atol=1e-6
    )


def test_habits_of_strokes_follow_the_component_not_the_order_of_writing():
    """Strokes 0, 1, 2 of slots 1, 0, 1 have rows 0, 0, 1 of their components' habits."""
    skeleton = skeleton_of(
        [[0.1, 0.1], [0.5, 0.1]],
        [[0.1, 0.5], [0.5, 0.5]],
        [[0.1, 0.9], [0.5, 0.9]],
        slots=[1, 0, 1],
        tokens=('甲', '乙'),
        places=('left', 'right'),
    )
    found = Letterforms(
        7, 0, TRAITS._replace(copy_share=0.0, reach=0.0, long_reach=0.0, tall_reach=0.0, stroke=1.0)
    )
    rows = {'甲': np.zeros([32, 3, 2]), '乙': np.zeros([32, 3, 2])}
    rows['甲'][:, 0, 0], rows['乙'][:, 0, 0] = np.arange(32) + 1, np.arange(32) + 101
    found.habit = lambda name: letterforms.Habit(rows[name], np.zeros(12), np.zeros(6))
    moved = found._strayed(skeleton, Told(0.0))
    first = [int(np.flatnonzero(skeleton.stroke_of == k)[0]) for k in range(3)]
    np.testing.assert_allclose(moved[first, 0] / min(1.25, (9 / 3) ** 0.35), [101, 1, 102], rtol=1e-6)


def test_parts_move_and_grow_by_balance_habit_and_copy():
    skeleton = skeleton_of(
        [[0.1, 0.2], [0.3, 0.8]],
        [[0.6, 0.3], [0.9, 0.7]],
        slots=[0, 1],
        tokens=('甲', '乙'),
        places=('left', 'right'),
    )
    points = skeleton.points - np.float32([0.5, 0.5])
    still = dict(part=0.0, balance=np.zeros(2))
    np.testing.assert_allclose(
        hand(habit=1.0, **still)._parts(points, skeleton, '明', Told(1.0)), points, atol=1e-6
    )
    # Balance .2 across: the left part wider by e^.2, the right one narrower, centres 1.1 times as far out.
    found = hand(part=0.0, balance=np.array([0.2, 0.0]))._parts(points, skeleton, '明', Told(0.0))
    first = skeleton.stroke_of == 0
    np.testing.assert_allclose(found[first, 0], (points[first, 0] + 0.3) * np.exp(0.2) - 0.33, atol=1e-6)
    np.testing.assert_allclose(found[~first, 0], (points[~first, 0] - 0.25) * np.exp(-0.2) + 0.275, atol=1e-6)
    np.testing.assert_allclose(found[:, 1], points[:, 1], atol=1e-6)
    # Habit of the character .75, of the component .4, this copy .45; places by .55 of it in parts of .7 em
    # and more, sizes by 1.6.
    for habit, copy, amount in ((1.0, 0.0, 1.15), (0.0, 1.0, 0.45)):
        found = hand(habit=habit, part=0.1, balance=np.zeros(2))._parts(points, skeleton, '明', Told(copy))
        centre = np.array([-0.3, 0.0])
        expected = (
            (points[first] - centre) * np.exp(0.1 * 1.6 * amount)
            + centre
            + 0.1 * 0.55 * amount * np.minimum(1, 0.3 + np.array([0.2, 0.6]))
        )
        np.testing.assert_allclose(found[first], expected, atol=1e-6)


def test_the_whole_bends_by_a_polynomial():
    """By hand, at (.3, -.2): x, y, 2xy, 2xx, 2yy, 1 are .3, -.2, -.12, .18, .08, 1: 1.24 together."""
    points = np.array([[0.3, -0.2]])
    still = dict(fixed_warp=np.zeros((6, 2)), warp=0.0)

    def bent(habit, copy, amount=1.0, **traits):
        return (
            hand(habit=habit, **{**still, **traits})._bent(points, '明', Told(copy), amount=amount) - points
        )[0]

    np.testing.assert_allclose(bent(1.0, 1.0), 0, atol=1e-12)
    np.testing.assert_allclose(bent(1.0, 0.0, warp=0.1), 0.1 * 0.7 * 1.24)
    np.testing.assert_allclose(bent(0.0, 1.0, warp=0.1), 0.1 * 0.6 * 1.24)
    np.testing.assert_allclose(bent(0.0, 1.0, warp=0.1, amount=0.45), 0.45 * 0.1 * 0.6 * 1.24)
    for k, basis in enumerate((0.3, -0.2, -0.12, 0.18, 0.08, 1.0)):
        fixed = np.zeros((6, 2))
        fixed[k] = 1, 2
        np.testing.assert_allclose(bent(0.0, 0.0, fixed_warp=fixed), [basis, 2 * basis])


def test_forms_in_place_of_printed_strokes_are_written_when_those_are():
    """讠 of 语 in its running form: first, in the box of the printed one; an order of one's own changes only
    the order.
    """
    base = skeletons.skeleton('语')
    found = letterforms._replaced('语', ((0, 0),), ())
    form = letterforms.running_variants('讠', 'left')[0]
    own = found.stroke_of[found.slots[found.stroke_of] == 0]
    assert (
        found.tokens == base.tokens
        and found.places == base.places
        and found.slots[0] == 0
        and len(set(own)) == len(form.strokes)
    )
    printed = base.points[base.slots[base.stroke_of] == 0]
    low, high = printed.min(0), printed.max(0)
    strokes = letterforms._into(form.strokes, low, high)
    np.testing.assert_allclose(found.points[found.stroke_of == 0][[0, -1]], strokes[0][[0, -1]], atol=1e-6)
    # An enclosure in two strokes is begun before what it holds and closed behind it; in one stroke it is
    # written before.
    assert letterforms._replaced('国', ((0, 0),), ()).slots.tolist() == [
        0,
        1,
        1,
        1,
        1,
        1,
        0,
    ] and letterforms._replaced('国', ((0, 1),), ()).slots.tolist() == [0, 1, 1, 1, 1, 1]
    token = '万'
    whole = skeletons.skeleton(token)
    ordered = letterforms._replaced(token, (), ((0, 0),))
    for k, before in enumerate((0, 2, 1)):  # its order of people
        np.testing.assert_array_equal(
            ordered.points[ordered.stroke_of == k], whole.points[whole.stroke_of == before]
        )


def test_a_form_of_the_whole_belongs_to_the_components_it_lies_in():
    unit, forms = next(
        (c, found)
        for c in '是得等能看高第家'
        if (found := letterforms.running_variants(c)) and len(skeletons.skeleton(c).tokens) > 1
    )
    base, found = skeletons.skeleton(unit), letterforms._replaced(unit, (('whole', 0),), ())
    strokes = letterforms._into(forms[0].strokes, base.points.min(0), base.points.max(0))
    assert (
        len(found.slots) == len(strokes)
        and found.slots.tolist() == [letterforms._nearest_slot(base, stroke) for stroke in strokes]
        and found.tokens == base.tokens
    )
    assert len(set(found.slots.tolist())) > 1
    np.testing.assert_allclose(
        [found.points.min(0), found.points.max(0)],
        [np.concatenate(strokes).min(0), np.concatenate(strokes).max(0)],
        atol=1e-6,
    )


# Sum of all coordinates by their number, over three copies of each character: golden, for a hand is seeded
# draws and a version stands for them.
CHARACTERS = '永和九年岁在癸丑这是国语飞龍書钅灬'
SUMS = [
    (237, -5.18280, 12.68945),
    (237, -8.32010, 13.89802),
    (237, -7.21822, 14.90342),
    (237, -6.53912, 14.38855),
    (237, -7.28766, 14.86727),
    (237, -8.03385, 13.14873),
    (237, -4.36720, 12.44753),
    (237, -0.21319, 12.58346),
    (237, -4.80830, 14.98540),
    (237, 0.35084, 14.65402),
    (237, 0.05655, 16.52085),
]


def sums(index):
    found = []
    letters = Letterforms(5, index, draw_traits(np.random.default_rng(index)))
    for character in (*CHARACTERS, '⿱山鱼', 'a', '3', '，', '%'):
        points = np.concatenate(
            [letters.form(character, np.random.default_rng((index, copy))).points for copy in range(3)]
        ).astype(float)
        found.append((points * np.cos(np.arange(points.size)).reshape(points.shape)).sum())
    return len(points), np.sum(found), np.abs(found).sum()


@pytest.mark.parametrize('index', range(len(SUMS)))
def test_forms_of_a_hand_are_these(index):
    np.testing.assert_allclose(sums(index), SUMS[index], atol=1e-4)
