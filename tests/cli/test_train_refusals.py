"""`train` refuses and gives up in one line: wrong flags, other runs, damaged data, values that are not
finite, full disks.
"""

import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys

import forked
import numpy as np
import pytest
import tensorflow as tf
from train_process import (
    CHECKOUT,
    ENVIRONMENT,
    READING,
    SAMPLE,
    TINY,
    records,
    start,
    train,
    wait_for_step,
    weights,
)

from hwgen.data.preparing import prepare
from hwgen.data.reading.shards import masked_crc
from hwgen.settings import presets
from hwgen.settings.train import DataSettings

# Calls `train` with each of a list of arguments, in one process, as TensorFlow takes seconds to start.
MANY = """
import io, contextlib, json, sys
from absl import flags
from hwgen.cli import app, train
for arguments in json.load(sys.stdin):
    for flag in flags.FLAGS._flags().values():
        flag.unparse()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            app.run(train.main, train.__doc__, arguments=arguments, program='bin/train')
        except SystemExit as end:
            status = end.code
        except BaseException as error:
            status = repr(error)
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


def _negate(shard):
    """Writes a shard anew with a byte of each record's picture changed and its checksum right."""
    content, offset = bytearray(shard.read_bytes()), 0
    while offset < len(content):
        (length,) = struct.unpack_from('<Q', content, offset)
        start = offset + 12
        content[start + length // 2] ^= 255
        struct.pack_into('<I', content, start + length, masked_crc(bytes(content[start : start + length])))
        offset = start + length + 4
    shard.write_bytes(content)


def many(cases, **options):
    done = forked.run(
        [sys.executable, '-P', '-c', MANY],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=600,
        **options,
    )
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('[')]
    assert len(results) == len(cases), done.stderr
    return results


@pytest.fixture
def damaged(tmp_path):
    """A copy of the sample with a flipped byte in the middle of its training lines."""
    shutil.copytree(SAMPLE, tmp_path / 'damaged')
    shard = tmp_path / 'damaged' / 'train-00000-of-00001.tfrecord'
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 255
    shard.write_bytes(content)
    return tmp_path / 'damaged'


def test_wrong_flags_are_told_in_one_line(tmp_path):
    pathlib.Path('file').write_text('not a folder')
    cases = {
        '--batch_size=3 --cpu_replicas=2': '--batch_size=3: 2 replicas do not divide it, expected a multiple',
        '--generator_channels=8,8,8': 'char_px=16 has 2 blocks',
        '--generator_channels=8,x': '--generator_channels=8,x: expected whole numbers of at least 1',
        '--style_channels=8,0': '--style_channels=8,0: expected whole numbers of at least 1',
        '--discriminator_channels=8': 'char_px=16 needs 3 numbers',
        '--char_px=96': (
            'char_px=96: expected a power of two of at least 8; a model writes lines of other heights with'
            ' height_px of generate'
        ),
        '--char_px=128': (
            '--char_px=128: numbers of channels that do not fit it: --generator_channels=8,8 has 2, expected'
            ' 5; --discriminator_channels=8,8,8 has 3, expected 6; --recognizer_channels=8,8,16 has 3,'
            ' expected 5 or more'
        ),
        '--char_width_px=7': 'char_width_px=7: expected 16 or 8',
        '--data=nowhere': 'nowhere: no such folder',
        '--content_encoding=bogus': 'value should be one of <sequence|layout|warped|onehot>',
        '--batch_size=0': 'batch_size=0',
        '--batch_size=few': 'batch_size=few',
        '--seed=-1': 'seed=-1',
        '--no_such_flag': 'no_such_flag',
        '--flagfile=none.flags': '--flagfile=none.flags: no such file',
        'run': "argument 'run' is not a flag",
        '--recognizer_steps=0 --reconstruction_steps=0 --adversarial_steps=0': (
            'are all 0: expected at least one step'
        ),
        '--unlabelled=lines --adversarial_steps=0': (
            '--unlabelled=lines: only the discriminator of phase 3 sees these lines, and there is none with '
            '--adversarial_steps=0 --adversarial_every=1: expected at least 1 of both'
        ),
        '--unlabelled=nowhere --adversarial_steps=5': 'nowhere: no such folder',
        f'--unlabelled={SAMPLE} --unlabelled_share=.1': (
            'share 0.1 of unlabelled lines: 0 of the 4 lines of a batch'
        ),
        '--run_dir=file/run': 'file/run',
        '--run_dir=file': '--run_dir=file: a file is there, expected the folder of a run, or none yet',
        '--run_dir=': '--run_dir= is empty: expected a value',
        '--data=': '--data= is empty: expected a value',
        '--init_from=': '--init_from= is empty: expected a value',
        '--max_minutes=5 --strategy=multi_worker': (
            "--max_minutes=5 with --strategy=multi_worker: the workers' clocks differ, expected --max_steps"
        ),
    }
    results = many([[*TINY, '--run_dir=run', *case.split()] for case in cases])
    for (case, message), (status, _, err) in zip(cases.items(), results):
        assert (
            status == 2 and message in err and len(err.splitlines()) == 1 and err.startswith('bin/train: ')
        ), (case, status, err)
    assert not pathlib.Path('run').exists(), 'nothing is begun'


