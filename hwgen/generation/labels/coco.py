"""Labels in the form of COCO's object detection, `coco.json` (https://cocodataset.org/#format-data).

Categories are `line`, `character` and `component`. An annotation has, beside COCO's keys, `text` (or the
component's name), and `parent`, the id of the annotation that it is a part of; a character its `structure`, a
component its `slot`, a line what a reader made of it (`reading`, `confidence`, `verdict`), where lines are
read back. Boxes are [x, y, width, height] of ink, `segmentation` is the same box as a polygon, `area` that of
the box. What has no ink has no annotation.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from typing import IO, Any

from hwgen.generation.labels.truth import Box, TruePicture

NAME = 'coco.json'
CATEGORIES = ({'id': 1, 'name': 'line', 'supercategory': 'text'},
              {'id': 2, 'name': 'character', 'supercategory': 'text'},
              {'id': 3, 'name': 'component', 'supercategory': 'text'})  # fmt: skip


class CocoFile:
    """A file that grows picture by picture; memory does not grow with it.

    Args:
        file: where to, open for writing text.
        info: dict of JSON values, about the whole.
    """

    def __init__(self, file: IO[str], info: dict[str, Any]) -> None:
        self._file = file
        self._annotations = tempfile.TemporaryFile('w+', encoding='utf-8')
        self._images = self._count = 0
        file.write(f'{{"info": {_json(info)},\n"licenses": [],\n')
        file.write(f'"categories": {_json(CATEGORIES)},\n"images": [')

    def add(self, picture: TruePicture) -> None:
        """The next picture."""
        self._images += 1
        image = {
            'id': self._images,
            'file_name': picture.name,
            'width': picture.width,
            'height': picture.height,
            'style': picture.style,
        }
        self._file.write(f'{"," * (self._images > 1)}\n{_json(image)}')
        for line in picture.lines:
            if not any(one.box for one in line.characters):
                continue
            more: dict[str, Any] = {'text': line.text}
            if line.verified:
                more |= {
                    'reading': line.verified.reading,
                    'confidence': line.verified.confidence,
                    'verdict': line.verified.verdict,
                }
            own = self._annotate(1, line.box, more)
            for character in line.characters:
                if character.box is None:
                    continue
                there = {'text': character.text, 'structure': character.structure, 'parent': own}
                parent = self._annotate(2, character.box, there)
                for one in character.components:
                    self._annotate(3, one.box, {'text': one.name, 'slot': one.slot, 'parent': parent})

    def _annotate(self, category: int, box: Box, more: dict[str, Any]) -> int:
        self._count += 1
        x0, y0, x1, y1 = box
        annotation = {
            'id': self._count,
            'image_id': self._images,
            'category_id': category,
            'bbox': [x0, y0, x1 - x0, y1 - y0],
            'area': (x1 - x0) * (y1 - y0),
            'iscrowd': 0,
            'segmentation': [[x0, y0, x1, y0, x1, y1, x0, y1]],
            **more,
        }
        self._annotations.write(f'{"," * (self._count > 1)}\n{_json(annotation)}')
        return self._count

    def close(self) -> None:
        """Ends the file, which is not whole before."""
        self._file.write('\n],\n"annotations": [')
        self._annotations.seek(0)
        shutil.copyfileobj(self._annotations, self._file)
        self._file.write('\n]}\n')
        self._annotations.close()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
