"""What a training from the flags of `train` gives to its parts, and what is told at its end: networks,
lines and loop are replaced by what tells of it.
"""

import json
import re

from many_calls import CHECKOUT, calls

SETUP = (
    f'ROOT = {str(CHECKOUT)!r}'
    + """
import dataclasses, contextlib
@dataclasses.dataclass
class Model:
    generator: object
@dataclasses.dataclass
class Generator:
    char_px: int = 16
    char_width_px: int = 8
    content_encoding: str = 'layout'
    layout: str = 'cells'
    @property
    def encoding(self):
        return types.SimpleNamespace(by_character=self.content_encoding == 'onehot')
for name in ('keras', 'tensorflow'):
    sys.modules[name] = types.ModuleType(name)
keras, tf = sys.modules['keras'], sys.modules['tensorflow']
keras.utils = types.SimpleNamespace(set_random_seed=lambda seed: tell('random seed', seed))
tf.config = types.SimpleNamespace(
    list_physical_devices=lambda kind: [kind],
    LogicalDeviceConfiguration=lambda: 'device',
    set_logical_device_configuration=lambda *arguments: tell('devices', *arguments),
    experimental=types.SimpleNamespace(enable_op_determinism=lambda: tell('deterministic')),
)
tf.get_logger = lambda: types.SimpleNamespace(
    addFilter=lambda keep: tell(
        'filter',
        [
            keep(types.SimpleNamespace(getMessage=lambda text=text: text))
            for text in ('5 triggered tf.function retracing', 'other')
        ],
    )
)
class NoLineError(ValueError):
    pass
INFO = {
    'splits': {'train': {'records': 24}, 'validation': {'records': 3}},
    'vocabulary': [1, 2],
    'source': 'folder',
    'version': 7,
    'charset': {},
}
class LineBatches:
    def __init__(self, data, *, charset, index=None, **options):
        if callable(options['max_characters']):  # of a step: lines grow
            options['max_characters'] = options['max_characters'](0)
        tell('LineBatches', data, index, **options)
        if data == 'too long' and options['split'] == 'validation':
            raise NoLineError('no line of 1 to 8 characters')
        info = (
            {**INFO, 'vocabulary': [2]}
            if data == 'latin'
            else {**INFO, 'splits': {'train': {}}}
            if data == 'alone'
            else INFO
        )
        self.index, self.name = types.SimpleNamespace(info=info, name=data), 'batches of ' + options['split']
    def __len__(self):
        return 24
    def __str__(self):
        return self.name
stand_in('hwgen.data.reading.pipeline', LineBatches=LineBatches, NoLineError=NoLineError)
class MixedLines:
    def __init__(self, batches, folder, *, share):
        tell('MixedLines', str(batches), folder, share)
        self.index, self.num_unlabelled, self.stretch = (
            types.SimpleNamespace(name=folder, __len__=lambda: 9),
            2,
            1.23456,
        )
        self.index = type('Index', (list,), {'name': folder})([0] * 9)
    def __str__(self):
        return 'mixed'
stand_in('hwgen.data.reading.mixed_lines', MixedLines=MixedLines)
stand_in(
    'hwgen.training.texts', TextSampler=lambda charset, **options: tell('TextSampler', **options) or 'texts'
)
strategy = types.SimpleNamespace(scope=contextlib.nullcontext, num_replicas_in_sync=2)
stand_in(
    'hwgen.training.distribution',
    make_strategy=lambda name, **options: tell('strategy', name, **options) or strategy,
)
class Net:
    def count_params(self):
        return 1_234_567
stand_in(
    'hwgen.models.hct_gan', HctGan=lambda config: types.SimpleNamespace(modules=lambda: {'generator': Net()})
)
TRAINING = types.SimpleNamespace(model='model', judge=None)
stand_in(
    'hwgen.training.gan',
    GanTraining=lambda model, settings, **options: (
        tell('training', **{**options, 'strategy': options['strategy'] is strategy}) or TRAINING
    ),
)
stand_in(
    'hwgen.training.step_inputs',
    StepInputs=lambda batches, texts, *, schedule, mixed: types.SimpleNamespace(
        batches=batches, texts=texts, schedule=schedule, mixed=mixed
    ),
)
stand_in(
    'hwgen.training.sampling', Sampler=lambda log, **options: types.SimpleNamespace(log=log, **options)
)
class TrainingLoop:
    def __init__(self, training, plan, *, config, initialize, inputs, samples, **options):
        self.log = types.SimpleNamespace(say=print)
        shown = samples('log')
        assert inputs.batches is shown.batches and inputs.schedule is plan
        assert shown.training is training is TRAINING and inputs.texts == shown.texts and shown.log == 'log'
        assert shown.longest_lines == plan.longest_lines
        started = initialize and initialize()
        tell('loop', str(shown.validation), str(inputs.batches), shown.charset.name, started,
             texts=inputs.texts, mixed=str(inputs.mixed), **options)
        tell('config', **config)
    def run(self, **options):
        tell('run', **{**options, 'started': options['started'] - train._STARTED})
        return dict(
            dict(
                state='finished',
                step=30,
                schedule=Schedule(*json.loads(os.environ['CUT'])),
                checkpoint='run/checkpoints/step-30',
                sheet='run/samples/x.png',
                model='run/model',
            ),
            **json.loads(os.environ['SUMMARY']),
        )
stand_in('hwgen.training.loop', TrainingLoop=TrainingLoop)
stand_in(
    'hwgen.training.initialization',
    initialize=lambda model, path, *, charset, judge: (
        f'starts from {os.path.relpath(path, ROOT) if path.startswith(ROOT) else path} in {charset.name}'
    ),
    initialize_recognizers=lambda model, path: f'reads as {path}',
    common_table=lambda charset, info, path: (
        tell('table', info['source'], path and os.path.relpath(path, ROOT)) or CHARSET
    ),
)
stand_in(
    'hwgen.training.provenance',
    lines_of=lambda index: {'digest': f'lines of {index.name}'},
    versions=lambda: {'version': 'v'},
    fast_product_dtype=lambda: 'float32',
)
stand_in(
    'hwgen.training.seen', seen_characters=lambda charset, info, *, start, run_dir: f'seen {start} {run_dir}'
)
@contextlib.contextmanager
def training_lines(folder, *, start, report):
    tell('lines of', folder, start is quiet.quiet_tensorflow)
    report('said of lines')
    yield 'the index'
from hwgen.cli import quiet
stand_in('hwgen.data.preparing.drawn_index', training_lines=training_lines)
stand_in('hwgen.data.reading.shards', read_info=lambda folder: tell('read', folder) or INFO)
def ensure_embedded(folder, splits, *, report):
    tell('ensure', folder, splits)
    if folder != 'nowhere':
        os.makedirs(folder, exist_ok=True)
stand_in('hwgen.data.preparing.prepare', ensure_embedded=ensure_embedded)
os.cpu_count = lambda: int(os.environ['CORES'])
from hwgen.settings.schedule import Schedule
from hwgen.cli import train
from hwgen.training import session
clock = [1000.]
session.time = types.SimpleNamespace(monotonic=lambda: clock.append(clock[-1] + 5) or clock[-1])
CHARSET = types.SimpleNamespace(
    name='table', characters='-一a', template_boxes='boxes', hash='h', row_count=5
)
def configurations(settings, charset):
    return (
        Model(Generator(content_encoding=os.environ['ENCODING'])),
        dataclasses.replace(settings.steps, clip_norm=0.75),
        settings.schedule,
    )
session.configurations = configurations
"""
)


