"""The figures as a Markdown table and as JSON."""

import numpy as np

from experiments.corpus.shapes import FEATURES
from experiments.corpus.spreads import distance_ratios, estimate, spreads
from hwgen.evaluation.measuring.people import NUMERALS

SPREADS = ('within', 'between', 'common')


def compare(people, simulated):
    """Distances and features of both.

    Args:
        people, simulated: Pictures.

    Returns:
        dict: `distances`, a dict people/simulated -> Estimate; `distances_of_characters`; `features`, of each
            `mean`, `within`, `between` and `common`, each a dict people/simulated -> Estimate.
    """
    kinds = {'people': people, 'simulated': simulated}
    ratios = {kind: distance_ratios(pictures.inked / 255.0) for kind, pictures in kinds.items()}
    result = {
        'distances': {kind: estimate(r.mean(1)) for kind, r in ratios.items()},
        'distances_of_characters': {
            kind: dict(zip(NUMERALS, r[0].tolist(), strict=True)) for kind, r in ratios.items()
        },
        'features': {},
    }
    for i, feature in enumerate(FEATURES):
        found = {
            kind: spreads(p.features[..., i], relative=feature.kind == 'size') for kind, p in kinds.items()
        }
        result['features'][feature.name] = {
            name: {kind: estimate(values[name]) for kind, values in found.items()}
            for name in ('mean', *SPREADS)
        }
    return result


def table(comparison, verdicts):
    """Markdown of `compare` and of the verdicts.

    Args:
        comparison: dict of `compare`.
        verdicts: dict name -> Verdict, of `calibration.judge`.

    Returns:
        str.
    """
    lines = [
        '| | people | simulated |',
        '|---|---|---|',
        _row('rms distance, same hand / other hands', comparison['distances'], _plain),
    ]
    for feature in FEATURES:
        found = comparison['features'][feature.name]
        shown = {'size': _percent, 'angle': _degrees, 'share': _plain, 'count': _plain}[feature.kind]
        mean = {'size': _number, 'angle': _degrees, 'share': _plain, 'count': _plain}[feature.kind]
        lines.append(_row(f'{feature.told}: mean', found['mean'], mean))
        for name, told in zip(
            SPREADS, ('within a hand', 'between hands', 'of it common to all characters'), strict=True
        ):
            lines.append(_row(f'{feature.told}: {told}', found[name], shown))
    lines += [
        '',
        '| small networks | accuracy | of the seeds | pictures tested by each |',
        '|---|---|---|---|',
    ]
    for name, verdict in verdicts.items():
        seeds = ', '.join(f'{value:.3f}' for value in verdict.seeds)
        lines.append(f'| {name} | {_plain(verdict.accuracy)} | {seeds} | {verdict.pictures} |')
    lines += ['', '| character | ' + ' | '.join(NUMERALS) + ' |', '|---' * (len(NUMERALS) + 1) + '|']
    lines += [
        f'| {name} | ' + ' | '.join(f'{value:.2f}' for value in verdict.characters) + ' |'
        for name, verdict in verdicts.items()
    ]
    lines += [
        f'| distance ratio, {kind} | '
        + ' | '.join(f'{comparison["distances_of_characters"][kind][c]:.2f}' for c in NUMERALS)
        + ' |'
        for kind in ('people', 'simulated')
    ]
    return '\n'.join(lines)


def plain(value):
    """The same in dicts, lists and floats, for JSON."""
    if hasattr(value, '_asdict'):
        value = {key: part for key, part in value._asdict().items() if key != 'surest'}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return (
        round(float(value), 5)
        if isinstance(value, (float, np.floating)) and np.isfinite(value)
        else None
        if isinstance(value, float)
        else value
    )


def _row(told, found, shown):
    return f'| {told} | {shown(found["people"])} | {shown(found["simulated"])} |'


def _plain(estimated):
    return f'{estimated.value:.3f} ({estimated.low:.3f} to {estimated.high:.3f})'


def _percent(estimated):
    return f'{100 * estimated.value:.1f} % ({100 * estimated.low:.1f} to {100 * estimated.high:.1f})'


def _degrees(estimated):
    return f'{estimated.value:.1f}° ({estimated.low:.1f} to {estimated.high:.1f})'


def _number(estimated):
    digits = 3 if abs(estimated.value) < 5 else 1
    return f'{estimated.value:.{digits}f} ({estimated.low:.{digits}f} to {estimated.high:.{digits}f})'
