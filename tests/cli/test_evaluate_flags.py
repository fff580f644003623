"""What `evaluate` makes of its flags: which judges, lines, models and measurements a protocol takes, what
two results must share, and what it refuses.
"""

import json

import pytest
from many_calls import CHECKOUT, calls

import hwgen

# With everything heavy replaced: models, judges, data and measurements tell what they are asked for.
SETUP = """
def measured(protocol, task):
    tell('run', protocol.name, **task.options)
    tell('task', **{**vars(task), 'judges': sorted(task.judges), 'model': str(task.model)})
stand_in('hwgen.evaluation.protocol_run', run=measured)
class Judge:
    def __init__(self, name):
        self.name, self.digest, self.weights_digest = name, name + ' digest', name + ' weights'
def ensure_embedded(data, splits, *, settings, report):
    tell('ensure', data, splits, settings)
info = {
    'splits': {'train': {}, 'test': {}, 'unseen': {}},
    'source': 'scribe',
    'version': '2.0',
    'seed': 5,
    'more': 1,
}
EMBEDDED = {
    'tfrecords/demo': {'version': '2.0'},
    'tfrecords/demo-1.1': {'version': '1.1'},
    'tfrecords/latin': {'script': 'latin'},
    'tfrecords/wide': {'version': '2.0', 'vocabulary_size': 7000},
}
stand_in('hwgen.data.preparing.prepare', EMBEDDED=EMBEDDED, ensure_embedded=ensure_embedded)
stand_in(
    'hwgen.data.reading.shards',
    read_info=lambda data: {**info, 'splits': {'test': {}}} if data == 'tests alone' else info,
    RecordIndex=lambda data, split: f'{split} of {data}',
)
class Writer:
    def load(path, **options):
        tell('Writer.load', os.path.relpath(path, ROOT) if path.startswith(ROOT) else path, **options)
        writer = Writer()
        writer.description = {
            'step': 7,
            'info': {'data': {'source': 'scribe', 'version': '1.1'}},
            'charset': 'c',
            'seen': 'x',
        }
        return writer
    def __str__(self):
        return 'a writer'
stand_in('hwgen.inference.writer', Writer=Writer)
stand_in(
    'hwgen.inference.description',
    DEFAULT_TRUNCATION=0.8,
    ArtefactError=ValueError,
    read_description=lambda path: tell(
        'described', os.path.relpath(path, ROOT) if path.startswith(ROOT) else path
    ),
)
stand_in(
    'hwgen.evaluation.judges.feature_space',
    open_space=lambda name, weights, **options: (
        tell(
            'space',
            name,
            weights and os.path.relpath(weights, ROOT) if weights and weights.startswith(ROOT) else weights,
            **options,
        )
        or Judge(name)
    ),
)
stand_in(
    'hwgen.evaluation.judges.component_reader',
    ComponentReader=types.SimpleNamespace(
        load=lambda path: tell('component reader', os.path.relpath(path, ROOT)) or Judge('components')
    ),
)
stand_in(
    'hwgen.evaluation.judges.independent_reader', IndependentReader=lambda: tell('reader') or Judge('ppocr')
)
def check_comparable(here, there, *, place):
    tell('compared', sorted(here), there, place)
stand_in(
    'hwgen.evaluation.reporting.result_file',
    read_result=lambda path: {'measured_under': f'that of {path}'},
    check_comparable=check_comparable,
)
stand_in(
    'hwgen.evaluation.measuring.training_plan',
    read_plan=lambda folder, **options: (
        tell('plan', os.path.relpath(folder, ROOT) if folder.startswith(ROOT) else folder, **options)
        or types.SimpleNamespace(data={'lines': 3})
    ),
)
stand_in(
    'hwgen.evaluation.systems.compared_systems',
    name_of=lambda path: 'named',
    open_systems=lambda names: (
        tell('systems', [name.replace(ROOT, '') for name in names])
        or {name: Writer.load(name) for name in names}
    ),
    write_texts=lambda path, texts: tell('texts', path, texts),
)
stand_in(
    'hwgen.evaluation.measuring.comparison',
    protocol_texts=lambda index, **options: (
        tell('protocol_texts', index, [*options['seeds']], options['num_lines']) or [['一', '二'], ['三']]
    ),
)
def train(data, *, report):
    report('learns')
    return 'network', {'seed': 1}
recognizer = dict(
    train=train,
    measured_splits=lambda data: ['test', 'unseen'],
    label_error=lambda network, data, *, split: (0.12341 if split == 'test' else 0.5, 10, 40),
    save=lambda *arguments: tell('saved', *arguments),
)
stand_in('hwgen.evaluation.judges.feature_recognizer', **recognizer)
tensorflow = types.ModuleType('tensorflow')
tensorflow.config = types.SimpleNamespace(
    experimental=types.SimpleNamespace(enable_op_determinism=lambda: tell('deterministic'))
)
sys.modules['tensorflow'] = tensorflow
""".replace('ROOT', repr(str(CHECKOUT)))
SHIPPED, FEATURES = 'saved_models/spaced64', 'saved_models/features'
PROTOCOLS = [
    'reader',
    'hands',
    'hct',
    'scrabblegan',
    'ganwriting',
    'hwd',
    'interpolation',
    'neighbours',
    'shots',
    'nonsense',
    'comparison',
    'ablation',
    'usefulness',
]
# Protocol -> judges, splits that are written, lines where nobody says.
TAKES = {
    'reader': (['reader'], ['test', 'unseen'], 200),
    'hands': ([], ['test'], None),
    'hct': (['space'], ['dev', 'train'], None),
    'scrabblegan': (['space'], ['dev'], None),
    'ganwriting': (['space'], ['dev'], None),
    'hwd': (['space'], ['dev'], None),
    'interpolation': (['space'], ['dev'], None),
    'neighbours': (['space'], ['dev', 'train'], None),
    'shots': (['component_reader', 'reader'], ['test', 'unseen'], 250),
    'nonsense': (['component_reader'], ['test', 'unseen'], 250),
    'comparison': (['component_reader', 'reader', 'space'], ['dev'], None),
    'ablation': (['component_reader', 'reader', 'space'], ['train', 'validation', 'test', 'unseen'], None),
    'usefulness': ([], ['test'], 2000),
}
EVERY = (
    '--model=mine --data=lines --split=unseen --num_lines=11 --seed=12 --seeds=2 --against=other.json'
    ' --before=old --plan=own --base_flags=b.flags --rows=r,s --runs=ours --jobs=13 --out=there --crop'
    ' --true_aspect --truncation=.25 --sheet_lines=14 --network_steps=15 --picture_px=64 --lookalikes=16'
    ' --tested_hands=17'
).split()


