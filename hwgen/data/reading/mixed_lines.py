"""What the discriminator takes for real where some lines have no text: labelled lines beside unlabelled
ones, scaled alike.
"""

from __future__ import annotations

import concurrent.futures
import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hwgen.data.reading.pipeline import LineBatches, random_stream
from hwgen.data.reading.shards import RecordError, RecordIndex
from hwgen.images import resize_line

if TYPE_CHECKING:
    import tensorflow as tf

_ORDER, _WINDOW = 5, 6  # what a random stream is for; pipeline.py has 1 and 2, texts.py 3 and 4
_MEASURED_LINES = 1000


def cut_line(image: np.ndarray, *, width_px: float, reach_px: float, place: float) -> np.ndarray:
    """A piece of a line, cut where there is least ink, so that few characters are cut in two.

    Args:
        image: uint8 [H, W], 255 = paper.
        width_px: float, how wide the piece should be.
        reach_px: float, how far either cut may be moved to find paper.
        place: float in [0, 1), where along the line.

    Returns:
        uint8 [H, W'], W' at most width_px + 2 * reach_px + 2; the line itself where it is no longer than
        width_px + reach_px.
    """
    width = image.shape[1]
    if width <= width_px + reach_px:
        return image
    ink = (255 - image.astype(np.int32)).sum(0)
    ink[[0, -1]] = 0  # the line's own ends cut nothing

    def quiet(wanted):  # of several columns with as little ink the nearest
        columns = np.arange(max(0, round(wanted - reach_px)), min(width - 1, round(wanted + reach_px)) + 1)
        return int(columns[np.lexsort([abs(columns - wanted), ink[columns]])[0]])

    start = place * (width - width_px)
    return image[:, quiet(start) : quiet(start + width_px) + 1]


class RealLines(NamedTuple):
    """B lines that a discriminator takes for real, some of which nobody knows the text of.

    Attributes:
        images: float32 [B, char_px, W, 1] in [-1, 1], W whole cells, padding +1.
        lengths: float32 [B], width of each line in cells, whole columns of the discriminator's last map.
        unlabelled_weights: float32 [B], B over the number of unlabelled lines on these and else 0, so that a
            mean over the batch with them is one over the unlabelled lines.
    """

    images: np.ndarray | tf.Tensor
    lengths: np.ndarray | tf.Tensor
    unlabelled_weights: np.ndarray | tf.Tensor


