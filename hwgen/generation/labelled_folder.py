"""A folder of pictures with what is true of them: their texts, and what a reader made of each line."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from hwgen.generation.progress import count
from hwgen.generation.readings import READINGS, Readings
from hwgen.inference import picture_files

if TYPE_CHECKING:
    import numpy as np

    from hwgen.generation.verification import VerifiedLine
    from hwgen.inference.line_layout import WrittenLine
    from hwgen.settings.generate import GenerateSettings


class Line(NamedTuple):
    """A line of a picture.

    Attributes:
        text: what was written.
        written: the line, as it was written.
    """

    text: str
    written: WrittenLine | VerifiedLine


class LabelledFolder:
    """`picture_files.LineFolder` and the labels that settings ask for.

    Args:
        settings: GenerateSettings; `writing.out` is the folder.
        noun: what a picture is called.
    """

    def __init__(self, settings: GenerateSettings, *, noun: str = 'picture') -> None:
        self.settings, self.noun = settings, noun
        self._stack = contextlib.ExitStack()
        self._pictures = picture_files.LineFolder(
            settings.writing.out or '', replace=settings.writing.overwrite
        )

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._pictures)
            self._readings = stack.enter_context(Readings(self.settings, self._pictures.folder, of='path'))
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

    def told(self) -> str:
        """What is in it, in words."""
        tables = [count(self._pictures.count, self.noun)]
        if self.noun == 'picture':
            tables.append(picture_files.LABELS)
        if self.settings.labels.verify is not None:
            tables.append(READINGS)
        return f'{", ".join(tables)}{self._readings.told()}'
