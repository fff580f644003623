"""Where the folder of records lies that somebody names."""

import os

from hwgen.data.preparing import prepare
from hwgen.settings import resources


def corpus_place(folder: str) -> str:
    """The place of a folder of records: an embedded corpus, asked for by its name, lies where
    `resources.made_place` says.

    `prepare.EMBEDDED` knows it by that place as well then, so that it is written there where it is missing.

    Args:
        folder: path, or a name of `prepare.EMBEDDED`.
    """
    if resources.in_checkout() or os.path.exists(folder) or folder not in prepare.EMBEDDED:
        return folder
    place = resources.made_place(folder)
    prepare.EMBEDDED[place] = prepare.EMBEDDED[folder]
    return place