def test_every_preset_says_where_its_lines_come_from(tmp_path):
    """Where they are not there, and are not the embedded corpus: what to fetch, and the command that makes
    the shards.
    """
    lines = {preset.name: presets.read(preset) for preset in sorted(CHECKOUT.glob('*.flags'))}
    data = {
        name: (
            [row.removeprefix('--data=') for row in rows if row.startswith('--data=')]
            or [DataSettings().data]
        )[-1]
        for name, rows in lines.items()
    }
    fetched = [name for name in lines if data[name] not in prepare.EMBEDDED]
    assert {'casia.flags', 'casia_characters.flags', 'hand.flags', 'scrabblegan_iam.flags'} <= set(fetched)
    for name, (status, _, err) in zip(fetched, many([[f'--flagfile={CHECKOUT}/{name}'] for name in fetched])):
        assert (
            status == 2
            and len(err.splitlines()) == 1
            and err.startswith(f'bin/train: {data[name]}: not there. ')
        ), err
        assert re.search(rf' Then: bin/prepare --source=\w+ .*--out={data[name]}( |$)', err), err
        assert 'http' in err or name == 'hand.flags'
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_damaged_data_and_other_runs(damaged, tmp_path):
    """A damaged record stops the run with what it learned; a run of other flags or lines is left alone."""
    other = tmp_path / 'other'
    same = [
        *TINY,
        '--recognizer_steps=2',
        '--reconstruction_steps=0',
        '--adversarial_steps=0',
        f'--run_dir={other}',
    ]
    assert train(*same)[0] == 0
    moved = shutil.copytree(SAMPLE, tmp_path / 'moved')
    info = json.loads((moved / 'info.json').read_text(encoding='utf-8'))
    lines = shutil.copytree(SAMPLE, tmp_path / 'lines')
    (lines / 'info.json').write_text(json.dumps({**info, 'seed': 9}), encoding='utf-8')
    # other pictures, the same info.json and sizes of files
    negatives = shutil.copytree(SAMPLE, tmp_path / 'negatives')
    _negate(negatives / 'train-00000-of-00001.tfrecord')
    before = {path: path.stat().st_mtime_ns for path in sorted((other / 'checkpoints').iterdir())}
    results = many(
        [
            [*same, '--generator_channels=8,16', '--batch_size=2'],
            [*same, f'--data={lines}'],
            [*same, f'--data={moved}'],
            [
                *TINY,
                *READING,
                '--run_dir=broken',
                f'--data={damaged}',
                '--longest_lines=8',
                '--growing_steps=0',
            ],
            [*same, f'--data={negatives}'],
        ]
    )
    assert (
        results[4][0] == 2
        and f'its run was started on other lines (then --data={SAMPLE}, now --data={negatives})'
        in results[4][2]
    )
    status, _, err = results[0]
    assert (status, err) == (
        2,
        (
            f'bin/train: {other}: its run was started with --batch_size=4 --generator_channels=8,8, now '
            '--batch_size=2 --generator_channels=8,16: give the same flags, or another --run_dir\n'
        ),
    )
    status, _, err = results[1]
    assert (
        status == 2
        and f'its run was started on other lines (then --data={SAMPLE}, now --data={lines})' in err
    )
    assert (results[2][0], results[2][2]) == (None, '') and 'finished at step 2 before' in results[2][1]
    assert {path: path.stat().st_mtime_ns for path in sorted((other / 'checkpoints').iterdir())} == before
    status, out, err = results[3]
    assert status == 2 and re.fullmatch(
        r'bin/train: \S+/damaged/train-00000-of-00001.tfrecord, record \d+, byte \d+: checksum .*\n', err
    )
    saved = re.search(r'the data of step (\d+) cannot be read; (\d+) steps are saved as (\S+)', out)
    if saved:
        assert (
            int(saved[1]) == int(saved[2]) + 1
            and tf.train.latest_checkpoint('broken/checkpoints') == saved[3]
        )


