"""The protocols reader, hands, hct, scrabblegan, ganwriting and hwd: what they ask of what measures, and
what they make of what it found.
"""

import json
import pathlib
import types

import numpy as np
import pytest
from PIL import Image

from hwgen.evaluation import protocol_run
from hwgen.evaluation.measuring import conventions, distances, hands, reading, reading_report, symbol_reading
from hwgen.evaluation.protocols import task as task_module
from hwgen.evaluation.protocols.registry import find_protocol
from hwgen.evaluation.protocols.task import Task
from hwgen.evaluation.reporting import picture_sheet
from tests.evaluation.tasks import task_with_files


class Lines:
    """Stands in for a RecordIndex: each line is as grey as its number."""

    def __len__(self):
        return 40

    def read_record(self, number):
        return types.SimpleNamespace(image=np.full([4, 4], number, np.uint8))


def task_of(protocol, splits, monkeypatch, told, **options):
    """A Task without files: `told` gets the findings and pictures that would be written."""
    task = Task(
        **{
            **dict(
                protocol=protocol,
                data='lines',
                split='test',
                info={'splits': dict.fromkeys(splits)},
                model=None,
                out='out',
                seeds=[3, 4],
                num_lines=None,
                judges={'space': types.SimpleNamespace(description={})},
                truncation=0.8,
                measured_under={},
                facts={},
            ),
            **options,
        }
    )
    monkeypatch.setattr(task, 'index', lambda split=None: Lines())
    monkeypatch.setattr(
        protocol_run,
        'write_result',
        lambda protocol, task, found, pictures: told.append((found, pictures)) or {},
    )
    return task


def run(task):
    return protocol_run.run(find_protocol(task.protocol), task)


def test_copies_are_shown_beside_the_training_lines_that_they_resemble(monkeypatch):
    """A place among the lines that were looked through is not the number of a record."""
    sheets, told = {}, []
    written = [(np.full([4, 4], 200 + place, np.uint8), place) for place in (0, 7, 39)]
    monkeypatch.setattr(
        distances, 'training_features', lambda *arguments, **options: np.zeros([40, 2], np.float32)
    )
    monkeypatch.setattr(
        distances,
        'compare',
        lambda *arguments, seed, **options: distances.Comparison(
            {'fid': {'floor': float(seed)}}, [], written, f'digest {seed}'
        ),
    )
    monkeypatch.setattr(
        picture_sheet, 'write_sheet', lambda path, rows, **options: sheets.setdefault(path, rows)
    )
    task = task_of('hct', ['train', 'test'], monkeypatch, told)
    run(task)
    numbers = distances.training_lines(Lines())
    assert numbers.tolist() != list(range(40))
    shown = [[picture[0, 0] for picture in row] for row in sheets['out/hct_copies.png']]
    assert shown == [[200 + place, numbers[place]] for _, place in written]
    ((found, pictures),) = told
    assert found.figures == [{'fid': {'floor': 3.0}}, {'fid': {'floor': 4.0}}] and [
        name for name, _ in pictures
    ] == ['hct.png', 'hct_copies.png']
    assert task.measured_under['lines_sha256'] == ['digest 3', 'digest 4'] and task.measured_under[
        'cells'
    ] == dict(char_px=32, char_width_px=32)


def test_only_protocols_that_look_for_copies_read_the_training_lines(monkeypatch):
    read, given = [], []
    monkeypatch.setattr(
        distances,
        'training_features',
        lambda index, name, **options: read.append(name) or np.zeros([40, 2], np.float32),
    )
    monkeypatch.setattr(
        distances,
        'compare',
        lambda *arguments, training, **options: (
            given.append(training is not None) or distances.Comparison({'fid': {}}, [], [], '')
        ),
    )
    monkeypatch.setattr(picture_sheet, 'write_sheet', lambda *arguments, **options: None)
    for protocol, splits in (
        ('hwd', ['train', 'test']),
        ('ganwriting', ['train', 'test']),
        ('hct', ['test']),
        ('scrabblegan', ['train', 'test']),
    ):
        run(task_of(protocol, splits, monkeypatch, [], seeds=[0]))
    assert read == ['scrabblegan'] and given == [False, False, False, True]


