"""The ablation's measuring and table: what is measured once is not measured again; differences within the
spreads are none.
"""

import json
import pathlib
import shutil
import types

import numpy as np
import pytest
from PIL import Image

from hwgen.charset.encoding import Charset
from hwgen.data.reading.shards import RecordIndex
from hwgen.evaluation.measuring import ablation, comparison, training_plan
from hwgen.evaluation.protocols.registry import find_protocol
from hwgen.evaluation.reporting import picture_sheet, seed_figures
from hwgen.inference import artefact
from tests.small_generator import make_small_generator


@pytest.fixture
def trained(tmp_path):
    """Folder of a run with a written generator."""
    artefact.save_generator(
        str(tmp_path / 'run' / 'model'),
        make_small_generator(content_encoding='sequence'),
        charset=Charset.load(),
    )
    return tmp_path / 'run'


def measure(folder, data, space, **options):
    judges = dict(space=space, reader=None, component_reader=None)
    return ablation.measure_model(
        folder,
        data=data,
        judges=judges,
        report=lambda line: None,
        **{**dict(seed=1, num_lines=10, truncation=1.0, geometry_repeats=0, real={}), **options},
    )


@pytest.mark.slow
def test_a_model_is_measured_once(trained, written_folder, grey_space):
    """Again under the same conditions: no picture is looked at; with other weights all are."""
    first = measure(trained, written_folder, grey_space)
    seen = len(grey_space.shapes)
    assert seen > 0 and {'fid_grey_10', 'kid_grey_10', 'hands_distance_pixels'} <= set(first)
    assert first['hands_distance_pixels']['generated'] > 0.0 and first['hands_distance_pixels']['floor'] > 0.0
    assert measure(trained, written_folder, grey_space) == first and len(grey_space.shapes) == seen
    generator = make_small_generator(content_encoding='sequence')
    generator.variables[0].assign(generator.variables[0] + 1.0)
    artefact.save_generator(str(trained / 'model'), generator, charset=Charset.load())
    assert measure(trained, written_folder, grey_space) != first and len(grey_space.shapes) == 2 * seen


def of(floor, generated):
    return {
        'fid_grey_10': {'floor': floor, 'generated': generated},
        'is_grey_10': {'floor': 9.0, 'generated': 10.0 - generated},
    }


def test_table_of_rows_with_different_numbers_of_seeds():
    measured = {
        'base': [of(0.1, 1.0), of(0.3, 3.0), of(0.2, 2.0)],
        'near': [of(0.1, 3.9)],
        'far': [of(0.1, 4.1)],
        'low': [of(0.1, -0.5), of(0.3, -1.5)],
    }
    gathered = seed_figures.gather(ablation.by_seed(measured), find_protocol('ablation').directions)
    fid, inception = gathered
    assert fid['floor']['values'] == [0.1, 0.3, 0.2] and fid['base'] == {
        'values': [1.0, 3.0, 2.0],
        'mean': 2.0,
        'spread': 1.0,
    }
    assert fid['near'] == {'values': [3.9], 'mean': 3.9, 'spread': None}
    # Spreads: base 1, low .71; a row that was trained once is taken to spread as the base does.
    assert [ablation.verdict(fid, row, 'base') for row in ('near', 'far', 'low')] == [
        'none',
        'worse',
        'better',
    ]
    assert [ablation.verdict(inception, row, 'base') for row in ('near', 'far', 'low')] == [
        'none',
        'worse',
        'better',
    ]
    table = ablation.format_table(
        gathered,
        {'base': 'the base', 'near': 'a near one', 'far': 'a far one', 'low': 'a low one'},
        reference='base',
    ).splitlines()
    assert table[0] == '| row | `fid_grey_10` | `is_grey_10` |'
    assert table[2:5] == [
        '| real lines | 0.2 ± 0.1 | 9 ± 0 |',
        '| **the base** | 2 ± 1 | 8 ± 1 |',
        '| a near one | 3.9 · | 6.1 · |',
    ]
    assert table[5] == '| a far one | 4.1 ▼ | 5.9 ▼ |' and table[6].endswith('| -1 ± 0.71 ▲ | 11 ± 0.71 ▲ |')


def test_no_verdict_without_a_spread_or_a_better():
    once = seed_figures.gather(
        ablation.by_seed({'base': [of(0.1, 1.0)], 'other': [of(0.1, 9.0)]}),
        find_protocol('ablation').directions,
    )[0]
    assert ablation.verdict(once, 'other', 'base') == ''
    neither = {'better': None, 'base': {'mean': 1.0, 'spread': 0.1}, 'other': {'mean': 9.0, 'spread': 0.1}}
    assert ablation.verdict(neither, 'other', 'base') == ''


