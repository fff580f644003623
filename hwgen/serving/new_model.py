"""A trained model, found by its name, as a version that TF-Serving loads: what `export` does, and `serve`
where there is no version yet.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hwgen import console
from hwgen.charset.printable import printable
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model
from hwgen.settings.serving import ExportSettings
from hwgen.settings.setting import SettingError

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer


def export(
    settings: ExportSettings,
    *,
    writer: Writer | None = None,
    report: Callable[[str], Any] = console.say,
) -> str:
    """Exports a trained model as a version, and compares what a fresh process writes with it.

    Args:
        settings: which model, as what.
        writer: in place of the model that the settings name.
        report: function of a str, told what is going on.

    Returns:
        Path of the version.

    Raises:
        SettingError: both a run and a model are given.
        ArtefactError: no model there.
        ExportError: what was reloaded does not write the same. Nothing has appeared then.
        OSError: the version is there already, or cannot be written.
    """
    if settings.run is not None and settings.model is not None:
        raise SettingError('--run and --model are both given: expected one')
    from hwgen.serving.versions import version_folder

    version_folder(settings.out)  # before TensorFlow has started
    # The process that compares needs room on a GPU beside this one.
    os.environ.setdefault('TF_FORCE_GPU_ALLOW_GROWTH', 'true')
    from hwgen.serving.export import UNSTATED, data_licence, export_model

    if writer is None:
        from hwgen.inference.writer import Writer

        model = find_model(settings.run or settings.model or DEFAULT_MODEL)
        writer = Writer.load(model, windows_per_step=1, allow_unseen=settings.allow_unseen)
    else:
        model = 'a Writer'
    licence = settings.data_licence or data_licence(writer.description.get('info', {}))
    report(
        f'model {printable(model)}; licence of its data: {licence}'
        + ('; --data_licence states it' if licence == UNSTATED else '')
    )
    began = time.monotonic()
    path, told = export_model(
        writer,
        settings.out,
        truncation=settings.truncation,
        max_characters=settings.max_characters,
        licence=licence,
    )
    compared = told['compared']
    if told.get('note'):
        report(f'{printable(model)}: {told["note"]}')
    report(
        f'{printable(os.path.relpath(path))}: {told["characters"]:,} characters, {_size(path) / 1e6:.1f} MB,'
        f' in {time.monotonic() - began:.1f} s; a fresh process wrote {compared["lines"]} lines of'
        f' {compared["characters"]} characters by six signatures, largest difference'
        f' {compared["largest_difference_grey_levels"]:g} grey levels'
    )
    return path


def export_to(path: str, *, model: str, allow_unseen: bool, report: Callable[[str], Any]) -> None:
    """Exports a model for a server that has no version of it, with the defaults of `generate`.

    Args:
        path: the version, see `versions.version_folder`.
        model: folder of the model.
        allow_unseen: also what no training picture showed is written.
        report: function of a str.
    """
    from hwgen.inference.description import DEFAULT_TRUNCATION
    from hwgen.inference.writer import Writer
    from hwgen.serving import export as export_module
    from hwgen.serving.served_model import MAX_CHARACTERS

    writer = Writer.load(model, windows_per_step=1, allow_unseen=allow_unseen)
    _, told = export_module.export_model(
        writer,
        path,
        truncation=DEFAULT_TRUNCATION,
        max_characters=MAX_CHARACTERS,
        licence=export_module.data_licence(writer.description.get('info', {})),
    )
    if told['note']:
        report(f'{model}: {told["note"]}')


def _size(folder: str) -> int:
    """Bytes of all files in a folder."""
    return sum(
        os.path.getsize(os.path.join(inner, name)) for inner, _, names in os.walk(folder) for name in names
    )
