"""Files that ship beside the package: presets, plans, models."""

import pathlib
import sysconfig

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def resource_path(name: str) -> pathlib.Path:
    """Where a file that ships beside the package lies: in the checkout, else in `<prefix>/share/hwgen` of an
    installation.

    Args:
      name: path relative to the checkout, such as `demo.flags`.

    Returns:
      The path of the first place that has it, else the one in the checkout (so that an error names a sensible
      place).
    """
    places = [CHECKOUT / name, pathlib.Path(sysconfig.get_path('data')) / 'share' / 'hwgen' / name]
    return next((place for place in places if place.exists()), places[0])
