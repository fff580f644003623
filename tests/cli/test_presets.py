"""The presets, the paper's pure GAN and other variants train for a few steps, from flags to a written
sheet.
"""

import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from train_process import CHECKOUT, ENVIRONMENT, PHASES, SAMPLE, SMALL, TINY, train

NARROW = (
    '--content_channels=16 --generator_channels=8,8,8 --discriminator_channels=8,8,8,8'
    ' --recognizer_channels=8,8,16,16,16 --style_channels=8,8,8,8 --log_every=1'
).split()
VARIANTS = {
    'demo': [
        f'--flagfile={CHECKOUT}/demo.flags',
        f'--data={SAMPLE}',
        *SMALL,
        *NARROW,
        '--recognizer_steps=1',
        '--reconstruction_steps=1',
        '--adversarial_steps=1',
        '--discriminator_warmup_steps=0',
    ],
    'fast': [
        f'--flagfile={CHECKOUT}/fast.flags',
        f'--data={SAMPLE}',
        *SMALL,
        *NARROW,
        '--recognizer_steps=1',
        '--reconstruction_steps=1',
    ],
    'hand': [
        f'--flagfile={CHECKOUT}/hand.flags',
        f'--data={SAMPLE}',
        '--log_every=1',
        '--recognizer_steps=1',
        '--reconstruction_steps=1',
    ],
    'scrabblegan, Chinese': [
        f'--flagfile={CHECKOUT}/scrabblegan_paper.flags',
        f'--data={SAMPLE}',
        '--char_width_px=32',
        *SMALL,
        *NARROW,
        '--adversarial_steps=2',
    ],
    'the paper': [
        f'--flagfile={CHECKOUT}/paper.flags',
        f'--data={SAMPLE}',
        *SMALL,
        *NARROW,
        '--adversarial_steps=2',
    ],
    '64 px': [
        f'--data={SAMPLE}',
        *SMALL,
        *NARROW,
        '--char_px=64',
        '--generator_channels=8,8,8,8',
        '--discriminator_channels=8,8,8,8,8',
        '--recognizer_steps=1',
        '--reconstruction_steps=1',
        '--adversarial_steps=1',
        '--longest_lines=2',
    ],
    **{
        f'ablation, {name}': [
            f'--flagfile={CHECKOUT}/experiments/ablation/{name}.flags',
            f'--flagfile={CHECKOUT}/experiments/ablation/rows/attention.flags',
            f'--data={SAMPLE}',
            *SMALL,
            *NARROW,
            '--recognizer_steps=1',
            '--adversarial_steps=2',
            '--longest_lines=4',
        ]
        for name in ('base', 'paper')
    },
    'two replicas': [*TINY, *PHASES, '--cpu_replicas=2'],
    'structures counted, balance scaled to the smallest': [
        *TINY,
        *PHASES,
        '--spatial_structures',
        '--balance=scale',
        '--balance_reference=smallest',
        '--discriminator_warmup_steps=0',
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize('name', VARIANTS)
def test_presets_and_variants_train(tmp_path, name):
    status, out, err = train(*VARIANTS[name], '--run_dir=run')
    assert status == 0, err
    assert re.search(r'^finished at step (\d+)/\1$', out, re.MULTILINE)
    assert ('2 replica(s)' in out) == (name == 'two replicas')
    with np.load('run/model/weights.npz') as weights:
        (mean,) = [
            weights[name]
            for name in weights.files
            if name.startswith('generator/') and name.endswith('/mean')
        ]
    # Drawn styles are those of real lines, where an encoder has learned to see them: by reconstruction.
    unlearned = ('the paper', 'scrabblegan, Chinese', 'ablation, base', 'ablation, paper')
    assert mean.any() == (name not in unlearned)


@pytest.mark.slow
@pytest.mark.parametrize(
    'preset, phases',
    [
        ('scrabblegan_paper', ['--adversarial_steps=2']),
        ('scrabblegan', ['--recognizer_steps=1', '--reconstruction_steps=1']),
        ('experiments/latin/game', ['--recognizer_steps=1', '--adversarial_steps=1']),
    ],
)
def test_scrabblegan_on_latin_words(tmp_path, preset, phases):
    prepared = subprocess.run(
        [
            sys.executable,
            '-P',
            '-m',
            'hwgen.cli',
            'prepare',
            '--script=latin',
            '--out=latin',
            '--lines=60',
            '--heldout_lines=10',
        ],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    assert prepared.returncode == 0, prepared.stderr
    status, out, err = train(
        f'--flagfile={CHECKOUT}/{preset}.flags',
        '--data=latin',
        *SMALL,
        *NARROW,
        *phases,
        '--run_dir=run',
    )
    assert (status, err) == (0, '')
    assert '--text="Hello world"' in out
    assert Image.open('run/samples/seen-000002.png').size == (8 * 16, 8 * (32 + 6))
    assert not pathlib.Path('run/samples/unseen-000002.png').exists(), (
        'a one-hot generator of letters knows no hanzi'
    )
