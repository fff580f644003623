"""A small generator with random weights, of the real class: windows, bytes and files do not depend on what
it has learnt.
"""

import functools
import random

import numpy as np
import tensorflow as tf
from plain_sizes import PLAIN

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.models.generator import Generator
from hwgen.settings.model import GeneratorConfig


def make_small_generator(**options):
    """Options of GeneratorConfig -> Generator, built, every weight random (attention and biases too), the
    same at every call.
    """
    charset = Charset.load()
    sizes = dict(
        num_components=charset.num_components,
        num_structures=charset.num_structures,
        num_characters=charset.num_characters,
        char_px=16,
        char_width_px=16,
        channels=(12, 8),
        content_channels=12,
        style_part_dim=6,
        cell_dim=4,
        component_dim=8,
        structure_dim=4,
        character_noise_dim=5,
    )
    config = GeneratorConfig(**{**PLAIN, **sizes, **options})
    state, n = random.getstate(), 2
    random.seed(1)  # Keras' initialisers draw their seeds from it: the same weights in every process
    try:
        generator = Generator(config)
        generator(
            Characters.ones(1, n),
            style=tf.zeros([1, config.style_dim]),
            character_noise=tf.zeros([1, n, config.character_noise_dim]),
        )
    finally:
        random.setstate(state)
    rng = np.random.default_rng(1)
    # fresh attention has gain 0 and fresh norms do nothing: they would hide errors
    for variable in generator.variables:
        if 'variance' not in variable.path:
            variable.assign(variable + rng.normal(scale=0.2, size=variable.shape))
    return generator


@functools.cache
def shared_small_generator(**options):
    """`make_small_generator` for tests that only read it: one object for equal options in a process, and
    with it its traces (one_trace.py).
    """
    return make_small_generator(**options)
