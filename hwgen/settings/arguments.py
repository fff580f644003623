"""What callers in Python give, brought to what sessions take: paths, numbers, presets."""

from __future__ import annotations

import numbers
import os
from typing import TYPE_CHECKING, Any

from hwgen.settings.keywords import with_keywords

if TYPE_CHECKING:
    from hwgen.settings.train import TrainSettings

Path = str | os.PathLike[str]


def given(**arguments: Any) -> dict[str, Any]:
    """The arguments that are not None."""
    return {name: value for name, value in arguments.items() if value is not None}


def path_of(given: Any, default: str) -> str:
    """A path as a str."""
    if given is not None and not isinstance(given, (str, os.PathLike)):
        raise TypeError(f'{given!r}: expected a path, as a text or a pathlib.Path')
    return default if given is None else os.fspath(given)


def whole(name: str, number: Any, *, least: int) -> int:
    """A whole number that is large enough."""
    if not isinstance(number, numbers.Integral) or isinstance(number, bool):
        raise TypeError(f'{name}={number!r}: expected a whole number')
    if number < least:
        raise ValueError(f'{name}={number}: expected at least {least}')
    return int(number)


def train_settings(preset: Path | TrainSettings | None, keywords: dict[str, Any]) -> TrainSettings:
    """The settings of a preset with some as keywords say."""
    from hwgen.settings import flags, presets
    from hwgen.settings.train import TrainSettings

    if isinstance(preset, TrainSettings):
        settings = preset
    else:
        name = path_of(preset, 'demo')
        if name == os.path.basename(name) and not os.path.isfile(name) and '.' not in name:
            name = f'{name}.flags'  # one that ships, or a file here
        if not presets.exists(name):
            raise presets.PresetError(
                f'preset {path_of(preset, "demo")!r}: no such file, nor one that ships:'
                f' {", ".join(presets.shipped())}'
            )
        settings = flags.parse(TrainSettings, [f'--flagfile={name}'])
    return with_keywords(settings, keywords, called='train')


def call_of(preset: Path | TrainSettings | None, keywords: dict[str, Any]) -> str:
    """The call, for config.json."""
    first = (
        []
        if preset is None
        else [repr(os.fspath(preset)) if isinstance(preset, (str, os.PathLike)) else '...']
    )
    return f'hwgen.train({", ".join([*first, *(f"{name}={value!r}" for name, value in keywords.items())])})'
