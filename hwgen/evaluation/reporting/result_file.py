"""Results of a protocol: figures of several seeds with mean and spread, as a JSON file that can be held
against another.
"""

import json
import pathlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hwgen import files
from hwgen.charset.printable import as_json

FORMAT = 1


class ResultError(ValueError):
    """A result file that cannot be read, or that was measured otherwise; the message names what differs."""


class Measured(NamedTuple):
    """What one seed gave of a protocol whose figures are means over pairs.

    Attributes:
        figures: dict name -> dict kind -> float.
        by_pair: dict name -> dict kind -> list of float, the values behind the means, where they are means.
        digest: str, SHA-256 of what was written.
    """

    figures: dict
    by_pair: dict
    digest: str


def over_pairs(measured):
    """How the pairs of all seeds lie together.

    Args:
        measured: list of Measured.

    Returns:
        list of dict: name, kind, num_pairs, mean, standard deviation, largest.
    """
    rows = []
    for name, values in measured[0].by_pair.items():
        for kind in values:
            pairs = np.concatenate([one.by_pair[name][kind] for one in measured])
            rows.append(
                {
                    'name': name,
                    'kind': kind,
                    'num_pairs': len(pairs),
                    'mean': float(pairs.mean()),
                    'standard_deviation': float(pairs.std()),
                    'largest': float(pairs.max()),
                }
            )
    return rows


def gather(figures_by_seed: list, directions: Mapping[str, str | None]) -> list[dict]:
    """Mean and spread over seeds.

    Args:
        figures_by_seed: list of dict name -> dict kind -> float, one a seed; kinds are `generated`, `floor`,
            ... A seed need not have every kind.
        directions: first word of a figure's name (after `unseen_`) -> which way is better:
            `Protocol.directions`.

    Returns:
        list of dict: name, better, and for each kind a dict of values (list of float), mean, spread (standard
        deviation, n - 1; None for one seed).

    Raises:
        ResultError: a figure of which `directions` does not say which way is better.
    """
    gathered = []
    for name in dict.fromkeys(name for figures in figures_by_seed for name in figures):
        word = name.removeprefix('unseen_').split('_')[0]
        if word not in directions:
            raise ResultError(
                f'figure {name}: the protocol does not say which way {word} is better; its directions are'
                f' those of {", ".join(directions) or "no figure"}'
            )
        row = {'name': name, 'better': directions[word]}
        measured = [figures[name] for figures in figures_by_seed if name in figures]
        for kind in dict.fromkeys(kind for values in measured for kind in values):
            values = [float(of_seed[kind]) for of_seed in measured if kind in of_seed]
            row[kind] = {
                'values': values,
                'mean': float(np.mean(values)),
                'spread': float(np.std(values, ddof=1)) if len(values) > 1 else None,
            }
        gathered.append(row)
    return gathered


def kinds(row) -> list[str]:
    """The kinds of a gathered figure (a comparison's are its systems), `generated` and `floor` first."""
    found = [kind for kind, value in row.items() if isinstance(value, dict)]
    return sorted(found, key=lambda kind: ['generated', 'floor', kind].index(kind))


def describe(value) -> str:
    """'12.3 ± 0.4' of a gathered kind; without the spread where there is one seed."""
    return f'{value["mean"]:.4g}' + ('' if value['spread'] is None else f' ± {value["spread"]:.2g}')


def write_result(path, result):
    """Writes a result as JSON, whole or not at all; the same result gives the same bytes.

    Args:
        path: of the file.
        result: dict of JSON values: `protocol`, `measured_under` (what must be equal for two results to be
            comparable), `figures`, ...
    """
    files.write_json(path, as_json({'format': FORMAT, **result}))


def read_result(path):
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


def check_comparable(here, there, *, place):
    """Refuses to hold figures against each other that were measured under other conditions.

    Args:
        here, there: `measured_under` of two results; only what both have yet is compared.
        place: str, the other's file, for the message.

    Raises:
        ResultError: naming what differs.
    """
    here = json.loads(json.dumps(here))
    differing = [
        f'{name} {_short(there[name])} there, {_short(here[name])} here'
        for name in here
        if name in there and here[name] != there[name]
    ]
    if differing:
        raise ResultError(f'{place}: measured under other conditions: {"; ".join(differing)}')


def _short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + '...'


def differences(here, there):
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
