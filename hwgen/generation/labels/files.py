"""The label files of a folder while it is written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import IO, Any, Self

import hwgen
from hwgen.generation.labels import boxes_jsonl, coco, page_xml
from hwgen.generation.labels.truth import TruePicture


class LabelFiles:
    """Files of labels in the forms that are asked for.

    Args:
        folder: where to.
        forms: of 'jsonl', 'coco' and 'page'; others are passed over.
        info: dict of JSON values, for forms that tell of the whole.
    """

    def __init__(self, folder: str, forms: Sequence[str], info: dict[str, Any]) -> None:
        self._folder, self._forms = folder, forms
        self._info = {'description': 'lines written by hwgen', 'version': hwgen.__version__, **info}
        self._stack = contextlib.ExitStack()
        self._rows: IO[str] | None = None
        self._coco: coco.CocoFile | None = None

    def __enter__(self) -> Self:
        if 'jsonl' in self._forms:
            self._rows = self._open(boxes_jsonl.NAME)
        if 'coco' in self._forms:
            self._coco = coco.CocoFile(self._open(coco.NAME), self._info)
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        if self._coco is not None and kind is None:
            self._coco.close()
        return self._stack.__exit__(kind, error, trace)

    def _open(self, name: str) -> IO[str]:
        path = os.path.join(self._folder, name)
        return self._stack.enter_context(open(path, 'w', encoding='utf-8', newline='\n'))

    def add(self, picture: TruePicture) -> None:
        """The next picture."""
        if self._rows is not None:
            self._rows.write(boxes_jsonl.rows(picture))
        if self._coco is not None:
            self._coco.add(picture)
        if 'page' in self._forms:
            with open(os.path.join(self._folder, page_xml.name_of(picture.name)), 'wb') as file:
                file.write(page_xml.document(picture, creator=f'hwgen {hwgen.__version__}'))

    def names(self) -> list[str]:
        """What is written, for a summary."""
        told = {'jsonl': boxes_jsonl.NAME, 'coco': coco.NAME, 'page': '*.xml'}
        return [told[form] for form in told if form in self._forms]