class MixedLines:
    """The discriminator's real lines of a step: the first ones of the training batch, then unlabelled ones.

    Source: semi-supervised training of ScrabbleGAN (Fogel et al. 2020): its discriminator asks for no text,
    so it learns a hand or a collection from images alone. Nothing else may see them.

    Scale. In the training batch a labelled line is exactly one cell a character wide, which takes its text to
    know. An unlabelled line can only keep its aspect. If the discriminator saw one kind beside the other,
    narrow or wide characters would mean "unlabelled", so "real", whatever the hand. So both kinds are scaled
    by one rule that asks for no text: to the height of a line, keeping the aspect but for one factor, the
    same for all lines of a run. That factor (`stretch`) brings the mean character of the labelled lines
    (geometric mean over up to 1,000 of them) to the width of a cell, which is that of a written one. So
    labelled and unlabelled lines differ in width as hands do, with the same spread if they were collected
    alike (embedded corpus: mean character 0.894 of its line's height, standard deviation of the logarithm
    0.105), and are on average neither wider nor narrower than written lines, which would be a constant push
    on the generator. Differs: ScrabbleGAN's labelled lines stay at the width of their cells, and it applies
    no factor.

    Length. A long line has fewer ends a character than a short one, which pooled features show. So of a
    longer unlabelled line a random piece is shown that is about as many cells wide as the step's lines have
    characters. (A labelled line is cut only beyond twice its cells: one odd image must not make a batch of
    any width.)

    What is left to tell by scale: a written character is one cell wide up to what the generator does within
    it, so a line that is far from one cell a character is real; and unlabelled scans with more or less paper
    above and below than the labelled ones show smaller or larger writing.

    Args:
        labelled: LineBatches of the training split.
        folder: path of records; their split `train` is read and their texts, if any, are not.
        share: float in (0, 1], of a batch's real lines that are unlabelled, rounded to whole lines.

    Attributes:
        index: RecordIndex of the unlabelled lines.
        num_unlabelled: int, unlabelled lines of a batch.
        stretch: float, horizontal scale over vertical scale of all lines.

    Raises:
        RecordError: the folder cannot be read, or its images were stored lower than the model's lines are.
        ValueError: a share that is none, or less than a line.
    """

    def __init__(self, labelled: LineBatches, folder: str | os.PathLike[str], *, share: float):
        self.labelled, self.batch_size, self.seed = labelled, labelled.batch_size, labelled.seed
        self.num_unlabelled = round(share * self.batch_size)
        if not 0 < self.num_unlabelled <= self.batch_size:
            raise ValueError(
                f'share {share:g} of unlabelled lines: {self.num_unlabelled} of the {self.batch_size} lines'
                f' of a batch, expected 1 to {self.batch_size}'
            )
        self.index = RecordIndex(folder, split='train')
        stored = self.index.info.get('image_height_px', labelled.char_px)
        if stored < labelled.char_px:
            raise RecordError(
                f'{folder}: its images are stored {stored} px high, expected at least {labelled.char_px}, the'
                f' height of a line (--char_px); prepare them with --height_px={labelled.char_px}'
            )
        # One column of the discriminator's last map: the least that a mask can tell apart.
        self.column_px = labelled.char_px // 4
        self.stretch = self._measured_stretch()
        self._threads = concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1), 'mixed lines')

    def batch(self, step: int) -> RealLines:
        """What the discriminator takes for real at a step.

        Args:
            step: int >= 0.

        Returns:
            RealLines of NumPy arrays.

        Raises:
            RecordError: a damaged record; names file, record and byte.
        """
        members, num_characters = self.labelled.members(step)
        b, k, count = self.batch_size, self.num_unlabelled, len(self.index)
        epochs, places = np.divmod(np.arange(step * k, (step + 1) * k), count)
        orders = {
            epoch: random_stream(self.seed, _ORDER, epoch).permutation(count)
            for epoch in set(epochs.tolist())
        }
        lines = [(self.labelled.index, member, 2 * num_characters) for member in members[: b - k]]
        lines += [
            (self.index, orders[epoch][place], num_characters)
            for epoch, place in zip(epochs.tolist(), places, strict=True)
        ]
        windows = random_stream(self.seed, _WINDOW, step).random(b)

        def read(row):
            index, number, max_cells = lines[row]
            return self._scaled(
                index.read_record(int(number), decode_trajectory=False).image,
                max_cells=max_cells,
                place=windows[row],
            )

        found = list(self._threads.map(read, range(b)))  # decoding and scaling run outside Python's lock
        cell = self.labelled.char_width_px
        widths = np.array([line.shape[1] for line in found])
        images = np.ones((b, self.labelled.char_px, -(-widths.max() // cell) * cell, 1), np.float32)
        for row, line in enumerate(found):
            images[row, :, : line.shape[1], 0] = line
        weights = np.zeros(b, np.float32)
        weights[b - k :] = b / k
        return RealLines(images, (widths / cell).astype(np.float32), weights)

    def _scaled(self, image, *, max_cells, place):
        """A line, or the piece of it at `place`, as float32 [char_px, W], W whole columns."""
        char_px = self.labelled.char_px
        # px of the model for one of the image, along the line
        scale = self.stretch * char_px / image.shape[0]
        cell = self.labelled.char_width_px / scale
        image = cut_line(image, width_px=max_cells * cell, reach_px=cell / 2, place=place)
        columns = max(1, round(image.shape[1] * scale / self.column_px))
        return resize_line(image, height_px=char_px, width_px=columns * self.column_px)

    def _measured_stretch(self):
        """A cell's width over that of the mean labelled character, both in heights of the line."""
        numbers, index = self.labelled.record_numbers(), self.labelled.index
        logarithms = []
        for place in np.linspace(0, len(numbers) - 1, min(_MEASURED_LINES, len(numbers))).astype(int):
            record = index.read_record(int(numbers[place]), decode_trajectory=False)
            height, width = record.image.shape
            logarithms.append(np.log(width / height / len(record.character_ids)))
        return float(self.labelled.char_width_px / self.labelled.char_px / np.exp(np.mean(logarithms)))