def case(*arguments, phases=(10, 12, 8), cut=None, encoding='layout', cores=4, **summary):
    """Arguments and environment of a call: the phases of the flags, those that the run came to, what the
    loop returns.
    """
    steps = [
        f'--{phase}_steps={number}'
        for phase, number in zip(('recognizer', 'reconstruction', 'adversarial'), phases)
    ]
    return ['--run_dir=my run', *steps, *arguments], dict(
        HWGEN_PROGRAM='bin/train',
        CUT=json.dumps(cut or phases),
        ENCODING=encoding,
        CORES=str(cores),
        SUMMARY=json.dumps(summary),
    )


def call(*cases):
    return calls('train', list(cases), setup=SETUP)


def told(called, name):
    return [one[1:] for one in called if one[0] == name]


def test_what_the_parts_get():
    ((status, called, out, err),) = call(case('--data=lines'))
    assert (status, err) == (None, ''), err
    sizes = dict(char_px=16, char_width_px=8, layout='cells', batch_size=8, seed=1)
    assert told(called, 'LineBatches') == [
        ['lines', 'the index', dict(sizes, split='train', max_characters=2)],
        ['lines', None, dict(sizes, split='validation', max_characters=8)],
    ]
    assert (
        told(called, 'random seed') == [[1]]
        and told(called, 'deterministic') == [[]]
        and told(called, 'devices') == []
        and told(called, 'filter') == [[[False, True]]]
    )
    assert (
        told(called, 'TextSampler') == [[dict(seed=1, vocabulary=None)]]
        and told(called, 'training') == [[dict(strategy=True, pairs=None)]]
        and told(called, 'MixedLines') == []
    )
    assert told(called, 'loop') == [
        [
            'batches of validation',
            'batches of train',
            'table',
            [],
            dict(
                texts='texts',
                mixed='None',
                run_dir='my run',
                sample_every=3000,
                checkpoint_every=1500,
                log_every=50,
                keep_checkpoints=3,
                checkpoint_minutes=1.0,
                stream=None,
            ),
        ]
    ]
    # the writing of the corpus does not count
    assert told(called, 'run') == [[dict(max_steps=None, max_minutes=None, divide_minutes=True, started=5.0)]]
    assert (
        told(called, 'strategy') == [['mirrored', dict(batch_size=8)]]
        and told(called, 'read') == [['lines'], ['lines']]
        and told(called, 'table') == [['folder', None]]
    )
    assert told(called, 'ensure') == [['lines', ['validation']]] and told(called, 'lines of') == [
        ['lines', True]
    ]
    ((config,),) = told(called, 'config')
    assert (
        config['data']
        == dict(
            folder='lines',
            source='folder',
            version=7,
            digest='lines of lines',
            charset_hash='h',
            charset_rows=5,
        )
        and config['seen'] == 'seen None my run'
        and config['unlabelled'] is None
    )
    assert (
        config['model']
        == dict(generator=dict(char_px=16, char_width_px=8, content_encoding='layout', layout='cells'))
        and (config['settings']['batch_size'], config['settings']['clip_norm']) == (8, 0.75)
        and config['schedule']['reconstruction_steps'] == 12
    )
    assert (
        config['command']
        == "train --flagfile=demo.flags '--run_dir=my run' --recognizer_steps=10 --reconstruction_steps=12"
        ' --adversarial_steps=8 --data=lines'
        and (config['flags']['batch_size'], config['flags']['clip_norm']) == (8, 1.0)
        and (config['seed'], config['version']) == (1, 'v')
    )
    assert out.splitlines()[:3] == [
        'said of lines',
        'loading TensorFlow and building the networks',
        '24 lines, 2 characters with images; parameters: generator 1.23 M; 2 replica(s); 30 steps',
    ]


