"""Sample sheets: pictures of fixed texts in fixed styles, so that two steps of a run can be compared by
eye.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.images import to_uint8
from hwgen.inference import styles
from hwgen.models.generator import Generator

GAP_PX = 6  # paper between lines of a sheet


class SampleSheets:
    """Draws the sheets of one run.

    Args:
        charset: table of characters.
        vocabulary: ids of the characters that have images.
        held_out: ids of characters that never had one. Without hanzi in `vocabulary` there is no sheet
            `unseen`.
        seed: of the choice of texts.
        num_characters: characters of a line.
        rows: lines of a sheet.
    """

    def __init__(
        self,
        charset: Charset,
        *,
        vocabulary: Sequence[int],
        held_out: Sequence[int],
        seed: int = 0,
        num_characters: int = 8,
        rows: int = 8,
    ):
        self.charset = charset
        self.rows, self.num_characters = rows, num_characters
        rng = np.random.Generator(np.random.Philox(key=seed + 7))
        hanzi = np.array([i for i in vocabulary if '\u4e00' <= charset.characters[i] <= '\u9fff'])
        rest = np.setdiff1d(charset.character_set('gb2312-1'), vocabulary)
        unseen = np.asarray(held_out) if len(held_out) >= num_characters else rest
        latin = not len(hanzi)  # such a collection teaches nothing about hanzi: no sheet of unseen ones
        hanzi = np.asarray(vocabulary) if latin else hanzi
        unseen = unseen if len(unseen) and not latin else hanzi

        def draw(pool):
            return [
                ''.join(charset.characters[i] for i in rng.choice(pool, num_characters)) for _ in range(rows)
            ]

        self.texts = dict(seen=draw(hanzi), unseen=draw(unseen))
        self.texts['one_style'] = self.texts['seen'][: rows // 2] + self.texts['unseen'][: rows - rows // 2]
        self.texts['one_text'] = [self.texts['seen'][0]] * rows
        if latin:
            del self.texts['unseen']
        self.seeds = dict(
            seen=range(rows), unseen=range(rows), one_style=[1] * rows, one_text=range(100, 100 + rows)
        )

    def inputs(self, name: str, generator: Generator) -> dict[str, Any]:
        """What `generator` is called with for one sheet, all lines of one length: dict of `characters`,
        `style`, `character_noise`.
        """
        lines = [self.charset.encode(text).characters for text in self.texts[name]]
        seeds = list(self.seeds[name])
        characters = Characters.stack(lines)._replace(lengths=None)
        style, noise = hands_of_seeds(generator, characters, seeds)
        return dict(characters=characters, style=style, character_noise=noise)

    def draw(self, generator: Generator) -> dict[str, np.ndarray]:
        """All sheets as one generator writes them: dict name -> uint8 [H, W]."""
        return {
            name: stack_lines(to_uint8(generator(**self.inputs(name, generator), training=False)[..., 0]))
            for name in self.texts
        }


def hands_of_seeds(
    generator: Generator, characters: Characters, seeds: Sequence[int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Styles float32 [B, Z] and character noise float32 [B, N, D] of seeds, for B lines of N characters."""
    config, n = generator.config, characters.structure_ids.shape[1]
    style = generator.style_space(styles.styles_from_seeds(seeds, config.style_dim))
    normal = [
        styles.character_noise(seed, 0, n, character_noise_dim=config.character_noise_dim) for seed in seeds
    ]
    return style, generator.drawn_noise(characters, style, tf.constant(np.stack(normal)))


def stack_lines(lines: Iterable[np.ndarray]) -> np.ndarray:
    """Lines uint8 [H, W] below one another, with paper between; uint8 [H', W']."""
    width = max(line.shape[1] for line in lines)
    padded = [np.pad(line, ((0, GAP_PX), (0, width - line.shape[1])), constant_values=255) for line in lines]
    return np.concatenate(padded)


def pairs(real: np.ndarray | tf.Tensor, fake: np.ndarray | tf.Tensor) -> np.ndarray:
    """Real lines and their reconstructions, one above the other.

    Both float [B, H, W, 1] -> uint8 [H', W'].
    """
    real, fake = to_uint8(real[..., 0]), to_uint8(fake[..., 0])
    return stack_lines([line for pair in zip(real, fake, strict=True) for line in pair])


def heat_maps(images: np.ndarray, logits: tf.Tensor, component_ids: np.ndarray) -> np.ndarray:
    """Where SPM sees the components of each line: its probability of the line's own labels over the images.

    Args:
        images: float32 [B, H, W, 1]; logits: float32 [B, 4, 4N, K]; component_ids: int32 [B, N, 4].

    Returns:
        uint8 [H', W', 3]: ink in grey, certainty in red.
    """
    probabilities = tf.nn.softmax(logits).numpy()
    rows = []
    for image, share, ids in zip(
        to_uint8(images[..., 0]), probabilities, np.asarray(component_ids), strict=True
    ):
        own = np.unique(ids[ids > 0])
        certainty = share[..., own].max(-1)
        scale = image.shape[0] // certainty.shape[0], image.shape[1] // certainty.shape[1]
        certainty = np.kron(certainty, np.ones(scale))[..., None]
        grey = np.repeat(image[..., None], 3, -1).astype(np.float32)
        rows.append(
            (grey * (1.0 - 0.5 * certainty) + np.array([255.0, 60.0, 60.0]) * 0.5 * certainty).astype(
                np.uint8
            )
        )
    return np.concatenate(rows)
