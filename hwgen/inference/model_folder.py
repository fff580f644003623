"""Where a trained generator lies: a folder, a run, or the one that ships. Without TensorFlow."""

import os
import pathlib
import sysconfig

import hwgen
from hwgen.inference.description import ArtefactError

DEFAULT_MODEL = 'saved_models/demo'  # the one that ships
CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent


def resource_path(name: str) -> pathlib.Path:
    """Where a file that ships beside the package lies: in the checkout, else in `<prefix>/share/hwgen` of an installation.

    Args:
      name: path relative to the checkout, such as `demo.flags`.

    Returns:
      The path of the first place that has it, else the one in the checkout (so that an error names a sensible place).
    """
    places = [CHECKOUT / name, pathlib.Path(sysconfig.get_path('data')) / 'share' / 'hwgen' / name]
    return next((place for place in places if place.exists()), places[0])


def find_shipped(path: str) -> str:
    """A path as it is, but for `DEFAULT_MODEL` where it is not here: that of the model that ships."""
    return str(resource_path(path)) if path == DEFAULT_MODEL and not os.path.exists(path) else path


def find_model(path: str) -> str:
    """The folder of a trained generator: that of a run directory, or the one that ships when `DEFAULT_MODEL` is not here.

    Args:
      path: a generator's folder, or a run directory.

    Raises:
      ArtefactError: a run directory whose training has not come to a model yet.
    """
    path = find_shipped(os.fspath(path))
    run = path.rstrip('/').removesuffix('/model') if not os.path.exists(path) else path
    inner = os.path.join(run, 'model')
    if os.path.exists(os.path.join(run, 'metrics.jsonl')) and not os.path.isdir(inner):
        raise ArtefactError(f'{path}: training not finished: there is no model yet. It is written to {inner} when `train` ends or is stopped after its '
                            'generator has learned; the same command goes on')
    return inner if os.path.isdir(inner) and not os.path.exists(os.path.join(path, 'generator.json')) else path
