"""The judges of written lines, frozen: what discriminator and recognisers lose on a line, and the balance of
their gradients on its image (HCT-GAN, "Losses and optimization settings").
"""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from hwgen.characters import Characters
from hwgen.losses import adversarial, balance
from hwgen.models import layers
from hwgen.models.hct_gan import HctGan
from hwgen.settings.steps import GanSettings
from hwgen.training.steps import reading


def image_mask(
    characters: Characters, images: tf.Tensor, *, model: HctGan, settings: GanSettings
) -> tf.Tensor | None:
    """float32 [B, 1, W, 1], 1 on the columns of the lines' own characters; None where all columns are."""
    config = model.config.generator
    columns = config.char_width_px or config.char_px
    return layers.column_mask(
        reading.lengths_of(characters, settings),
        tf.shape(images)[2] // columns,
        columns_per_character=columns,
    )


def frozen_losses(
    texts: Characters,
    image: tf.Tensor,
    *,
    model: HctGan,
    settings: GanSettings,
    share: Callable[[tf.Tensor], tf.Tensor],
    recognizers: bool,
) -> tuple[dict[str, tf.Tensor], reading.Reading | None]:
    """What frozen judges lose on lines.

    Args:
        texts: what the lines should read.
        image: float32 [B, H, W, 1], the lines.
        model, settings: whose judges, and what they read.
        share: of per-example values [B] to a share of the global mean.
        recognizers: False: the discriminator judges alone.

    Returns:
        Shares of the losses by judge: `discriminator`, and with the recognisers `sequence` and `spatial`;
        what these read, or None.
    """
    # training=False moves no statistics
    scores = model.discriminator(image, lengths=reading.lengths_of(texts, settings), training=False)
    losses = {'discriminator': share(adversarial.hinge_generator_loss(scores))}
    if not recognizers:
        return losses, None
    read = reading.read(texts, image, model=model, settings=settings, training=False)
    losses['sequence'] = share(read.sequence_loss)
    if read.spatial_loss is not None:
        losses['spatial'] = share(read.spatial_loss)
    return losses, read


def gradients_on_image(
    image: tf.Tensor, losses_of: Callable[[tf.Tensor], tuple[dict[str, tf.Tensor], Any]]
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor], Any]:
    """The gradient of each of several losses on an image alone.

    Args:
        image: float32 [B, H, W, 1], which no gradient flows through.
        losses_of: function of the image: losses by name, and anything else.

    Returns:
        The losses; by the same names their gradients float32 [B, H, W, 1]; what else `losses_of` gave.
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(image)
        losses, more = losses_of(image)
    return losses, {name: tape.gradient(loss, image) for name, loss in losses.items()}, more


def balanced(
    texts: Characters,
    gradients: Mapping[str, tf.Tensor],
    weights: Mapping[str, Any],
    *,
    model: HctGan,
    settings: GanSettings,
    reference: str,
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The weighted sum of gradients on an image, brought to one spread over the lines' own columns
    (`balance.balance_gradients`): float32 [B, H, W, 1], and the spread of each.
    """
    image = next(iter(gradients.values()))
    mask = image_mask(texts, image, model=model, settings=settings)
    mask = tf.ones_like(image[:, :1, :, :]) if mask is None else mask
    return balance.balance_gradients(
        gradients, weights, mask=mask, rule=settings.balance_rule, reference=reference
    )