def test_flags_that_are_no_sizes():
    arguments = (
        '--data=lines --seed=5 --batch_size=6 --shortest_lines=3 --longest_lines=9 --max_steps=10'
        ' --max_minutes=11 --nodivide_minutes --log_every=12 --sample_every=13 --checkpoint_every=14'
        ' --keep_checkpoints=15 --checkpoint_minutes=16 --cpu_replicas=3 --nodeterministic --strategy=default'
        ' --unlabelled=more --unlabelled_share=.25 --text_characters=seen --init_from=there'
        ' --recognizers_from=readers'
    ).split()
    ((status, called, out, err),) = call(case(*arguments))
    assert (status, err) == (None, ''), err
    sizes = dict(char_px=16, char_width_px=8, layout='cells', batch_size=6, seed=5)
    assert [options for _, _, options in told(called, 'LineBatches')] == [
        dict(sizes, split='train', max_characters=3),
        dict(sizes, split='validation', max_characters=9),
    ]
    assert (
        told(called, 'MixedLines') == [['batches of train', 'more', 0.25]]
        and told(called, 'devices') == [['CPU', ['device'] * 3]]
        and told(called, 'deterministic') == []
    )
    assert told(called, 'loop') == [
        [
            'batches of validation',
            'batches of train',
            'table',
            'starts from there in table; reads as readers',
            dict(
                texts='texts',
                mixed='mixed',
                run_dir='my run',
                sample_every=13,
                checkpoint_every=14,
                log_every=12,
                keep_checkpoints=15,
                checkpoint_minutes=16.0,
                stream=None,
            ),
        ]
    ]
    assert told(called, 'run') == [
        [dict(max_steps=10, max_minutes=11.0, divide_minutes=False, started=5.0)]
    ] and told(called, 'TextSampler') == [[dict(seed=5, vocabulary=[1, 2])]]
    assert (
        told(called, 'strategy') == [['default', dict(batch_size=6)]]
        and told(called, 'random seed') == [[5]]
        and told(called, 'read')[:2] == [['lines'], ['more']]
    )
    ((config,),) = told(called, 'config')
    assert (
        config['unlabelled'] == dict(folder='more', digest='lines of more', num_lines=2)
        and config['seen'] == 'seen there my run'
    )
    assert (
        '9 unlabelled lines, 2 of the 6 real lines that the discriminator sees at a time; all of these are'
        ' stretched by 1.235' in out
    )


