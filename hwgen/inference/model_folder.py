"""Where a trained generator lies: a folder, a run, or the one that ships. Without TensorFlow."""

import os

from hwgen.inference.description import ArtefactError
from hwgen.settings.resources import resource_path

DEFAULT_MODEL = 'saved_models/demo'  # the one that ships


def find_shipped(path: str) -> str:
    """A path as it is, but for `DEFAULT_MODEL` where it is not here: that of the model that ships."""
    return str(resource_path(path)) if path == DEFAULT_MODEL and not os.path.exists(path) else path


def find_model(path: str) -> str:
    """The folder of a trained generator: that of a run directory, or the one that ships when `DEFAULT_MODEL`
    is not here.

    Args:
      path: a generator's folder, or a run directory.

    Raises:
      ArtefactError: a run directory whose training has not come to a model yet.
    """
    path = find_shipped(os.fspath(path))
    run = path.rstrip('/').removesuffix('/model') if not os.path.exists(path) else path
    inner = os.path.join(run, 'model')
    if os.path.exists(os.path.join(run, 'metrics.jsonl')) and not os.path.isdir(inner):
        raise ArtefactError(
            f'{path}: training not finished: there is no model yet. It is written to {inner} when `train`'
            ' ends or is stopped after its generator has learned; the same command goes on'
        )
    return (
        inner if os.path.isdir(inner) and not os.path.exists(os.path.join(path, 'generator.json')) else path
    )
