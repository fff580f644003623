"""How a hand writes a character: habits that stay, and what varies."""

import numpy as np

from hwgen.data.scribe import skeletons
from hwgen.data.scribe.letterforms import Letterforms, pen_problem
from hwgen.data.scribe.running_hand import running_variants
from hwgen.data.scribe.traits import draw_traits


def hand(index, **changes):
    traits = draw_traits(np.random.default_rng(index))
    return Letterforms(7, index, traits._replace(**changes))


def component(form, slot):
    """Where the strokes of a component of a form begin and end, in the box of that component."""
    strokes = [form.points[form.stroke_of == k] for k in range(len(form.slots)) if form.slots[k] == slot]
    points = np.concatenate([stroke[[0, -1]] for stroke in strokes])
    low, high = points.min(0), points.max(0)
    return (points - low) / (high - low)


def test_the_same_hand_writes_a_component_the_same_way_in_every_character():
    """口 of 吗 and 吃 in one hand are more alike than in two, though no stroke of a copy is that of
    another.
    """
    still = dict(running=0.0, abbreviates=0.0, copy_share=0.05, warp=0.0)
    mouths = {}
    for index in range(12):
        letterforms = hand(index, **still)
        for character in '吗吃':
            form = letterforms.form(character, np.random.default_rng((index, ord(character))))
            mouths[index, character] = component(form, 0)
    assert len({len(mouth) for mouth in mouths.values()}) == 1
    same = np.mean([np.abs(mouths[i, '吗'] - mouths[i, '吃']).mean() for i in range(12)])
    other = np.mean(
        [np.abs(mouths[i, '吗'] - mouths[j, '吃']).mean() for i in range(12) for j in range(12) if i != j]
    )
    assert same < 0.6 * other


def test_habits_do_not_depend_on_what_was_asked_before():
    one, other = hand(3), hand(3)
    other.habit('水')
    np.testing.assert_array_equal(one.habit('口').strokes, other.habit('口').strokes)
    assert not np.array_equal(one.habit('口').strokes, hand(4).habit('口').strokes)


def test_only_who_runs_abbreviates():
    def strokes(running, abbreviates):
        return np.array(
            [
                len(
                    hand(index, running=running, abbreviates=abbreviates)
                    .form('语', np.random.default_rng(index))
                    .slots
                )
                for index in range(60)
            ]
        )

    printed = len(skeletons.skeleton('语').slots)
    careful, hurried = strokes(0.0, 0.0), strokes(1.0, 1.0)
    assert (
        running_variants('讠', 'left')
        and (careful >= printed - 1).mean() > 0.9
        and (hurried < printed).mean() > 0.5
    )


def test_long_strokes_change_their_length_but_for_the_base():
    """`long_reach` shortens long horizontals about their middle, but not those on which a character
    stands; short ones are left to `reach`.
    """
    letterforms = hand(0, reach=0.0, long_reach=-0.4, tall_reach=0.0)
    of = np.repeat([0, 1, 2], 3)
    points = np.array(
        [
            [x, y]
            for width, y in ((0.6, 0.3), (0.6, 0.8), (0.2, 0.3))
            for x in (0.5 - width / 2, 0.5, 0.5 + width / 2)
        ],
        np.float32,
    )
    skeleton = skeletons.assemble([points[of == k] for k in range(3)], [0] * 3, ('三',), ('whole',))
    moved = letterforms._reached(skeleton)
    widths = [np.ptp((skeleton.points + moved)[skeleton.stroke_of == k, 0]) for k in range(3)]
    np.testing.assert_allclose(widths, [0.6 * np.exp(-0.4), 0.6, 0.2], atol=1e-6)
    np.testing.assert_allclose(moved.sum(0), 0.0, atol=1e-6)


def test_symbols_are_written_in_one_of_their_ways():
    form = hand(0).form('a', np.random.default_rng(0))
    assert form.symbol and 0.2 < form.advance < 0.7 and len(form.points)
    space = hand(0).form(' ', np.random.default_rng(0))
    assert space.symbol and not len(space.points) and space.advance > 0.2


def test_what_no_pen_writes_is_told(monkeypatch):
    assert pen_problem('明') is None and pen_problem(' ') is None and pen_problem('⿱山鱼') is None

    def lacking(unit):
        raise LookupError(f'component of {unit}: no strokes')

    monkeypatch.setattr(skeletons, 'skeleton', lacking)
    assert pen_problem('⿰甲甲') == 'component of ⿰甲甲: no strokes'
    assert pen_problem('#') is None  # symbols have strokes of their own
    pen_problem.cache_clear()
