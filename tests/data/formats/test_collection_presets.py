"""From files as CASIA and IAM distribute them to a trained model, by the commands that the presets name."""

import io
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

import hwgen
from foreign_files import dgrl_bytes, gnt_bytes
from hwgen.data import shards

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
NARROW = ('--batch_size=4 --growing_steps=2 --component_dim=8 --structure_dim=8 --cell_dim=8 --style_part_dim=4 --recognizer_hidden=16 '
          '--content_channels=16 --generator_channels=8,8,8 --discriminator_channels=8,8,8,8 --recognizer_channels=8,8,16,16,16 '
          '--style_channels=8,8,8,8 --log_every=1 --recognizer_steps=1 --reconstruction_steps=1 --adversarial_steps=1 '
          '--discriminator_warmup_steps=0').split()


def command(*arguments):
    done = subprocess.run([sys.executable, '-P', '-m', 'hwgen.cli', *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, 'PYTHONPATH': str(CHECKOUT), 'OMP_NUM_THREADS': '1'})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_from_archives_to_a_model():
    """Lines of the sample data, put into pages and files of characters of 24 and 6 writers."""
    pages, characters = zipfile.ZipFile('HWDB2.0Train.zip', 'w'), zipfile.ZipFile('Gnt1.0Train.zip', 'w')
    for split in ('train', 'validation'):
        index = shards.RecordIndex(CHECKOUT / 'tfrecords' / 'sample', split=split)
        for i in range(len(index)):
            line = index.read_record(i)
            name = f'{len(pages.namelist()) + 1:03d}'
            pages.writestr(f'{name}-P16.dgrl', dgrl_bytes([(line.text, line.image)] * 2))
            crops = [(c, np.ascontiguousarray(line.image[y0:y1, x0:x1])) for c, (x0, y0, x1, y1) in zip(line.text, line.boxes)]
            characters.writestr(f'{name}-f.gnt', gnt_bytes([(c, image) for c, image in crops if image.size]))
    pages.close(), characters.close()
    command('prepare', '--source=casia', '--input=Gnt1.0Train.zip', '--out=tfrecords/casia-hwdb1', '--on_error=skip')
    command('prepare', '--source=casia', '--input=HWDB2.0Train.zip', '--out=tfrecords/casia-hwdb2', '--on_error=skip')
    assert 'finished at step 3/3' in command('train', f'--flagfile={CHECKOUT}/casia_characters.flags', *NARROW)
    assert 'finished at step 3/3' in command('train', f'--flagfile={CHECKOUT}/casia.flags', *NARROW, '--init_from=runs/casia-characters')
    assert pathlib.Path('runs/casia/model/weights.npz').is_file()


@pytest.mark.slow
def test_words_of_iam():
    """Words of the embedded corpus, as the words of twelve forms."""
    command('prepare', '--script=latin', '--out=latin', '--lines=60', '--heldout_lines=2')
    index, rows = shards.RecordIndex('latin', split='train'), []
    folder = pathlib.Path('iam', 'words')
    for i in range(60):
        word, form = index.read_record(i), f'a01-{i % 12:03d}u'
        name = f'{form}-00-{i // 12:02d}'
        data = io.BytesIO()
        Image.fromarray(word.image).save(data, 'PNG')
        path = folder / 'a01' / form / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.getvalue())
        rows.append(f'{name} ok 254 1 1 9 9 NN {word.text}\n')
    pathlib.Path('iam', 'words.txt').write_text(''.join(rows), encoding='utf-8')
    command('prepare', '--source=iam', '--unit=words', '--input=iam', '--out=tfrecords/iam-words', '--on_error=skip')
    info = shards.read_info('tfrecords/iam-words')
    assert sum(counts['records'] for counts in info['splits'].values()) == 60 and info['skipped'] == {}
    small = [flag for flag in NARROW if not flag.startswith(('--recognizer_steps', '--reconstruction_steps'))]
    assert 'finished at step 1/1' in command('train', f'--flagfile={CHECKOUT}/scrabblegan_iam.flags', *small)
    assert pathlib.Path('runs/scrabblegan-iam/model/weights.npz').is_file()
