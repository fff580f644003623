"""Which characters the pictures of a training show: what the generator's artefact says of itself
(`inference.repertoire`).
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from hwgen.charset.encoding import Charset


def seen_characters(
    charset: Charset, info: Mapping[str, Any], *, start: str | None = None, run_dir: str | None = None
) -> str | None:
    """The characters that a run's pictures show, those among them that its first weights had been shown
    before.

    A generator that learns further does not forget its components: what was shown to the one it starts from
    counts, too. Where that one does not say what it was shown, nothing is known of this one either.

    Args:
        charset: of the run.
        info: info.json of the lines: its `vocabulary` without `not_shown`. Lines without texts
            (`--unlabelled`) show nobody which character is which.
        start: folder of the run or generator that the first weights are from; None or '' for none.
        run_dir: the run's own folder, which remembers it where `start` has gone since.

    Returns:
        The characters by id, each once; None where it is not known.
    """
    shown = {*info['vocabulary']} - {*info.get('not_shown', ())}
    if start:
        before = _told(start) if os.path.isdir(start) else None
        before = _told(run_dir) if before is None and run_dir and not os.path.isdir(start) else before
        if before is None:
            return None
        shown |= {charset.character_id(character) for character in before}
    return ''.join(charset.characters[row] for row in sorted(shown - {0}) if row < charset.num_characters)


def _told(path):
    """What a generator's folder, or a run's, says it was shown: str or None."""
    for name in ('generator.json', 'config.json', os.path.join('model', 'generator.json')):
        try:
            with open(os.path.join(path, name), encoding='utf-8') as stream:
                seen = json.load(stream).get('seen')
        # whoever reads the weights says what is wrong with them
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(seen, str):
            return seen
    return None
