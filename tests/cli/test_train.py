"""`train` as a process: what a run leaves behind; killed, told to stop, and started again.

Without processes: tests/training/test_loop.py.
"""

import json
import pathlib
import re
import signal
import time

import numpy as np
import pytest
import tensorflow as tf
from made_once import made_once
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator
from train_process import (
    CHECKOUT,
    PHASES,
    PLAIN,
    READING,
    SAMPLE,
    TINY,
    artefact,
    assert_equal,
    records,
    start,
    train,
    wait_for_step,
    weights,
)

import hwgen
from hwgen.charset.encoding import Charset, CharsetError
from hwgen.inference.writer import Writer


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """An uninterrupted run of all three phases: (folder, status, output, errors)."""

    def make(folder):
        return folder / 'whole', *train(*TINY, *PHASES, f'--run_dir={folder}/whole')

    return made_once(tmp_path_factory, 'runs', make)


# What a run leaves behind
# ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_tells_what_it_does_and_what_to_type_next(finished):
    folder, status, out, err = finished
    assert (status, err) == (0, '')
    shape = (
        r'\d\d:\d\d:\d\d step (\d+)/13 +[\d.]+% phase [123] of 3 \((?:recognisers|generator by'
        r' rebuilding|generator against discriminator)\) [\d.]+ steps/s '
        r'ETA \d+:\d\d:\d\d \| (?:[a-z ]+ [-\de.+]+(?: \(good: [a-z]+ [\d.]+\))?(?:, )?)+ \| [\d.]+ GiB'
    )
    progress = [re.fullmatch(shape, line) for line in out.splitlines() if ' step ' in line and 'ETA' in line]
    assert all(progress) and [int(found[1]) for found in progress] == list(range(1, 14))
    assert re.search(
        r'24 lines, 1075 characters with images; parameters: generator [\d.]+ M, .*; 1 replica\(s\); 13'
        r' steps',
        out,
    )
    closing = out[out.index('finished at step 13/13') :].splitlines()
    rows = {line[:16].strip(): line[16:] for line in closing[1:]}
    assert rows == {
        'trained': (
            'phase 1 of 3 (recognisers): all 4 steps; phase 2 of 3 (generator by rebuilding): all 4 steps; '
            'phase 3 of 3 (generator against discriminator): all 5 steps'
        ),
        'generator': 'trained for 8 of 8 steps',
        'checkpoint': f'{folder}/checkpoints/step-13',
        'sample sheet': f'{folder}/samples/seen-000013.png',
        'run': f'{folder}  (tensorboard --logdir {folder} --samples_per_plugin images=1000)',
        'next': f'bin/generate --model={folder}/model --text="你好，世界" --out=line.png',
    }
    for said in (
        'loading TensorFlow and building the networks',
        'phase 1 of 3 (recognisers): building its steps',
        'writing sample sheets and model',
    ):
        assert sum(line.startswith(said) for line in out.splitlines()) == 1
    assert sorted(path.name for path in folder.iterdir()) == [
        'checkpoints',
        'config.json',
        'lock',
        'metrics.jsonl',
        'model',
        'samples',
        'tensorboard',
    ]


@pytest.mark.slow
def test_config_says_how_and_with_what(finished):
    config = json.loads((finished[0] / 'config.json').read_text(encoding='utf-8'))
    assert config['flags']['batch_size'] == 4 and config['flags']['generator_channels'] == ['8', '8']
    assert config['flags']['recognizer_rate'] == 2e-3, 'defaults are written out, too'
    assert (
        config['version'] == hwgen.__version__
        and config['tensorflow'] == tf.__version__
        and config['numpy'] == np.__version__
    )
    # the table of its lines
    assert config['data']['digest'] and config['data']['charset_hash'] == Charset.load().prefix(9658).hash
    assert config['command'].startswith(f'train {PLAIN} --data={SAMPLE} --batch_size=4')
    if (CHECKOUT / '.git').exists():
        assert re.fullmatch(r'[0-9a-f]{40}\+?', config['git_commit'])