def test_which_characters_are_written():
    """All of the dictionary, but by a generator that has no use for those without images, and in a
    collection without Chinese.
    """
    found = call(
        case('--data=lines'),
        case('--data=latin'),
        case('--data=lines', encoding='onehot'),
        case('--data=lines', '--text_characters=seen'),
    )
    assert [told(called, 'TextSampler')[0][0]['vocabulary'] for _, called, _, _ in found] == [
        None,
        [2],
        [1, 2],
        [1, 2],
    ]


def test_where_and_when_lines_are_written():
    asked = [
        ([], 4, ['validation'], 1.0),
        ([], 1, ['train', 'validation'], 1.0),
        (['--strategy=multi_worker'], 4, ['train', 'validation'], None),
        (['--checkpoint_minutes=0'], 2, ['validation'], None),
    ]
    found = call(*(case('--data=lines', *arguments, cores=cores) for arguments, cores, _, _ in asked))
    for (_, _, splits, minutes), (_, called, _, _) in zip(asked, found):
        assert (
            told(called, 'ensure') == [['lines', splits]]
            and told(called, 'loop')[0][4]['checkpoint_minutes'] == minutes
        )
    long, alone, shipped, nowhere = call(
        case('--data=too long'),
        case('--data=alone'),
        case('--data=lines', '--init_from=saved_models/demo', '--flagfile='),
        case('--data=nowhere'),
    )
    for (_, called, out, _), said in (
        (long, 'no validation: no line of 1 to 8 characters'),
        (alone, 'no validation: alone has no such lines'),
    ):
        assert said in out.splitlines() and told(called, 'loop')[0][0] == 'None'
    called = shipped[1]
    # where it is installed
    assert told(called, 'loop')[0][3] == 'starts from saved_models/demo in table' and told(
        called, 'table'
    ) == [['folder', 'saved_models/demo']]
    assert (
        told(called, 'config')[0][0]['command']
        == "train '--run_dir=my run' --recognizer_steps=10 --reconstruction_steps=12 --adversarial_steps=8"
        ' --data=lines --init_from=saved_models/demo --flagfile='
    )
    assert told(called, 'config')[0][0]['seen'] == f'seen {CHECKOUT}/saved_models/demo my run'
    # whoever reads the lines says that there are none
    assert told(nowhere[1], 'run')[0][0]['started'] == 0.0 and nowhere[0] is None


def test_what_is_refused():
    refused = {
        ('--unlabelled=x', '--adversarial_steps=0'): '--unlabelled=x: only the discriminator of phase 3',
        ('--unlabelled=x', '--adversarial_every=0'): '--adversarial_every=0: expected at least 1 of both',
        ('--max_minutes=2.5', '--strategy=multi_worker'): '--max_minutes=2.5 with --strategy=multi_worker',
        ('--data=tfrecords/casia-hwdb2',): 'train: tfrecords/casia-hwdb2: not there. ',
    }
    stop = SETUP.replace("if folder != 'nowhere':", "if folder == 'lines':")
    for said, (status, called, _, err) in zip(
        refused.values(),
        calls('train', [case('--data=lines', *arguments) for arguments in refused], setup=stop),
    ):
        assert status == 2 and said in err and err.count('\n') == 1 and told(called, 'loop') == [], err
    # what to fetch, and the command that makes the lines
    assert ' Then: bin/prepare --source=casia ' in err and 'http' in err
    ((status, _, _, err),) = call(case('--data=lines', phases=[0, 0, 0]))
    assert status == 2 and 'are all 0: expected at least one step' in err


