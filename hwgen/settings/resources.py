"""Where files lie: those that ship beside the package (presets, plans, models), and those that commands make
of their own accord and can make again: in a checkout beside it, of an installed package where the system
keeps caches, not wherever one happens to stand.
"""

import os
import pathlib
import sys
import sysconfig

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def in_checkout() -> bool:
    """Whether this package lies in a checkout, not where packages are installed."""
    return (CHECKOUT / 'setup.cfg').is_file()


def resource_path(name: str) -> pathlib.Path:
    """Where a file that ships beside the package lies: in the checkout, else in `<prefix>/share/hwgen` of an
    installation, else in `share/hwgen` beside the package, where `pip install --target` puts it.

    Args:
        name: path relative to the checkout, such as `demo.flags`.

    Returns:
        The path of the first place that has it, else the one in the checkout (so that an error names a
            sensible place).
    """
    installed = [pathlib.Path(sysconfig.get_path('data')), CHECKOUT]
    places = [CHECKOUT / name, *(place / 'share' / 'hwgen' / name for place in installed)]
    return next((place for place in places if place.exists()), places[0])


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
    return name if in_checkout() or os.path.exists(name) else str(cache_folder() / name)
