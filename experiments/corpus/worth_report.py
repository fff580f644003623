"""The figures of `worth.py` as Markdown tables and as one JSON."""

import json
import pathlib

import numpy as np

from experiments.corpus import hands
from experiments.corpus.intervals import difference_of, mean_of, ratio_difference, ratio_of
from experiments.corpus.measured import write_json
from experiments.corpus.worth_rows import ROWS

REFERENCE = 'fonts_1_1'  # today's: all other rows are held against it
_READ_KINDS = {**hands.KINDS, 'people': 'people'}


def write(out):
    """Writes worth.md and worth.json of all figures in a folder.

    Args:
        out: path, `--out` of `worth.py`.

    Returns:
        str, the tables.
    """
    out = pathlib.Path(out)
    tables, summary = [], {}
    for part, table in (('characters', character_table), ('lines', line_table), ('writer', writer_table)):
        found = {
            path.stem: json.loads(path.read_text(encoding='utf-8'))
            for path in sorted((out / part).glob('*.json'))
        }
        if found:
            text, rows = table({name: row['figures'] for name, row in found.items()})
            under = next(
                row['measured_under'] for name, row in found.items() if name not in ('nothing', 'pp_ocr')
            )
            summary[part] = {
                'measured_under': {
                    name: value for name, value in under.items() if name not in ('corpus', 'pen_share')
                },
                'rows': rows,
            }
            tables.append(text)
    write_json(out / 'worth.json', _rounded(summary))
    text = '\n'.join(tables)
    (out / 'worth.md').write_text(text, encoding='utf-8')
    return text


def character_table(found):
    """Part characters.

    Args:
        found: dict row's name -> figures of `character_worth.measure`; 'nothing': of `measure_alone`.

    Returns:
        str, Markdown; dict of the same figures.
    """
    columns = {
        'people': 'people, all characters',
        'people_15': 'people, among the numerals',
        'tuned_15': 'the same after 5 people',
        **hands.KINDS,
    }
    lines, summary = _head(['taught by', *columns.values(), 'people - fonts 1.1']), {}
    for name, title in [*_titles(found), ('nothing', 'nothing')]:
        if name not in found:
            continue
        figures, own = found[name], {}
        for column in columns:
            if column in figures:
                own[column] = mean_of(figures[column])
                own[f'{column}_seeds'] = [round(mean_of([values]).value, 4) for values in figures[column]]
        if name not in (REFERENCE, 'nothing') and REFERENCE in found:
            own['people_difference'] = difference_of(figures['people'], found[REFERENCE]['people'])
        summary[name] = own
        lines.append(
            _line(
                [
                    title,
                    *(plain(own[column]) if column in own else '' for column in columns),
                    signed(own['people_difference']) if 'people_difference' in own else '',
                ]
            )
        )
    return '\n'.join(lines) + '\n', summary


def line_table(found):
    """Part lines.

    Args:
        found: dict row's name -> figures of `line_worth.measure`; 'pp_ocr': of `measure_pp_ocr`.

    Returns:
        str, Markdown; dict of the same figures.
    """
    lines, summary = _head(['taught by', *_READ_KINDS.values(), 'people - fonts 1.1']), {}
    for name, title in [*_titles(found), ('pp_ocr', 'PP-OCR, characters')]:
        if name not in found:
            continue
        figures, own, cells = found[name], {}, [title]
        for kind in _READ_KINDS:
            own[kind] = {'lines': figures[kind]['lines']}
            for unit in ('labels', 'characters'):
                if unit in figures[kind]:
                    own[kind][unit] = ratio_of(*np.transpose(figures[kind][unit]))
            cells.append(
                '; '.join(
                    [
                        (
                            plain(own[kind][unit])
                            if unit == 'labels' or name == 'pp_ocr'
                            else f'{own[kind][unit].value:.3f}'
                        )
                        for unit in ('labels', 'characters')
                        if unit in own[kind]
                    ]
                )
            )
        if name not in (REFERENCE, 'pp_ocr') and REFERENCE in found:
            errors, counts = np.transpose(figures['people']['labels'])
            own['people_difference'] = ratio_difference(
                errors, np.transpose(found[REFERENCE]['people']['labels'])[0], counts
            )
        cells.append(signed(own['people_difference']) if 'people_difference' in own else '')
        summary[name] = own
        lines.append(_line(cells))
    return '\n'.join(lines) + '\n', summary


def writer_table(found):
    """Part writer.

    Args:
        found: dict row's name -> figures of `writer_worth.measure`.

    Returns:
        str, Markdown; dict of the same figures.
    """
    reading = {
        f'{origin}_{kind}': f'PP-OCR, {origin}, {kind}'
        for kind in ('seen', 'unseen')
        for origin in ('written', 'corpus')
    }
    read = {kind: f'read by the network of {title}' for kind, title in hands.KINDS.items()}
    taught = {'taught': 'teaches: people, all characters', 'taught_15': 'teaches: people, among the numerals'}
    lines, summary = _head(['learned from', *reading.values(), *read.values(), *taught.values()]), {}
    for name, title in _titles(found):
        figures = found[name]
        own = {column: ratio_of(*np.transpose(figures['pp_ocr'][column])) for column in reading}
        own |= {f'read_{kind}': mean_of([figures['read'][kind]]) for kind in read} | {
            column: mean_of(figures[column]) for column in taught
        }
        summary[name] = own
        lines.append(_line([title, *map(plain, own.values())]))
    return '\n'.join(lines) + '\n', summary


def plain(estimated):
    """'0.500 (0.400 to 0.600)'"""
    return f'{estimated.value:.3f} ({estimated.low:.3f} to {estimated.high:.3f})'


def signed(estimated):
    """'+0.500 (+0.400 to +0.600)'"""
    return f'{estimated.value:+.3f} ({estimated.low:+.3f} to {estimated.high:+.3f})'


def _titles(found):
    return [(row.name, row.title) for row in ROWS if row.name in found]


def _head(cells):
    return [_line(cells), '|' + '---|' * len(cells)]


def _line(cells):
    return '| ' + ' | '.join(cells) + ' |'


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value