@pytest.mark.slow
def test_metrics_are_json_lines_with_paths_as_keys(finished):
    found = records(finished[0])
    steps = [row for row in found if row.get('phase') in ('recognizers', 'reconstruction', 'adversarial')]
    assert [row['step'] for row in steps] == list(range(1, 14))
    keys = {key for row in steps for key in row if key not in ('step', 'phase')}
    assert all(re.fullmatch(r'(loss|metric|grad|score|time)/\w+', key) for key in keys)
    assert {
        'loss/sequence_real',
        'loss/spatial_real',
        'loss/pixel',
        'loss/discriminator',
        'grad/sigma_discriminator',
        'grad/sigma_sequence',
        'grad/sigma_spatial',
        'score/real',
        'score/fake',
        'time/steps_per_sec',
        'time/data_wait_share',
    } <= keys
    assert all(0 <= row['time/data_wait_share'] <= 1 for row in steps)
    assert {row['step'] for row in found if row.get('phase') == 'sample'} == {6, 12, 13}
    assert [(row['step'], row['state']) for row in found if 'state' in row] == [(13, 'finished')]


@pytest.mark.slow
def test_tensorboard_shows_scalars_pictures_and_texts(finished):
    events = event_accumulator.EventAccumulator(
        str(finished[0] / 'tensorboard'), size_guidance=dict.fromkeys(('tensors', 'images'), 0)
    )
    events.Reload()
    tensors = {tag: events.Tensors(tag) for tag in events.Tags()['tensors']}
    assert [event.step for event in tensors['loss/sequence_real']] == [1, 2, 3, 4, 5, 7, 9, 11, 13]
    jsonl = {
        row['step']: row.get('loss/sequence_real')
        for row in records(finished[0])
        if row.get('phase') not in (None, 'sample')
    }
    for event in tensors['loss/sequence_real']:
        assert float(tf.make_ndarray(event.tensor_proto)) == pytest.approx(jsonl[event.step], rel=1e-5)
    for name in (
        'seen',
        'unseen',
        'one_style',
        'one_text',
        'real_above_reconstruction',
        'spatial_perception',
    ):
        shown = tensors[name]
        assert [event.step for event in shown] == [6, 12, 13]
        width, height, png = tf.make_ndarray(shown[-1].tensor_proto)
        picture = Image.open(finished[0] / 'samples' / f'{name}-000013.png')
        assert (int(width), int(height)) == picture.size
        np.testing.assert_array_equal(tf.io.decode_png(png).numpy().squeeze(), np.asarray(picture))
    assert 'unseen' in tf.make_ndarray(tensors['texts'][-1].tensor_proto).item().decode()
    assert all(len(events.SummaryMetadata(tag).summary_description) > 20 for tag in tensors), (
        'every tag says what it is'
    )


@pytest.mark.slow
def test_sheets_have_their_sizes(finished):
    sizes = {path.name: Image.open(path).size for path in (finished[0] / 'samples').iterdir()}
    line = 3 * 16  # longest_lines cells
    for step in (6, 12, 13):
        for name in ('seen', 'unseen', 'one_style', 'one_text'):
            assert sizes[f'{name}-{step:06d}.png'] == (line, 8 * (16 + 6))
        width, height = sizes[f'real_above_reconstruction-{step:06d}.png']
        assert height == 2 * 4 * (16 + 6) and width in (2 * 16, 3 * 16)
        assert sizes[f'spatial_perception-{step:06d}.png'] == (width, 4 * 16)
    assert len(sizes) == 3 * 6


@pytest.mark.slow
def test_the_artefact_writes(finished):
    pictures = Writer.load(str(finished[0] / 'model')).write(['永和九年', '你好'], style_seeds=[1, 2])
    assert [(picture.dtype, picture.shape) for picture in pictures] == [
        ('uint8', (16, 64)),
        ('uint8', (16, 32)),
    ]
    description = json.loads((finished[0] / 'model' / 'generator.json').read_text(encoding='utf-8'))
    info, charset = description['info'], Charset.load().prefix(9658)
    assert description['seen'] == ''.join(
        charset.characters[i]
        for i in json.loads((SAMPLE / 'info.json').read_text(encoding='utf-8'))['vocabulary']
    )
    assert '，' in description['seen'] and '.' not in description['seen']
    with pytest.raises(CharsetError, match='U\\+002E . at position 1: no training picture'):
        Writer.load(str(finished[0] / 'model')).write('3.14')
    assert info['step'] == 13 and info['seed'] == 1 and info['data']['source'] == 'scribe'


