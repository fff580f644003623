"""`train --init_from`: a run on one's own folder of pictures starts from weights that another collection
taught.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from train_process import ENVIRONMENT, PHASES, SAMPLE, TINY, train

from hwgen.data.reading.shards import RecordIndex

ONE_STEP = '--recognizer_steps=0 --reconstruction_steps=1 --adversarial_steps=0'.split()


@pytest.fixture(scope='module')
def taught(tmp_path_factory):
    folder = tmp_path_factory.mktemp('taught')
    status, _, err = train(*TINY, *PHASES, f'--run_dir={folder}/run')
    assert status == 0, err
    return folder / 'run'


@pytest.fixture(scope='module')
def own_lines(tmp_path_factory):
    """Shards that `prepare` made of a folder of pictures with a table."""
    folder = tmp_path_factory.mktemp('own')
    rows, index = [], RecordIndex(SAMPLE, split='train')
    for number in range(len(index)):
        record = index.read_record(number)
        if len(record.text) <= 3:
            Image.fromarray(record.image).save(folder / f'{number}.png')
            rows.append(f'{number}.png\t{record.text}\twriter-{number % 3}')
    (folder / 'labels.tsv').write_text('\n'.join(rows) + '\n', encoding='utf-8')
    prepared = subprocess.run(
        [
            sys.executable,
            '-P',
            '-m',
            'hwgen.cli',
            'prepare',
            '--source=folder',
            f'--input={folder}',
            f'--labels={folder}/labels.tsv',
            f'--out={folder}/shards',
        ],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    assert prepared.returncode == 0, prepared.stderr
    return folder / 'shards'


@pytest.mark.slow
def test_from_a_run_and_from_a_written_generator(taught, own_lines, tmp_path):
    """After one step of rate 0 the weights are those that were taken; the run then says where they came from.

    The lines that taught are of the first edition of the table of characters, one's own of the present one:
    tables have grown by rows at their end.
    """
    options = [*TINY, *ONE_STEP, f'--data={own_lines}', '--reconstruction_rate=0', '--batch_size=2']
    for source, said in (
        (taught, 'starts from generator, discriminator and style encoder from '),
        (taught / 'model', 'starts from generator and style encoder from '),
    ):
        status, out, err = train(*options, f'--init_from={source}', f'--run_dir={tmp_path}/{source.name}')
        assert status == 0, err
        assert said + str(source) in out
        seen = [
            json.loads((path / 'model' / 'generator.json').read_text(encoding='utf-8'))['seen']
            for path in (taught, tmp_path / source.name)
        ]
        assert {*seen[0]} == {*seen[1]}, 'the lines of one are some of those of the other'
        with (
            np.load(taught / 'model' / 'weights.npz') as before,
            np.load(tmp_path / source.name / 'model' / 'weights.npz') as after,
        ):
            for name in before.files:
                # Power iteration, batch statistics and the style space are measured on the new lines.
                if not name.endswith(('/u', '/mean', '/factor')) and 'moving' not in name:
                    there, here = before[name], after[name]
                    np.testing.assert_allclose(
                        here[: len(there)] if there.ndim == 2 else here, there, atol=1e-6, err_msg=name
                    )
    status, out, err = train(*options, f'--run_dir={tmp_path}/fresh')
    assert status == 0 and 'starts from' not in out
    fresh = json.loads((tmp_path / 'fresh' / 'model' / 'generator.json').read_text(encoding='utf-8'))['seen']
    assert fresh and {*fresh} < {*seen[0]}
    with (
        np.load(taught / 'model' / 'weights.npz') as before,
        np.load(tmp_path / 'fresh' / 'model' / 'weights.npz') as after,
    ):
        assert any(
            not np.allclose(after[name], before[name], atol=1e-3) for name in before.files if 'conv' in name
        )


@pytest.mark.slow
def test_weights_that_do_not_fit_are_told_in_one_line(taught, own_lines, tmp_path):
    options = [*TINY, *ONE_STEP, f'--data={own_lines}', f'--run_dir={tmp_path}/run']
    broken = tmp_path / 'broken'
    broken.mkdir()
    (broken / 'generator.json').write_text(json.dumps(dict(format=1)), encoding='utf-8')
    for extra, said in (
        ([f'--init_from={taught}/model', '--style_part_dim=5'], 'style_part_dim 4 there, 5 here'),
        ([f'--init_from={tmp_path}/nothing'], 'no such folder'),
        ([f'--init_from={broken}'], 'generator.json'),
    ):
        status, _, err = train(*options, *extra)
        assert status == 2 and said in err and len(err.splitlines()) == 1, err
    assert not pathlib.Path(tmp_path, 'run', 'checkpoints', 'checkpoint').exists()
