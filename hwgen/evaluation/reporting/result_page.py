"""The page of a result: a table, a plot of every figure with its floor, sheets to look at.

One HTML file, pictures beside it; no script, no network.
"""

import html
import json
import os
from collections.abc import Mapping, Sequence

from hwgen import files
from hwgen.charset.printable import as_text
from hwgen.evaluation.reporting import seed_figures

_COLOURS = {'generated': '#1b5fa8', 'floor': '#777', 'other_texts': '#9cc3ea'}
_ROW_PX, _LABEL_PX, _PLOT_PX = 24, 250, 420
_STYLE = (
    'body{font:15px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em}'
    'table{border-collapse:collapse}'
    'td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}'
    'img{max-width:100%}code{word-break:break-all}svg{display:block;margin:.6em 0}'
)


def format_page(
    result: dict,
    *,
    title: str,
    explained: Mapping[str, str],
    pictures: Sequence[tuple[str, str]] = (),
    differences: list[dict] | None = None,
    against: str = '',
    systems: bool = False,
) -> str:
    """The page as HTML.

    Args:
        result: dict as `result_file.write_result` takes it.
        title: str.
        explained: kind of a figure -> what it is: `Protocol.kinds`.
        pictures: sequence of (file name beside the page, caption).
        differences: list of `result_file.differences`, or None.
        against: str, what they are held against.
        systems: bool, the kinds are systems that were compared: a row each, and a column a figure.

    Returns:
        The page.
    """
    escape, figures = html.escape, result['figures']
    columns = list(dict.fromkeys(kind for row in figures for kind in seed_figures.kinds(row)))
    parts = [
        f'<h1>{escape(title)}</h1>',
        _table_of_figures(figures, columns, systems=systems),
        '<ul>'
        + ''.join(
            f'<li>{kind.replace("_", " ")}: {escape(explained[kind])}</li>'
            for kind in columns
            if kind in explained
        )
        + '</ul>',
        (
            f'<p>Mean and standard deviation over the seeds {escape(", ".join(map(str, result["seeds"])))}.'
            ' Names hold the feature space and the number of samples.</p>'
        ),
        *(_plot(row) for row in figures),
    ]
    if differences is not None:
        parts += [f'<h2>Against {escape(against)}</h2>', _table_of_differences(differences)]
    parts += [
        f'<h2>{escape(caption)}</h2><p><img src="{escape(name)}" alt="{escape(caption)}"/></p>'
        for name, caption in pictures
    ]
    facts = {name: value for name, value in result.items() if name not in ('figures', 'conditions')}
    parts += [
        '<h2>Measured under</h2>',
        _table(
            ['', ''],
            [
                f'<td>{escape(name.replace("_", " "))}</td><td><code>{escape(_told(value))}</code></td>'
                for name, value in facts.items()
            ],
        ),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta'
        f' charset="utf-8"/><title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>'
        + '\n'.join(parts)
        + '</body></html>\n'
    )


def _table_of_figures(figures, columns, *, systems):
    """A row a figure, or, of systems, a row a system."""

    def cell(row, kind):
        return f'<td>{html.escape(seed_figures.describe(row[kind]))}</td>' if kind in row else '<td></td>'

    def better(row):
        return row['better'] or 'like the floor'

    if systems:
        return _table(
            ['system', *(f'{row["name"]} ({better(row)})' for row in figures)],
            [
                f'<td>{html.escape(kind)}</td>' + ''.join(cell(row, kind) for row in figures)
                for kind in columns
            ],
        )
    return _table(
        ['figure', 'better', *columns],
        [
            f'<td>{html.escape(row["name"])}</td><td>{better(row)}</td>'
            + ''.join(cell(row, kind) for kind in columns)
            for row in figures
        ],
    )


def _table_of_differences(differences):
    verdict = {True: 'within the spreads', False: 'beyond the spreads', None: ''}
    return _table(
        ['figure', 'kind', 'here', 'there', 'difference', ''],
        [
            f'<td>{html.escape(row["name"])}</td><td>{html.escape(row["kind"].replace("_", " "))}</td>'
            f'<td>{row["here"]:.4g}</td><td>{row["there"]:.4g}</td>'
            f'<td>{row["difference"]:+.3g}</td><td>{verdict[row["within"]]}</td>'
            for row in differences
        ],
    )


def _told(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(heads, rows):
    return (
        '<table><tr>'
        + ''.join(f'<th>{html.escape(head.replace("_", " "))}</th>' for head in heads)
        + '</tr>'
        + ''.join(f'<tr>{row}</tr>' for row in rows)
        + '</table>'
    )


def _plot(row):
    """A strip for each kind: a dot a seed, a bar at the mean, on one axis from 0 or the least value."""
    found = seed_figures.kinds(row)
    values = [value for kind in found for value in row[kind]['values']]
    low, high = min(0.0, *values), max(0.0, *values)

    def place(value):
        return _LABEL_PX + (value - low) / ((high - low) or 1.0) * _PLOT_PX

    height = _ROW_PX * (len(found) + 1)
    marks = [
        f'<text x="0" y="16" font-weight="bold">{html.escape(row["name"])}</text>',
        f'<line x1="{place(0.0):.1f}" x2="{place(0.0):.1f}" y1="{_ROW_PX}" y2="{height}" stroke="#ccc"/>',
    ]
    for number, kind in enumerate(found, 1):
        middle, colour = number * _ROW_PX + _ROW_PX / 2, _COLOURS.get(kind, '#b58a3a')
        marks.append(
            f'<text x="12" y="{middle + 5}">{html.escape(kind.replace("_", " "))}'
            f' {html.escape(seed_figures.describe(row[kind]))}</text>'
        )
        mean = place(row[kind]['mean'])
        marks.append(f'<rect x="{mean - 1:.1f}" y="{middle - 9}" width="2" height="18" fill="{colour}"/>')
        marks += [
            f'<circle cx="{place(value):.1f}" cy="{middle}" r="4" fill="{colour}" fill-opacity=".6"/>'
            for value in row[kind]['values']
        ]
    return (
        f'<svg width="{_LABEL_PX + _PLOT_PX + 20}" height="{height}" font-size="13"'
        f' role="img">{"".join(marks)}</svg>'
    )


def write_page(path: str | os.PathLike[str], page: str) -> None:
    """Writes a page, whole or not at all."""
    files.write_file(str(path), as_text(page).encode())