# Killed, told to stop, started again
# -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_after_kill_9_the_same_command_ends_with_the_same_weights(finished, tmp_path):
    """Killed in the adversarial phase, two steps after its checkpoint: bit for bit the weights of a run
    that was left alone.
    """
    process = start(*TINY, *PHASES, '--run_dir=run')
    wait_for_step(process, 'run', 11)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    status, out, err = train(*TINY, *PHASES, '--run_dir=run')
    assert (status, err) == (0, '')
    assert 'resumed at step 9 from run/checkpoints/step-9' in out
    assert [(row['step'], row['resumed_at']) for row in records('run') if 'resumed_at' in row] == [(9, 9)]
    assert_equal(weights('run', 13), weights(finished[0], 13))
    assert_equal(artefact('run'), artefact(finished[0]))
    # The same steps tell the same, whichever of the processes made them.
    told = {}
    for row in records('run') + records(finished[0]):
        if row.get('phase') not in (None, 'sample'):
            values = {key: value for key, value in row.items() if not key.startswith('time/')}
            assert told.setdefault(row['step'], values) == values
    assert sorted(path.name for path in pathlib.Path('run/checkpoints').glob('*.index')) == [
        'step-12.index',
        'step-13.index',
        'step-9.index',
    ]


@pytest.mark.slow
@pytest.mark.parametrize('kills', [(2, 5, 7, 10, 12), (4, 8, 13)])
def test_killed_in_every_phase_and_in_the_closing(finished, tmp_path, kills):
    for step in kills:
        process = start(*TINY, *PHASES, '--run_dir=run')
        wait_for_step(process, 'run', step)
        process.kill()
        process.communicate()
    assert train(*TINY, *PHASES, '--run_dir=run')[0] == 0
    assert_equal(weights('run', 13), weights(finished[0], 13))
    assert_equal(artefact('run'), artefact(finished[0]))


@pytest.mark.slow
def test_stops_at_a_signal_and_goes_on(tmp_path):
    """Killed before its first checkpoint; then SIGTERM, SIGINT and a second SIGINT to the same run."""
    command = [*TINY, *READING, '--checkpoint_every=100', '--run_dir=run']
    process = start(*command)
    wait_for_step(process, 'run', 2)
    process.kill()
    process.communicate()

    process = start(*command)
    wait_for_step(process, 'run', 4)
    process.terminate()
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, '')
    assert 'run: an earlier start left no checkpoint; starting at step 0' in out
    assert 'SIGTERM: saving a checkpoint, then leaving (once more: leave at once)' in out
    step = int(re.search(r'^interrupted at step (\d+)/400$', out, re.MULTILINE)[1])
    assert (
        f'  checkpoint    run/checkpoints/step-{step}\n' in out
        and '  to resume     the same command\n' in out
    )
    assert [row['step'] for row in records('run') if row.get('state') == 'interrupted'] == [step]
    assert 0 in [row.get('resumed_at') for row in records('run')]

    process = start(*command)
    wait_for_step(process, 'run', step + 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, '')
    assert f'resumed at step {step} from run/checkpoints/step-{step}' in out and 'interrupted at step' in out

    process = start(*command)
    line = ''
    while 'ETA' not in line:
        line = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    while 'SIGINT: saving' not in line:
        line = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    before = time.monotonic()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130 and err == 'bin/train: interrupted\n' and time.monotonic() - before < 20
    assert train(*command, '--max_steps=0')[0] == 0, 'what a second signal leaves behind can be gone on with'


