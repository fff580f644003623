"""`train` on an embedded corpus that is still being written: the run that it would be with all lines
there, to the last bit.
"""

import json
import os
import shutil

import pytest
from train_process import PHASES, TINY, artefact, assert_equal, records, train, weights

from hwgen.data.preparing import prepare, work_folder
from hwgen.data.reading import shards

SETTINGS = dict(
    lines=60,
    validation_lines=8,
    test_lines=4,
    unseen_lines=4,
    vocabulary_size=700,
    seed=3,
    height_px=32,
    num_writers=5,
    min_characters=2,
    max_characters=3,
)


def measured(run_dir):
    """The rows of metrics.jsonl without what depends on the clock and without those of starts and ends."""
    return [
        {name: value for name, value in row.items() if not name.startswith('time/')}
        for row in records(run_dir)
        if 'phase' in row
    ]


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    """A corpus that is there, and the same with its validation lines alone."""
    place = tmp_path_factory.mktemp('corpora')
    prepare.prepare_scribe(
        place / 'begun', **SETTINGS, workers=1, splits=['validation'], report=lambda *lines: None
    )
    shutil.copytree(place / 'begun', place / 'whole')
    prepare.prepare_scribe(place / 'whole', **SETTINGS, workers=1, report=lambda *lines: None)
    return place / 'begun', place / 'whole'


@pytest.mark.slow
@pytest.mark.skipif(os.cpu_count() == 1, reason='with a single core all lines are written first')
def test_a_run_is_the_same_while_its_lines_are_written(folders, tmp_path):
    begun, whole = folders
    status, _, err = train(*TINY, *PHASES, f'--data={whole}', f'--run_dir={tmp_path}/whole')
    assert (status, err) == (0, '')
    with work_folder.exclusive(begun):  # the process that writes waits for this one, so that all is drawn
        status, out, err = train(
            *TINY, *PHASES, f'--data={begun}', f'--run_dir={tmp_path}/run', '--max_steps=6'
        )
    assert (status, err) == (0, '') and f'{begun}: its training lines are written beside the training' in out
    assert (
        f'{begun}: its 60 lines of train are not all written' in out
        and 'train' not in shards.read_info(begun)['splits']
    )
    described = [
        json.loads((tmp_path / name / 'config.json').read_text(encoding='utf-8')) for name in ('run', 'whole')
    ]
    assert (
        described[0]['data']['digest'] == described[1]['data']['digest']
        and described[0]['seen'] == described[1]['seen']
    )
    assert described[0]['data']['contents'] is None
    # goes on where all lines are there
    status, out, err = train(*TINY, *PHASES, f'--data={whole}', f'--run_dir={tmp_path}/run')
    assert (status, err) == (0, '') and 'resumed at step 6' in out
    assert_equal(weights(tmp_path / 'run', 13), weights(tmp_path / 'whole', 13))
    assert_equal(artefact(tmp_path / 'run'), artefact(tmp_path / 'whole'))
    assert [row for row in measured(tmp_path / 'run') if row['phase'] != 'sample'] == [
        row for row in measured(tmp_path / 'whole') if row['phase'] != 'sample'
    ]
    assert (
        json.loads((tmp_path / 'run' / 'config.json').read_text(encoding='utf-8'))['data']['contents']
        == described[1]['data']['contents']
    )
