"""Samples and the one exception of the readers."""

import pickle

import numpy as np
import pytest

from hwgen.data.formats import samples
from hwgen.data.formats.samples import FormatError, Ink, Picture, refuse_or_raise


def test_an_error_comes_back_whole_from_another_process():
    error = pickle.loads(pickle.dumps(FormatError('x.gnt, byte 3: no', reason='size')))
    assert (type(error), str(error), error.reason) == (
        FormatError,
        'x.gnt, byte 3: no',
        'size',
    ) and isinstance(error, ValueError)


def test_refused_or_raised():
    error, told = FormatError('no', reason='size'), []
    refuse_or_raise(error, told.append)
    assert told == [error]
    with pytest.raises(FormatError) as caught:
        refuse_or_raise(error, None)
    assert caught.value is error


def test_what_is_not_told_is_empty():
    picture, ink = Picture(np.zeros((1, 1), np.uint8), '天', 'anna', 1, 0), Ink((), '天', 'anna', 1, 0)
    assert (
        picture[5:] == ((), None, '')
        and ink[5:] == ((), '')
        and Picture._fields[5:] == ('codes', 'boxes', 'note')
        and Ink._fields[5:] == ('codes', 'note')
    )
    assert (samples.MAX_LINE_PIXELS, samples.UNKNOWN_CHARACTER) == (16777216, '\ufffd')
