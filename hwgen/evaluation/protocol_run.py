"""Reporting: a protocol measures, its result, page and sheets are written, and what it found is told."""

import os
from typing import Any

from hwgen import files
from hwgen.charset.printable import as_json
from hwgen.evaluation.protocols.protocol import Findings, Protocol
from hwgen.evaluation.protocols.task import Task
from hwgen.evaluation.reporting import result_file, result_page, seed_figures


def run(protocol: Protocol, task: Task) -> dict[str, Any]:
    """Measures, and writes the report.

    Args:
        protocol: Protocol.
        task: Task; its `measured_under` and `seeds` are completed by what was found.

    Returns:
        dict, the result as PROTOCOL.json has it; empty where there was no figure.

    Raises:
        whatever the protocol raises.
        ResultError: what the result shall be held against was measured under other conditions.
    """
    found = protocol.measure(task)
    task.seeds = task.seeds if found.seeds is None else found.seeds
    task.measured_under |= found.measured_under
    result = None
    if not protocol.by_seed:
        result = {**task.facts, **found.facts}
        files.write_json(task.place(f'{protocol.name}.json'), as_json(result))
        protocol.sheets(task, found)
    elif found.figures:
        result = write_result(protocol, task, found, protocol.sheets(task, found))
    protocol.conclude(task, found, result)
    return result or {}


def write_result(
    protocol: Protocol, task: Task, found: Findings, pictures: list[tuple[str, str]] | tuple = ()
) -> dict[str, Any]:
    """Writes the result file and its page; tells the table, and the comparison where one is asked for.

    Args:
        protocol: Protocol.
        task: Task.
        found: Findings.
        pictures: list of (file name in `task.out`, caption).

    Returns:
        dict, the result as the file has it: `figures` are those of `seed_figures.gather`.

    Raises:
        ResultError: what it shall be held against was measured under other conditions.
    """
    figures = seed_figures.gather(found.figures, protocol.directions)
    result = {
        **task.facts,
        'seeds': task.seeds,
        **found.facts,
        'measured_under': task.measured_under,
        'figures': figures,
    }
    places = {kind: task.place(f'{protocol.name}.{kind}') for kind in ('json', 'html')}
    result_file.write_result(places['json'], result)
    task.report('')
    for row in figures:
        kinds = [
            f'{kind.replace("_", " ")} {seed_figures.describe(row[kind])}' for kind in seed_figures.kinds(row)
        ]
        task.report(f'{row["name"]:<32} ' + '  '.join(kinds))
    compared = None if task.there is None else _compare(task, result)
    page = result_page.format_page(
        result,
        title=protocol.title,
        explained=protocol.kinds,
        pictures=pictures,
        differences=compared,
        against=task.against or '',
        systems=protocol.by_system,
    )
    result_page.write_page(places['html'], page)
    task.report(f'\nreport    {places["html"]}, {places["json"]}')
    if pictures:
        task.report(f'pictures  {", ".join(os.path.join(task.out, name) for name, _ in pictures)}')
    return result


def _compare(task, result):
    """Holds a result against the other one; list of `result_file.differences`."""
    result_file.check_comparable(task.measured_under, task.there['measured_under'], place=task.against)
    compared = result_file.differences(result, task.there)
    task.report(f'\nagainst {task.against}')
    verdicts = {True: 'within the spreads', False: 'beyond the spreads', None: ''}
    for row in compared:
        task.report(
            f'{row["name"]:<32}{row["kind"].replace("_", " "):<12} {row["here"]:>9.4g} {row["there"]:>9.4g} '
            f'{row["difference"]:>+9.3g}  {verdicts[row["within"]]}'
        )
    return compared
