"""hwgen from Python: what importing it loads, that its names are those of its documentation, what it says of
wrong arguments, and a tiny model trained, written with, measured and exported.
"""

import ast
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import hwgen
from hwgen import api, api_reference
from hwgen.settings.keywords import python_words, with_keywords
from hwgen.settings.resources import CHECKOUT
from hwgen.settings.train import TrainSettings


def python(code):
    """Runs code in a process of its own; its standard output."""
    done = subprocess.run(
        [sys.executable, '-P', '-c', code],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_hwgen_loads_nothing_heavy():
    code = (
        'import sys; import hwgen; first = set(sys.modules); {}\n'
        'heavy = {{"numpy", "tensorflow", "keras", "cv2", "PIL", "absl"}}\n'
        'print(*sorted(heavy & set(sys.modules)), len([one for one in first if one.startswith("hwgen")]))'
    )
    assert python(code.format('dir(hwgen); hwgen.__version__')).split() == ['1']
    # the functions themselves load what they need when they are called
    assert not {'numpy', 'tensorflow', 'PIL'} & set(python(code.format('hwgen.train; hwgen.load')).split())
    assert not {'tensorflow', 'PIL'} & set(python(code.format('hwgen.Charset')).split())


def test_the_names():
    assert set(hwgen.__all__) <= set(dir(hwgen))
    assert hwgen.load is api.load and hwgen.Writer.__name__ == 'Writer' and hwgen.Charset.load()
    assert {name for name in hwgen.__all__ if name[0].islower()} == set(api_reference.FUNCTIONS)
    with pytest.raises(AttributeError, match="module 'hwgen' has no attribute 'loda'"):
        hwgen.loda  # noqa: B018 the attribute is what is asked for
    # a type checker sees the names that are loaded later
    tree = ast.parse(pathlib.Path(hwgen.__file__).read_text(encoding='utf-8'))
    (checked,) = [node for node in tree.body if isinstance(node, ast.If)]
    assert {alias.name for node in checked.body for alias in node.names} == set(hwgen.__all__)


def test_the_reference_is_up_to_date():
    place = CHECKOUT / api_reference.PLACE
    assert place.read_text(encoding='utf-8') == api_reference.page(), (
        'python -m hwgen.api_reference writes it anew'
    )


@pytest.mark.parametrize(
    'function, arguments, keywords, kind, message',
    [
        (
            'train',
            (),
            {'batchsize': 4},
            TypeError,
            r"^train\(\) has no setting 'batchsize': did you mean batch_",
        ),
        ('train', (), {'batch_size': '4'}, TypeError, "^batch_size='4': expected a whole number$"),
        ('train', (), {'deterministic': 1}, TypeError, '^deterministic=1: expected True or False$'),
        (
            'train',
            (),
            {'style_channels': 8},
            TypeError,
            r'^style_channels=8: expected a list, such as \[1, 2\]$',
        ),
        ('train', (), {'batch_size': 0}, ValueError, '^batch_size=0: expected at least 1$'),
        (
            'train',
            ('fats',),
            {},
            ValueError,
            "^preset 'fats': no such file, nor one that ships: .*demo, fast",
        ),
        ('train', (), {'unlabelled': 'x'}, ValueError, '^unlabelled=x: .* with adversarial_steps=0 adv'),
        ('generate', ('明',), {}, ValueError, '^out is missing: expected a picture, such as line.png'),
        ('generate', (), {'out': 'a.png'}, ValueError, '^expected either text "..." or text_file FILE$'),
        ('generate', ('明', 'a.txt'), {}, ValueError, '^a.txt: no .txt file is written'),
        ('generate', ('明\u0e01', 'a.png'), {}, ValueError, 'U\\+0E01.* at position 1'),
        (
            'generate',
            ('明', 'a.png'),
            {'interpolate': [1]},
            ValueError,
            '^interpolate 1: expected two style seeds',
        ),
        ('generate', ('明', 'a.png'), {'model': 'nowhere'}, ValueError, '^nowhere: no generator there'),
        (
            'prepare',
            (),
            {'lines': 3},
            ValueError,
            '^out: no folder given; expected for example out=tfrecords/demo$',
        ),
        (
            'prepare',
            ('x',),
            {'source': 'fodler', 'input': 'y'},
            ValueError,
            '^source=fodler: expected one of scribe, folder, .*, lmdb, auto$',
        ),
        ('prepare', ('x.png',), {}, ValueError, r'^out=x.png: a folder is written'),
        ('prepare', ('x',), {'input': 'y'}, ValueError, '^input goes with source=folder, casia'),
        (
            'prepare',
            ('x',),
            {'dark': 'keep'},
            ValueError,
            '^deslant=True, normalize_size, keep_paper=True and dark',
        ),
        ('evaluate', (None, 'nothing'), {}, ValueError, 'nothing'),
        (
            'evaluate',
            (3,),
            {},
            TypeError,
            '^model=3: expected the path of a model, or what hwgen.load gives$',
        ),
        ('evaluate', (), {'data': 'x', 'seeds': 0}, ValueError, '^seeds=0: expected at least 1$'),
        ('evaluate', (), {'data': 'x', 'seeds': '1'}, TypeError, "^seeds='1': expected a whole number$"),
        ('evaluate', (), {'data': 'x', 'seed': -1}, ValueError, '^seed=-1: expected at least 0$'),
        ('evaluate', (), {'data': 'x', 'num_lines': True}, TypeError, '^num_lines=True: expected a whole'),
        ('generate', ('明', 'a.png'), {'model': 3}, TypeError, '^model=3: expected the path of a model'),
        ('train', (3,), {}, TypeError, '^3: expected a path, as a text or a pathlib.Path$'),
        (
            'evaluate',
            (),
            {'protocol': 'reader', 'colour': 1},
            ValueError,
            '^colour: no option of protocol reader',
        ),
        ('export', (), {'out': 'x', 'run': 'a', 'model': 'b'}, ValueError, '^run and model are both given'),
        ('serve', (), {'allow_unseen': True}, ValueError, '^allow_unseen=True without model: expected'),
        ('load', ('nowhere',), {}, ValueError, '^nowhere: no generator there'),
        ('load', (3,), {}, TypeError, '^3: expected a path'),
    ],
)
def test_what_is_wrong_is_told_in_words_of_python(function, arguments, keywords, kind, message):
    with pytest.raises(kind, match=message):
        getattr(hwgen, function)(*arguments, **keywords)
    assert not os.listdir('.')


def test_messages():
    assert python_words('--out=x: give --overwrite, --nodeterministic or --flagfile; a--b --') == (
        'out=x: give overwrite=True, deterministic=False or flagfile; a--b --'
    )


def test_keywords_are_called_as_flags_are():
    asked = with_keywords(
        TrainSettings(),
        {'data': pathlib.Path('x'), 'generator_channels': [8, 8, np.int64(4)], 'rate_floor': 1},
        called='train',
    )
    assert (
        asked.data.data == 'x' and asked.generator.channels == (8, 8, 4) and asked.schedule.rate_floor == 1.0
    )
    assert asked.run == TrainSettings().run
    with pytest.raises(TypeError, match='balance'):  # the flag's name, not the field's
        with_keywords(TrainSettings(), {'balance_rule': 'full'}, called='train')


def test_presets_by_name_and_settings_over_them():
    fast = api._train_settings('fast', {'seed': 3})
    assert (fast.run.run_dir, fast.steps.seed) == ('runs/fast', 3)
    assert api._train_settings(None, {}) == api._train_settings('demo.flags', {}) == TrainSettings()
    assert api._train_settings(TrainSettings(), {'max_steps': 2}).run.max_steps == 2
    pathlib.Path('own.flags').write_text('--flagfile=fast.flags\n--seed=5\n')
    assert api._train_settings('own', {}).steps.seed == api._train_settings('./own.flags', {}).steps.seed == 5


def test_a_model_that_ships_by_name_from_any_folder():
    """The same seed and text: the same picture from `write` and from `generate`."""
    writer, said = hwgen.load('demo'), []
    (image,) = writer.write('明天⿱山鱼', style_seeds=7)
    written = hwgen.generate('明天⿱山鱼', 'line.png', style_seed=7, model=writer, report=said.append)
    assert (written.path, written.lines, written.characters) == ('line.png', 1, 3)
    assert said == [f'line.png: {written.told}; {said[0].partition("; ")[2]}']
    assert np.array_equal(np.asarray(Image.open('line.png')), image)
    with pytest.raises(OSError, match='give overwrite=True to replace it'):
        hwgen.generate('明', pathlib.Path('line.png'), model=writer)


# Prints as JSON what a test looks at; a training decides for its process how TensorFlow computes.
END_TO_END = """
import json, sys
import hwgen
said = []
sizes = dict(char_px=16, generator_channels=[8, 8], content_channels=16, style_part_dim=4, character_noise=2,
             structure_dim=4, component_dim=8, cell_dim=4, map_channels=[], attention_px=0,
             discriminator_channels=[4, 4, 8], recognizer_channels=[4, 4, 8, 8, 8], recognizer_hidden=8,
             style_channels=[4, 4, 8, 8])
summary = hwgen.train('demo', data=sys.argv[1], run_dir='run', recognizer_steps=2, reconstruction_steps=2,
                      growing_steps=0, batch_size=4, max_minutes=5.0, report=said.append, **sizes)
assert summary['state'] == 'finished' and summary['model'].endswith('run/model'), summary
again = hwgen.train('demo', data=sys.argv[1], run_dir='run', recognizer_steps=2, reconstruction_steps=2,
                    growing_steps=0, batch_size=4, max_minutes=5.0, report=said.append, **sizes)
writer = hwgen.load('run', allow_unseen=True)
(image,) = writer.write(['明天'], style_seeds=[7])
result = hwgen.evaluate('run', 'reader', data=sys.argv[1], seeds=1, num_lines=3, out='report',
                        report=said.append)
path = hwgen.export(writer, 'served/1', report=said.append)
command = json.load(open('run/config.json'))['command']
print(json.dumps(dict(step=again['step'], shape=image.shape, figures=len(result['figures']), path=path,
                      command=command, said=said)))
"""


@pytest.mark.slow
def test_train_write_evaluate_export():
    done = subprocess.run(
        [sys.executable, '-P', '-c', END_TO_END, str(CHECKOUT / 'tfrecords/sample')],
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT), 'TF_CPP_MIN_LOG_LEVEL': '3'},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found['step'], found['shape'], found['path']) == (4, [16, 32], os.path.abspath('served/1'))
    assert found['figures'] and os.path.isfile('report/reader.json')
    assert os.path.isfile('served/1/saved_model.pb') and os.path.isfile('run/model/generator.json')
    assert found['command'].startswith("hwgen.train('demo', data=") and 'batch_size=4' in found['command']
    assert any('finished at step 4 before' in line for line in found['said'])
