"""Losses of a game in which the discriminator sees pairs: a real line and a generated one (R3GAN).

Its scores are compared within a pair, so what both lines share cancels. Where both say the same in the same
place (a line and its reconstruction), patches are pairs too.
"""

import tensorflow as tf

from hwgen.losses.reconstruction import masked_mean


def pairing_discriminator_loss(
    real_scores: tf.Tensor, fake_scores: tf.Tensor, *, mask: tf.Tensor | None = None
) -> tf.Tensor:
    """log(1 + exp(D(G(z)) - D(x))), mean over the patches of each pair.

    Source: Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline GAN", RpGAN with
    f(t) = -log(1 + exp(-t)) (the relativistic pairing loss of Jolicoeur-Martineau 2019). Differs: a score for
    each patch in place of one for each image.

    Args:
        real_scores, fake_scores: float [B, H, W, C], the i-th of one beside the i-th of the other.
        mask: float [B, 1, W, 1], 1 on valid patches, or None.

    Returns:
        float [B] in [0, inf); log 2 for a D that tells none apart.
    """
    return masked_mean(tf.nn.softplus(fake_scores - real_scores), mask)


def pairing_generator_loss(
    real_scores: tf.Tensor, fake_scores: tf.Tensor, *, mask: tf.Tensor | None = None
) -> tf.Tensor:
    """log(1 + exp(D(x) - D(G(z)))), mean over the patches of each pair; arguments as for D's loss.

    Its gradient on a patch fades as the generated one comes to be taken for the more real of the two.
    """
    return masked_mean(tf.nn.softplus(real_scores - fake_scores), mask)


def zero_centred_penalty(slopes: tf.Tensor, num_patches: tf.Tensor) -> tf.Tensor:
    """Squared norm of D's gradient on its input, for one patch: R1 on real lines, R2 on generated ones.

    Source: Mescheder et al. 2018, "Which training methods for GANs do actually converge?", section 4.1;
    Huang et al. 2024 take both. Differs: the gradient is that of the sum of a line's patch
    scores, and its squared norm is divided by their number, so that neither the length of a line nor the
    number of patches changes its weight.

    Args:
        slopes: float [B, H, W, C], gradient of the sum of scores on the images.
        num_patches: float [B], valid patches of each line.

    Returns:
        float [B] in [0, inf).
    """
    return tf.reduce_sum(tf.square(slopes), [1, 2, 3]) / num_patches
