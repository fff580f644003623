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
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import collection
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


@pytest.fixture
def installed(tmp_path):
    """The example as a package that is installed: its module, and what pip would write of its entry
    points.
    """
    (tmp_path / 'ink.py').write_text(block('python', '# ink.py'), encoding='utf-8')
    project = tomllib.loads(block('toml', '# pyproject.toml'))
    assert project['tool']['setuptools']['py-modules'] == ['ink']
    info = tmp_path / f'{project["project"]["name"]}-{project["project"]["version"]}.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: ink\nVersion: 1.0\n')
    groups = project['project']['entry-points'].items()
    (info / 'entry_points.txt').write_text(
        ''.join(
            f'[{group}]\n' + ''.join(f'{name} = {value}\n' for name, value in rows.items())
            for group, rows in groups
        )
    )


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
        '|ablation|ink  (default: reader)' in shown
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


def test_a_format(tmp_path, monkeypatch):
    """Lines come out as they were written; a file that ends too soon, or says too much of itself, is told
    with its place.
    """
    namespace = {}
    exec(compile(block('python', '# strip.py'), 'strip.py', 'exec'), namespace)  # noqa: S102
    monkeypatch.setattr(collection, 'READERS', dict(collection.READERS))
    exec(
        block('python', '# in hwgen/data/preparing/collection.py'),
        {**namespace, 'READERS': collection.READERS},
    )  # noqa: S102
    images = [np.random.default_rng(n).integers(0, 256, [20, 30 + n]).astype(np.uint8) for n in range(2)]
    data = b''.join(strip(text, image) for text, image in zip(['天地', 'ink'], images, strict=True))
    folder = tmp_path / 'lines'
    folder.mkdir()
    (folder / 'w1.strip').write_bytes(data)
    (part,) = collection.open_collection(folder)
    found = list(part.read())
    assert (
        [line.text for line in found] == ['天地', 'ink']
        and [line.record for line in found] == [1, 2]
        and part.kind == 'strip'
        and not part.isolated
    )
    for line, image in zip(found, images, strict=True):
        np.testing.assert_array_equal(line.image, image)
    assert {line.writer for line in found} == {part.name} and found[1].offset == len(strip('天地', images[0]))
    for damaged, message in (
        (data[:-1], r'w1.strip, line 2, byte .*: image of 620 bytes, 619 bytes remain'),
        (
            struct.pack('<HHB', 5000, 9, 0),
            r'w1.strip, line 1, byte 5: image of 5000 x 9 px, expected 1 x 1 to 4096 x 512',
        ),
    ):
        (folder / 'w1.strip').write_bytes(damaged)
        (part,) = collection.open_collection(folder)
        with pytest.raises(FormatError, match=message):
            list(part.read())
        refused = []
        assert (
            len(list(part.read(refuse=refused.append))) == (1 if len(damaged) > 9 else 0)
            and len(refused) == 1
        )
