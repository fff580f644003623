"""The component reader: the feature network (`feature_recognizer`) as a reader of images.

It says structures and components, so it can read what has no code point, and sees every component where
`IndependentReader` guesses a character from what is left of it."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.evaluation.judges import feature_recognizer
from hwgen.evaluation.judges.feature_recognizer import FeatureRecognizer
from hwgen.images import to_cells
from hwgen.losses import ctc

_BATCH_LINES = 16


class ComponentReader:
    """Reads the structures and components of lines (CTC, best path).

    Convolutions only, whose frames see little more than a character: there is no
    memory of what usually follows. Yet it has seen the combinations of its training lines alone.

    Args:
        network: FeatureRecognizer; no generator learned from it.
        digest: str, SHA-256 of its weights.
        charset: Charset that the network's labels are those of, or None for the packaged one.

    Attributes:
        name: str, for reports.
        digest: str.
    """

    name = 'component reader'

    def __init__(self, network: FeatureRecognizer, *, digest: str = '', charset: Charset | None = None):
        self._network, self._charset, self.digest = network, charset or Charset.load(), digest

    @property
    def charset(self) -> Charset:
        """The table that its labels are those of: it reads nothing that was added later."""
        return self._charset

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ComponentReader:
        """Reads a feature network's folder; raises as `feature_recognizer.load`, and CharsetMismatchError
        for one of another table.
        """
        network, description, digest = feature_recognizer.load(path)
        charset = Charset.load()
        if 'charset' in description:
            charset = charset.prefix(description['charset']['row_count'], description['charset']['hash'])
        return cls(network, digest=digest, charset=charset)

    def labels(self, text: str) -> list[tuple[int, ...]]:
        """What is to be read.

        Args:
            text: str; a sequence such as ⿱山鱼 stands for one character.

        Returns:
            list of tuple of int, for each character its structure and then its components, 2 to 5 labels.

        Raises:
            CharsetError: a character that the table does not have.
        """
        encoded = self._charset.encode(text)
        characters, count = encoded.characters, len(encoded.units)
        rows = ctc.line_labels(
            'structured',
            Characters.stack([characters.part(place, place + 1) for place in range(count)]),
            num_components=self._charset.num_components,
        )
        return [tuple(int(label) for label in row if label) for row in rows.numpy()]

    def read(self, images: Sequence[np.ndarray], num_characters: Sequence[int]) -> list[list[int]]:
        """Reads lines; what it reads in a line does not depend on the lines beside it, but for the last bits
        of its logits.

        Args:
            images: uint8 arrays [H, W], 255 = paper; scaled to cells of 32 x 32 px, as in its training.
            num_characters: sequence of int, how many characters each line has.

        Returns:
            list of list of int, labels.
        """
        found: list[list[int]] = [[] for _ in images]
        for places, logits in self._logits(images, num_characters):
            read = ctc.greedy_labels(
                logits, num_frames=np.full(len(places), logits.shape[1], np.int32)
            ).numpy()
            for place, row in zip(places, read, strict=True):
                found[place] = [int(label) for label in row if label]
        return found

    def label_errors(
        self, images: Sequence[np.ndarray], texts: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Reads lines and counts what is wrong.

        Args:
            images: list of uint8 [H, W], as of `read`.
            texts: list of str, what was to be written; as many.

        Returns:
            int64 [L], edit distances between what was read and the structures and components of the text;
            int64 [L], numbers of these.

        Raises:
            CharsetError: a text with a character that the table does not have.
        """
        labels = [self.labels(text) for text in texts]
        errors, counts = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int64)
        for places, logits in self._logits(images, list(map(len, labels))):
            expected = [[label for character in labels[place] for label in character] for place in places]
            rows = np.zeros([len(places), max(map(len, expected))], np.int32)
            for row, line in zip(rows, expected, strict=True):
                row[: len(line)] = line
            found = ctc.label_errors(rows, logits, num_frames=np.full(len(places), logits.shape[1], np.int32))
            errors[places], counts[places] = (np.asarray(column).round().astype(np.int64) for column in found)
        return errors, counts

    def _logits(self, images, num_characters):
        """Lists of places and the network's logits of these lines, lines of one length together."""
        by_length, cell = {}, feature_recognizer.CELL_PX
        for place, length in enumerate(num_characters):
            by_length.setdefault(length, []).append(place)
        for length, places in sorted(by_length.items()):
            for start in range(0, len(places), _BATCH_LINES):
                chosen = places[start : start + _BATCH_LINES]
                pictures = np.stack(
                    [to_cells(images[place], length, char_px=cell, char_width_px=cell) for place in chosen]
                )
                # B x H x W -> B x H x W x 1
                yield (
                    chosen,
                    self._network(
                        pictures[..., np.newaxis].astype(np.float32) / np.float32(127.5) - np.float32(1)
                    )[1],
                )
