"""`train` as a process, as tiny as can be: 24 lines of the sample data, 16 px, 8 channels."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf

import hwgen

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
SAMPLE = CHECKOUT / 'tfrecords' / 'sample'
PLAIN = f'--flagfile={CHECKOUT}/paper_sizes.flags'  # no extras of the model that ships
SMALL = (
    '--batch_size=4 --growing_steps=2 --component_dim=8 --structure_dim=8 --cell_dim=8 --style_part_dim=4'
    ' --recognizer_hidden=16 --log_every=1 --checkpoint_every=3'
).split()
TINY = [
    PLAIN,
    f'--data={SAMPLE}',
    *SMALL,
    *(
        '--char_px=16 --longest_lines=3 --content_encoding=warped --generator_channels=8,8'
        ' --content_channels=8 --character_noise=2 --upsample=between --discriminator_channels=8,8,8'
        ' --recognizer_channels=8,8,16 --feature_levels=3 --share_trunk --style_channels=8,8,8'
        ' --recognizer_every=2 --discriminator_warmup_steps=2'
    ).split(),
]
PHASES = '--recognizer_steps=4 --reconstruction_steps=4 --adversarial_steps=5 --sample_every=6'.split()
READING = '--recognizer_steps=400 --reconstruction_steps=0 --adversarial_steps=0'.split()
ENVIRONMENT = {
    **os.environ,
    'PYTHONPATH': str(CHECKOUT),
    'HWGEN_PROGRAM': 'bin/train',
    'OMP_NUM_THREADS': '1',
    'PYTHONUNBUFFERED': '1',
}


def start(*arguments, **options):
    """A running `train`, as a terminal starts it: a shell that runs the tests in the background has them
    ignore SIGINT.
    """
    if not any(argument.startswith('--flagfile') for argument in arguments):
        arguments = (PLAIN, *arguments)  # the sizes are the test's own
    return subprocess.Popen(
        [sys.executable, '-P', '-m', 'hwgen.cli', 'train', *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )


def train(*arguments, **options):
    """A finished `train`: (status, output, errors)."""
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


def records(run_dir):
    return [
        json.loads(line)
        for line in (pathlib.Path(run_dir) / 'metrics.jsonl').read_text(encoding='utf-8').splitlines()
    ]


def wait_for_step(process, run_dir, step):
    """Waits until a run has recorded a step."""
    file = pathlib.Path(run_dir) / 'metrics.jsonl'
    while process.poll() is None:
        if file.exists():
            lines = [
                line
                for line in file.read_text(encoding='utf-8').splitlines(keepends=True)
                if line.endswith('\n')
            ]
            if any(json.loads(line)['step'] >= step for line in lines):
                return
        time.sleep(0.02)
    raise AssertionError(process.communicate())


def weights(run_dir, step):
    """Every variable of a checkpoint: {key: array}; without TensorFlow's count of how often was saved."""
    path = str(pathlib.Path(run_dir) / 'checkpoints' / f'step-{step}')
    return {
        key: tf.train.load_variable(path, key)
        for key, _ in tf.train.list_variables(path)
        if 'VARIABLE_VALUE' in key and 'save_counter' not in key
    }


def artefact(run_dir):
    with np.load(pathlib.Path(run_dir) / 'model' / 'weights.npz') as stored:
        return {name: stored[name] for name in stored.files}


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)
