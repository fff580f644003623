"""Trajectories as records store them: the stated error, and once stored the identity."""

import zlib

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hwgen.data.reading import trajectories
from hwgen.data.reading.trajectories import (
    PARTS,
    decode_slots,
    decode_trajectory,
    encode_slots,
    encode_trajectory,
    parse_slots,
    parse_trajectory,
)


@st.composite
def paths(draw):
    count = draw(st.integers(0, 20))
    limits = np.array([200_000, 200_000, 2000, 1, 1])
    return (
        np.array(draw(hnp.arrays(np.float64, (count, 5), elements=st.floats(0, 1)))) * limits
        - [1000, 1000, 0, 0, 0]
    ).astype(np.float32)


@hypothesis.given(paths())
def test_error_is_half_a_part(path):
    back = decode_trajectory(encode_trajectory(path))
    assert back.dtype == np.float32 and back.shape == path.shape
    assert (np.abs(back.astype(np.float64) - path) <= 0.5 / PARTS).all()
    assert encode_trajectory(back) == encode_trajectory(path)
    np.testing.assert_array_equal(parse_trajectory(encode_trajectory(path)), back)


@hypothesis.given(hnp.arrays(np.int32, st.integers(0, 20), elements=st.integers(-1, 2**31 - 1)))
def test_slots_come_back(slots):
    back = decode_slots(encode_slots(slots))
    assert back.dtype == np.int32
    np.testing.assert_array_equal(back, slots)
    np.testing.assert_array_equal(parse_slots(encode_slots(slots)), slots)


def test_a_second_of_writing_by_hand():
    """Two samples: (1.25 px, -2 px, 0.5 s, on paper, half pressed) is 80, -128, 4096, 1024, 512 parts; the
    second is stored as the difference.
    """
    path = np.array([[1.25, -2, 0.5, 1, 0.5], [1.5, -2, 0.75, 0, 0]])
    stored = np.frombuffer(zlib.decompress(encode_trajectory(path)), '<i4').reshape(2, 5)
    assert stored.tolist() == [[80, -128, 4096, 1024, 512], [16, 0, 2048, -1024, -512]]


def test_far_values():
    """Up to 2^30 parts; beyond 2^24 of them float32 itself is coarser than half a part."""
    path = np.array([[16_000_000.0, 0, 130_000, 0, 0], [-16_000_000, 0, 0, 1, 1]], np.float32)
    np.testing.assert_array_equal(decode_trajectory(encode_trajectory(path)), path)
    with pytest.raises(ValueError, match='sample 1, time: inf, expected less than 131072 in size'):
        encode_trajectory([[0, 0, 0, 0, 0], [0, 0, np.inf, 0, 0]])


def test_bytes_that_unpack_to_too_much(monkeypatch):
    monkeypatch.setattr(trajectories, 'MAX_SAMPLES', 10)
    assert len(decode_trajectory(zlib.compress(bytes(200)))) == 10
    for decode in (decode_trajectory, decode_slots):
        with pytest.raises(ValueError, match='more than 10 samples'):
            decode(zlib.compress(bytes(10_000_000)))
    with pytest.raises(ValueError, match='trajectory of 11 samples, expected at most 10'):
        encode_trajectory(np.zeros((11, 5)))


def test_the_last_parts_that_are_stored():
    """Less than 2^30 parts of either sign; pen and pressure from 0 to 1, both among them; rounded to the
    nearest part.
    """
    last = (2**30 - 1) / PARTS
    path = np.array([[last[0], -last[1], last[2], 1, 0], [0, 0, 0, 0, 1]])
    stored = np.frombuffer(zlib.decompress(encode_trajectory(path)), '<i4').reshape(2, 5)
    assert stored[0].tolist() == [2**30 - 1, 1 - 2**30, 2**30 - 1, 1024, 0]
    for column, value, message in (
        (0, 2**24, 'x: 16777216.0, expected less than 16777216 in size'),
        (1, -(2**24), 'y: -16777216.0'),
        (2, 2**17, 'time: 131072.0, expected less than 131072'),
        (3, 1.001, 'pen: 1.001, expected 0 to 1'),
        (4, -0.001, 'pressure: -0.001, expected 0 to 1'),
    ):
        wrong = path.copy()
        wrong[1, column] = value
        with pytest.raises(ValueError, match=f'trajectory, sample 1, {message}'):
            encode_trajectory(wrong)
    for value, parts in ((0.6 / 64, 1), (0.4 / 64, 0), (-0.6 / 64, -1), (1.5 / 64, 2), (2.5 / 64, 2)):
        assert np.frombuffer(zlib.decompress(encode_trajectory([[value, 0, 0, 0, 0]])), '<i4')[0] == parts
    assert (
        encode_trajectory(np.zeros((0, 5))) == b''
        and encode_slots([]) == b''
        and decode_trajectory(b'').shape == (0, 5)
    )
    assert parse_trajectory(b'').shape == (0, 5) and parse_slots(b'').shape == (0,)


@pytest.mark.parametrize('first, second', [(1025, 0), (-1, 5), (1000, 30)])
def test_pen_and_pressure_beyond_their_bounds_are_refused(first, second):
    """Sums of what is stored, in parts of 1/1024."""
    rows = np.zeros((2, 5), '<i4')
    rows[:, 4] = first, second
    with pytest.raises(ValueError, match='pen and pressure from .* expected 0 to 1'):
        decode_trajectory(zlib.compress(rows.tobytes()))
    rows[:, 4] = 1024, -1024
    assert decode_trajectory(zlib.compress(rows.tobytes()))[:, 4].tolist() == [1, 0]