def test_distances_of_a_model_are_measured_in_its_cells(monkeypatch):
    asked, told, sheets = [], [], []
    monkeypatch.setattr(
        distances,
        'training_features',
        lambda index, name, *, space, cells: (
            asked.append(('training', name, space.description, cells)) or np.zeros([40, 2], np.float32)
        ),
    )
    monkeypatch.setattr(
        distances,
        'compare',
        lambda index, name, **options: (
            asked.append(
                (
                    name,
                    {
                        **options,
                        'training': options['training'] is not None,
                        'space': options['space'].description,
                    },
                )
            )
            or distances.Comparison({'fid': {'floor': 1.0}}, ['a sheet'], [], f'digest {options["seed"]}')
        ),
    )
    monkeypatch.setattr(
        picture_sheet, 'write_sheet', lambda path, rows, **options: sheets.append((path, rows))
    )
    writer = types.SimpleNamespace(char_px=16, char_width_px=8)
    task = task_of(
        'hct',
        ['train', 'test'],
        monkeypatch,
        told,
        model=writer,
        num_lines=7,
        truncation=0.3,
        judges={'space': types.SimpleNamespace(description='a space')},
    )
    run(task)
    cells = dict(char_px=16, char_width_px=8)
    assert asked == [('training', 'hct', 'a space', cells)] + [
        (
            'hct',
            dict(
                space='a space',
                model=writer,
                cells=cells,
                training=True,
                num_lines=7,
                seed=seed,
                truncation=0.3,
                report=task_module.say,
            ),
        )
        for seed in (3, 4)
    ]
    assert sheets == [('out/hct.png', ['a sheet'])]
    found, pictures = told[0]
    facts = found.facts
    assert (
        pictures == [('hct.png', 'Real lines, and beside them generated ones of the same texts')]
        and facts['feature_network'] == 'a space'
        and find_protocol('hct').title == 'Distance from real lines: hct'
    )
    assert facts['convention'] == conventions.CONVENTIONS['hct'].source and task.measured_under == {
        'cells': cells,
        'lines_sha256': ['digest 3', 'digest 4'],
    }
    run(task_of('hct', ['test'], monkeypatch, told))
    assert told[1][1] == [('hct.png', 'Real lines')]


def test_hands_of_every_seed_on_the_split_test_and_the_first_is_shown(monkeypatch, capsys):
    asked = []
    lines = {seed: [np.full([10, 8], 10 * seed + i, np.uint8) for i in range(5)] for seed in (1, 2)}
    summary = dict(
        num_hands=8,
        lines_per_hand=12,
        identified_generated=0.75,
        identified_real=0.875,
        chance=0.125,
        num_copies=30,
        equal_copies=2,
        copy_distance=0.25,
        hand_distance=0.5,
        hand_distance_real=None,
    )
    monkeypatch.setattr(
        hands,
        'hands_protocol',
        lambda *arguments, **options: (
            asked.append((arguments, options)) or ({**summary, 'lines_sha256': options['seed']}, lines)
        ),
    )
    task = task_with_files(protocol='hands', model='writer')
    monkeypatch.setattr(task, 'index', lambda split=None: f'index of {split}')
    run(task)
    assert asked == [(('index of test', 'writer'), dict(seed=seed, truncation=0.8)) for seed in (3, 4)]
    result = json.loads(pathlib.Path('out/hands.json').read_text(encoding='utf-8'))
    assert {**result, 'model': 'mine', **summary} == result and result['seeds'] == [3, 4]
    assert result['measured_under']['lines_sha256'] == [3, 4]
    means = {
        row['name']: {kind: row[kind]['mean'] for kind in ('generated', 'floor') if kind in row}
        for row in result['figures']
    }
    assert means == {
        'identified_8x12': {'generated': 0.75, 'floor': 0.875},
        'hands_distance_pixels': {'generated': 0.5},
        'copies_distance_pixels': {'generated': 0.25},
        'equal_copies': {'generated': pytest.approx(2 / 30)},
    }
    assert 'Can drawn styles be told apart?' in pathlib.Path('out/hands.html').read_text(encoding='utf-8')
    # two blocks of 43 rows: four lines of 10, 1 apart; a quarter of 43, 11, between them
    picture = np.asarray(Image.open('out/hands.png'))
    assert (
        picture.shape == (2 * 43 + 11, 8)
        and [picture[y, 0] for y in (0, 11, 22, 33, 54, 87)] == [10, 11, 12, 13, 20, 23]
        and picture[48, 0] == 255
    )
    said = capsys.readouterr().out
    assert (
        'own hand 0.750 of the generated lines, 0.875 of the real ones, 0.125 by chance'
        in said.replace('\n', ' ')
        and '30 pairs of copies of a character: 2 equal, mean difference 0.250' in said
    )
    assert 'mean difference 0.500\n' in said and 'real writers' not in said
    summary['hand_distance_real'] = 0.625
    run(task)
    assert 'mean difference 0.500; by two real writers 0.625\n' in capsys.readouterr().out


