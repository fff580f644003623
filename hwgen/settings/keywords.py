"""Settings from Python: keywords that are called as the flags are, and messages in Python's words."""

import contextlib
import dataclasses
import difflib
import numbers
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hwgen.settings import flags as settings_flags
from hwgen.settings.setting import described, flag_of, item_of, type_of


def with_keywords(settings: Any, keywords: Mapping[str, Any], *, called: str) -> Any:
    """Settings with some of them as keywords say.

    Args:
        settings: a dataclass of settings, or of such dataclasses, as `TrainSettings`.
        keywords: name -> value. The names are those of the flags; a list may be any sequence, a path an
            `os.PathLike`.
        called: the function that got the keywords, for messages, such as `train`.

    Returns:
        Another of the same class.

    Raises:
        TypeError: a name that is none, with those that are like it; or a value of another type.
        ValueError: a value that is none of the choices, or beyond the bounds.
    """
    cls = type(settings)
    parts = settings_flags.parts_of(cls) or {'': cls}
    places = {
        flag_of(part_cls, name): (part, part_cls, name)
        for part, part_cls in parts.items()
        for name in described(part_cls)
        if flag_of(part_cls, name)
    }
    changed: dict[str, dict[str, Any]] = {}
    for keyword, value in keywords.items():
        if keyword not in places:
            like = difflib.get_close_matches(keyword, places, n=3, cutoff=0.6)
            raise TypeError(
                f'{called}() has no setting {keyword!r}'
                + (f': did you mean {" or ".join(like)}?' if like else f'; it has {", ".join(places)}')
            )
        part, part_cls, name = places[keyword]
        changed.setdefault(part, {})[name] = _value(part_cls, name, keyword, value)
    if '' in changed:
        return dataclasses.replace(settings, **changed[''])
    return dataclasses.replace(
        settings,
        **{part: dataclasses.replace(getattr(settings, part), **values) for part, values in changed.items()},
    )


@contextlib.contextmanager
def in_python_words() -> Iterator[None]:
    """Within it, an error's message speaks of arguments, not of flags: `--nofoo` is `foo=False`, `--foo=1`
    is `foo=1`, of `--run_dir` the dashes go. The error stays the same one.
    """
    try:
        yield
    except (ValueError, LookupError, OSError) as error:
        if isinstance(error, OSError) and error.strerror:
            error.strerror = python_words(error.strerror)
        elif error.args and isinstance(error.args[0], str):
            error.args = (python_words(error.args[0]), *error.args[1:])
        raise


def python_words(message: str) -> str:
    """A message about flags as one about arguments."""
    return re.sub(
        r'(?<![\w-])--([a-z]\w*)(?![\w=])', _named, re.sub(r'(?<![\w-])--([a-z]\w*)=', r'\1=', message)
    )


def _named(found: re.Match[str]) -> str:
    switches = _switches()
    name = found[1]
    if name in switches:
        return f'{name}=True'
    return f'{name[2:]}=False' if name.startswith('no') and name[2:] in switches else name


def _switches() -> set[str]:
    """The flags that are on or off."""
    from hwgen.settings import reference

    every = [cls for sections in reference.COMMANDS.values() for cls in sections]
    return {
        flag_of(cls, name)
        for cls in every
        for name in described(cls)
        if flag_of(cls, name) and type_of(cls, name)[0] is bool
    }


def _value(cls: type, name: str, keyword: str, value: Any) -> Any:
    """A value as the field has it; raises TypeError where it is of another type."""
    kind, optional = type_of(cls, name)
    if value is None and optional:
        return None
    if kind is tuple:
        if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple, range)):
            raise TypeError(f'{keyword}={value!r}: expected a list, such as {_EXAMPLES[item_of(cls, name)]}')
        return tuple(_single(item_of(cls, name), keyword, item) for item in value)
    return _single(kind, keyword, value)


_EXAMPLES: dict[type, str] = {int: '[1, 2]', str: "['a', 'b']"}
_NAMES: dict[type, str] = {bool: 'True or False', int: 'a whole number', float: 'a number', str: 'a text'}


def _single(kind: type, keyword: str, value: Any) -> Any:
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if kind is float and isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    if kind is str and isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    raise TypeError(f'{keyword}={value!r}: expected {_NAMES[kind]}')
