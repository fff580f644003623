"""The JSON file of a result, and how two of them are held against each other."""

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from hwgen import files
from hwgen.charset.printable import as_json
from hwgen.evaluation.reporting.seed_figures import ResultError, kinds

FORMAT = 1
# What is not compared where both results have the other: the digest of before covers the name of a file.
_SUPERSEDED = {'feature_sha256': 'feature_weights_sha256'}


def write_result(path: str | os.PathLike[str], result: Mapping[str, Any]) -> None:
    """Writes a result as JSON, whole or not at all; the same result gives the same bytes.

    Args:
        path: of the file.
        result: dict of JSON values: `protocol`, `measured_under` (what must be equal for two results to be
            comparable), `figures`, ...
    """
    files.write_json(path, as_json({'format': FORMAT, **result}))


def read_result(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads what `write_result` wrote.

    Args:
        path: of the file.

    Returns:
        dict.

    Raises:
        ResultError: no such file, or not a result.
    """
    try:
        result = json.loads(pathlib.Path(path).read_text(encoding='utf-8'))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise ResultError(
            f'{path}: no such file; expected a result as evaluate writes it, evaluations/hct/hct.json for one'
        ) from None
    except ValueError as error:
        raise ResultError(f'{path}: no JSON ({error})') from None
    if (
        not isinstance(result, dict)
        or result.get('format') != FORMAT
        or not isinstance(result.get('measured_under'), dict)
    ):
        raise ResultError(f'{path}: not a result of evaluate of format {FORMAT}')
    return result


def check_comparable(here: Mapping[str, Any], there: Mapping[str, Any], *, place: str | None) -> None:
    """Refuses to hold figures against each other that were measured under other conditions.

    Args:
        here, there: `measured_under` of two results; only what both have yet is compared. Networks are known
            by their weights, in results of before by name and bytes of their file.
        place: str, the other's file, for the message.

    Raises:
        ResultError: naming what differs.
    """
    here = json.loads(json.dumps(here))
    differing = [
        f'{name} {_short(there[name])} there, {_short(here[name])} here'
        for name in here
        if name in there and here[name] != there[name] and not _is_superseded(name, here, there)
    ]
    if differing:
        raise ResultError(f'{place}: measured under other conditions: {"; ".join(differing)}')


def _is_superseded(name, here, there):
    successor = _SUPERSEDED.get(name)
    return successor in here and successor in there


def _short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + '...'


def differences(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Two comparable results, figure by figure.

    Args:
        here, there: dicts of `write_result`.

    Returns:
        list of dict: name, kind, here, there (means), difference, within: whether it is no larger than the
        two spreads together (None where a spread is missing).
    """
    rows, other = [], {row['name']: row for row in there['figures']}
    for row in here['figures']:
        for kind in kinds(row):
            if kind not in other.get(row['name'], {}):
                continue
            first, second = row[kind], other[row['name']][kind]
            difference = first['mean'] - second['mean']
            known = first['spread'] is not None and second['spread'] is not None
            rows.append(
                {
                    'name': row['name'],
                    'kind': kind,
                    'here': first['mean'],
                    'there': second['mean'],
                    'difference': difference,
                    'within': abs(difference) <= first['spread'] + second['spread'] if known else None,
                }
            )
    return rows