@pytest.mark.slow
def test_sheets(trained, written_folder, tmp_path):
    """A row a picture row; the strip only where all of its rows are there."""
    rows = tuple(training_plan.Row(name, f'the {name}', 'kind', (1,)) for name in ('left', 'right'))
    plan = training_plan.Plan(tmp_path, tmp_path / 'base.flags', {}, rows, 'left', ('right', 'left'))
    for name in ('left', 'right'):
        shutil.copytree(trained, tmp_path / 'runs' / name / 'seed-1')
    texts = ablation.sheet_texts(RecordIndex(str(written_folder), split='test'), num_characters=3)
    assert len(texts) == 3 and all(len(text) == 3 for text in texts)
    found = ablation.write_sheets(
        tmp_path, plan, {'left': [], 'right': []}, runs=tmp_path / 'runs', texts=texts, truncation=1.0
    )
    assert found == [
        ('ablation.png', 'The same texts by every row, in two drawn hands'),
        ('ablation_strip.png', 'the right, the left'),
    ]
    with Image.open(tmp_path / 'ablation.png') as sheet, Image.open(tmp_path / 'ablation_strip.png') as strip:
        assert 2 * 48 <= sheet.height < 3 * 48 and sheet.width > 6 * 3 * 48
        assert 4 * 48 <= strip.height < 5 * 48 and strip.width > 2 * 3 * 48
    (tmp_path / 'ablation_strip.png').unlink()
    assert (
        len(
            ablation.write_sheets(
                tmp_path, plan, {'left': []}, runs=tmp_path / 'runs', texts=texts, truncation=1.0
            )
        )
        == 1
    )
    assert not (tmp_path / 'ablation_strip.png').exists()


@pytest.mark.slow
def test_rows_whose_training_failed_are_left_out(trained, written_folder, grey_space, tmp_path, monkeypatch):
    """What is finished is measured; a kind of recognisers that failed takes its rows with it."""
    rows = [
        training_plan.Row('good', 'good', 'kind', (1,)),
        training_plan.Row('bad', 'bad', 'kind', (1,)),
        training_plan.Row('orphan', 'orphan', 'broken', (1,)),
    ]
    plan, asked = training_plan.Plan(tmp_path, tmp_path / 'base.flags', {}, tuple(rows)), []

    def train_all(jobs, **options):
        asked.append([job.name for job in jobs])
        return {name: 'it broke' for name in asked[-1] if 'broken' in name or 'bad' in name}

    monkeypatch.setattr(training_plan, 'train_all', train_all)
    monkeypatch.setattr(training_plan.Job, 'is_done', lambda job: job.name == 'good seed 1')
    (tmp_path / 'runs' / 'good').mkdir(parents=True)
    trained.rename(tmp_path / 'runs' / 'good' / 'seed-1')
    measured, failed = ablation.run(
        plan,
        runs=tmp_path / 'runs',
        data=written_folder,
        judges=dict(space=grey_space, reader=None, component_reader=None),
        num_lines=10,
        truncation=1.0,
        geometry_repeats=0,
        report=lambda line: None,
    )
    assert asked == [['recognizers kind', 'recognizers broken'], ['good seed 1', 'bad seed 1']]
    assert list(measured) == ['good'] and len(measured['good']) == 1
    assert failed == {'recognizers broken': 'it broke', 'bad seed 1': 'it broke'}


