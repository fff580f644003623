"""The ablation's measuring and table: what is measured once is not measured again; differences within the spreads are none."""

import shutil

import pytest
from PIL import Image

from hwgen.charset.encoding import Charset
from hwgen.data.shards import RecordIndex
from hwgen.evaluation import ablation, results, training_plan
from hwgen.inference import artefact
from tests.small_generator import make_small_generator


@pytest.fixture
def trained(tmp_path):
    """Folder of a run with a written generator."""
    artefact.save_generator(str(tmp_path / 'run' / 'model'), make_small_generator(content_encoding='sequence'), charset=Charset.load())
    return tmp_path / 'run'


def measure(folder, data, space, **options):
    judges = dict(space=space, reader=None, component_reader=None)
    return ablation.measure_model(folder, data=data, judges=judges, report=lambda line: None, **{**dict(seed=1, num_lines=10, truncation=1., geometry_repeats=0, real={}), **options})


def test_a_model_is_measured_once(trained, written_folder, grey_space):
    """Again under the same conditions: no picture is looked at; under others, or with other weights, all are."""
    first = measure(trained, written_folder, grey_space)
    seen = len(grey_space.shapes)
    assert seen > 0 and {'fid_grey_10', 'kid_grey_10', 'hands_distance_pixels'} <= set(first)
    assert first['hands_distance_pixels']['generated'] > 0. and first['hands_distance_pixels']['floor'] > 0.
    assert measure(trained, written_folder, grey_space) == first and len(grey_space.shapes) == seen
    assert measure(trained, written_folder, grey_space, seed=2) != first and len(grey_space.shapes) == 2 * seen
    generator = make_small_generator(content_encoding='sequence')
    generator.variables[0].assign(generator.variables[0] + 1.)
    artefact.save_generator(str(trained / 'model'), generator, charset=Charset.load())
    measure(trained, written_folder, grey_space, seed=2)
    assert len(grey_space.shapes) == 3 * seen
    (trained / 'measured.json').write_text('{"half a')
    measure(trained, written_folder, grey_space, seed=2)
    assert len(grey_space.shapes) == 4 * seen


def of(floor, generated):
    return {'fid_grey_10': {'floor': floor, 'generated': generated}, 'is_grey_10': {'floor': 9., 'generated': 10. - generated}}


def test_table_of_rows_with_different_numbers_of_seeds():
    measured = {'base': [of(.1, 1.), of(.3, 3.), of(.2, 2.)], 'near': [of(.1, 3.9)], 'far': [of(.1, 4.1)], 'low': [of(.1, -.5), of(.3, -1.5)]}
    gathered = results.gather(ablation.by_seed(measured))
    fid, inception = gathered
    assert fid['floor']['values'] == [.1, .3, .2] and fid['base'] == {'values': [1., 3., 2.], 'mean': 2., 'spread': 1.}
    assert fid['near'] == {'values': [3.9], 'mean': 3.9, 'spread': None}
    # Spreads: base 1, low .71; a row that was trained once is taken to spread as the base does.
    assert [ablation.verdict(fid, row, 'base') for row in ('near', 'far', 'low')] == ['none', 'worse', 'better']
    assert [ablation.verdict(inception, row, 'base') for row in ('near', 'far', 'low')] == ['none', 'worse', 'better']
    table = ablation.format_table(gathered, {'base': 'the base', 'near': 'a near one', 'far': 'a far one', 'low': 'a low one'}, reference='base').splitlines()
    assert table[0] == '| row | `fid_grey_10` | `is_grey_10` |'
    assert table[2:5] == ['| real lines | 0.2 ± 0.1 | 9 ± 0 |', '| **the base** | 2 ± 1 | 8 ± 1 |', '| a near one | 3.9 · | 6.1 · |']
    assert table[5] == '| a far one | 4.1 ▼ | 5.9 ▼ |' and table[6].endswith('| -1 ± 0.71 ▲ | 11 ± 0.71 ▲ |')


def test_no_verdict_without_a_spread_or_a_better():
    once = results.gather(ablation.by_seed({'base': [of(.1, 1.)], 'other': [of(.1, 9.)]}))[0]
    assert ablation.verdict(once, 'other', 'base') == ''
    neither = {'better': None, 'base': {'mean': 1., 'spread': .1}, 'other': {'mean': 9., 'spread': .1}}
    assert ablation.verdict(neither, 'other', 'base') == ''


def test_sheets(trained, written_folder, tmp_path):
    """A row a picture row; the strip only where all of its rows are there."""
    rows = tuple(training_plan.Row(name, f'the {name}', 'kind', (1,)) for name in ('left', 'right'))
    plan = training_plan.Plan(tmp_path, tmp_path / 'base.flags', {}, rows, 'left', ('right', 'left'))
    for name in ('left', 'right'):
        shutil.copytree(trained, tmp_path / 'runs' / name / 'seed-1')
    texts = ablation.sheet_texts(RecordIndex(str(written_folder), split='test'), num_characters=3)
    assert len(texts) == 3 and all(len(text) == 3 for text in texts)
    found = ablation.write_sheets(tmp_path, plan, {'left': [], 'right': []}, runs=tmp_path / 'runs', texts=texts, truncation=1.)
    assert found == [('ablation.png', 'The same texts by every row, in two drawn hands'), ('ablation_strip.png', 'the right, the left')]
    with Image.open(tmp_path / 'ablation.png') as sheet, Image.open(tmp_path / 'ablation_strip.png') as strip:
        assert 2 * 48 <= sheet.height < 3 * 48 and sheet.width > 6 * 3 * 48
        assert 4 * 48 <= strip.height < 5 * 48 and strip.width > 2 * 3 * 48
    (tmp_path / 'ablation_strip.png').unlink()
    assert len(ablation.write_sheets(tmp_path, plan, {'left': []}, runs=tmp_path / 'runs', texts=texts, truncation=1.)) == 1
    assert not (tmp_path / 'ablation_strip.png').exists()


def test_rows_whose_training_failed_are_left_out(trained, written_folder, grey_space, tmp_path, monkeypatch):
    """What is finished is measured; a kind of recognisers that failed takes its rows with it."""
    rows = [training_plan.Row('good', 'good', 'kind', (1,)), training_plan.Row('bad', 'bad', 'kind', (1,)), training_plan.Row('orphan', 'orphan', 'broken', (1,))]
    plan, asked = training_plan.Plan(tmp_path, tmp_path / 'base.flags', {}, tuple(rows)), []

    def train_all(jobs, **options):
        asked.append([job.name for job in jobs])
        return {name: 'it broke' for name in asked[-1] if 'broken' in name or 'bad' in name}
    monkeypatch.setattr(training_plan, 'train_all', train_all)
    monkeypatch.setattr(training_plan.Job, 'is_done', lambda job: job.name == 'good seed 1')
    (tmp_path / 'runs' / 'good').mkdir(parents=True)
    trained.rename(tmp_path / 'runs' / 'good' / 'seed-1')
    measured, failed = ablation.run(plan, runs=tmp_path / 'runs', data=written_folder, judges=dict(space=grey_space, reader=None, component_reader=None), num_lines=10,
                                    truncation=1., geometry_repeats=0, report=lambda line: None)
    assert asked == [['recognizers kind', 'recognizers broken'], ['good seed 1', 'bad seed 1']]
    assert list(measured) == ['good'] and len(measured['good']) == 1
    assert failed == {'recognizers broken': 'it broke', 'bad seed 1': 'it broke'}
