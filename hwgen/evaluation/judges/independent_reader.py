"""A reader that has nothing to do with this project: PP-OCRv6, as the wheel `rapidocr` (Apache-2.0) carries
it, run by onnxruntime.

It judges what is written; it never trains. Only its recogniser is used, on whole line images: there is no
detection and no rotation.
"""

import importlib.metadata
import importlib.util
import pathlib
from collections.abc import Container, Sequence
from typing import Protocol

import cv2
import numpy as np

from hwgen.charset.reading_form import folded

MODEL_FILE = 'PP-OCRv6_rec_small.onnx'
# What PP-OCR's own preprocessing does: lines are 48 px high, and filled up to 320 px with mid-grey.
_HEIGHT_PX, _MIN_WIDTH_PX = 48, 320
_BATCH_LINES = 8


class ReaderUnavailableError(ImportError):
    """The optional packages of the reader are not installed; the message has the command that installs
    them.
    """


class TextReader(Protocol):
    """What reads lines as text.

    Attributes:
        name: str, for reports.
        characters: all it can read, folded.
    """

    name: str
    characters: Container[str]

    def read(self, images: Sequence[np.ndarray]) -> list[str]:
        """The texts of lines, uint8 [H, W] each, 255 = paper."""


class IndependentReader:
    """PP-OCRv6's recogniser of text lines (small; 18,708 characters).

    Attributes:
      name: what the reader is, with its version, for reports.
      characters: all it can read, folded.

    Raises:
      ReaderUnavailableError: rapidocr or onnxruntime is not installed.
    """

    def __init__(self):
        found = importlib.util.find_spec('rapidocr')
        if found is None or importlib.util.find_spec('onnxruntime') is None:
            raise ReaderUnavailableError(
                'the reader needs rapidocr and onnxruntime: pip install "hwgen[reader]", in a checkout simply'
                ' start bin/evaluate or bin/generate without HWGEN_VENV'
            )
        import onnxruntime  # optional, so not at the top

        path = pathlib.Path(found.origin).parent / 'models' / MODEL_FILE
        if not path.is_file():
            raise ReaderUnavailableError(
                f'{path}: no such file; expected the model of rapidocr 3.10: pip install'
                ' "rapidocr>=3.10,<3.11"'
            )
        self._session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
        self._input = self._session.get_inputs()[0].name
        listed = self._session.get_modelmeta().custom_metadata_map['character'].split('\n')
        self._classes = ['', *listed, ' ']  # class 0 is CTC's blank, the last one the space
        self.name = f'PP-OCRv6 small (rapidocr {importlib.metadata.version("rapidocr")})'
        self.characters = frozenset(map(folded, listed))

    def read(self, images: Sequence[np.ndarray]) -> list[str]:
        """Reads lines; what it reads in a line does not depend on the lines beside it.

        Args:
          images: uint8 arrays [H, W] of any size, 255 = paper.

        Returns:
          The texts, unfolded, in the order of the images.
        """
        return [text for text, _ in self.readings(images)]

    def readings(self, images: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        """As `read`, and how sure the reader is of each text: the mean probability of its characters, 0 to 1
        (as PP-OCR has it); 0 where it reads nothing.

        Of lines read together the last bits of the numbers may differ from those of lines read alone.
        """
        scaled = [_to_input(image) for image in images]
        found = [('', 0.0)] * len(scaled)
        by_width: dict[int, list[int]] = {}
        for index, line in enumerate(scaled):
            by_width.setdefault(line.shape[1], []).append(index)
        for _, members in sorted(by_width.items()):
            for start in range(0, len(members), _BATCH_LINES):
                chosen = members[start : start + _BATCH_LINES]
                batch = np.stack([scaled[index] for index in chosen])  # B x H x W
                batch = np.repeat(batch[:, None], 3, axis=1)  # B x H x W -> B x 3 x H x W
                scores = self._session.run(None, {self._input: batch})[0]  # B x T x classes
                for index, own in zip(chosen, scores, strict=True):
                    best = own.argmax(axis=1)
                    found[index] = self._decode(best), _sureness(best, own.max(axis=1))
        return found

    def _decode(self, best):
        """CTC's best path: repeats fall together, then blanks go."""
        kept = best[np.r_[True, best[1:] != best[:-1]]]
        return ''.join(self._classes[index] for index in kept)


def _sureness(best, probabilities):
    """Mean probability of what `_decode` keeps: classes int [T] and their probabilities [T] -> float."""
    kept = np.r_[True, best[1:] != best[:-1]] & (best > 0)
    return round(float(probabilities[kept].mean(dtype=np.float64)), 4) if kept.any() else 0.0


def _to_input(image):
    """uint8 [H, W] -> float32 [48, at least 320], paper +1, mid-grey (0) to the right of the line."""
    if image.ndim != 2 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(
            f'line image: {image.dtype} {list(image.shape)}, expected uint8 [H, W] with H, W > 0'
        )
    width = max(1, round(image.shape[1] * _HEIGHT_PX / image.shape[0]))
    shrinks = image.shape[0] > _HEIGHT_PX
    scaled = cv2.resize(
        image, (width, _HEIGHT_PX), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    padded = np.zeros((_HEIGHT_PX, max(width, _MIN_WIDTH_PX)), np.float32)
    padded[:, :width] = scaled.astype(np.float32) / 127.5 - 1
    return padded
