"""One setting: a field of a frozen dataclass that says what it is for, what it may be, and how it is
called on the command line.
"""

import dataclasses
import types
import typing
from typing import Any

_KEY = 'setting'


class SettingError(ValueError):
    """Settings that do not go together, or of which one is missing; the message is one line."""


REQUIRED = object()  # the default of a setting that has none


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is known of a field beside its name, type and default.

    Attributes:
        help: str, a sentence or two for `--help` and the reference.
        choices: tuple of str, the only values; empty: any.
        extensible: bool, other packages add choices: who reads the setting holds it against all.
        lower, upper: the least and the greatest value, or None.
        may_be_empty: bool, of a list: nothing is a value, too.
        unit: str, such as 'px' or 'steps'; '' for none.
        flag: str, the flag of another name than the field's; None: the same name; '': no flag, the program
            knows the value (sizes of tables).
        absent: what the field means where a stored description is older than it; `REQUIRED`: what the default
            says.
        free: bool, a run that goes on may change it: it says where, how long or how loudly, not what is
            trained.
    """

    help: str
    choices: tuple[str, ...] = ()
    extensible: bool = False
    lower: float | None = None
    upper: float | None = None
    may_be_empty: bool = False
    unit: str = ''
    flag: str | None = None
    absent: Any = REQUIRED
    free: bool = False


def setting(default: Any, help: str, **about: Any) -> Any:
    """A field of a dataclass of settings.

    Args:
        default: its default, or `REQUIRED`.
        help: what it is for.
        **about: see `Setting`.

    Returns:
        A `dataclasses.field` whose metadata hold a `Setting`.
    """
    return dataclasses.field(
        default=dataclasses.MISSING if default is REQUIRED else default,
        metadata={_KEY: Setting(help, **about)},
    )


def described(cls: type) -> dict[str, Setting]:
    """The settings of a dataclass, in order: name of the field -> Setting.

    Fields that are no settings are left out.
    """
    return {field.name: field.metadata[_KEY] for field in dataclasses.fields(cls) if _KEY in field.metadata}


def flag_of(cls: type, name: str) -> str:
    """The flag of a field, without its dashes; '' where it has none."""
    flag = described(cls)[name].flag
    return name if flag is None else flag


def default_of(cls: type, name: str) -> Any:
    """The default of a field; `REQUIRED` where it has none."""
    default = next(field.default for field in dataclasses.fields(cls) if field.name == name)
    return REQUIRED if default is dataclasses.MISSING else default


def type_of(cls: type, name: str) -> tuple[type, bool]:
    """The type of a field and whether None is one of its values: `int | None` -> (int, True), `tuple[int,
    ...]` -> (tuple, False).
    """
    hint = typing.get_type_hints(cls)[name]
    if isinstance(hint, types.UnionType):
        (inner,) = (one for one in typing.get_args(hint) if one is not type(None))
        return typing.get_origin(inner) or inner, True
    return typing.get_origin(hint) or hint, False


def item_of(cls: type, name: str) -> type:
    """The type of the items of a list: `tuple[int, ...]` -> int, `tuple[str, ...] | None` -> str."""
    hint = typing.get_type_hints(cls)[name]
    if isinstance(hint, types.UnionType):
        (hint,) = (one for one in typing.get_args(hint) if one is not type(None))
    return typing.get_args(hint)[0]


def choices_of(cls: type, name: str) -> tuple[str, ...]:
    """The choices of a field."""
    return described(cls)[name].choices


def check(settings: Any) -> None:
    """Holds the values of a dataclass of settings against their choices and bounds.

    Raises:
        ValueError: naming the setting as it is typed, its value and what was expected.
    """
    for name, about in described(type(settings)).items():
        value, shown = getattr(settings, name), flag_of(type(settings), name) or name
        if value is None:
            continue
        if about.choices and not about.extensible and value not in about.choices:
            raise ValueError(f'{shown}={value!r}: expected one of {", ".join(about.choices)}')
        for number in value if isinstance(value, tuple) else (value,):
            too_low = about.lower is not None and number < about.lower
            if too_low or about.upper is not None and number > about.upper:
                raise ValueError(f'{shown}={value}: expected {bounds(about)}')


def bounds(about: Setting) -> str:
    """`at least 1`, `0 to 1`; '' where there are no bounds."""
    if about.lower is not None and about.upper is not None:
        return (
            f'{about.lower:g} to {about.upper:g}' if about.upper < 1e6 else f'{about.lower} to {about.upper}'
        )
    if about.lower is not None:
        return f'at least {about.lower:g}'
    return '' if about.upper is None else f'at most {about.upper:g}'


def absent_values(cls: type) -> dict[str, Any]:
    """What the settings mean that a stored description does not name, as it is older than they are: name
    of the field -> value.
    """
    found = {}
    for name, about in described(cls).items():
        value = default_of(cls, name) if about.absent is REQUIRED else about.absent
        if value is not REQUIRED:
            found[name] = value
    return found


def from_stored(cls: type, stored: dict[str, Any], **others: Any) -> Any:
    """A dataclass of settings from a stored description (JSON), of this version of the program or of an
    earlier one.

    Args:
        cls: the dataclass.
        stored: name of the field -> value; lists stand for tuples. What it does not name is as
            `Setting.absent` says.
        **others: fields that are given otherwise, such as dataclasses within.

    Raises:
        TypeError: a name that is none of the fields, or a field without a value.
    """
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    return cls(**{**absent_values(cls), **values, **others})
