"""Hinge adversarial losses (Lim and Ye 2017, "Geometric GAN"; HCT-GAN, "Losses and optimization
settings").
"""

import tensorflow as tf


def hinge_discriminator_loss(real_scores, fake_scores):
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))) of each pair.

    Args:
        real_scores: float [B], D of real lines.
        fake_scores: float [B], D of generated lines.

    Returns:
        float [B] in [0, inf); 2 for a D that says 0 to everything.
    """
    return tf.nn.relu(1.0 - real_scores) + tf.nn.relu(1.0 + fake_scores)


def hinge_generator_loss(fake_scores):
    """-D(G(z)) of each example, float [B]."""
    return -fake_scores