def told(found, name):
    return [one[1:] for one in found[1] if one[0] == name]


@pytest.fixture(scope='module')
def plain():
    """Each protocol with another split alone, which those that take any split read."""
    return dict(
        zip(
            PROTOCOLS,
            calls('evaluate', [[f'--protocol={name}', '--split=unseen'] for name in PROTOCOLS], setup=SETUP),
        )
    )


@pytest.fixture(scope='module')
def every():
    """Each protocol with all flags."""
    return dict(
        zip(
            PROTOCOLS,
            calls(
                'evaluate',
                [[f'--protocol={name}', *EVERY] for name in PROTOCOLS],
                setup=SETUP,
            ),
        )
    )


@pytest.mark.parametrize('name', PROTOCOLS)
def test_what_a_protocol_takes(plain, name):
    status, _, out, err = plain[name]
    judges, splits, lines = TAKES[name]
    splits = ['unseen' if split == 'dev' else split for split in splits]
    assert (status, err) == (None, '')
    # what the model that ships learned from
    data = 'tfrecords/ablation' if name == 'ablation' else 'tfrecords/wide'
    assert told(plain[name], 'ensure') == [[data, splits, dict(lines=3) if name == 'ablation' else None]]
    (task,) = told(plain[name], 'task')[0]
    assert told(plain[name], 'run')[0][0] == name and (
        task['judges'],
        task['num_lines'],
        task['data'],
        task['split'],
        task['out'],
    ) == (judges, lines, data, 'unseen', f'evaluations/{name}')
    assert (task['seeds'], task['truncation'], task['there'], task['against']) == ([0, 1, 2], 0.8, None, None)
    assert (task['model'] == 'None') == (name == 'ablation')
    if name not in ('ablation', 'comparison'):
        assert told(plain[name], 'Writer.load') == [[SHIPPED, dict(allow_unseen=True)]] and told(
            plain[name], 'described'
        ) == [[SHIPPED]]
        assert 'the model learned from version 1.1 of the embedded corpus, the data is version 2.0' in out
    else:
        assert out == '' and told(plain[name], 'described') == []
    under = dict(
        protocol=name,
        num_lines=lines,
        first_seed=0,
        seeds=3,
        data=dict(source='scribe', version='2.0', seed=5),
    )
    if 'space' in judges:
        assert told(plain[name], 'space') == [['recognizer', FEATURES, dict(square=name != 'scrabblegan')]]
        under |= dict(
            split='unseen',
            feature_space='recognizer',
            feature_sha256='recognizer digest',
            feature_weights_sha256='recognizer weights',
        )
    if 'reader' in judges:
        under['reader'] = 'ppocr'
    if 'component_reader' in judges:
        assert told(plain[name], 'component reader') == [[FEATURES]]
        under['component_reader_sha256'] = 'components digest'
    under |= {
        'reader': dict(crop=False),
        'ablation': dict(first_seed=None, seeds=None, truncation=0.8),
        'usefulness': dict(network_steps=1200, picture_px=32, lookalikes=158, tested_hands=40),
    }.get(name, {})
    assert task['measured_under'] == under


