"""Writers with a pen: lines and what is true of them."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.scribe import pen_writer
from hwgen.data.scribe.pen_writer import PenWriter

TEXT = '明天⿱山鱼去钓鱼，3.14 ok。'


def write(text, *, seed=3, index=0, draw=0, **options):
    return PenWriter(seed, index).write_line(text, np.random.default_rng(draw), **options)


def test_a_line_is_a_function_of_its_arguments():
    line, again = write(TEXT), write(TEXT)
    for one, other in zip(line, again):
        np.testing.assert_array_equal(one, other)
    for other in (write(TEXT, index=1), write(TEXT, seed=4), write(TEXT, draw=1)):
        assert other.image.shape != line.image.shape or (other.image != line.image).any()


def test_what_was_written_before_does_not_matter():
    writer = PenWriter(3, 0)
    writer.write_line('永和九年', np.random.default_rng(5))
    np.testing.assert_array_equal(writer.write_line(TEXT, np.random.default_rng(0)).image, write(TEXT).image)


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(
    text=st.text('明天去钓鱼语我是一乙，。12aW（—…①α龍', min_size=1, max_size=10).filter(
        lambda text: Charset.load().character_id(text[0])
    ),
    index=st.integers(0, 60),
    height=st.sampled_from([32, 48, 64, 96, 128]),
    slips=st.sampled_from([0, 0.5]),
    vertical=st.booleans(),
)
def test_boxes_and_trajectory_tell_where_the_ink_is(text, index, height, slips, vertical):
    text = ''.join(c for c in text if Charset.load().character_id(c)) or '山'
    line = write(text, index=index, height_px=height, slips=slips, vertical=vertical)
    image, boxes, parts, trajectory, slots = line
    count = len(text)
    assert (
        image.dtype == np.uint8
        and image.shape[1 if vertical else 0] == height
        and image.max() == 255
        and image.min() < 235
    )
    assert boxes.shape == (count, 4) and parts.shape == (count, 4, 4) and trajectory.shape == (len(slots), 5)
    assert (boxes[:, 2] > boxes[:, 0]).all() and (boxes[:, 3] > boxes[:, 1]).all()
    assert (
        (boxes[:, :2] >= 0).all()
        and (boxes[:, 2] <= image.shape[1]).all()
        and (boxes[:, 3] <= image.shape[0]).all()
    )
    encoded = Charset.load().encode(text)
    for n in range(count):
        used = (parts[n] != 0).any(1)
        # A running form may be one movement, of the component that it is nearest to: the others have no box.
        assert set(np.flatnonzero(used)) == {slot - 4 * n for slot in slots.tolist() if slot // 4 == n}
        assert used.any() and not used[(encoded.component_ids[n] > 0).sum() :].any()
        # The box of a character is the box of its parts.
        np.testing.assert_array_equal(
            np.concatenate([parts[n][used][:, :2].min(0), parts[n][used][:, 2:].max(0)]), boxes[n]
        )
        assert image[boxes[n, 1] : boxes[n, 3], boxes[n, 0] : boxes[n, 2]].min() < 245
    time, pen, pressure = trajectory[:, 2:].T
    assert (
        (np.diff(time) > 0).all()
        and set(np.unique(pen)) <= {0.0, 1.0}
        and (pressure[pen == 0] == 0).all()
        and (pressure[pen == 1] > 0).all()
    )
    assert set(np.unique(slots // 4)) <= {-1, *range(count)}
    on = trajectory[(pen == 1) & (slots >= 0)]
    owner = slots[(pen == 1) & (slots >= 0)] // 4
    for n in range(count):
        own = on[owner == n, :2]
        assert len(own) and (own >= boxes[n, :2] - 1).all() and (own <= boxes[n, 2:] + 1).all()
    if not slips:
        outside = image.copy()
        for x0, y0, x1, y1 in boxes:
            outside[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = 255
        # What joins two characters belongs to neither.
        assert (outside < 200).sum() < 0.03 * (image < 200).sum() + 6


def test_boxes_reach_as_far_as_the_ink():
    """By hand: half the line's width beyond the path on every side, to whole pixels; travel and what was
    struck out (-1) are in no box.
    """
    spots = np.array([[10, 10], [20, 12], [40, 30], [44, 34], [90, 90], [70, 5.0]])
    halves, slots = np.array([2.0, 2.0, 1.25, 1.25, 3.0, 3.0]), np.array([0, 0, 1, 1, -1, 4])
    on = np.array([True, True, True, True, True, False])
    boxes, parts = pen_writer._boxes(
        spots, halves, slots, on, np.array([[0.0, 50.0], [50.0, 99.0]]), along=0, shape=(60, 100)
    )
    np.testing.assert_array_equal(parts[0], [[8, 8, 22, 14], [38, 28, 46, 36], [0] * 4, [0] * 4])
    np.testing.assert_array_equal(boxes, [[8, 8, 46, 36], [50, 0, 99, 60]])  # the second has no ink: its cell


def test_a_point_is_pressed_and_a_stroke_is_pressed_in_its_middle():
    """While the pen comes down and lifts a stroke is lighter; ink that hardly reaches further than the pen
    is pressed all the time.
    """
    writer = PenWriter(3, 0)
    writer.traits = writer.traits._replace(taper=0.8, size=1.0)

    def pressure(reach):
        time = np.linspace(0, 0.1, 21)
        path = {
            'points': np.stack([np.linspace(0, reach, 21), np.zeros(21)], 1),
            'time': time,
            'pen': np.ones(21),
            'shown': np.ones(20, bool),
        }
        found, on = writer._pressure(path)
        assert on.all()
        return found

    stroke = pressure(0.5)
    # .75 at first, whole after 25 ms; from 32.5 ms before the end down to 1 - .75 * .8.
    assert (
        [stroke[0], stroke[10], stroke[-1]] == pytest.approx([0.75, 1.0, 0.4])
        and (np.diff(stroke[:6]) > 0).all()
        and (np.diff(stroke[-6:]) < 0).all()
    )
    np.testing.assert_array_equal(pressure(0.05), 1.0)


def test_nothing_joins_a_mark_to_what_follows():
    """A hand that joins wherever it may joins 人人, but lifts its pen between a comma and the next
    character, and before one.
    """

    def joined(text):
        writer = PenWriter(3, 0)
        writer.traits = writer.traits._replace(hurry=1.0, hurry_deviation=0.0, joining=1e6)
        line = writer.write_line(text, np.random.default_rng(0))
        return int(((line.trajectory_slots == -1) & (line.trajectory[:, 3] == 1)).sum())

    assert joined('人人') > 2 and joined('，人') == 0 and joined('人，') == 0


def test_a_space_is_blank_paper():
    line = write('一 一', index=4)
    (_, _, x, _), (a, _, b, _), (y, _, _, _) = line.boxes
    assert (
        x <= a + 2
        and b <= y + 2
        and not line.component_boxes[1].any()
        and (line.image[:, max(a, x + 2) : min(b, y - 2)] > 250).all()
    )
    blank = write('  ')
    assert (
        (blank.image == 255).all()
        and blank.image.shape[0] == 64
        and len(blank.trajectory) == 0
        and (blank.boxes[:, 2] > blank.boxes[:, 0]).all()
    )


def test_components_lie_where_the_structure_says():
    """⿰: the first component left of the second; ⿱: above it. In most copies; hands stray."""
    found = {'明': 0, '吕': 0}
    for index in range(40):
        parts = write('明吕', index=index).component_boxes.astype(float)
        centres = (parts[..., :2] + parts[..., 2:]) / 2
        found['明'] += centres[0, 0, 0] < centres[0, 1, 0] - 5
        found['吕'] += centres[1, 0, 1] < centres[1, 1, 1] - 5
    assert min(found.values()) >= 38


def test_no_two_copies_are_equal_and_a_hand_is_more_like_itself():
    """The path of 语 in copies of one hand lies nearer to each other than in those of other hands."""

    def path(index, draw):
        line = write('语', index=index, draw=draw)
        points = line.trajectory[line.trajectory[:, 3] == 1, :2]
        at = np.linspace(0, len(points) - 1, 64).astype(int)
        low, high = points.min(0), points.max(0)
        return (points[at] - low) / (high - low).max()

    paths = np.array([[path(index, draw) for draw in range(4)] for index in range(24)])
    assert all(np.abs(paths[i, 0] - paths[i, 1]).max() > 0.01 for i in range(24))
    within = np.mean(
        [
            np.linalg.norm(paths[i, a] - paths[i, b], axis=-1).mean()
            for i in range(24)
            for a in range(4)
            for b in range(a)
        ]
    )
    between = np.mean(
        [np.linalg.norm(paths[i, 0] - paths[j, 0], axis=-1).mean() for i in range(24) for j in range(i)]
    )
    assert within < 0.9 * between


def test_hurry_takes_less_time_and_leaves_more_ink_between_strokes():
    lines = [
        (PenWriter(5, index).traits, write('我们在这里写字看书', seed=5, index=index)) for index in range(60)
    ]
    hurry = np.array([traits.hurry for traits, _ in lines])
    seconds = np.array([line.trajectory[-1, 2] for _, line in lines])
    slow, fast = seconds[hurry < 0.3], seconds[hurry > 0.7]
    assert len(slow) > 5 and len(fast) > 5 and np.median(fast) < 0.5 * np.median(slow)
    # Nine characters take people some 5 to 30 s.
    assert 3 < np.median(seconds) < 30


def test_struck_out_characters_are_no_part_of_the_text():
    plain, slipped = write('山水山水', index=2), write('山水山水', index=2, slips=1.0)
    assert len(slipped.boxes) == len(plain.boxes) == 4
    assert (
        slipped.image.shape[1] > 1.4 * plain.image.shape[1]
        and (slipped.trajectory_slots == -1).sum() > 4 * (plain.trajectory_slots == -1).sum()
    )
    centres = slipped.boxes[:, [0, 2]].mean(1)
    assert (np.diff(centres) > 20).all()


def test_vertical_lines_run_down():
    line = write('天地玄黄宇宙', index=3, vertical=True, height_px=48)
    assert (
        line.image.shape[1] == 48
        and line.image.shape[0] > 4 * 48
        and (np.diff(line.boxes[:, [1, 3]].mean(1)) > 20).all()
    )


def test_what_cannot_be_written_is_named():
    with pytest.raises(ValueError, match='empty'):
        write('')
    with pytest.raises(ValueError, match='position 1'):
        write('明\U0001f600')
