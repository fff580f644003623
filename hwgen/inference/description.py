"""What a trained generator says of itself, `generator.json`: read without TensorFlow, so that a text can
be refused before that is loaded.
"""

import json
import os
from typing import Any

from hwgen.settings.generate import DEFAULT_TRUNCATION as DEFAULT_TRUNCATION

FORMAT = 1
_SIZES = ('num_components', 'num_structures', 'num_characters', 'char_px', 'char_width_px')


class ArtefactError(ValueError):
    """A generator's files are missing, damaged, or do not fit this program."""


def read_description(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The contents of a generator's `generator.json`.

    Args:
        path: str, folder that `artefact.save_generator` wrote.

    Returns:
        dict: format, generator (sizes), charset {row_count, hash}, info; where they are known seen (str, the
            characters that training pictures showed) and style_encoder.

    Raises:
        ArtefactError: naming the file and what was expected.
    """
    file = os.path.join(path, 'generator.json')
    try:
        with open(file, encoding='utf-8') as stream:
            description = json.load(stream)
        sizes, charset = description['generator'], description['charset']
        if not all(
            isinstance(number, int) for number in (*(sizes[name] for name in _SIZES), charset['row_count'])
        ) or not isinstance(charset['hash'], str):
            raise ValueError(
                f'expected whole numbers {", ".join(_SIZES)} and charset.row_count, and charset.hash'
            )
    except FileNotFoundError:
        training = (
            '; a training is there that has not written its model yet: it does so when it ends, and with'
            ' --max_minutes or Ctrl-C that is soon'
            if os.path.exists(os.path.join(path, 'config.json'))
            else ''
        )
        raise ArtefactError(
            f'{path}: no generator there (expected {file}, as `train` writes it){training}'
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtefactError(f'{file}: not a generator description of format {FORMAT}: {error}') from None
    if description.get('format') != FORMAT:
        raise ArtefactError(f'{file}: format {description.get("format")!r}, expected {FORMAT}')
    if not isinstance(description.get('seen', ''), str):
        raise ArtefactError(
            f'{file}: seen {type(description["seen"]).__name__}, expected a text of the characters that'
            ' training pictures showed'
        )
    return description
