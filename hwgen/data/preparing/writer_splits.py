"""Which writers validate and test: by a hash of their names, whatever their order; none makes a split much
larger than was asked for.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Mapping

_MOST = 2  # times its share that a split may have


def draw_writers(
    weights: Mapping[str, int],
    *,
    seed: int,
    shares: Mapping[str, float],
    keep: Collection[str] = (),
    report: Callable[[str], object] = print,
) -> dict[str, str]:
    """Draws the writers of splits; the others, at least one, are for training.

    A writer is taken while the split has less than its share, and only if it stays within twice its share
    with him: of three hands of ten lines each none validates at a share of 5 %. A split that nobody fits into
    stays empty, and that is said.

    Args:
        weights: dict {writer: how much of the data is his}.
        seed: int.
        shares: dict {split: share of the data}.
        keep: set of writers that are not drawn.
        report: function of a str.

    Returns:
        dict {writer: split} of those that are drawn.
    """
    order = sorted(
        weights.keys() - set(keep), key=lambda writer: hashlib.sha256(f'{seed} {writer}'.encode()).digest()
    )
    drawn: dict[str, str] = {}
    total = sum(weights.values())
    for split, share in shares.items():
        weight = 0
        passed: list[str] = []
        while len(order) + len(passed) > 1 and order and weight < share * total:
            writer = order.pop()
            if weight + weights[writer] > _MOST * share * total:
                passed.append(writer)
                continue
            drawn[writer] = split
            weight += weights[writer]
        order += reversed(passed)
        if share > 0 and not weight and len(weights) > 1:
            needed = min((weights[writer] for writer in order), default=total) / total
            enough = (
                f'; --{split}_share={max(0.01, math.floor(100 * needed) / 100):g} takes the smallest'
                if needed < 0.5
                else ''
            )
            report(
                f'no lines for {split}: no writer is so small that it stays below {_MOST * share:.0%} of the'
                f' lines, {_MOST} x --{split}_share{enough}'
            )
    return drawn
