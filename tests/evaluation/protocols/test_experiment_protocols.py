"""The protocols interpolation, neighbours, shots, nonsense, comparison and ablation: what they ask of what
measures, which is replaced by what tells of it.
"""

import contextlib
import pathlib
import types

import numpy as np
import pytest
from PIL import Image

from hwgen.charset.encoding import Charset
from hwgen.evaluation import protocol_run
from hwgen.evaluation.judges import character_errors
from hwgen.evaluation.measuring import (
    ablation,
    comparison,
    interpolation,
    neighbours,
    nonsense,
    nonsense_glyphs,
    nonsense_sheet,
    shots,
)
from hwgen.evaluation.protocols.protocol import ProtocolError
from hwgen.evaluation.protocols.registry import find_protocol
from hwgen.evaluation.protocols.task import Task
from hwgen.evaluation.reporting import picture_sheet, seed_figures
from hwgen.inference import content_interpolation
from hwgen.inference.writer import Writer


def task_of(protocol, monkeypatch, **options):
    task = Task(
        **{
            **dict(
                protocol=protocol,
                data='lines',
                split='test',
                info={'splits': {'train': {}, 'test': {}, 'unseen': {}}, 'vocabulary': [5, 9000, 12000]},
                judges={},
                model=None,
                out='out',
                seeds=[3],
                num_lines=7,
                truncation=0.6,
                measured_under={},
                facts={},
            ),
            **options,
        }
    )
    monkeypatch.setattr(task, 'index', lambda split=None: f'index of {split}')
    monkeypatch.setattr(protocol_run, 'write_result', lambda *arguments: {})
    return task


def run(task):
    return protocol_run.run(find_protocol(task.protocol), task)


def test_nonsense_is_drawn_from_the_older_table(monkeypatch):
    """Who writes and who reads must both know the glyphs, and the characters that they are made of."""

    class Enough(Exception):
        pass

    def read_lines(reader, indices, writer, *, vocabulary, charset, known, **options):
        asked.append(
            (
                charset.row_count,
                vocabulary,
                known,
                indices,
                options['num_lines'],
                options['seed'],
                options['truncation'],
            )
        )
        raise Enough

    monkeypatch.setattr(nonsense, 'read_lines', read_lines)
    monkeypatch.setattr(nonsense_glyphs, 'known_codes', lambda charset: f'codes of {charset.row_count}')
    whole, first, asked = Charset.load(), Charset.load().prefix(9658), []
    for writing, reading in ((whole, first), (first, whole)):
        task = task_of(
            'nonsense',
            monkeypatch,
            model=types.SimpleNamespace(charset=writing),
            judges={'component_reader': types.SimpleNamespace(charset=reading)},
        )
        with contextlib.suppress(Enough):
            run(task)
    indices = {'test': 'index of test', 'unseen': 'index of unseen'}
    vocabulary = [i for i in (5, 9000, 12000) if i < first.num_characters]
    assert asked == [(9658, vocabulary, 'codes of 9658', indices, 7, 3, 0.6)] * 2 and vocabulary != [
        5,
        9000,
        12000,
    ]


def test_copies_of_real_characters_are_looked_for_in_the_training_lines(monkeypatch):
    """There are most of them; the split is for what is written."""
    asked = []
    monkeypatch.setattr(neighbours, 'real_copies', lambda index: f'copies in {index}')
    monkeypatch.setattr(
        neighbours,
        'measure',
        lambda index, writer, **options: (
            asked.append((index, options)) or seed_figures.Measured({'copies': {}}, {}, 'digest')
        ),
    )
    monkeypatch.setattr(
        neighbours, 'sheets', lambda *arguments, **options: {'lines': (np.zeros([4, 4], np.uint8), 'caption')}
    )
    writer = types.SimpleNamespace(generator=types.SimpleNamespace(context_characters=2))
    for splits, copies in (
        ({'train': {}, 'test': {}}, 'copies in index of train'),
        ({'test': {}}, 'copies in index of None'),
    ):
        task = task_of(
            'neighbours',
            monkeypatch,
            model=writer,
            judges={'space': types.SimpleNamespace(description={})},
            info={'splits': splits},
        )
        run(task)
        index, options = asked.pop()
        assert index == 'index of None' and (
            options['real'],
            options['num_places'],
            options['seed'],
            options['truncation'],
        ) == (copies, 7, 3, 0.6)
        assert task.measured_under['lines_sha256'] == ['digest']


