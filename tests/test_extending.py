"""docs/extending.md: its examples run as they stand there, and do what the page says."""

import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import textwrap
import tomllib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_generator import make_small_generator

import hwgen
from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.data.formats.archives import list_files
from hwgen.data.formats.samples import FormatError
from hwgen.models.content import encodings
from hwgen.settings import model
from hwgen.settings.setting import described

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
PAGE = (CHECKOUT / 'docs/extending.md').read_text(encoding='utf-8')
SAMPLE = f'--data={CHECKOUT}/tfrecords/sample'


def block(language, beginning):
    """The code block of the page that begins so."""
    blocks = [
        textwrap.dedent(found)
        for found in re.findall(rf'^ *```{language}\n(.*?)^ *```', PAGE, re.MULTILINE | re.DOTALL)
    ]
    (found,) = (one for one in blocks if one.startswith(beginning))
    return found


def python(*arguments):
    return subprocess.run(
        [sys.executable, '-P', *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, 'PYTHONPATH': f'{os.getcwd()}{os.pathsep}{CHECKOUT}'},
    )


def install(folder, name, beginning):
    """An example as a package that is installed: its module, and what pip would write of its entry points."""
    (folder / f'{name}.py').write_text(block('python', f'# {name}.py'), encoding='utf-8')
    project = tomllib.loads(block('toml', beginning))
    assert project['tool']['setuptools']['py-modules'] == [name]
    info = folder / f'{project["project"]["name"]}-{project["project"]["version"]}.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
    groups = project['project']['entry-points'].items()
    (info / 'entry_points.txt').write_text(
        ''.join(
            f'[{group}]\n' + ''.join(f'{name} = {value}\n' for name, value in rows.items())
            for group, rows in groups
        )
    )


@pytest.fixture
def installed(tmp_path):
    """The example of a protocol."""
    install(tmp_path, 'ink', '# pyproject.toml\n')


@pytest.mark.slow
def test_a_protocol_of_a_package(installed):
    """It is in the help, among the choices and has its flag; it measures, and its result can be held
    against another.
    """
    shown = python('-m', 'hwgen.cli', 'evaluate', '--help').stdout
    assert (
        '--protocol=ink: Does it put as much ink on the paper as writers do?\nThe share of pixels darker than'
        in shown
    )
    assert (
        '|imitation|ink  (default: reader)' in shown
        and '--ink_below=INT  (default: 128)\n      ink: grey level of a pixel that is ink.' in shown
    )
    command = [
        '-m',
        'hwgen.cli',
        'evaluate',
        '--protocol=ink',
        SAMPLE,
        '--model=',
        '--num_lines=3',
        '--seeds=2',
        '--ink_below=100',
    ]
    first = python(*command)
    assert (first.returncode, first.stderr) == (0, '') and 'seed 1: 3 lines measured\n' in first.stdout
    folder = pathlib.Path('evaluations/ink')
    assert (
        sorted(path.name for path in folder.iterdir()) == ['ink.html', 'ink.json', 'ink.png']
        and Image.open(folder / 'ink.png').size[1] > 48
    )
    result = json.loads((folder / 'ink.json').read_text(encoding='utf-8'))
    (row,) = result['figures']
    assert (
        row['name'] == 'ink_3'
        and row['better'] is None
        and len(row['floor']['values']) == 2
        and 0.01 < row['floor']['mean'] < 0.5
    )
    assert result['measured_under']['protocol'] == 'ink' and '<h1>How much ink there is</h1>' in (
        folder / 'ink.html'
    ).read_text(encoding='utf-8')
    again = python(*command, '--out=again', f'--against={folder}/ink.json')
    assert again.returncode == 0 and '+0  within the spreads' in again.stdout
    refused = python(*command, '--seeds=3', '--out=again', f'--against={folder}/ink.json')
    assert (
        refused.returncode == 2 and 'measured under other conditions: seeds 2 there, 3 here' in refused.stderr
    )


