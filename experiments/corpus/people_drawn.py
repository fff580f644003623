"""What a writer writes around people whose lines it has read: where its styles come from, and where the noise
of each character.
"""

import functools
import itertools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.charset.widths import expected_room
from hwgen.evaluation.measuring.character_pictures import as_seen
from hwgen.evaluation.measuring.people import NUMERALS
from hwgen.images import to_uint8
from hwgen.spacing import in_cells

_LINE = 5  # characters of a line
_BATCH = 16
STYLES = ('drawn', 'read', 'between')
NOISES = ('drawn', 'fitted', 'read')


class ReadLine(NamedTuple):
    """What the style encoder says of a line.

    Attributes:
        person: str, whose line it is.
        kinds: int [N], which numerals.
        style, style_variance: float32 [Z].
        noise, noise_variance: float32 [N, D].
    """

    person: str
    kinds: np.ndarray
    style: np.ndarray
    style_variance: np.ndarray
    noise: np.ndarray
    noise_variance: np.ndarray


def read_lines(writer, records):
    """list of ReadLine of LineRecords of numerals."""
    charset, found = Charset.load(), []
    for record in records:
        codes = charset.encode(record.text)
        cells, _ = in_cells(
            record.image,
            len(record.text),
            record.boxes,
            spaced=writer.learned_room,
            char_px=writer.char_px,
            char_width_px=writer.char_width_px,
            room=expected_room(codes.units),
        )
        described = writer.generator.content_encoder.describe(Characters.stack([codes.characters]))
        read = writer.style_encoder(cells[np.newaxis, :, :, np.newaxis], training=False, described=described)
        read = {name: value.numpy()[0] for name, value in read.items()}
        found.append(
            ReadLine(
                record.writer,
                np.array([NUMERALS.index(c) for c in record.text]),
                read['style_mean'],
                np.exp(read['style_log_variance']),
                read['noise_mean'],
                np.exp(read['noise_log_variance']),
            )
        )
    return found


class Plan(NamedTuple):
    """How lines are drawn.

    Attributes:
        styles: 'drawn', from the writer's style space; 'read', of a line; 'between', on the way from one line
            to another person's.
        noise: 'drawn', N(0, 1); 'fitted', normal as what was read of this numeral; 'read', of one numeral of
            this kind.
        style_truncation, noise_truncation: standard deviations, of what is drawn and of the posterior of what
            is read.
        hands: int, styles; None: one a line.
    """

    styles: str = 'drawn'
    noise: str = 'drawn'
    style_truncation: float = 1.0
    noise_truncation: float = 1.0
    hands: int | None = None