def test_reading_takes_every_seed_and_shows_the_first(monkeypatch, capsys):
    class Condition:
        def __init__(self, name):
            self.name = name

        def summary(self, *, seed):
            return dict(
                name=self.name,
                num_lines=2,
                num_characters=9,
                cer=0.125,
                cer_95_low=0.0625,
                cer_95_high=0.25,
                seed=seed,
            )

    asked, told, reports = [], [], []
    monkeypatch.setattr(
        reading,
        'reader_protocol',
        lambda reader, indices, **options: (
            asked.append((reader.name, indices, {**options, 'report': None}))
            or options['report']('x')
            or [Condition('real_seen'), Condition('generated_seen')]
        ),
    )
    monkeypatch.setattr(
        symbol_reading,
        'read_symbols',
        lambda reader, **options: (
            asked.append((reader.name, {**options, 'report': None}))
            or ([Condition('real_digits')], f'table {options["seed"]}')
        ),
    )
    monkeypatch.setattr(symbol_reading, 'summed', lambda tables: f'sum of {tables}')
    monkeypatch.setattr(symbol_reading, 'format_markdown', lambda table: f'markdown of {table}')
    monkeypatch.setattr(
        reading, 'reading_figures', lambda conditions: {'of': [one.name for one in conditions]}
    )
    monkeypatch.setattr(
        reading, 'texts_digest', lambda conditions: 'digest of ' + '+'.join(one.name for one in conditions)
    )
    monkeypatch.setattr(reading, 'bootstrap_seed', lambda seed: [seed, 'bootstrap'])
    monkeypatch.setattr(
        reading_report,
        'write_report',
        lambda out, conditions, summaries, **options: (
            reports.append((out, [one.name for one in conditions], options))
            or {kind: pathlib.Path(f'out/reader.{kind}') for kind in ('png', 'md', 'tsv')}
        ),
    )
    task = task_with_files(
        protocol='reader',
        model='writer',
        num_lines=20,
        judges={'reader': types.SimpleNamespace(name='ppocr')},
        info={'splits': {'train': {}, 'test': {}, 'unseen': {}}},
        measured_under={},
        options=dict(crop=True, true_aspect=True, sheet_lines=5),
    )
    monkeypatch.setattr(task, 'index', lambda split=None: f'index of {split}')
    monkeypatch.setattr(
        protocol_run, 'write_result', lambda protocol, task, found, pictures: told.append((found, pictures))
    )
    run(task)

    def options(seed):
        return dict(model='writer', num_lines=20, seed=seed, crop=True, truncation=0.8, report=None)

    indices = {split: f'index of {split}' for split in ('test', 'unseen')}
    assert asked == [
        call
        for seed in (3, 4)
        for call in (
            ('ppocr', indices, dict(options(seed), true_aspect=True)),
            ('ppocr', dict(options(seed), info=task.info)),
        )
    ]
    assert task.measured_under == {
        'lines_sha256': ['digest of real_seen+generated_seen'] * 2,
        'symbol_lines_sha256': ['digest of real_digits'] * 2,
    }
    ((out, names, given),) = reports
    assert (out, names, given['lines_on_sheet'], given['further']) == (
        'out',
        ['real_seen', 'generated_seen', 'real_digits'],
        5,
        "markdown of sum of ['table 3', 'table 4']",
    )
    assert given['facts'] == dict(model='mine', seeds=[3, 4], reader='ppocr', num_lines=20, crop=True)
    ((found, pictures),) = told
    facts = found.facts
    assert pictures == [('reader.png', 'Real beside generated, and what was read')]
    assert found.figures == [{'of': ['real_seen', 'generated_seen', 'real_digits']}] * 2 and [
        row['name'] for row in facts['conditions']
    ] == ['real_seen', 'generated_seen']
    assert (
        [(row['name'], row['seed']) for row in facts['symbol_conditions']]
        == [('real_digits', [3, 'bootstrap'])]
        and facts['symbols'] == "sum of ['table 3', 'table 4']"
        and facts['crop'] is True
    )
    said = capsys.readouterr().out
    assert (
        'seed 3: x\nseed 4: x\n' in said
        and 'seed 3                       N lines  N chars     CER   95 % interval\n'
        'real seen                          2        9   0.125   0.062 to 0.250\n'
        in said
    )
    assert said.endswith('lines     out/reader.md, out/reader.tsv\n')