@pytest.mark.slow
def test_a_protocol_from_python(installed):
    """As it stands there, with the model that ships."""
    for dist_info in pathlib.Path().glob('*.dist-info'):
        (dist_info / 'entry_points.txt').unlink()  # registered, not found
    for name in ('saved_models', 'tfrecords'):
        os.symlink(CHECKOUT / name, name)
    done = python('-c', block('python', 'from ink import Ink'))
    assert done.returncode == 0, done.stderr
    assert 0.005 < float(done.stdout.splitlines()[-1]) < 0.6
    (row,) = json.loads(pathlib.Path('evaluations/ink/ink.json').read_text(encoding='utf-8'))['figures']
    assert (row['name'], len(row['generated']['values'])) == ('ink_3', 2) and str(
        row['generated']['mean']
    ) == done.stdout.splitlines()[-1]


@pytest.fixture
def bag(monkeypatch):
    """The example as a file of the package, its row of the table and its name among the choices."""
    namespace = {'__name__': 'bag'}
    exec(compile(block('python', '# hwgen/models/content/bag.py'), 'bag.py', 'exec'), namespace)  # noqa: S102
    for table, name in ((encodings, 'ENCODINGS'), (model, 'CONTENT_ENCODINGS')):
        monkeypatch.setattr(table, name, dict(getattr(table, name)))
        file = pathlib.Path(table.__file__).relative_to(CHECKOUT)
        exec(block('python', f'# in {file}'), {**vars(table), **namespace})  # noqa: S102
    setting = described(model.GeneratorSettings)['content_encoding']
    choices = setting.choices
    object.__setattr__(setting, 'choices', tuple(model.CONTENT_ENCODINGS))
    yield
    object.__setattr__(setting, 'choices', choices)


def test_a_content_encoding(bag):
    """A generator of it writes, every weight learns, and padding changes nothing."""
    generator = make_small_generator(content_encoding='bag')
    config = generator.config
    characters = Charset.load().encode('明早').characters
    style, noise = np.ones([1, config.style_dim], np.float32), np.ones([1, 2, 5], np.float32)
    with tf.GradientTape() as tape:
        alone = generator(Characters.stack([characters]), style, noise)
    assert alone.shape == (1, 16, 32, 1) and np.std(alone) > 0.01
    gradients = tape.gradient(alone, generator.trainable_variables)
    assert all(gradient is not None for gradient in gradients)
    padded = generator(
        Characters.stack([characters], num_characters=4), style, np.pad(noise, [[0, 0], [0, 2], [0, 0]])
    )
    np.testing.assert_allclose(padded[:, :, :32], alone, atol=1e-5)
    np.testing.assert_array_equal(padded[:, :, 32:], 1.0)
    (again,) = (generator.from_config(generator.get_config()),)
    assert type(again.content_encoder) is type(generator.content_encoder)


def strip(text, image):
    """The bytes of a line."""
    coded = text.encode()
    return struct.pack('<HHB', image.shape[1], image.shape[0], len(coded)) + coded + image.tobytes()