@pytest.mark.parametrize('name', PROTOCOLS)
def test_every_flag_reaches_its_place(every, name):
    status, _, out, err = every[name]
    assert (status, err) == (None, ''), err
    (task,) = told(every[name], 'task')[0]
    assert (
        task['data'],
        task['split'],
        task['num_lines'],
        task['seeds'],
        task['truncation'],
        task['out'],
    ) == ('lines', 'unseen', 11, [12, 13], 0.25, 'there')
    assert (task['there'], task['against']) == ({'measured_under': 'that of other.json'}, 'other.json')
    # before the corpus is written
    assert told(every[name], 'compared') == [
        [sorted(task['measured_under'].keys() - {'data'}), 'that of other.json', 'other.json']
    ]
    assert (task['measured_under']['first_seed'], task['measured_under']['seeds']) == (
        (None, None) if name == 'ablation' else (12, 2)
    ) and task['measured_under']['num_lines'] == 11
    expected = {
        'reader': dict(crop=True, true_aspect=True, sheet_lines=14),
        'shots': dict(before='old'),
        'ablation': dict(plan='own', base_flags='b.flags', rows=['r', 's'], runs='ours', jobs=13),
        'usefulness': dict(numbers=None, network_steps=15, picture_px=64, lookalikes=16, tested_hands=17),
    }
    assert told(every[name], 'run') == [[name, expected[name]] if name in expected else [name]]
    if name == 'ablation':
        assert told(every[name], 'plan') == [['own', dict(base='b.flags', rows=['r', 's'])]]
    elif name == 'comparison':
        assert told(every[name], 'systems') == [[['named=mine']]]
    else:
        assert told(every[name], 'Writer.load') == [['mine', dict(allow_unseen=True)]]
    facts = task['facts']
    assert (
        facts['model'] == 'mine'
        and facts['data'] == dict(folder='lines', source='scribe', version='2.0', seed=5)
        and (facts['seed'], facts['truncation'], facts['hwgen']) == (12, 0.25, hwgen.__version__)
    )
    assert (
        facts['command'].startswith(f'evaluate --protocol={name} --model=mine --data=lines ')
        and facts['protocol'] == name
    )
    assert facts.get('trained') == (
        None
        if name == 'ablation'
        else dict(step=7, info=dict(data=dict(source='scribe', version='1.1')), charset='c')
    )


