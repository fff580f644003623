"""Dataclasses of settings as flags of a command (absl), and flags as dataclasses."""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from hwgen.settings import presets
from hwgen.settings.setting import (
    REQUIRED,
    Setting,
    bounds,
    default_of,
    described,
    flag_of,
    item_of,
    type_of,
)


def define(
    *classes: type,
    module: str,
    flag_values: flags.FlagValues = flags.FLAGS,
    more_choices: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Defines a flag for every setting that has one.

    Args:
        *classes: dataclasses of settings.
        module: name of the command's module, whose flags they are.
        flag_values: where they are registered.
        more_choices: flag -> values that it takes beside its choices, such as what other packages add.
    """
    for cls in classes:
        for name, about in described(cls).items():
            flag, default = flag_of(cls, name), default_of(cls, name)
            if not flag:
                continue
            if default is REQUIRED:
                raise TypeError(f'{cls.__name__}.{name}: a flag needs a default')
            where: dict[str, Any] = {'flag_values': flag_values, 'module_name': module}
            kind, _ = type_of(cls, name)
            if about.choices:
                choices = dict.fromkeys([*about.choices, *(more_choices or {}).get(flag, ())])
                flags.DEFINE_enum(flag, default, list(choices), about.help, **where)
            elif kind is bool:
                flags.DEFINE_bool(flag, default, about.help, **where)
            elif kind is int:
                flags.DEFINE_integer(flag, default, about.help, **_bounds(about), **where)
            elif kind is float:
                flags.DEFINE_float(flag, default, about.help, **_bounds(about), **where)
            elif kind is tuple:
                items = None if default is None else [str(item) for item in default]
                flags.DEFINE_list(flag, items, about.help, **where)
            else:
                flags.DEFINE_string(flag, default, about.help, **where)


def read(cls: type, flag_values: flags.FlagValues = flags.FLAGS, **others: Any) -> Any:
    """A dataclass of settings as the flags have it.

    Args:
        cls: the dataclass, which `define` got.
        flag_values: where its flags are registered.
        **others: values of fields without a flag, or in place of what the flags say.

    Raises:
        ValueError: a list that is not one of whole numbers.
    """
    values = {}
    for name in described(cls):
        flag = flag_of(cls, name)
        if flag and name not in others:
            values[name] = _listed(cls, name, flag_values[flag].value)
    return cls(**{**values, **others})


def read_all(cls: type, flag_values: flags.FlagValues = flags.FLAGS) -> Any:
    """A dataclass of dataclasses of settings, such as `TrainSettings`, as the flags have it."""
    return cls(**{name: read(part, flag_values) for name, part in parts_of(cls).items()})


def parts_of(cls: type) -> dict[str, type]:
    """The dataclasses of settings that a dataclass is made of: name of the field -> dataclass."""
    hints = typing.get_type_hints(cls)
    return {
        name: part
        for name, part in hints.items()
        if isinstance(part, type) and dataclasses.is_dataclass(part)
    }


def given(*classes: type, flag_values: flags.FlagValues = flags.FLAGS) -> frozenset[str]:
    """The flags of dataclasses of settings that were typed, or that a preset holds."""
    every = (flag_of(cls, name) for cls in classes for name in described(cls))
    return frozenset(flag for flag in every if flag and flag_values[flag].present)


def parse(cls: type, arguments: Sequence[str] = ()) -> Any:
    """A dataclass of dataclasses of settings from what would be typed, presets among it:
    `parse(TrainSettings, ['--flagfile=fast.flags', '--seed=2'])`.

    Args:
        cls: the dataclass.
        arguments: flags as they are typed.

    Raises:
        ValueError: an argument that is no flag, a preset that is not there, or a value that is none.
        flags.Error: no such flag, or a value that is none of it.
    """
    values = flags.FlagValues()
    define(*parts_of(cls).values(), module=cls.__module__, flag_values=values)
    rest = values([cls.__name__, *presets.expand(list(arguments))])[1:]
    if rest:
        raise ValueError(f'argument {rest[0]!r} is not a flag: flags begin with --')
    return read_all(cls, values)


def as_flags(settings: Any) -> dict[str, Any]:
    """The flags that come to these settings: flag -> its value, as absl holds it (a list of str for a tuple
    of numbers).

    Args:
        settings: a dataclass of settings, or of such dataclasses.
    """
    found: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            found |= as_flags(value)
        elif flag_of(type(settings), field.name):
            found[flag_of(type(settings), field.name)] = (
                [str(item) for item in value] if isinstance(value, tuple) else value
            )
    return found


def free_flags(*classes: type) -> frozenset[str]:
    """The flags that may change when a run is resumed (`Setting.free`)."""
    return frozenset(
        flag_of(cls, name) for cls in classes for name, about in described(cls).items() if about.free
    )


def _bounds(about: Setting) -> dict[str, Any]:
    """The bounds of a number, as absl calls them."""
    return {'lower_bound': about.lower, 'upper_bound': about.upper}


def _listed(cls: type, name: str, value: Any) -> Any:
    """The value of a flag as the field has it: lists as tuples, of numbers or of str."""
    if type_of(cls, name)[0] is not tuple or value is None and type_of(cls, name)[1]:
        return value
    return (
        tuple(value)
        if item_of(cls, name) is str
        else _numbers(flag_of(cls, name), value, described(cls)[name])
    )


def _numbers(flag: str, values: list[str] | None, about: Setting) -> tuple[int, ...]:
    """The whole numbers of a list, at least one unless it may be empty."""
    try:
        numbers = tuple(int(value) for value in values or ())
        right = (numbers or about.may_be_empty) and (
            about.lower is None or all(number >= about.lower for number in numbers)
        )
    except ValueError:
        right = False
    if not right:
        raise ValueError(
            f'--{flag}={",".join(values or ())}: expected whole'
            f' numbers{" of " * bool(bounds(about))}{bounds(about)}, separated by commas'
        )
    return numbers
