"""What a preparation is, as info.json keeps it: its settings, its dictionary, its command; and what makes it
another one.
"""

import pathlib
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from hwgen.charset.encoding import Charset
from hwgen.charset.printable import as_text


def differing(there: Mapping[str, Any], identity: Mapping[str, Any]) -> list[str]:
    """What makes a preparation another one than that which is there.

    Args:
        there: dict, what is there: source, version, seed, settings and more.
        identity: dict, the same of the preparation.

    Returns:
        list of str, empty where they are the same.
    """
    found = [
        f'{name} {there.get(name)!r}, now {value!r}'
        for name, value in identity.items()
        if name != 'settings' and there.get(name) != value
    ]
    before, now = there.get('settings', {}), identity['settings']
    if there.get('source') == identity['source']:
        found += [
            f'{name} {before.get(name)!r}, now {now.get(name)!r}'
            for name in {**now, **before}
            if before.get(name) != now.get(name)
        ]
    return found


def typed_command() -> str:
    """The command line of this process, as it would be typed."""
    program, *arguments = sys.argv or ['']
    name = pathlib.Path(program).name
    return as_text(shlex.join(['hwgen' if name == '__main__.py' else name, *arguments]))


def charset_of(info: dict[str, Any]) -> Charset:
    """The dictionary in which the records of an info.json were written: the packaged one as it was then.

    Raises:
        CharsetMismatchError: it is no beginning of the packaged one.
    """
    return Charset.load().prefix(info['charset']['row_count'], info['charset']['hash'])


def charset_info(charset: Charset | None = None) -> dict[str, Any]:
    """What info.json says of the dictionary, None for the packaged one."""
    charset = charset or Charset.load()
    return {'row_count': charset.row_count, 'hash': charset.hash}


def normalization(*, deslant: bool, normalize_size: float | None) -> dict[str, Any]:
    """What info.json says of it: nothing where nothing was done."""
    return {
        name: value for name, value in (('deslant', deslant), ('normalize_size', normalize_size)) if value
    }
