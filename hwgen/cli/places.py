"""Where commands keep what they can make again: in a checkout beside it, of an installed package where the
system keeps caches, not wherever one happens to stand.
"""

import os
import pathlib
import sys

from hwgen.cli import app


def cache_folder() -> pathlib.Path:
    """`$XDG_CACHE_HOME/hwgen`, by default `~/.cache/hwgen`; `~/Library/Caches/hwgen` on macOS."""
    given = os.environ.get('XDG_CACHE_HOME', '')
    if os.path.isabs(given):  # the specification has others ignored
        return pathlib.Path(given) / 'hwgen'
    return pathlib.Path.home() / ('Library/Caches' if sys.platform == 'darwin' else '.cache') / 'hwgen'


def made_place(name: str) -> str:
    """The place of a folder that a command makes of its own accord where it is missing.

    Args:
      name: relative path, such as `tfrecords/demo`.

    Returns:
      `name` in a checkout, and where it is here already; else that path in the cache.
    """
    return name if app.in_checkout() or os.path.exists(name) else str(cache_folder() / name)


def corpus_place(folder: str) -> str:
    """The place of a folder of records that a command is given: an embedded corpus, asked for by its name,
    lies where `made_place` says.

    `prepare.EMBEDDED` knows it by that place as well then, so that it is written there where it is missing.
    """
    if app.in_checkout() or os.path.exists(folder):
        return folder
    from hwgen.data.preparing.prepare import EMBEDDED

    if folder not in EMBEDDED:
        return folder
    place = made_place(folder)
    EMBEDDED[place] = EMBEDDED[folder]
    return place
