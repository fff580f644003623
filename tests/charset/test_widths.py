"""Expected room of characters."""

import numpy as np

from hwgen.charset import widths
from hwgen.charset.encoding import Charset
from hwgen.charset.widths import expected_room


def test_by_hand():
    """A hanzi takes 1; a comma half of it with little ink; a sequence of components is a hanzi."""
    room = expected_room(['国', '，', '⿰木木', '1', 'm', ' '])
    assert room.shape == (6, 4) and room.dtype == np.float64
    np.testing.assert_array_equal(room[:, 0], [1.0, 0.51, 1.0, 0.51, 0.83, 0.6])
    np.testing.assert_array_equal(room[:, 1], [0.82, 0.16, 0.82, 0.23, 0.61, 0.0])
    assert expected_room('').shape == (0, 4)


def test_every_character_has_one_group_and_some_room():
    groups = ''.join(widths._GROUPS)
    assert len(set(groups)) == len(groups)
    room = expected_room(Charset.load().characters)
    assert ((room[:, 0] > 0.3) & (room[:, 0] <= 1)).all() and (room[:, 1] < room[:, 0]).all()
    assert (room[:, 2:] > 0).all()