def test_models_and_judges_of_other_kinds():
    none, weights, features, texts, one_model, alone, plan = calls(
        'evaluate',
        [
            ['--model=', '--data=lines'],
            ['--protocol=hwd', '--feature_space=inception', '--feature_weights=net.onnx', '--data=lines'],
            ['--train_features=features', '--data=lines', '--protocol=hct'],
            [
                '--protocol=comparison',
                '--texts_out=t.tsv',
                '--data=lines',
                '--split=unseen',
                '--seed=4',
                '--seeds=2',
                '--num_lines=3',
            ],
            ['--protocol=comparison', '--compare=a=b', '--compare=handright', '--data=lines', '--model=mine'],
            ['--protocol=comparison', '--compare=b', '--model=', '--data=lines'],
            ['--protocol=ablation', '--data=lines'],
        ],
        setup=SETUP,
    )
    (task,) = told(none, 'task')[0]
    assert (
        task['model'] == 'None'
        and task['facts']['model'] == 'none'
        and 'trained' not in task['facts']
        and told(none, 'Writer.load') == told(none, 'described') == []
    )
    assert told(weights, 'space') == [['inception', 'net.onnx', dict(square=True)]]
    assert told(features, 'ensure') == [['lines', ['train', 'validation', 'test', 'unseen'], None]] and told(
        features, 'deterministic'
    ) == [[]]
    assert told(features, 'saved') == [
        [
            'features',
            'network',
            dict(
                seed=1,
                label_error={
                    'test': dict(error=0.1234, num_lines=10, num_labels=40),
                    'unseen': dict(error=0.5, num_lines=10, num_labels=40),
                },
            ),
        ]
    ]
    assert (
        features[2].splitlines()
        == [
            'learns',
            'test: 0.123 of 40 structures and components of 10 lines are read wrong',
            'unseen: 0.500 of 40 structures and components of 10 lines are read wrong',
            '',
            'feature network  features',
        ]
        and told(features, 'task') == told(features, 'space') == []
    )
    assert (
        told(texts, 'protocol_texts') == [['unseen of lines', [4, 5], 3]]
        and told(texts, 'texts') == [['t.tsv', ['一', '二', '三']]]
        and told(texts, 'ensure') == [['lines', ['unseen'], None]]
    )
    assert (
        texts[2] == 't.tsv: 3 lines to write, those of 2 seeds\n'
        and told(texts, 'task') == told(texts, 'systems') == []
    )
    assert (
        told(one_model, 'systems') == [[['named=mine', 'a=b', 'handright']]]
        and told(one_model, 'task')[0][0]['model'] == 'a writer'
    )
    assert told(alone, 'systems') == [[['b']]] and told(alone, 'task')[0][0]['model'] == 'None'
    # its settings are those of its own corpus
    assert (
        told(plan, 'plan') == [['experiments/ablation', dict(base=None, rows=None)]]
        and told(plan, 'ensure')[0][2] is None
    )


def test_what_is_refused_before_anything_is_made():
    cases = {
        '--protocol=hct --compare=x': (
            '--compare or --texts_out with --protocol=hct: expected --protocol=comparison'
        ),
        '--texts_out=x': '--compare or --texts_out with --protocol=reader',
        '--out=x.html': '--out=x.html: a folder is written',
        '--protocol=comparison --model=': (
            '--protocol=comparison with an empty --model and no --compare: expected a system'
        ),
        '--data=tests\u00a0alone --split=unseen --protocol=hct': (
            'tests alone: no split unseen; expected a folder with lines by writers that are not in the'
            ' training lines, it has test'
        ),
        **{
            f'--protocol={name} --model=': (
                f'--protocol={name} with an empty --model: expected the folder of a model'
            )
            for name in (
                'hands',
                'interpolation',
                'neighbours',
                'shots',
                'nonsense',
                'ablation',
                'usefulness',
            )
        },
    }
    arguments = [[one.replace('\u00a0', ' ') for one in case.split(' ')] for case in cases]
    for message, (status, called, _, err) in zip(cases.values(), calls('evaluate', arguments, setup=SETUP)):
        assert status == 2 and err.startswith(f'evaluate: {message}') and err.count('\n') == 1, err
        assert not [one for one in called if one[0] in ('task', 'Writer.load')]
    # Those that read the split test whatever --split says need no other.
    ((status, called, _, _),) = calls(
        'evaluate', [['--data=tests alone', '--split=unseen', '--model=']], setup=SETUP
    )
    assert status is None and [one for one in called if one[0] == 'task']


def test_notes_on_other_corpora(tmp_path):
    """Only where both are the embedded corpus, in different versions."""
    writers = {
        'old': {'info': {'data': {'source': 'scribe', 'version': '1.1'}}},
        'same': {'info': {'data': {'source': 'scribe', 'version': '2.0'}}},
        'folder': {'info': {'data': {'source': 'folder', 'version': '1.1'}}},
        'bare': {},
        'none': {'info': None},
    }
    setup = (
        SETUP + '\nWriter.load = lambda path, **options:'
        f' types.SimpleNamespace(description=json.loads({json.dumps(json.dumps(writers))})[path])\n'
    )
    found = calls('evaluate', [[f'--model={name}', '--data=lines'] for name in writers], setup=setup)
    assert [out.startswith('note: the model learned from version 1.1') for _, _, out, _ in found] == [
        True,
        False,
        False,
        False,
        False,
    ], found
