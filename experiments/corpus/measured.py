"""Figures that are measured once: kept as JSON with what they were measured under, and measured anew where
that has changed.
"""

import json
import pathlib

from hwgen import files


def once(path, under, measure):
    """What `measure` returns, from the file if it is there and was measured under the same conditions.

    Args:
        path: of the JSON file; its folder is made.
        under: dict of JSON values, the conditions.
        measure: function without arguments that returns a dict of JSON values.

    Returns:
        dict, the figures.
    """
    path, under = pathlib.Path(path), json.loads(json.dumps(under))
    try:
        before = json.loads(path.read_text(encoding='utf-8'))
        if before['measured_under'] == under:
            return before['figures']
    except (OSError, ValueError, KeyError, TypeError):
        pass
    figures = json.loads(json.dumps(measure()))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {'measured_under': under, 'figures': figures})
    return figures


def write_json(path, value):
    """Writes a file whole or not at all."""
    files.write_json(path, value)
