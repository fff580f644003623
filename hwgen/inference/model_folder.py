"""Where a trained generator lies: a folder, a run, or one that ships. Without TensorFlow."""

import os

from hwgen.inference.description import ArtefactError
from hwgen.settings.generate import DEFAULT_MODEL as DEFAULT_MODEL
from hwgen.settings.resources import resource_path


def find_shipped(path: str | os.PathLike[str] | None) -> str | None:
    """A path as it is, but for the name of a model that ships where nothing is here by that name: `demo` and
    `saved_models/demo` are that model from any folder, and so for every other.
    """
    if path is None:
        return None
    path = os.fspath(path)
    if os.path.exists(path):
        return path
    if path == DEFAULT_MODEL:
        return str(resource_path(path))
    name = path.removeprefix('saved_models/')
    shipped = resource_path(f'saved_models/{name}') if name == os.path.basename(name) and name else None
    return str(shipped) if shipped is not None and (shipped / 'generator.json').is_file() else path


def find_model(path: str | os.PathLike[str]) -> str:
    """The folder of a trained generator: that of a run directory, or of one that ships (`find_shipped`).

    Args:
        path: a generator's folder, a run directory, or the name of a model that ships.

    Raises:
        ArtefactError: a run directory whose training has not come to a model yet.
    """
    path = find_shipped(path) or ''
    run = path.rstrip('/').removesuffix('/model') if not os.path.exists(path) else path
    inner = os.path.join(run, 'model')
    if os.path.exists(os.path.join(run, 'metrics.jsonl')) and not os.path.isdir(inner):
        raise ArtefactError(
            f'{path}: training not finished: there is no model yet. It is written to {inner} when `train`'
            ' ends or is stopped after its generator has learned; repeat the command to resume it'
        )
    return (
        inner if os.path.isdir(inner) and not os.path.exists(os.path.join(path, 'generator.json')) else path
    )