def keep(monkeypatch, module, name, value, asked):
    """Replaces a function of a module by one that keeps how it was called."""

    def call(*arguments, **options):
        asked.append((name, arguments, {key: one for key, one in options.items() if key != 'report'}))
        return value(*arguments, **options) if callable(value) else value

    monkeypatch.setattr(module, name, call)


def written(task, monkeypatch):
    """The findings that a task would write, and its pictures."""
    found = []
    monkeypatch.setattr(
        protocol_run,
        'write_result',
        lambda protocol, task, findings, pictures: (
            found.append((findings, pictures)) or {'figures': 'gathered'}
        ),
    )
    return found


def test_pairs_of_every_seed_and_the_sheets_of_the_first(monkeypatch, capsys):
    asked, picture = [], np.arange(16, dtype=np.uint8).reshape(4, 4)
    monkeypatch.setattr(content_interpolation, 'ContentInterpolation', lambda writer: f'between of {writer}')
    keep(
        monkeypatch,
        interpolation,
        'measure',
        lambda index, writer, **options: seed_figures.Measured(
            {'ppl': options['seed']},
            {'ppl': {'generated': [float(options['seed'])]}},
            f'digest {options["seed"]}',
        ),
        asked,
    )
    keep(monkeypatch, interpolation, 'sheets', {'styles': (picture, 'From hand to hand')}, asked)
    task = task_of(
        'interpolation',
        monkeypatch,
        model='writer',
        seeds=[3, 4],
        judges={'space': types.SimpleNamespace(description='a space')},
    )
    found = written(task, monkeypatch)
    run(task)
    space = task.judges['space']
    assert asked == [
        *(
            (
                'measure',
                ('index of None', 'writer'),
                dict(space=space, seed=seed, num_pairs=7, truncation=0.6, between='between of writer'),
            )
            for seed in (3, 4)
        ),
        ('sheets', ('index of None', 'writer'), dict(seed=3, truncation=0.6, between='between of writer')),
    ]
    ((findings, pictures),) = found
    figures, facts = findings.figures, findings.facts
    assert (
        figures == [{'ppl': 3}, {'ppl': 4}]
        and pictures == [('interpolation_styles.png', 'From hand to hand')]
        and facts['feature_network'] == 'a space'
    )
    assert (
        facts['conditions'][0]['num_pairs'] == 2
        and task.measured_under == {'lines_sha256': ['digest 3', 'digest 4']}
        and 'context_characters' not in facts
    )
    np.testing.assert_array_equal(np.asarray(Image.open('out/interpolation_styles.png')), picture)
    assert capsys.readouterr().out == 'seed 3: measured\nseed 4: measured\n'


