"""The protocols that there are: of this package, of installed packages, and those that were registered.

- a module of this package with a subclass of Protocol that has a name;
- an entry point of the group `hwgen.protocols` that names such a class, of any installed
  package: found wherever `evaluate` runs;
- `register`, for a program that measures from Python.
"""

import functools
import importlib
import importlib.metadata
import pkgutil

from hwgen.evaluation import protocols
from hwgen.evaluation.protocols.protocol import JUDGES, WAYS, Protocol, ProtocolError

ENTRY_POINTS = 'hwgen.protocols'
_registered: dict[str, Protocol] = {}


def register(protocol: type[Protocol]) -> type[Protocol]:
    """Makes a protocol known to this process by its name. A decorator of its class.

    Args:
        protocol: subclass of Protocol.

    Returns:
        The class.

    Raises:
        ProtocolError: what is not a protocol, or one whose name, summary or judges are missing, unknown or
            taken.
    """
    checked = _checked(protocol)
    there = find_protocols().get(checked.name)
    if there is not None and type(there) is not protocol:
        raise ProtocolError(
            f'protocol {checked.name!r} of {protocol.__module__}: {type(there).__module__} has one of that '
            'name; expected another name'
        )
    _registered[checked.name] = checked
    return protocol


def find_protocols() -> dict[str, Protocol]:
    """All protocols by name, in the order of the help."""
    found = {**_outside(), **_registered, **_own()}
    return {
        protocol.name: protocol
        for protocol in sorted(found.values(), key=lambda protocol: (protocol.place, protocol.name))
    }


def find_protocol(name: str) -> Protocol:
    """The protocol of a name.

    Args:
        name: str.

    Raises:
        ProtocolError: there is none; the message has those that there are.
    """
    found = find_protocols()
    if name not in found:
        raise ProtocolError(f'protocol {name!r}: expected one of {", ".join(found)}')
    return found[name]


@functools.cache
def _own():
    found = {}
    for module in pkgutil.iter_modules(protocols.__path__):
        if module.name in ('protocol', 'registry'):
            continue
        for value in vars(importlib.import_module(f'{protocols.__name__}.{module.name}')).values():
            if isinstance(value, type) and issubclass(value, Protocol) and value.name:
                found[value.name] = _checked(value)
    return found


@functools.cache
def _outside():
    found = {}
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            protocol = _checked(entry.load())
        except (ImportError, AttributeError, ProtocolError) as error:
            raise ProtocolError(f'{_told(entry)}: {error}') from error
        if protocol.name in _own():
            raise ProtocolError(
                f'{_told(entry)}: the name {protocol.name!r} is that of a protocol that ships; expected '
                'another'
            )
        found[protocol.name] = protocol
    return found


def _told(entry):
    return f'entry point {entry.name!r} of {ENTRY_POINTS} ({entry.value})'


def _checked(protocol):
    """One of a class that is a whole protocol."""
    if not (isinstance(protocol, type) and issubclass(protocol, Protocol)):
        raise ProtocolError(
            f'{protocol!r}: expected a subclass of hwgen.evaluation.protocols.protocol.Protocol'
        )
    place = f'{protocol.__module__}.{protocol.__qualname__}'
    if not protocol.name.isidentifier():
        raise ProtocolError(f'{place}: name {protocol.name!r}, expected letters, digits and _')
    if not protocol.summary or '\n' in protocol.summary:
        raise ProtocolError(f'{place}: summary {protocol.summary!r}, expected one line')
    unknown = [judge for judge in protocol.judges if judge not in JUDGES]
    if unknown:
        raise ProtocolError(f'{place}: judges {", ".join(unknown)}, expected some of {", ".join(JUDGES)}')
    for word, way in protocol.directions.items():
        if way not in WAYS:
            raise ProtocolError(f'{place}: direction of {word!r} is {way!r}, expected one of {WAYS}')
    return protocol()