class Recorded:
    """Stands in for what measures a model: keeps what it is asked, and gives numbers that tell where they
    come from.
    """

    def __init__(self, monkeypatch, *, splits=('test', 'train', 'unseen'), floor=0.25):
        self.splits, self.floor, self.version, self.asked, self.hands, self.loaded = (
            splits,
            floor,
            1,
            [],
            [],
            [],
        )
        for name in ('RecordIndex', 'Writer'):
            monkeypatch.setattr(ablation, name, self)
        monkeypatch.setattr(comparison, 'compare_systems', self.compare)
        monkeypatch.setattr(ablation.hands, 'distances_between_hands', self.between)

    def __call__(self, folder, *, split):
        """An index: four lines by writers out of order."""
        lines = [
            types.SimpleNamespace(text=f'{split} {number}', writer=writer)
            for number, writer in enumerate('caba')
        ]

        class Index:
            info = {
                'splits': dict.fromkeys(self.splits),
                'source': 'made',
                'version': self.version,
                'seed': 3,
                'settings': {'lines': 4},
                'charset': {},
            }
            __len__, read_record = (lambda index: len(lines)), (lambda index, number: lines[number])

        Index.split, Index.folder = split, folder
        return Index()

    def load(self, path, **options):
        self.loaded.append((path, options))
        return 'the writer'

    def compare(self, systems, index, **options):
        self.asked.append((systems, index, options))
        if index.split == 'unseen':
            return comparison.Compared(
                [
                    {
                        name: {'floor': 0.125, 'generated': 0.5}
                        for name in ('fid_grey_10', 'cer_10', 'label_error_10')
                    }
                ],
                [],
                [],
                [],
            )
        return comparison.Compared([{'fid_grey_10': {'floor': 1.0, 'generated': 2.0}}], [], [], [])

    def between(self, records, writer, *, seeds, truncation):
        self.hands.append(([record.text for record in records], writer, seeds.integers(2**63), truncation))
        return 0.75, self.floor


@pytest.fixture
def run_folder(tmp_path):
    (tmp_path / 'run' / 'model').mkdir(parents=True)
    (tmp_path / 'run' / 'model' / 'weights.npz').write_bytes(b'weights')
    return tmp_path / 'run'


def test_what_a_row_is_measured_with(run_folder, monkeypatch):
    """Lines of test, whole; of unseen what readers say alone; hands of all lines of test, writer by
    writer.
    """
    recorded, real, judges = (
        Recorded(monkeypatch),
        {},
        dict(space=types.SimpleNamespace(weights_digest='d'), reader=None, component_reader='reads'),
    )
    options = dict(
        data='lines',
        judges=judges,
        seed=3,
        num_lines=10,
        truncation=0.7,
        geometry_repeats=5,
        real=real,
        report=print,
    )
    found = ablation.measure_model(run_folder, **options)
    assert found == {
        'fid_grey_10': {'floor': 1.0, 'generated': 2.0},
        'unseen_cer_10': {'floor': 0.125, 'generated': 0.5},
        'unseen_label_error_10': {'floor': 0.125, 'generated': 0.5},
        'hands_distance_pixels': {'floor': 0.25, 'generated': 0.75},
    }
    assert recorded.loaded == [(str(run_folder / 'model'), {'allow_unseen': True, 'tell': None})]
    same = {'seeds': (3,), 'num_lines': 10, 'truncation': 0.7, 'report': print, **judges}
    (systems, test, told), (others, unseen, less) = recorded.asked
    assert systems == others == {'generated': 'the writer'} and (
        test.split,
        test.folder,
        unseen.split,
        unseen.folder,
    ) == ('test', 'lines', 'unseen', 'lines')
    assert told == {**same, 'geometry_repeats': 5, 'real': {}} and less == {
        **same,
        'geometry_repeats': 0,
        'real': {},
    }
    assert (
        told['real'] is real['test'] and less['real'] is real['unseen'] and real['test'] is not real['unseen']
    )
    # the stream of the hands: styles of another would make another figure
    expected = np.random.default_rng([3, 5]).integers(2**63)
    assert recorded.hands == [(['test 1', 'test 3', 'test 2', 'test 0'], 'the writer', expected, 0.7)]
    kept = json.loads((run_folder / 'measured.json').read_text())
    assert kept['figures'] == found and kept['measured_under']['data'] == {
        'source': 'made',
        'version': 1,
        'seed': 3,
        'settings': {'lines': 4},
    }
    bare = Recorded(monkeypatch, splits=('test', 'train'), floor=None)
    assert ablation.measure_model(run_folder, **{**options, 'seed': 4}) == {
        'fid_grey_10': {'floor': 1.0, 'generated': 2.0},
        'hands_distance_pixels': {'generated': 0.75},
    }
    assert len(bare.asked) == 1