def test_shots_are_read_before_and_after(monkeypatch, capsys):
    asked, sheets = [], []
    keep(monkeypatch, shots, 'groups_of', 'groups', asked)
    keep(
        monkeypatch,
        shots,
        'read_lines',
        lambda *arguments, **options: types.SimpleNamespace(digest=f'digest {options["seed"]}'),
        asked,
    )
    keep(monkeypatch, shots, 'intervals', 'rows', asked)
    keep(monkeypatch, shots, 'figures', lambda one, groups: f'figures of {one.digest} by {groups}', asked)
    monkeypatch.setattr(shots, 'format_markdown', lambda rows: f'markdown of {rows}')
    monkeypatch.setattr(shots, 'sheet_rows', lambda one, groups: f'sheet of {one.digest}')
    monkeypatch.setattr(picture_sheet, 'write_sheet', lambda path, rows: sheets.append((path, rows)))
    monkeypatch.setattr(Writer, 'load', lambda path, **options: (path, options))
    for reader in ('read_characters', 'read_components'):
        monkeypatch.setattr(character_errors, reader, lambda judge, *_, reader=reader: f'{reader} by {judge}')
    task = task_of(
        'shots',
        monkeypatch,
        model='after',
        seeds=[3, 4],
        info={'splits': {}, 'shots': {'0': 'x'}},
        judges={'reader': 'ppocr', 'component_reader': 'parts'},
        options=dict(before='old'),
    )
    found = written(task, monkeypatch)
    run(task)
    (_, (readers, indices, writers), options), second = [call for call in asked if call[0] == 'read_lines']
    assert {name: read() for name, read in readers.items()} == {
        'ppocr': 'read_characters by ppocr',
        'components': 'read_components by parts',
    }
    assert indices == {split: f'index of {split}' for split in ('test', 'unseen')} and writers == {
        'before': ('old', dict(allow_unseen=True)),
        'after': 'after',
    }
    assert (
        options == dict(groups='groups', num_lines=7, seed=3, truncation=0.6)
        and second[2]['seed'] == 4
        and next(call for call in asked if call[0] == 'groups_of')[1][0] is task.info
    )
    assert next(call for call in asked if call[0] == 'intervals')[2] == dict(seed=3) and sheets == [
        ('out/shots.png', 'sheet of digest 3')
    ]
    assert (
        task.measured_under == dict(num_lines=7, shots={'0': 'x'}, lines_sha256=['digest 3', 'digest 4'])
        and pathlib.Path('out/shots.md').read_text() == 'markdown of rows'
    )
    ((findings, pictures),) = found
    figures, facts = findings.figures, findings.facts
    assert figures == ['figures of digest 3 by groups', 'figures of digest 4 by groups'] and (
        facts['before'],
        facts['conditions'],
    ) == ('old', 'rows')
    assert capsys.readouterr().out == 'intervals out/shots.md\n'


def test_nonsense_is_written_down(monkeypatch, capsys):
    asked = []

    def lines(seed):
        return [
            types.SimpleNamespace(kind='real', units=None, images=None),
            types.SimpleNamespace(
                kind='nonsense', units=[('⿱山鱼', '⿰日月'), ('⿰鱼日',)], images=f'images {seed}'
            ),
        ]

    keep(monkeypatch, nonsense_glyphs, 'known_codes', 'codes', asked)
    keep(monkeypatch, nonsense, 'read_lines', lambda *arguments, **options: lines(options['seed']), asked)
    keep(monkeypatch, nonsense, 'digest', lambda one: f'digest of {one[1].images}', asked)
    keep(monkeypatch, nonsense, 'intervals', 'rows', asked)
    keep(monkeypatch, nonsense, 'recombining', 'costs', asked)
    keep(monkeypatch, nonsense, 'figures', lambda one: f'figures of {one[1].images}', asked)
    monkeypatch.setattr(nonsense, 'format_markdown', lambda rows, costs: f'{rows} and {costs}')
    keep(monkeypatch, nonsense_sheet, 'draw_sheet', np.zeros([3, 5], np.uint8), asked)
    charset = Charset.load()
    judges = {'component_reader': types.SimpleNamespace(charset=charset)}
    task = task_of(
        'nonsense', monkeypatch, model=types.SimpleNamespace(charset=charset), seeds=[3, 4], judges=judges
    )
    found = written(task, monkeypatch)
    run(task)
    assert [call[2]['seed'] for call in asked if call[0] == 'read_lines'] == [3, 4] and [
        call[2] for call in asked if call[0] in ('intervals', 'recombining')
    ] == [dict(seed=3)] * 2
    assert [call[1][1:] for call in asked if call[0] == 'draw_sheet'] == [
        (lines(3)[1].units, 'images 3')
    ] and Image.open('out/nonsense.png').size == (5, 3)
    assert (
        pathlib.Path('out/nonsense.txt').read_text(encoding='utf-8') == '⿱山鱼⿰日月\n⿰鱼日\n'
        and pathlib.Path('out/nonsense.md').read_text() == 'rows and costs'
    )
    assert task.measured_under == dict(num_lines=7, lines_sha256=['digest of images 3', 'digest of images 4'])
    ((findings, pictures),) = found
    figures, facts = findings.figures, findings.facts
    assert figures == ['figures of images 3', 'figures of images 4'] and (
        facts['conditions'],
        facts['recombining'],
    ) == ('rows', 'costs')
    assert capsys.readouterr().out == '\nrows and costs\nsequences out/nonsense.txt\n'


