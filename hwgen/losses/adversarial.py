"""Hinge adversarial losses (Lim and Ye 2017, "Geometric GAN"; HCT-GAN, "Losses and optimization
settings").
"""

import tensorflow as tf


def hinge_discriminator_loss(real_scores: tf.Tensor, fake_scores: tf.Tensor) -> tf.Tensor:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))) of each pair.

    Differs: nothing known.

    Args:
        real_scores: float32 [B], the logits D(x) of real lines: what the discriminator says, without a
            sigmoid.
        fake_scores: float32 [B], the logits D(G(z)) of generated lines.

    Returns:
        float32 [B], the discriminator's loss in [0, inf); 2 for one that says 0 to everything.
    """
    return tf.nn.relu(1.0 - real_scores) + tf.nn.relu(1.0 + fake_scores)


def hinge_generator_loss(fake_scores: tf.Tensor) -> tf.Tensor:
    """-D(G(z)) of each example.

    Differs: nothing known.

    Args:
        fake_scores: float32 [B], the logits D(G(z)) of generated lines.

    Returns:
        float32 [B], the generator's loss in (-inf, inf).
    """
    return -fake_scores