def endings(*cases):
    """Of each call the head of its closing summary, and its rows."""
    found = []
    for status, _, out, err in call(*cases):
        assert status is None, err
        lines = out.splitlines()
        start = next(number for number, line in enumerate(lines) if ' at step ' in line)
        found.append((lines[start], {line[:16].strip(): line[16:] for line in lines[start + 1 :]}))
    return found


def test_what_is_told_at_the_end():
    ((head, rows),) = endings(case('--data=lines'))
    assert head == 'finished at step 30/30' and rows == {
        'trained': (
            'phase 1 of 3 (recognisers): all 10 steps; phase 2 of 3 (generator by rebuilding): all 12 steps;'
            ' phase 3 of 3 (generator against discriminator): all 8 steps'
        ),
        'generator': rows['generator'],
        'checkpoint': 'run/checkpoints/step-30',
        'sample sheet': 'run/samples/x.png',
        'run': "my run  (tensorboard --logdir 'my run' --samples_per_plugin images=1000)",
        'next': 'bin/generate --model=run/model --text="你好，世界" --out=line.png',
    }
    stopped, steps, minutes, both, later, none, cut, latin, bare, spaced = endings(
        case('--data=lines', state='stopped', step=14),
        case('--data=lines', '--max_steps=4', state='stopped', step=4),
        case('--data=lines', '--max_steps=5', '--max_minutes=3', state='stopped', step=4),
        case('--data=lines', '--max_steps=4', '--max_minutes=3', state='stopped', step=4),
        case('--data=lines', '--max_minutes=3', state='interrupted', step=14),
        case('--data=lines', '--max_minutes=3', phases=[10, 0, 0], step=4, state='stopped'),
        case('--data=lines', cut=[6, 12, 8], step=26),
        case('--data=latin'),
        case('--data=lines', model=None, sheet=None),
        case('--data=lines', model='my run/model'),
    )
    # of the steps that it came to, not of those that were planned
    ((_, rows),) = endings(case('--data=lines', cut=[10, 5, 8], step=23))
    assert len(set(re.fullmatch(r'trained for (\d+) of (\d+) steps', rows['generator']).groups())) == 1
    head, rows = stopped
    assert head == 'stopped at step 14/30' and rows['trained'].split('; ')[1:] == [
        'phase 2 of 3 (generator by rebuilding): 4 of 12 steps',
        'phase 3 of 3 (generator against discriminator): 0 of 8 steps',
    ]
    assert (
        rows['generator'].startswith('trained for 4 of ')
        and rows['to resume'] == 'the same command'
        and 'next' in rows
    )
    assert (
        steps[1]['generator'] == 'not trained yet: its phase is still to come'
        and steps[1]['to resume'] == 'the same command, with more --max_steps'
        and 'next' not in steps[1]
    )
    assert (
        minutes[1]['to resume']
        == 'the same command, with more --max_minutes: these ended before the generator began'
    )
    assert (
        both[1]['to resume'] == 'the same command, with more --max_steps'
        and later[1]['to resume'] == 'the same command'
    )
    assert (
        none[1]['generator'] == 'not trained: this run has no phase for it'
        and none[1]['to resume'] == 'the same command'
        and none[1]['trained'] == 'phase 1 of 1 (recognisers): 4 of 10 steps'
    )
    head, rows = cut
    assert head == 'finished at step 26/26' and rows['trained'].startswith(
        'phase 1 of 3 (recognisers): 6 steps (cut short, 10 were planned); phase 2 of 3 (generator by'
        ' rebuilding): all 12 steps'
    )
    assert (
        latin[1]['next'] == 'bin/generate --model=run/model --text="Hello world" --out=line.png'
        and 'next' not in bare[1]
        and 'sample sheet' not in bare[1]
    )
    assert spaced[1]['next'].startswith("bin/generate --model='my run/model' ")
