"""Protocol `usefulness`, what is told of it: intervals, whether more than 2 points were lost, sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.evaluation.measuring.people import NUMERALS
from hwgen.evaluation.measuring.usefulness import ARMS, Taught, Tested

if TYPE_CHECKING:
    import pathlib

    from PIL.ImageFont import FreeTypeFont

ALLOWED = 0.02  # what a good writer loses at most
_RESAMPLINGS = 1000
_STREAM = 34
_ROWS, _SHOWN = 14, 4  # of the sheet of characters: rows, pictures of each kind


def intervals(found: Sequence[Taught], *, seed: int) -> list[dict[str, Any]]:
    """What is read over all seeds, with 95 % intervals: bootstrap over networks (seeds) and hands together,
    the same draws for all arms, so that losses are paired.

    Args:
        found: list of Taught, one a seed.
        seed: int, of the resampling.

    Returns:
        list of dict: tested, num_hands, num_pictures, num_networks, for each of ARMS [share, low, high],
        `loss` (floor - generated) and `loss_as_written` (as_written - generated) likewise, `verdict` of the
        loss.
    """
    rows = []
    for name, totals in found[0].totals.items():
        rng = np.random.default_rng([seed, _STREAM])
        networks = _weights(rng, len(found))
        hands = _weights(rng, len(totals))
        counts = len(found) * hands @ totals
        shares = {}
        for arm in ARMS:
            right = np.array([one.right[name, arm] for one in found])  # S x U
            shares[arm] = np.einsum('bs,su,bu->b', networks, right, hands) / counts
        row: dict[str, Any] = {
            'tested': name,
            'num_hands': len(totals),
            'num_pictures': int(totals.sum()),
            'num_networks': len(found),
        }
        row |= {arm: _estimate(values) for arm, values in shares.items()}
        row['loss'] = _estimate(shares['floor'] - shares['generated'])
        row['loss_as_written'] = _estimate(shares['as_written'] - shares['generated'])
        row['verdict'] = verdict(*row['loss'])
        rows.append(row)
    return rows


def _weights(rng, count):
    """float [1 + _RESAMPLINGS, count]: how often each is drawn; the first row is all of them once."""
    drawn = rng.integers(count, size=[_RESAMPLINGS, count])
    return np.concatenate(
        [np.ones([1, count]), np.stack([np.bincount(row, minlength=count) for row in drawn])]
    )


def _estimate(values):
    """[value, low, high] of values whose first is that of everything."""
    return [float(value) for value in (values[0], *np.percentile(values[1:], [2.5, 97.5]))]


def verdict(loss: float, low: float, high: float) -> str:
    """Whether a loss is at most 2 points.

    Args:
        loss, low, high: float, the loss and its interval; below 0 the model teaches better than its corpus.

    Returns:
        'within 2 points' or 'beyond 2 points', and 'not certain' where the interval holds both.
    """
    certain = high <= ALLOWED or low > ALLOWED
    told = 'within' if loss <= ALLOWED else 'beyond'
    return f'{told} {100 * ALLOWED:.0f} points' + ('' if certain else ', not certain')


def format_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table of `intervals`."""

    def cell(value, sign=''):
        low, high = (f'{end:{sign}.3f}' for end in value[1:])
        return f'{value[0]:{sign}.3f} ({low} to {high})'

    lines = [
        f'| {row["tested"].replace("_", " ")} | {row["num_hands"]} | {row["num_pictures"]} | '
        + ' | '.join(cell(row[arm]) for arm in ARMS)
        + f' | {cell(row["loss"], "+")} | {row["verdict"]} | {cell(row["loss_as_written"], "+")} |'
        for row in rows
    ]
    return '\n'.join(
        [
            '| read | hands | pictures | taught by the model | by its corpus, in the cells |'
            ' by its corpus, as written | loss | verdict | loss, as written |',
            '|---|---|---|---|---|---|---|---|---|',
            *lines,
            '',
        ]
    )


def write_sheets(
    place: Mapping[str, str | pathlib.Path],
    first: Taught,
    tested: Mapping[str, Tested],
    characters: str,
    *,
    font: FreeTypeFont,
) -> None:
    """Writes what taught and what was read, side by side.

    Args:
        place: dict `characters` and `lines` -> path of a PNG.
        first: Taught of the first seed.
        tested: dict of what was read.
        characters: str, told apart.
        font: PIL font of the heads.
    """
    from hwgen.evaluation.reporting import picture_sheet

    kinds = [name for name in tested if name != 'people_numerals']
    columns = {'corpus as written': 'as_written', "corpus, model's cells": 'floor', 'model': 'generated'}
    rows = []
    for character in shown_characters(characters):
        row = [_strip(first.samples['characters'][arm][character]) for arm in columns.values()]
        for name in kinds:
            of_character = tested[name].labels == characters.index(character)
            # Of different hands, as far as there are.
            places = np.flatnonzero(of_character)
            _, once = np.unique(tested[name].owners[places], return_index=True)
            row.append(_strip(tested[name].pictures[places[once]]))
        rows.append(row)
    picture_sheet.write_sheet(place['characters'], rows, heads=[*columns, *kinds], font=font)
    picture_sheet.write_sheet(
        place['lines'], first.samples['lines'], heads=["corpus, model's cells", 'model'], font=font
    )


def shown_characters(characters: str) -> str:
    """Some numerals and some others, evenly spread: str."""
    numerals = [c for c in characters if c in NUMERALS]
    others = [c for c in characters if c not in NUMERALS]
    found = []
    for group, count in ((numerals, _ROWS // 3), (others, _ROWS - _ROWS // 3)):
        places = (
            np.unique(np.linspace(0, len(group) - 1, min(count, len(group))).astype(int)) if group else ()
        )
        found += [group[i] for i in places]
    return ''.join(found)


def _strip(pictures):
    """uint8 [side, _SHOWN side], 255 = paper, of pictures with 255 = ink; paper where there are fewer."""
    side = pictures.shape[1]
    strip = np.full([side, _SHOWN * side], 255, np.uint8)
    for n, picture in enumerate(pictures[:_SHOWN]):
        strip[:, n * side : (n + 1) * side] = 255 - picture
    return strip