@pytest.mark.slow
def test_with_unlabelled_lines_it_goes_on_as_if_never_stopped(finished, tmp_path):
    """The phases before the third are those of a run without; two replicas read them, too; another share
    is another run.
    """
    command = [*TINY, *PHASES, f'--unlabelled={SAMPLE}']
    status, out, err = train(*command, '--run_dir=whole')
    assert (status, err) == (
        0,
        '',
    ) and '24 unlabelled lines, 2 of the 4 real lines that the discriminator sees at a time' in out
    assert train(*command, '--run_dir=run', '--max_steps=10')[0] == 0
    status, out, err = train(*command, '--run_dir=run')
    assert (status, err) == (0, '') and 'resumed at step 10' in out
    assert_equal(weights('run', 13), weights('whole', 13))
    before, after = (
        {row['step']: row for row in records(run) if row.get('phase') not in (None, 'sample')}
        for run in (finished[0], 'whole')
    )
    for step, row in after.items():
        assert ('score/unlabelled' in row) == (row['phase'] == 'adversarial')
        if step <= 8:
            assert {key: value for key, value in row.items() if 'time/' not in key} == {
                k: v for k, v in before[step].items() if 'time/' not in k
            }
    status, _, err = train(*command, '--run_dir=run', '--unlabelled_share=.25')
    assert (status, err) == (
        2,
        (
            'bin/train: run: its run was started with --unlabelled_share=0.5, now --unlabelled_share=0.25: '
            'give the same flags, or another --run_dir\n'
        ),
    )
    short = (
        '--recognizer_steps=1 --reconstruction_steps=0 --adversarial_steps=2 --reconstruction_every=0'
        ' --recognizer_every=0'.split()
    )
    assert train(*command, *short, '--run_dir=replicas', '--cpu_replicas=2')[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize('seconds', [0.3, 1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_starting_leaves_at_once(tmp_path, seconds, number):
    """Before the loop there is nothing to save: the process ends, without a traceback, and the next start
    works.
    """
    process = start(*TINY, *READING, '--run_dir=run')
    time.sleep(seconds)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert 'Traceback' not in err
    assert process.returncode in ((0, 130) if number == signal.SIGINT else (0, -number, 128 + number))
    assert train(*TINY, *READING, '--run_dir=run', '--max_steps=1')[0] == 0


@pytest.mark.slow
def test_the_same_command_after_the_end_says_so(finished):
    folder = finished[0]
    sheets = {path: path.stat().st_mtime_ns for path in (folder / 'samples').iterdir()}
    status, out, err = train(*TINY, *PHASES, f'--run_dir={folder}')
    assert (status, err) == (0, '')
    assert (
        'finished at step 13 before: nothing left to do' in out
        and 'finished at step 13/13' in out
        and 'ETA' not in out
    )
    assert {path: path.stat().st_mtime_ns for path in (folder / 'samples').iterdir()} == sheets


@pytest.mark.slow
def test_steps_and_minutes_can_be_limited(finished, tmp_path):
    status, out, _ = train(*TINY, *PHASES, '--run_dir=run', '--max_steps=2')
    assert status == 0 and 'stopped at step 2/13' in out and 'the same command, with more --max_steps' in out
    status, out, _ = train(*TINY, *PHASES, '--run_dir=run', '--max_steps=2')
    assert (
        status == 0
        and 'step 2 is done and no more were asked for (--max_steps=2)' in out
        and 'stopped at step 2/13' in out
    )
    assert (
        'not trained yet: its phase is still to come' in out
        and 'next ' not in out
        and not pathlib.Path('run/model').exists()
    )
    status, out, _ = train(*TINY, *PHASES, '--run_dir=short', '--max_minutes=0.0001')
    assert (
        status == 0
        and 'stopped at step 1/13' in out
        and 'with more --max_minutes: these ended before the generator began' in out
    )
    status, out, _ = train(*TINY, *PHASES, '--run_dir=run')
    assert status == 0 and 'finished at step 13/13' in out
    assert_equal(weights('run', 13), weights(finished[0], 13))
    assert_equal(artefact('run'), artefact(finished[0]))
