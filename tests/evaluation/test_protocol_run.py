"""Reports: what is written, shown and compared, and in which order a protocol is asked."""

import json
import pathlib

import pytest

from hwgen.data.reading import shards
from hwgen.evaluation import protocol_run
from hwgen.evaluation.protocols.protocol import Findings, Protocol
from hwgen.evaluation.protocols.registry import find_protocol
from hwgen.evaluation.reporting import result_page
from tests.evaluation.tasks import task_with_files


class Measure(Protocol):
    """As its own page would have it."""

    name, summary, title, by_system = 'hct', 'What?', 'A title', True
    directions, kinds = {'fid': 'lower'}, {'generated': 'g'}


def test_a_report_is_written_shown_and_compared(capsys, monkeypatch):
    """By hand: 12.5 ± 0.71 of two seeds; a difference of 1 is within spreads of 0.71 and 0.5 together, one
    of 9 beyond.
    """
    pages = []
    monkeypatch.setattr(
        result_page, 'format_page', lambda result, **options: pages.append(options) or 'a page'
    )
    figures = [{'fid': {'generated': 12.0, 'floor': 1.0}}, {'fid': {'generated': 13.0, 'floor': 1.0}}]
    there = {
        'measured_under': {'seeds': 2},
        'figures': [
            {
                'name': 'fid',
                'generated': {'values': [], 'mean': 11.5, 'spread': 0.5},
                'floor': {'values': [], 'mean': 10.0, 'spread': 0.0},
            }
        ],
    }
    task = task_with_files(there=there, against='other.json')
    found = protocol_run.write_result(
        Measure(), task, Findings(figures, {'more': 7}), [('a.png', 'A'), ('b.png', 'B')]
    )['figures']
    assert found == [
        {
            'name': 'fid',
            'better': 'lower',
            'generated': {'values': [12.0, 13.0], 'mean': 12.5, 'spread': pytest.approx(0.5**0.5)},
            'floor': {'values': [1.0, 1.0], 'mean': 1.0, 'spread': 0.0},
        }
    ]
    rows = capsys.readouterr().out.splitlines()
    assert (
        rows[0] == ''
        and rows[1].split() == ['fid', 'generated', '12.5', '±', '0.71', 'floor', '1', '±', '0']
        and rows[3] == 'against other.json'
    )
    assert rows[4].split() == ['fid', 'generated', '12.5', '11.5', '+1', 'within', 'the', 'spreads'] and rows[
        5
    ].split() == ['fid', 'floor', '1', '10', '-9', 'beyond', 'the', 'spreads']
    assert rows[-2:] == ['report    out/hct.html, out/hct.json', 'pictures  out/a.png, out/b.png']
    result = json.loads(pathlib.Path('out/hct.json').read_text(encoding='utf-8'))
    assert (
        result['model'],
        result['seeds'],
        result['more'],
        result['measured_under'],
        result['figures'][0]['name'],
    ) == ('mine', [3, 4], 7, {'seeds': 2}, 'fid')
    assert pathlib.Path('out/hct.html').read_text(encoding='utf-8') == 'a page'
    assert (
        pages
        == [
            dict(
                title='A title',
                explained={'generated': 'g'},
                pictures=[('a.png', 'A'), ('b.png', 'B')],
                differences=pages[0]['differences'],
                against='other.json',
                systems=True,
            )
        ]
        and len(pages[0]['differences']) == 2
    )
    protocol_run.write_result(find_protocol('hct'), task_with_files(out='alone'), Findings([figures[0]]))
    said = capsys.readouterr().out
    assert (
        'against' not in said
        and 'pictures' not in said
        and '±' not in said
        and pages[1]['differences'] is None
        and pages[1]['against'] == ''
        and pages[1]['systems'] is False
    )
    with pytest.raises(
        ValueError, match='other.json: measured under other conditions: seeds 2 there, 3 here'
    ):
        protocol_run.write_result(
            find_protocol('hct'),
            task_with_files(there=there, against='other.json', measured_under={'seeds': 3}),
            Findings(figures),
        )


def test_lines_of_a_split(monkeypatch):
    monkeypatch.setattr(shards, 'RecordIndex', lambda data, split: (data, split))
    assert task_with_files(split='unseen').index() == ('lines', 'unseen') and task_with_files(
        split='unseen'
    ).index('train') == ('lines', 'train')
    assert task_with_files(out='a/b').place('c.png') == 'a/b/c.png' and pathlib.Path('a/b').is_dir()


def test_a_protocol_is_asked_in_order():
    """Its sheets are drawn before the result is written, whose page shows them; what is left comes last."""
    asked = []

    class Three(Measure):
        def measure(self, task):
            asked.append('measure')
            return Findings(figures, {}, {'lines': 'digest'}, samples=7, seeds=[9])

        def sheets(self, task, found):
            asked.append(('sheets', found.samples, dict(task.measured_under), task.seeds))
            return [('a.png', 'A')]

        def conclude(self, task, found, result):
            asked.append(
                (
                    'conclude',
                    None if result is None else result['seeds'],
                    pathlib.Path('out/hct.json').exists(),
                )
            )

    figures = []
    assert protocol_run.run(Three(), task_with_files()) == {} and not pathlib.Path('out').exists()
    assert asked == ['measure', ('conclude', None, False)]
    figures.append({'fid': {'generated': 1.0}})
    asked.clear()
    result = protocol_run.run(Three(), task_with_files())
    assert asked == ['measure', ('sheets', 7, {'seeds': 2, 'lines': 'digest'}, [9]), ('conclude', [9], True)]
    assert {**result, 'format': 1} == json.loads(pathlib.Path('out/hct.json').read_text(encoding='utf-8'))
    assert 'src="a.png"' in pathlib.Path('out/hct.html').read_text(encoding='utf-8')
    with pytest.raises(NotImplementedError, match='Measure.measure'):
        protocol_run.run(Measure(), task_with_files())