@pytest.mark.parametrize(
    'change',
    [
        {'seed': 4},
        {'num_lines': 11},
        {'truncation': 0.8},
        {'geometry_repeats': 6},
        {'features': 'other'},
        {'reader': 'somebody'},
        {'version': 2},
        {'weights': b'others'},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_a_figure_depends_on_has_it_measured_again(run_folder, monkeypatch, change):
    recorded = Recorded(monkeypatch)

    def measured(*, features='d', reader=None, version=1, weights=b'weights', **options):
        recorded.version, reader = version, reader and types.SimpleNamespace(name=reader)
        (run_folder / 'model' / 'weights.npz').write_bytes(weights)
        judges = dict(
            space=types.SimpleNamespace(weights_digest=features), reader=reader, component_reader=None
        )
        ablation.measure_model(
            run_folder,
            data='lines',
            judges=judges,
            report=print,
            real={},
            **{'seed': 3, 'num_lines': 10, 'truncation': 0.7, 'geometry_repeats': 5, **options},
        )
        return len(recorded.asked)

    assert [measured(), measured(), measured(**change), measured(**change), measured()] == [2, 2, 4, 4, 6]
    for damaged in ('{"half a', '[]', '{"measured_under": {}}', '{"figures": {}}'):
        (run_folder / 'measured.json').write_text(damaged)
        count = len(recorded.asked)
        assert measured() == count + 2


def test_every_row_is_measured_by_its_own_seed_beside_the_same_real_lines(tmp_path, monkeypatch):
    rows = (
        training_plan.Row('base', 'the base', 'kind', (1, 2)),
        training_plan.Row('other', 'the other', 'kind', (1,)),
        training_plan.Row('never', '', 'kind', (1,)),
    )
    plan, asked, said, parallel = training_plan.Plan(tmp_path, tmp_path / 'base.flags', {}, rows), [], [], []
    monkeypatch.setattr(
        training_plan, 'train_all', lambda jobs, *, num_parallel, report: parallel.append(num_parallel) or {}
    )
    monkeypatch.setattr(training_plan.Job, 'is_done', lambda job: 'never' not in job.name)

    def measure_model(folder, **options):
        options.pop('report')('said by nobody')
        asked.append((folder, options))
        return {
            'fid_grey_10': {'floor': 1.0, 'generated': 2.34567 + len(asked)},
            'fid_grey_10_other_texts': {'floor': 1.0, 'generated': 7.0},
        }

    monkeypatch.setattr(ablation, 'measure_model', measure_model)
    measured, failed = ablation.run(
        plan,
        runs=tmp_path,
        data='lines',
        judges='judges',
        num_lines=10,
        truncation=0.7,
        num_parallel=3,
        report=said.append,
    )
    assert [(folder, options['seed']) for folder, options in asked] == [
        (tmp_path / 'base' / 'seed-1', 1),
        (tmp_path / 'other' / 'seed-1', 1),
        (tmp_path / 'base' / 'seed-2', 2),
    ]
    assert (
        all(options['real'] is asked[0][1]['real'] for _, options in asked)
        and failed == {}
        and parallel == [3, 3]
    )
    assert {
        (o['data'], o['judges'], o['num_lines'], o['truncation'], o['geometry_repeats']) for _, o in asked
    } == {('lines', 'judges', 10, 0.7, 50)}
    assert {name: [one['fid_grey_10']['generated'] for one in found] for name, found in measured.items()} == {
        'base': [3.34567, 5.34567],
        'other': [4.34567],
    }
    assert said == [
        '1 of 4, base seed 1: fid_grey_10 3.35',
        '2 of 4, other seed 1: fid_grey_10 4.35',
        '4 of 4, base seed 2: fid_grey_10 5.35',
    ]


def test_a_difference_is_held_against_both_spreads():
    figure = {'better': 'lower', 'base': {'mean': 10.0, 'spread': 2.0}}

    def told(mean, spread, better='lower'):
        return ablation.verdict(
            {**figure, 'better': better, 'row': {'mean': mean, 'spread': spread}}, 'row', 'base'
        )

    # 3 is the sum
    assert [told(13.0, 1.0), told(7.0, 1.0), told(13.25, 1.0), told(6.75, 1.0), told(12.5, 0.25)] == [
        'none',
        'none',
        'worse',
        'better',
        'worse',
    ]
    assert [told(14.0, None), told(14.25, None), told(5.75, None)] == ['none', 'worse', 'better']
    assert [told(14.0, 1.0, 'higher'), told(6.0, 1.0, 'higher')] == ['better', 'worse']
    assert told(14.0, 1.0, 'neither') == told(14.0, 1.0, None) == ''


def test_the_nearer_to_1_the_better():
    def told(mean, base):
        figure = {'better': 'near 1', 'row': {'mean': mean, 'spread': 0.125}}
        return ablation.verdict({**figure, 'base': {'mean': base, 'spread': 0.125}}, 'row', 'base')

    assert [told(1.0, 0.5), told(1.0, 1.5), told(0.5, 1.0), told(1.5, 1.0)] == ['better'] * 2 + ['worse'] * 2
    assert [told(0.5, 1.5), told(0.75, 1.0), told(1.0, 0.75)] == [
        'none'
    ] * 3  # as far away, or within spreads


def test_cells_of_figures_that_a_row_does_not_have():
    def one(**kinds):
        return {
            'better': 'lower',
            **{kind: {'mean': mean, 'spread': 0.5} for kind, mean in kinds.items()},
        }

    gathered = [
        {'name': 'a', **one(floor=1.0, base=2.0, row=9.0)},
        {'name': 'b', **one(row=3.0)},
        {'name': 'c', **one(base=4.0)},
    ]
    assert (
        ablation.format_table(
            gathered, {'row': 'The row', 'base': 'The base', 'more': 'More'}, reference='base'
        )
        == """\
| row | `a` | `b` | `c` |
|---|---|---|---|
| real lines | 1 ± 0.5 |  |  |
| The row | 9 ± 0.5 ▼ | 3 ± 0.5 |  |
| **The base** | 2 ± 0.5 |  | 4 ± 0.5 |
| More |  |  |  |
"""
    )


def test_texts_of_the_sheet_are_the_first_that_are_hanzi_alone():
    class Index(list):
        def read_record(self, place, *, decode_image):
            assert decode_image is False
            return types.SimpleNamespace(text=self[place])

    index = Index(
        [
            '明天去。',
            '明天去',
            '一龘\u4e00\u9fff',
            '明天去钓鱼',
            '\u3400天去钓',
            '明天去钓',
            '一龘一\u9fff',
            '\ua000天去钓',
            '天天天天',
            '人人人人',
        ]
    )
    assert ablation.sheet_texts(index) == ['一龘一\u9fff', '明天去钓', '天天天天'] and ablation.sheet_texts(
        index, number=1
    ) == ['一龘一\u9fff']
    assert ablation.sheet_texts(index, number=9, num_characters=3) == ['明天去']
    # None of that length: those nearest to it. No ideographs: any texts.
    assert [len(text) for text in ablation.sheet_texts(index, num_characters=40)] == [5, 4, 4]
    latin = Index(['ink', 'paper', 'ink', 'a'])
    assert ablation.sheet_texts(latin) == ['ink', 'paper', 'a']


def test_which_model_writes_what_on_the_sheets(tmp_path, monkeypatch):
    rows = tuple(
        training_plan.Row(name, f'the {name}', 'kind', seeds)
        for name, seeds in (('left', (3, 1)), ('right', (2,)), ('unmeasured', (5,)))
    )
    plan, sheets, calls = (
        training_plan.Plan(tmp_path, tmp_path / 'base.flags', {}, rows, 'left', ('right', 'left')),
        {},
        [],
    )

    class Loaded:
        def __init__(self, path):
            self.path = pathlib.Path(path)

        @classmethod
        def load(cls, path, **options):
            assert options == {'allow_unseen': True, 'tell': None}
            return cls(path)

        def write(self, texts, *, style_seeds, truncation):
            calls.append((self.path.parts[-3], texts, style_seeds, truncation))
            return [(self.path.parts[-3:-1], text, style_seeds) for text in texts]

    monkeypatch.setattr(ablation, 'Writer', Loaded)
    monkeypatch.setattr(picture_sheet, 'head_picture', lambda head, font: head)
    monkeypatch.setattr(
        picture_sheet,
        'write_sheet',
        lambda path, shown, **options: sheets.update({path.name: (shown, options.get('heads'))}),
    )
    found = ablation.write_sheets(
        tmp_path, plan, {'right': [], 'left': []}, runs=tmp_path / 'runs', texts=['天', '地'], truncation=0.7
    )
    assert sheets['ablation.png'][0] == [
        [f'the {row}', *(((row, seed), text, hand) for hand in (0, 1) for text in '天地')]
        for row, seed in (('left', 'seed-3'), ('right', 'seed-2'))
    ]
    assert (
        sheets['ablation_strip.png'][1] == ['the right', 'the left']
        and {call[3] for call in calls} == {0.7}
        and len(found) == 2
    )
    assert [[picture[0][0] for picture in row] for row in sheets['ablation_strip.png'][0]] == [
        ['right', 'left']
    ] * 2
    assert (
        len(
            ablation.write_sheets(
                tmp_path,
                plan._replace(strip=()),
                {'right': []},
                runs=tmp_path / 'runs',
                texts=['天'],
                truncation=0.7,
            )
        )
        == 1
    )
