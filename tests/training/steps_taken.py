"""Two ways to take the steps of a training: traced, as they are, and eager."""

import contextlib

import pytest
import tensorflow as tf

WAYS = ['eager', pytest.param('traced', marks=pytest.mark.slow)]


@contextlib.contextmanager
def taken(way):
    """Steps are taken as they are ('traced'), or without a trace ('eager'): of the tiny model a trace takes
    as long as ten steps. The maths, the variables and what is kept of them are the same.
    """
    tf.config.run_functions_eagerly(way == 'eager')
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)
