"""Imitation: the style of a hand, read from pictures of lines it wrote, for `Writer.write(..., styles=...)`.

The style encoder is the recognition model of a variational autoencoder (see `hwgen.models.style_encoder`);
its mean is the style of a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hwgen.inference.hand_file import PROBE_SEED, Hand
from hwgen.spacing import in_cells

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer


def read_style(
    writer: Writer,
    images: Sequence[np.ndarray],
    num_characters: Sequence[int],
    *,
    rooms: Sequence[np.ndarray | None] | None = None,
) -> np.ndarray:
    """The style vector of a hand.

    Args:
        writer: Writer whose model has a style encoder.
        images: sequence of uint8 [H, W], 255 = paper: lines of one hand, cut as closely as the lines of the
            training.
        num_characters: sequence of int >= 1, characters of each line.
        rooms: of each line what `charset.widths.expected_room` says of its text, by which its characters are
            parted where the model writes spaced lines; None: nobody knows the text.

    Returns:
        float32 [Z], the mean over the lines' styles, each weighted by its characters.

    Raises:
        ValueError: the model has no style encoder, no images, or an image that is no grey line, naming its
            place.
    """
    if writer.style_encoder is None:
        raise ValueError('the model has no style encoder: expected one trained with the reconstruction phase')
    images, num_characters = list(images), list(num_characters)
    if not images or len(images) != len(num_characters):
        raise ValueError(
            f'{len(images)} images, {len(num_characters)} numbers of characters: expected one number for each'
            ' image, and at least one image'
        )
    total = np.zeros([writer.style_dim])
    for index, (image, n) in enumerate(zip(images, num_characters, strict=True)):
        image = np.asarray(image)
        if image.ndim != 2 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(
                f'image {index}: {image.dtype} {list(image.shape)}, expected uint8 [H, W], grey on white'
                ' paper'
            )
        if n < 1:
            raise ValueError(f'image {index}: {n} characters, expected at least 1')
        line, _ = in_cells(
            image,
            n,
            spaced=writer.learned_room,
            char_px=writer.char_px,
            char_width_px=writer.char_width_px,
            room=None if rooms is None else rooms[index],
        )
        # One line at a time: a hand's style shall not depend on the padding of its other lines.
        read = writer.style_encoder(line[np.newaxis, :, :, np.newaxis], training=False)
        total += n * read['style_mean'].numpy()[0]
    return (total / sum(num_characters)).astype(np.float32)


def read_hand(
    writer: Writer,
    images: Sequence[np.ndarray],
    num_characters: Sequence[int],
    *,
    counted: str,
    name: str,
    rooms: Sequence[np.ndarray | None] | None = None,
) -> Hand:
    """A hand that can be saved (`hand_file.save_hand`).

    Args:
        writer, images, num_characters, rooms: as of `read_style`.
        counted: 'labels' or 'shape': where the numbers of characters are from.
        name: what messages call the hand.

    Returns:
        Hand.

    Raises:
        ValueError: as `read_style`.
    """
    return Hand(
        style=read_style(writer, images, num_characters, rooms=rooms),
        average=np.asarray(writer.generator.style_space.mean, np.float32),
        probe=writer.styles(PROBE_SEED, truncation=1.0)[0],
        digest=writer.digest(),
        lines=len(images),
        characters=int(sum(num_characters)),
        counted=counted,
        name=name,
    )