def write(writer, lines, plan, *, rounds, seed):
    """Numerals, `rounds` of each kind.

    Args:
        writer: Writer.
        lines: list of ReadLine.
        plan: Plan.
        rounds: int; of each three lines of five.
        seed: int.

    Returns:
        uint8 [rounds, 15, 1, 32, 32], 255 = ink.
    """
    rng = np.random.default_rng((seed, 17))
    kinds = np.concatenate([rng.permutation(len(NUMERALS)) for _ in range(rounds)]).reshape(-1, _LINE)
    styles = _styles(writer, lines, plan, len(kinds) if plan.hands is None else plan.hands, rng)
    if plan.hands is not None:
        styles = styles[np.arange(len(kinds)) * len(styles) // len(kinds)]
    noise = _noise(lines, plan, kinds, writer.character_noise_dim, rng)
    cells = draw(writer, kinds, styles, noise)
    found = np.zeros([rounds, len(NUMERALS), 1, 32, 32], np.uint8)
    for number, (kind, cell) in enumerate(zip(kinds.ravel(), itertools.chain(*cells), strict=True)):
        found[number // len(NUMERALS), kind, 0] = as_seen(cell)
    return found


def rebuilt(writer, lines, *, truncation=1.0, seed):
    """Numerals of lines as the writer rebuilds them: pictures uint8 [n, 32, 32] and labels int [n].

    Args:
        truncation: standard deviation of the posterior; 0: its mean.
    """
    rng, found, labels = np.random.default_rng((seed, 19)), [], []
    for line in lines:
        style = _of_posterior(line.style, line.style_variance, truncation, rng)
        noise = _of_posterior(line.noise, line.noise_variance, truncation, rng)
        (cells,) = draw(writer, line.kinds[np.newaxis], style[np.newaxis], noise[np.newaxis])
        found += [as_seen(cell) for cell in cells]
        labels.append(line.kinds)
    return np.array(found), np.concatenate(labels)


def draw(writer, kinds, styles, noise):
    """Cells of lines, list of list of uint8 [H, W].

    Args:
        kinds: int [B, N], which numerals.
        styles: float32 [B, Z].
        noise: float32 [B, N, D].
    """
    charset, found = Charset.load(), []
    for start in range(0, len(kinds), _BATCH):
        rows = slice(start, start + _BATCH)
        texts = [''.join(NUMERALS[k] for k in line) for line in kinds[rows]]
        characters = Characters.stack([charset.encode(text).characters for text in texts])
        images = _drawing(writer)(characters, styles[rows].astype(np.float32), noise[rows].astype(np.float32))
        written = to_uint8(images.numpy()[..., 0])
        found += [np.split(image, kinds.shape[1], axis=1) for image in written]
    return found


@functools.cache
def _drawing(writer):
    """The writer's generator, traced for any number of lines of any length."""
    signature = [
        Characters.specs(),
        tf.TensorSpec([None, writer.style_dim], tf.float32),
        tf.TensorSpec([None, None, writer.character_noise_dim], tf.float32),
    ]
    return tf.function(
        lambda characters, style, noise: writer.generator(
            characters, style=style, character_noise=noise, training=False
        ),
        input_signature=signature,
    )


def _styles(writer, lines, plan, count, rng):
    if plan.styles == 'drawn':
        normal = plan.style_truncation * rng.normal(size=[count, writer.style_dim])
        return writer.generator.style_space(normal.astype(np.float32)).numpy()

    def of(line):
        return _of_posterior(line.style, line.style_variance, plan.style_truncation, rng)

    if plan.styles == 'read':
        return np.array([of(lines[rng.integers(len(lines))]) for _ in range(count)])
    found = []
    while len(found) < count:
        first, second = (lines[n] for n in rng.integers(len(lines), size=2))
        if first.person != second.person:
            share = rng.uniform()
            found.append((1 - share) * of(first) + share * of(second))
    return np.array(found)


def _noise(lines, plan, kinds, size, rng):
    if plan.noise == 'drawn':
        return plan.noise_truncation * rng.normal(size=[*kinds.shape, size])
    read, variances = ([[] for _ in NUMERALS] for _ in range(2))
    for line in lines:
        for kind, noise, variance in zip(line.kinds, line.noise, line.noise_variance, strict=True):
            read[kind].append(noise)
            variances[kind].append(variance)
    found = np.zeros([*kinds.shape, size])
    for kind in range(len(NUMERALS)):
        here = np.argwhere(kinds == kind)
        means, spreads = np.array(read[kind]), np.array(variances[kind])
        if plan.noise == 'read':
            rows = rng.integers(len(means), size=len(here))
            values = _of_posterior(means[rows], spreads[rows], plan.noise_truncation, rng)
        else:
            covariance = np.cov(means, rowvar=False) + np.diag(spreads.mean(0))
            normal = rng.multivariate_normal(np.zeros(size), covariance, size=len(here))
            values = means.mean(0) + plan.noise_truncation * normal
        found[tuple(here.T)] = values
    return found


def _of_posterior(mean, variance, truncation, rng):
    return mean + truncation * np.sqrt(variance) * rng.normal(size=np.shape(mean))
