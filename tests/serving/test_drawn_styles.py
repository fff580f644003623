"""Seeds in the graph against NumPy's: the same numbers."""

import numpy as np
import pytest

from hwgen.inference import styles
from hwgen.serving import drawn_styles

SEEDS = [0, 1, 7, 2**31, 2**63 - 1, 2**63, 2**64 - 1]


def signed(seed):
    return np.array(seed, np.uint64).astype(np.int64)


@pytest.mark.parametrize('seed', SEEDS)
def test_styles_and_noise_are_those_of_the_writer(seed):
    # 5e-7: two bits of a float32 of size 4, for another library's logarithm and cosine.
    np.testing.assert_allclose(
        drawn_styles.style_of_seed(signed(seed), 18), styles.styles_from_seeds(seed, 18)[0], atol=5e-7
    )
    for character_noise_dim in (1, 4, 5, 8):
        np.testing.assert_allclose(
            drawn_styles.character_noise(signed(seed), 9, character_noise_dim=character_noise_dim),
            styles.character_noise(seed, 0, 9, character_noise_dim=character_noise_dim),
            atol=5e-7,
        )


def test_a_longer_line_begins_with_the_noise_of_a_shorter_one():
    short, long = (drawn_styles.character_noise(signed(3), n, character_noise_dim=5).numpy() for n in (4, 30))
    np.testing.assert_array_equal(long[:4], short)
    assert drawn_styles.character_noise(signed(3), 4, character_noise_dim=0).shape == [4, 0]