def test_systems_are_compared_by_all_judges(monkeypatch):
    asked = []
    compared = types.SimpleNamespace(digests=['d'], figures=['f'])
    keep(monkeypatch, comparison, 'compare_systems', compared, asked)
    keep(monkeypatch, comparison, 'write_sheet', None, asked)
    systems = {name: types.SimpleNamespace(description=f'describes {name}') for name in ('demo', 'press')}
    space = types.SimpleNamespace(description='a space')
    task = task_of(
        'comparison',
        monkeypatch,
        seeds=[3, 4],
        judges=dict(space=space, reader='r', component_reader='c'),
        opened=systems,
    )
    found = written(task, monkeypatch)
    run(task)
    assert asked == [
        (
            'compare_systems',
            (systems, 'index of None'),
            dict(seeds=[3, 4], num_lines=7, truncation=0.6, space=space, reader='r', component_reader='c'),
        ),
        ('write_sheet', ('out/comparison.png', compared, systems), {}),
    ]
    ((findings, pictures),) = found
    figures, facts = findings.figures, findings.facts
    assert (
        figures == ['f']
        and facts['systems'] == dict(demo='describes demo', press='describes press')
        and find_protocol('comparison').by_system is True
        and task.measured_under == {'lines_sha256': ['d']}
    )


def test_an_ablation_tells_of_all_that_is_done_and_of_what_is_not(monkeypatch, capsys):
    asked = []

    class Row(types.SimpleNamespace):
        def _asdict(self):
            return vars(self)

    plan = types.SimpleNamespace(
        rows=[
            Row(name='a', title='A', seeds=[5, 1]),
            Row(name='b', title='B', seeds=[2]),
            Row(name='c', title='C', seeds=[9]),
        ],
        reference='a',
    )
    state = dict(measured={'a': 1, 'b': 2}, failed={'c': 'no room', 'd': 'gone'})
    keep(monkeypatch, ablation, 'run', lambda *_, **__: (state['measured'], state['failed']), asked)
    keep(monkeypatch, ablation, 'write_sheets', ['pictures'], asked)
    keep(monkeypatch, ablation, 'sheet_texts', lambda index: f'texts of {index}', asked)
    keep(monkeypatch, ablation, 'by_seed', lambda measured: f'by seed {measured}', asked)
    keep(monkeypatch, ablation, 'format_table', 'a table', asked)
    task = task_of(
        'ablation',
        monkeypatch,
        judges=dict(space=types.SimpleNamespace(description='a space')),
        opened=plan,
        options=dict(runs='ours', jobs=3),
    )
    found = written(task, monkeypatch)
    with pytest.raises(ProtocolError, match='^2 trainings are not finished: c: no room; d: gone$'):
        run(task)
    assert asked[0] == (
        'run',
        (plan,),
        dict(runs='ours', data='lines', judges=task.judges, num_lines=7, truncation=0.6, num_parallel=3),
    ) and task.seeds == [1, 2, 5]
    assert (
        'write_sheets',
        ('out/', plan, state['measured']),
        dict(runs='ours', texts='texts of index of test', truncation=0.6),
    ) in asked
    assert (
        'format_table',
        ('gathered', {'a': 'A', 'b': 'B'}),
        dict(reference='a'),
    ) in asked and pathlib.Path('out/ablation.md').read_text() == 'a table'
    ((findings, pictures),) = found
    figures, facts = findings.figures, findings.facts
    assert (
        figures == f'by seed {state["measured"]}'
        and facts['reference'] == 'a'
        and [row['name'] for row in facts['rows']] == ['a', 'b', 'c']
        and pictures == ['pictures']
    )
    assert capsys.readouterr().out == 'table     out/ablation.md\n'
    state.update(measured={}, failed={'c': 'no room'})
    with pytest.raises(ProtocolError, match='^1 trainings are not finished: c: no room$'):
        run(task)
    assert len(found) == 1
    state.update(measured={'a': 1}, failed={})
    run(task)
    assert task.seeds == [1, 5]