@pytest.mark.slow
def test_losses_that_are_not_finite_stop_the_run(tmp_path):
    command = [*TINY, *READING, '--run_dir=run', '--clip_norm=0', '--checkpoint_every=1']
    assert train(*command, '--max_steps=2')[0] == 0
    config = pathlib.Path('run/config.json')
    config.write_text(
        config.read_text(encoding='utf-8').replace('"recognizer_rate": 0.002', '"recognizer_rate": 1e+30'),
        encoding='utf-8',
    )
    status, _, err = train(*command, '--recognizer_rate=1e30')
    assert status == 1 and len(err.splitlines()) == 1
    found = re.fullmatch(
        r'bin/train: .*loss/sequence_real.*: not finite at step (\d+); last good checkpoint: (\S+)\n', err
    )
    assert found and found[2] == tf.train.latest_checkpoint('run/checkpoints')
    assert all(np.isfinite(value).all() for value in weights('run', int(found[2].rsplit('-')[-1])).values())
    last = records('run')[-1]
    assert (
        last['state'] == 'not finite'
        and 'loss/sequence_real' in last['metrics']
        and last['step'] == int(found[1])
    )


@pytest.mark.slow
def test_two_processes_do_not_share_a_run(tmp_path):
    process = start(*TINY, *READING, '--run_dir=run')
    wait_for_step(process, 'run', 1)
    status, _, err = train(*TINY, *READING, '--run_dir=run')
    process.terminate()
    process.communicate()
    assert (status, err) == (
        2,
        'bin/train: run: another process is training there; wait for it, or give another --run_dir\n',
    )
    assert process.returncode == 0


@pytest.mark.slow
def test_a_reader_that_leaves_ends_the_run_with_a_checkpoint(tmp_path):
    """`train | head -3`"""
    command = ' '.join(
        [
            sys.executable,
            '-P',
            '-m',
            'hwgen.cli',
            'train',
            *TINY,
            *READING,
            '--run_dir=run',
            '--checkpoint_every=1000',
        ]
    )
    done = subprocess.run(
        ['sh', '-c', f'{command} | head -3'], capture_output=True, text=True, env=ENVIRONMENT, timeout=300
    )
    assert len(done.stdout.splitlines()) == 3 and 'Traceback' not in done.stderr
    state = (
        records('run')[-1]
        if 'state' in records('run')[-1]
        else [row for row in records('run') if 'state' in row][-1]
    )
    assert (
        state['state'] == 'interrupted'
        and tf.train.latest_checkpoint('run/checkpoints') == f'run/checkpoints/step-{state["step"]}'
    )


@pytest.mark.slow
def test_a_full_disk_ends_the_run_in_one_line(tmp_path):
    """On a file system of a few hundred kB; needs the right to mount one."""
    disk = tmp_path / 'disk'
    disk.mkdir()
    if subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=1600k', 'tmpfs', str(disk)], capture_output=True
    ).returncode:
        pytest.skip('cannot mount a small file system here')
    try:
        status, out, err = train(*TINY, *READING, f'--run_dir={disk}/run', '--keep_checkpoints=100')
        assert (
            status == 1
            and len(err.splitlines()) == 1
            and str(disk) in err
            and 'o space left on device' in err
        ), err
        last = tf.train.latest_checkpoint(f'{disk}/run/checkpoints')
        assert not list((disk / 'run' / 'checkpoints').glob('*_temp'))
        step = int(last.rsplit('-')[-1])
        subprocess.run(['mount', '-o', 'remount,size=8m', str(disk)], check=True)
        status, out, err = train(
            *TINY, *READING, f'--run_dir={disk}/run', '--keep_checkpoints=2', f'--max_steps={step + 1}'
        )
        assert (status, err) == (0, '') and f'resumed at step {step} ' in out
        assert len(records(f'{disk}/run')) > step  # every line can be read
    finally:
        subprocess.run(['umount', str(disk)], check=True)
