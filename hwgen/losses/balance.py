"""Gradient balance on the fake image (Alonso et al. 2019; HCT-GAN, "Losses and optimization settings")."""

from collections.abc import Mapping

import tensorflow as tf

from hwgen.settings.setting import choices_of, default_of
from hwgen.settings.steps import GanSettings

REFERENCES = (*choices_of(GanSettings, 'balance_reference'), 'reconstruction')
RULES = choices_of(GanSettings, 'balance_rule')


def _moments(gradient, mask, count):
    """Mean and standard deviation of a gradient over valid pixels of the global batch."""
    replicas = tf.distribute.get_replica_context()
    several = replicas is not None and replicas.num_replicas_in_sync > 1

    def total(value):
        return replicas.all_reduce(tf.distribute.ReduceOp.SUM, value) if several else value

    count = total(count)
    mean = total(tf.reduce_sum(gradient * mask)) / count
    variance = total(tf.reduce_sum(tf.math.squared_difference(gradient, mean) * mask)) / count
    return mean, tf.sqrt(variance)


def balance_gradients(
    gradients: Mapping[str, tf.Tensor],
    weights: Mapping[str, float | tf.Tensor],
    *,
    mask: tf.Tensor,
    rule: str = default_of(GanSettings, 'balance_rule'),
    reference: str = default_of(GanSettings, 'balance_reference'),
    epsilon: float = 1e-12,
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Sum of the losses' gradients on the image, brought to one spread.

    With r the reference and i the others: g_i <- w_i [sigma_r / max(sigma_i, eps) (g_i - mu_i) + mu_r], g_r
    <- w_r g_r.
    Source: HCT-GAN (its printed formula read as that of Alonso et al., eq. 5); r is D, or the loss of
    smallest sigma. `rule='scale'` drops the means, as ScrabbleGAN's code does. Differs: sigma_i is kept above
    epsilon; the moments are taken over the valid pixels of the global batch.

    Args:
        gradients: by name float32 [B, H, W, 1], d loss / d image; must hold the reference.
        weights: by name w.
        mask: float32 [B, 1, W, 1], 1 on valid columns.
        rule: 'full' or 'scale'.
        reference: 'discriminator', 'reconstruction' or 'smallest'.
        epsilon: least sigma of the denominator.

    Returns:
        The total float32 [B, H, W, 1], zero on padding; by name the sigmas, float32 scalars.

    Raises:
        ValueError: unknown rule or reference, or gradients without weights.
    """
    if rule not in RULES:
        raise ValueError(f'balance rule {rule!r}: expected one of {", ".join(RULES)}')
    if reference not in REFERENCES:
        raise ValueError(f'balance reference {reference!r}: expected one of {", ".join(REFERENCES)}')
    names = tuple(gradients)
    missing = [name for name in names if name not in weights]
    if missing:
        raise ValueError(f'balance: no weight for {", ".join(missing)}')
    pixels = mask * tf.ones_like(gradients[names[0]])
    count = tf.reduce_sum(pixels)
    moments = {name: _moments(gradients[name], pixels, count) for name in names}
    means = tf.stack([moments[name][0] for name in names])
    sigmas = tf.stack([moments[name][1] for name in names])
    if reference != 'smallest':
        if reference not in names:
            raise ValueError(f'balance: no gradient of the reference {reference!r} among {", ".join(names)}')
        r = tf.constant(names.index(reference))
    else:
        r = tf.argmin(sigmas, output_type=tf.int32)
    total = 0.0
    for index, name in enumerate(names):
        scale = sigmas[r] / tf.maximum(sigmas[index], epsilon)
        if rule == 'full':
            balanced = scale * (gradients[name] - means[index]) + means[r]
        else:
            balanced = scale * gradients[name]
        total += weights[name] * tf.where(tf.equal(r, index), gradients[name], balanced)
    return total * pixels, {name: moments[name][1] for name in names}
