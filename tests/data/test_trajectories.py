"""Trajectories as records store them: the stated error, and once stored the identity."""

import zlib

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hwgen.data import trajectories
from hwgen.data.trajectories import PARTS, decode_slots, decode_trajectory, encode_slots, encode_trajectory, parse_slots, parse_trajectory


@st.composite
def paths(draw):
    count = draw(st.integers(0, 20))
    limits = np.array([200_000, 200_000, 2000, 1, 1])
    return (np.array(draw(hnp.arrays(np.float64, (count, 5), elements=st.floats(0, 1)))) * limits - [1000, 1000, 0, 0, 0]).astype(np.float32)


@hypothesis.given(paths())
def test_error_is_half_a_part(path):
    back = decode_trajectory(encode_trajectory(path))
    assert back.dtype == np.float32 and back.shape == path.shape
    assert (np.abs(back.astype(np.float64) - path) <= .5 / PARTS).all()
    assert encode_trajectory(back) == encode_trajectory(path)
    np.testing.assert_array_equal(parse_trajectory(encode_trajectory(path)), back)


@hypothesis.given(hnp.arrays(np.int32, st.integers(0, 20), elements=st.integers(-1, 2**31 - 1)))
def test_slots_come_back(slots):
    back = decode_slots(encode_slots(slots))
    assert back.dtype == np.int32
    np.testing.assert_array_equal(back, slots)
    np.testing.assert_array_equal(parse_slots(encode_slots(slots)), slots)


def test_a_second_of_writing_by_hand():
    """Two samples: (1.25 px, -2 px, 0.5 s, on paper, half pressed) is 80, -128, 4096, 1024, 512 parts; the second is stored as the difference."""
    path = np.array([[1.25, -2, .5, 1, .5], [1.5, -2, .75, 0, 0]])
    stored = np.frombuffer(zlib.decompress(encode_trajectory(path)), '<i4').reshape(2, 5)
    assert stored.tolist() == [[80, -128, 4096, 1024, 512], [16, 0, 2048, -1024, -512]]


def test_far_values():
    """Up to 2^30 parts; beyond 2^24 of them float32 itself is coarser than half a part."""
    path = np.array([[16_000_000., 0, 130_000, 0, 0], [-16_000_000, 0, 0, 1, 1]], np.float32)
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
