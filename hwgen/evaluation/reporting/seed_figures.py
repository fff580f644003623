"""Figures of several seeds: each with its mean and its spread."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

# Of one seed: name of a figure -> kind (`generated`, `floor`, a system's name, ...) -> value.
SeedFigures = dict[str, dict[str, float]]


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


def over_pairs(measured: Sequence[Measured]) -> list[dict[str, Any]]:
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


def kinds(row: Mapping[str, Any]) -> list[str]:
    """The kinds of a gathered figure (a comparison's are its systems), `generated` and `floor` first."""
    found = [kind for kind, value in row.items() if isinstance(value, dict)]
    return sorted(found, key=lambda kind: ['generated', 'floor', kind].index(kind))


def describe(value: Mapping[str, Any]) -> str:
    """'12.3 ± 0.4' of a gathered kind; without the spread where there is one seed."""
    return f'{value["mean"]:.4g}' + ('' if value['spread'] is None else f' ± {value["spread"]:.2g}')
