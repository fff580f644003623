"""Labels as JSON Lines, `boxes.jsonl`: an object for each line.

Keys: `path`, `line` (its number in the picture, from 1), `text`, `style`, `characters` (as they were asked
for), `structures`, `boxes` (px x0, y0, x1, y1 of the ink of each character, of its room where it has none),
`rooms`, `components` (the names of each character's components by slot, '' for none), `component_boxes` (4
of each character, zeros where a slot is unused); and, where lines are read back, `reading` (an object with
verdict, text, error, confidence, tries, noise_seed, unread). `prepare --format=folder` writes a file of this
name with the keys `path`, `text`, `boxes` and `component_boxes` of these.
"""

from __future__ import annotations

import json
from typing import Any

from hwgen.characters import SLOTS
from hwgen.generation.labels.truth import TruePicture

NAME = 'boxes.jsonl'


def rows(picture: TruePicture) -> str:
    """The rows of a picture."""
    return ''.join(
        json.dumps(_row(picture, number), ensure_ascii=False) + '\n' for number in range(len(picture.lines))
    )


def _row(picture: TruePicture, number: int) -> dict[str, Any]:
    line = picture.lines[number]
    slots = [{one.slot: one for one in character.components} for character in line.characters]
    row: dict[str, Any] = {
        'path': picture.name,
        'line': number + 1,
        'text': line.text,
        'style': picture.style,
        'characters': [one.text for one in line.characters],
        'structures': [one.structure for one in line.characters],
        'boxes': [list(one.box or one.room) for one in line.characters],
        'rooms': [list(one.room) for one in line.characters],
        'components': [[own[slot].name if slot in own else '' for slot in range(SLOTS)] for own in slots],
        'component_boxes': [
            [list(own[slot].box) if slot in own else [0] * 4 for slot in range(SLOTS)] for own in slots
        ],
    }
    if line.verified:
        found = line.verified
        row['reading'] = {
            'verdict': found.verdict,
            'text': found.reading,
            'error': round(found.error, 4),
            'confidence': found.confidence,
            'tries': found.tries,
            'noise_seed': found.noise_seed,
            'unread': list(found.unread),
        }
    return row
