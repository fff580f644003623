"""A training called from Python: what it refuses before TensorFlow is loaded, what settings come to, and a
whole run in a process of its own.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import pytest

from hwgen.charset.encoding import Charset
from hwgen.settings.flags import parse
from hwgen.settings.resources import CHECKOUT
from hwgen.settings.train import TrainSettings
from hwgen.training import session

TINY = (
    '--char_px=16 --batch_size=4 --longest_lines=3 --generator_channels=8,8 --map_channels=4'
    ' --content_channels=8 --component_dim=8 --structure_dim=8 --cell_dim=8 --style_part_dim=4'
    ' --discriminator_channels=8,8,8 --recognizer_channels=8,8,16 --recognizer_hidden=16 --feature_levels=3'
    ' --style_channels=8,8,8 --recognizer_steps=2 --reconstruction_steps=2 --log_every=1'
).split()
RUN = """
import json, sys
from hwgen.settings.flags import parse
from hwgen.settings.train import TrainSettings
from hwgen.training import session
assert 'tensorflow' not in sys.modules
said = []
summary = session.train(parse(TrainSettings, sys.argv[1:]), report=said.append)
print(json.dumps([said, {name: summary[name] for name in ('state', 'step', 'model', 'latin')}]))
"""


@pytest.mark.parametrize(
    'arguments, message',
    [
        (
            ['--unlabelled=lines'],
            (
                '^--unlabelled=lines: only the discriminator of phase 3 sees these lines, and there is none'
                ' with --adversarial_steps=0'
            ),
        ),
        (
            ['--unlabelled=lines', '--game=pairs', '--adversarial_steps=3'],
            '^--unlabelled=lines: with --game=pairs nobody sees these lines, as a pair needs a text',
        ),
        (
            ['--game=pairs', '--adversarial_steps=3', '--recognizer_steps=0', '--init_from=demo'],
            '^--game=pairs --reading_weight=0.02: nothing teaches SRM, which is to read the drawn lines;',
        ),
        (
            ['--max_minutes=5', '--strategy=multi_worker'],
            "^--max_minutes=5 with --strategy=multi_worker: the workers' clocks differ",
        ),
        (['--run_dir=file'], '^--run_dir=file: a file is there, expected the folder of a run'),
        (['--data=nowhere'], '^nowhere: no such folder'),
        (
            ['--flagfile=casia.flags'],
            (
                r'^tfrecords/casia-hwdb2: not there\. CASIA-HWDB2\.x is given out .* Then: hwgen prepare'
                r' --source=casia --input=HWDB2 --out=tfrecords/casia-hwdb2'
            ),
        ),
    ],
)
def test_what_names_no_training(arguments, message):
    pathlib.Path('file').write_text('')
    with pytest.raises(ValueError, match=message):
        session.train(parse(TrainSettings, arguments), report=lambda line: None)
    assert os.listdir() == ['file']


def test_a_reader_of_attention_stands_in_the_place_of_spm():
    for flag in ('--nospatial_perception', '--spatial_structures'):
        with pytest.raises(
            ValueError, match='--attention_perception reads components in place of SPM: expected neither'
        ):
            session.configurations(parse(TrainSettings, ['--attention_perception', flag]), Charset.load())


def test_settings_and_a_table_make_the_sizes():
    charset = Charset.load()
    model, steps, schedule = session.configurations(
        parse(TrainSettings, ['--char_width_px=0', '--product_dtype=auto']), charset
    )
    # 0 is typed for a square cell, too
    assert (model.generator.char_width_px, model.generator.num_components) == (32, charset.num_components)
    assert steps.product_dtype in ('float32', 'bfloat16') and schedule.total_steps == 26000
    assert model.spatial_labels == charset.num_components and model.share_trunk
    assert (
        session.configurations(parse(TrainSettings, ['--char_width_px=16']), charset)[
            0
        ].generator.char_width_px
        == 16
    )
    alone, _, _ = session.configurations(parse(TrainSettings, ['--nospatial_perception']), charset)
    assert (alone.spatial_labels, alone.share_trunk) == (0, False)  # there is nobody to share it with
    same = dict(sequence_labels=model.sequence_labels, spatial_labels=model.spatial_labels, share_trunk=True)
    assert dataclasses.replace(alone, **same) == session.configurations(parse(TrainSettings), charset)[0]


@pytest.mark.slow
def test_a_training_from_python(tmp_path):
    done = subprocess.run(
        [sys.executable, '-P', '-c', RUN, *TINY, f'--data={CHECKOUT}/tfrecords/sample', '--run_dir=run'],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT), 'TF_CPP_MIN_LOG_LEVEL': '3'},
    )
    assert done.returncode == 0, done.stderr
    said, summary = json.loads(done.stdout.splitlines()[-1])
    assert summary == {'state': 'finished', 'step': 4, 'model': 'run/model', 'latin': False}
    assert 'loading TensorFlow and building the networks' in said and any(
        line.startswith('finished') or ' step 4/4' in line for line in said
    )
    assert len(done.stdout.splitlines()) == 1, 'nothing is printed beside it'
    config = json.loads((tmp_path / 'run' / 'config.json').read_text(encoding='utf-8'))
    assert (
        config['command'] == 'hwgen.training.session.train'
        and config['flags']['generator_channels'] == ['8', '8']
        and config['flags']['bend_px'] == 5
    )
