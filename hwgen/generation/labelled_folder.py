"""A folder of pictures with what is true of them: their texts, what a reader made of each line, and where
characters and components stand.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from hwgen.generation.labels.files import LabelFiles
from hwgen.generation.labels.truth import Placing, TrueLine, TruePicture, true_line
from hwgen.generation.progress import count
from hwgen.generation.readings import READINGS, Readings
from hwgen.generation.verification import VerifiedLine
from hwgen.inference import picture_files

if TYPE_CHECKING:
    from hwgen.inference.line_layout import WrittenLine
    from hwgen.inference.writer import Writer
    from hwgen.settings.generate import GenerateSettings, PageSettings


class Line(NamedTuple):
    """A line of a picture.

    Attributes:
        text: what was written.
        written: the line, as it was written.
        how: seed, style and places it was written with, as `Writer.write_lines` takes them: style_seeds,
            styles (None: that of the seed), noise_offsets, quotes_before.
        placing: where it stands in its picture.
    """

    text: str
    written: WrittenLine | VerifiedLine
    how: dict[str, Any]
    placing: Placing = Placing()


class LabelledFolder:
    """`picture_files.LineFolder` and the labels that settings ask for.

    Args:
        settings: GenerateSettings; `writing.out` is the folder.
        writer: Writer of the lines.
        noun: what a picture is called.
    """

    def __init__(self, settings: GenerateSettings, writer: Writer, *, noun: str = 'picture') -> None:
        self.settings, self.noun, self._writer = settings, noun, writer
        self._stack = contextlib.ExitStack()
        self._pictures = picture_files.LineFolder(
            settings.writing.out or '', replace=settings.writing.overwrite
        )
        self._forms = [form for form in settings.labels.labels if form != 'tsv']
        self._marker: Any = None
        if self._forms:
            from hwgen.inference.line_boxes import LineMarker

            self._marker = LineMarker(writer)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._pictures)
            folder = self._pictures.folder
            self._readings = stack.enter_context(Readings(self.settings, folder, of='path'))
            model = {'model': self.settings.writing.model}
            self._labels = stack.enter_context(LabelFiles(folder, self._forms, model))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def add(self, image: np.ndarray, lines: Sequence[Line], text: str, *, style: object) -> None:
        """Writes the next picture, unless its line was given up and is to be left out.

        Args:
            image: uint8 [H, W], as it is kept.
            lines: what stands in it.
            text: its label.
            style: what it was written with.
        """
        if not all(self._readings.is_kept(line.written, line.text, style=style) for line in lines):
            return
        name = self._pictures.add(image, text, style=style)
        for number, line in enumerate(lines, 1):
            self._readings.add(line.written, line.text, place=name, number=number)
        if self._marker is not None:
            height, width = image.shape
            true = tuple(self._true(line, (width, height)) for line in lines)
            self._labels.add(TruePicture(name, width, height, str(style), true))

    def _true(self, line: Line, size: tuple[int, int]) -> TrueLine:
        """A line with its boxes, which the writer is asked for."""
        verified = line.written.verified if isinstance(line.written, VerifiedLine) else None
        truncation, how = self.settings.hands.truncation, dict(line.how)
        if how.get('styles') is None:
            how['styles'] = self._writer.styles([how['style_seeds']], truncation=truncation)[0]
        if verified is not None:
            how['style_seeds'] = verified.noise_seed
        (boxes,) = self._marker.boxes([line.text], truncation=truncation, **how)
        encoded = self._writer.encode(line.text, quotes_before=how.get('quotes_before', 0))
        return true_line(
            line.text,
            encoded,
            self._writer.charset,
            rooms=line.written.boxes,
            boxes=boxes,
            placing=line.placing,
            size=size,
            verified=verified,
        )

    def told(self) -> str:
        """What is in it, in words."""
        tables = [count(self._pictures.count, self.noun)]
        if self.noun == 'picture':
            tables.append(picture_files.LABELS)
        if self.settings.labels.verify is not None:
            tables.append(READINGS)
        return f'{", ".join([*tables, *self._labels.names()])}{self._readings.told()}'


def scaled(image: np.ndarray, pages: PageSettings) -> tuple[np.ndarray, Placing]:
    """A line in the height in which it is kept (`picture_files.scale`), and where its points come to lie."""
    kept = picture_files.scale(image, pages.height_px, enlarging=pages.enlarging)
    return kept, Placing(scale=(kept.shape[1] / image.shape[1], kept.shape[0] / image.shape[0]))
