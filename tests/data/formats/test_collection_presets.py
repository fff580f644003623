"""From files as CASIA and IAM distribute them to a trained model, by the commands that the presets name."""

import os
import pathlib
import subprocess
import sys
from collections import Counter

import pytest
from PIL import Image
from preparing import prepare_collection

import hwgen
from benchmarks import end_to_end
from hwgen.data.reading import shards

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
NARROW = (
    '--batch_size=4 --growing_steps=2 --component_dim=8 --structure_dim=8 --cell_dim=8 --style_part_dim=4'
    ' --recognizer_hidden=16 --content_channels=16 --generator_channels=8,8,8'
    ' --discriminator_channels=8,8,8,8 --recognizer_channels=8,8,16,16,16 --style_channels=8,8,8,8'
    ' --log_every=1 --recognizer_steps=1 --reconstruction_steps=1 --adversarial_steps=1'
    ' --discriminator_warmup_steps=0'
).split()


def command(*arguments):
    done = subprocess.run(
        [sys.executable, '-P', '-m', 'hwgen.cli', *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT), 'OMP_NUM_THREADS': '1'},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_from_archives_to_a_model():
    """Lines of the sample data, put into pages and files of characters: nothing is lost or invented, and
    the models write.
    """
    expected, _ = end_to_end.write_casia(pathlib.Path.cwd(), CHECKOUT / 'tfrecords' / 'sample', pages=20)
    for name, out in (('HWDB1', 'casia-hwdb1'), ('HWDB2', 'casia-hwdb2')):
        command('prepare', '--source=casia', f'--input={name}', f'--out=tfrecords/{out}', '--on_error=skip')
        counts = end_to_end.hold_against(f'tfrecords/{out}', expected[name])
        assert sum(counts.values()) == sum(expected[name].values()) and set(counts) == {
            'train',
            'validation',
            'test',
        }
    # with the sizes of the model that ships, where they start
    steps = [one for one in NARROW if one.split('=')[0] in ('--batch_size', '--growing_steps', '--log_every')]
    steps += [one for one in NARROW if 'steps' in one]
    first = command('train', f'--flagfile={CHECKOUT}/casia_characters.flags', *steps)
    assert 'finished at step 3/3' in first and 'saved_models/spaced64' in first
    assert 'finished at step 3/3' in command(
        'train', f'--flagfile={CHECKOUT}/casia.flags', *steps, '--init_from=runs/casia-characters'
    )
    lines = shards.RecordIndex('tfrecords/casia-hwdb2', split='train')
    shown = ''.join(lines.read_record(i).text for i in range(len(lines)))
    text = ''.join(character for character in shown if '一' <= character <= '鿿')[:5]
    command('generate', '--model=runs/casia', f'--text={text}', '--out=line.png')
    picture = Image.open('line.png')
    assert picture.height == 64 and 5 * 20 < picture.width <= 5 * 80  # as much room as characters take


@pytest.mark.slow
def test_words_of_iam():
    """Words of the embedded corpus, as the words of forms of many writers."""
    command('prepare', '--script=latin', '--out=latin', '--lines=60', '--heldout_lines=2')
    expected = end_to_end.write_iam(pathlib.Path('iam'), 'latin', words=60)
    command(
        'prepare',
        '--source=iam',
        '--unit=words',
        '--input=iam',
        '--out=tfrecords/iam-words',
        '--on_error=skip',
    )
    end_to_end.hold_against('tfrecords/iam-words', expected)
    assert shards.read_info('tfrecords/iam-words')['skipped'] == {} and sum(expected.values()) == 60
    assert 'finished at step 3/3' in command('train', f'--flagfile={CHECKOUT}/scrabblegan_iam.flags', *NARROW)
    command('generate', '--model=runs/scrabblegan-iam', '--text=word', '--out=word.png')
    assert Image.open('word.png').size == (4 * 16, 32)


def test_what_is_lost_or_invented_is_noticed():
    """The comparison itself: a line less, a line more, and a line of another writer."""
    expected, _ = end_to_end.write_casia(pathlib.Path.cwd(), CHECKOUT / 'tfrecords' / 'sample', pages=20)
    prepare_collection('out', path='HWDB2', workers=1, report=lambda line: None)
    end_to_end.hold_against('out', expected['HWDB2'])
    line = next(iter(expected['HWDB2']))
    for other in (line[:1] + ('999',) + line[2:], line[:3] + ((0, line[3][1]),)):
        with pytest.raises(AssertionError, match='out: lost 1, .*; invented 1, '):
            end_to_end.hold_against('out', expected['HWDB2'] - Counter([line]) + Counter([other]))