@pytest.fixture
def strips(tmp_path, monkeypatch):
    """A collection in the format of the example, three writers of two lines each: the bytes of a file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    images = [np.random.default_rng(n).integers(0, 256, [20, 30 + n]).astype(np.uint8) for n in range(2)]
    data = b''.join(strip(text, image) for text, image in zip(['天地', 'ink'], images, strict=True))
    (tmp_path / 'strips').mkdir()
    for number in range(3):
        (tmp_path / 'strips' / f'w{number}.strip').write_bytes(data)
    return data, images


@pytest.mark.slow
def test_a_format_of_a_package(tmp_path, strips):
    """It is in the help and among the choices; it is told by its files, prepared and inspected."""
    install(tmp_path, 'strip', '# pyproject.toml of the package strip')
    command = ['-m', 'hwgen.cli', 'prepare']
    shown = python(*command, '--help').stdout
    assert (
        '--source=strip: strip (.strip), lines with a text each\n' in shown and '|lmdb|auto|strip  (' in shown
    )
    for source in ('strip', 'auto'):
        done = python(*command, f'--source={source}', '--input=strips', f'--out={source}', '--test_share=0')
        assert (done.returncode, done.stderr) == (0, ''), done.stderr
        info = json.loads((tmp_path / source / 'info.json').read_text(encoding='utf-8'))
        assert sum(counts['records'] for counts in info['splits'].values()) == 6
        assert sum(counts['writers'] for counts in info['splits'].values()) == 3
        report = json.loads((tmp_path / source / 'report.json').read_text(encoding='utf-8'))
        assert report['files'] == {'strip': 3} and report['writers_named'] == 3
    told = python(*command, '--inspect=strips')
    assert (
        told.returncode == 0
        and 'strips: 3 strip, ' in told.stdout
        and '3 writers named w0, w1, w2' in told.stdout
    )
    (tmp_path / 'empty').mkdir()
    refused = python(*command, '--source=strip', '--input=empty', '--out=x')
    assert 'empty: 0 files, among them no files .strip; expected files .strip' in refused.stderr


def test_a_format_from_python(tmp_path, strips):
    """As it stands there."""
    (tmp_path / 'strip.py').write_text(block('python', '# strip.py'), encoding='utf-8')
    done = python('-c', block('python', 'from strip import FORMAT'))
    assert done.returncode == 0, done.stderr
    assert "'records': 6" in done.stdout and (tmp_path / 'tfrecords/strips/info.json').exists()


def test_the_reader_of_a_format(tmp_path, strips):
    """Lines come out as they were written; a file that ends too soon, or says too much of itself, is told
    with its place.
    """
    data, images = strips
    namespace = {}
    exec(compile(block('python', '# strip.py'), 'strip.py', 'exec'), namespace)  # noqa: S102
    format = namespace['FORMAT']

    def part():
        (found,) = format.parts_of(list_files('strips/w1.strip'), unit='lines', refuse=None)
        return found

    found = list(part().read())
    assert (part().kind, part().writer, part().isolated) == ('strip', 'w1', False)
    assert [(line.text, line.record, line.writer) for line in found] == [('天地', 1, 'w1'), ('ink', 2, 'w1')]
    assert found[1].offset == len(strip('天地', images[0]))
    for line, image in zip(found, images, strict=True):
        np.testing.assert_array_equal(line.image, image)
    for damaged, message in (
        (data[:-1], r'w1.strip, line 2, byte .*: image of 620 bytes, 619 bytes remain'),
        (
            struct.pack('<HHB', 5000, 9, 0),
            r'w1.strip, line 1, byte 5: image of 5000 x 9 px, expected 1 x 1 to 4096 x 512',
        ),
    ):
        (tmp_path / 'strips/w1.strip').write_bytes(damaged)
        with pytest.raises(FormatError, match=message):
            list(part().read())
        refused = []
        read = list(part().read(refuse=refused.append))
        assert len(read) == (1 if len(damaged) > 9 else 0) and len(refused) == 1


@pytest.mark.slow
def test_a_training_step():
    """A model with its own step, settings, lines and end is trained, records its loss, stops and goes on: in
    two calls the bits are those of one.
    """
    pathlib.Path('counter.py').write_text(block('python', '# counter.py'), encoding='utf-8')
    os.symlink(CHECKOUT / 'tfrecords', 'tfrecords')
    script = block('python', 'import dataclasses\n\nimport keras\nimport tensorflow as tf\nfrom counter')
    assert 'max_steps=None' in script and "'runs/counter'" in script

    def train(steps, run_dir):
        done = python(
            '-c', script.replace('max_steps=None', f'max_steps={steps}').replace('runs/counter', run_dir)
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def weights(run_dir):
        reader = tf.train.load_checkpoint(f'{run_dir}/checkpoints/step-12')
        return {
            name: reader.get_tensor(name)
            for name in reader.get_variable_to_shape_map()
            if name.startswith(('network/', 'optimizer/'))
        }

    out = train(None, 'whole')
    assert (
        out.splitlines()[-1] == 'finished 12 whole/counter.keras'
        and pathlib.Path('whole/counter.keras').exists()
    )
    rows = [
        json.loads(line)
        for line in pathlib.Path('whole/metrics.jsonl').read_text(encoding='utf-8').splitlines()
    ]
    losses = [row['loss/count'] for row in rows if 'loss/count' in row]
    assert len(losses) == 3 and losses[-1] < losses[0]
    assert out.count('| loss/count ') == 3  # the progress lines tell of a loss that hwgen does not know
    assert train(5, 'parts').splitlines()[-1].startswith('stopped 5 ')
    out = train(None, 'parts')
    assert 'resumed at step 5 from parts/checkpoints/step-5' in out and 'finished 12' in out.splitlines()[-1]
    whole, parts = weights('whole'), weights('parts')
    assert len(whole) >= 4 + 2 * 4 and whole.keys() == parts.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(value, parts[name], err_msg=name)
