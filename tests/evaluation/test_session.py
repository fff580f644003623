"""`session.evaluate`: a model measured from Python, with a protocol of one's own, and what is refused."""

import json
import pathlib
import types

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.evaluation import session
from hwgen.evaluation.protocols import registry
from hwgen.evaluation.protocols.protocol import Findings, Option, Protocol, ProtocolError
from hwgen.inference import writer
from hwgen.inference.description import ArtefactError

CHECKOUT = pathlib.Path(session.__file__).resolve().parents[2]


class Darkness(Protocol):
    """How dark real lines are, and the model's with the same texts."""

    name, summary, title = 'darkness_of_lines', 'How dark are its lines?', 'Darkness'
    num_lines = 5
    real_alone = True
    options = (Option('power', 1, 'to which it is raised.'),)
    directions = {'darkness': None}

    def measure(self, task):
        index, figures = task.index(), []
        for seed in task.seeds:
            order = np.random.default_rng(seed).permutation(len(index))[: task.num_lines]
            lines = [index.read_record(int(number)) for number in order]
            found = {
                'floor': np.mean([1 - line.image.mean() / 255 for line in lines]) ** task.options['power']
            }
            if task.model is not None:
                images = task.model.write(
                    [line.text for line in lines], style_seeds=seed, truncation=task.truncation
                )
                found['generated'] = (
                    np.mean([1 - image.mean() / 255 for image in images]) ** task.options['power']
                )
            figures.append({f'darkness_{len(lines)}': found})
        return Findings(figures)


@pytest.fixture
def darkness(monkeypatch):
    monkeypatch.setattr(registry, '_registered', {})
    return registry.register(Darkness).name


class Model:
    """Stands in for a Writer."""

    description = {
        'step': 7,
        'info': {'data': {'source': 'scribe', 'version': '1.1'}},
        'charset': 'c',
        'seen': 'x',
    }

    def write(self, texts, *, style_seeds, truncation):
        return [np.full([32, 32 * len(text)], 255 - round(truncation * 100), np.uint8) for text in texts]


def test_a_model_is_measured_from_python(darkness, written_folder):
    said = []
    result = session.evaluate(
        Model(),
        darkness,
        data=str(written_folder),
        out='there',
        seeds=2,
        seed=4,
        truncation=0.51,
        report=said.append,
    )
    (row,) = result['figures']
    assert (row['name'], row['better'], row['generated']['mean'], row['generated']['spread']) == (
        'darkness_5',
        None,
        pytest.approx(0.2),
        pytest.approx(0, abs=1e-6),
    )
    assert (
        len(row['floor']['values']) == 2
        and result['seeds'] == [4, 5]
        and result['model'] == 'a Writer'
        and 'command' not in result
    )
    assert result['trained'] == {name: Model.description[name] for name in ('step', 'info', 'charset')}
    assert result['measured_under'] == {
        'protocol': darkness,
        'num_lines': 5,
        'first_seed': 4,
        'seeds': 2,
        'data': {'source': 'made', 'version': 1},
    }
    assert {'format': 1, **result} == json.loads(
        pathlib.Path('there/darkness_of_lines.json').read_text(encoding='utf-8')
    )
    assert '<h1>Darkness</h1>' in pathlib.Path('there/darkness_of_lines.html').read_text(encoding='utf-8')
    assert (
        said[0] == ''
        and said[1].startswith('darkness_5')
        and said[-1] == '\nreport    there/darkness_of_lines.html, there/darkness_of_lines.json'
    )


def test_real_lines_alone_settings_and_against(darkness, written_folder, capsys):
    options = dict(data=str(written_folder), out='there', split='train', num_lines=3, seeds=1)
    first = session.evaluate(None, darkness, **options)
    square = session.evaluate(
        None, darkness, **{**options, 'out': 'square'}, power=2, against='there/darkness_of_lines.json'
    )
    values = [result['figures'][0]['floor']['mean'] for result in (first, square)]
    assert (
        values[1] == pytest.approx(values[0] ** 2)
        and first['model'] == 'none'
        and 'trained' not in first
        and 'generated' not in first['figures'][0]
    )
    said = capsys.readouterr().out
    assert 'against there/darkness_of_lines.json' in said and f'{values[0]:.4g}' in said
    with pytest.raises(ValueError, match='measured under other conditions: num_lines 3 there, 5 here'):
        session.evaluate(
            None, darkness, **{**options, 'num_lines': None}, against='there/darkness_of_lines.json'
        )


def test_the_command_is_told_and_folders_are_opened(darkness, written_folder, monkeypatch, tmp_path):
    """A run directory is told as it was given, and what is in it is opened so that nothing is refused."""
    asked = []
    (tmp_path / 'run/model').mkdir(parents=True)
    monkeypatch.setattr(session, 'read_description', lambda folder: asked.append(folder))
    monkeypatch.setattr(
        writer.Writer, 'load', lambda folder, **options: asked.append((folder, options)) or Model()
    )
    result = session.evaluate(
        tmp_path / 'run', darkness, data=str(written_folder), seeds=1, num_lines=2, command='evaluate --x'
    )
    inner = str(tmp_path / 'run/model')
    assert (
        asked == [inner, (inner, {'allow_unseen': True})]
        and result['command'] == 'evaluate --x'
        and result['model'] == str(tmp_path / 'run')
    )
    assert pathlib.Path('evaluations/darkness_of_lines/darkness_of_lines.json').exists() and set(
        result['figures'][0]
    ) == {'name', 'better', 'generated', 'floor'}


def test_what_is_refused(darkness, written_folder):
    data = str(written_folder)
    for arguments, options, message in (
        (('x', 'taste'), {}, "protocol 'taste': expected one of reader, hands, hct, "),
        ((None, darkness), dict(crop=True), 'crop: no option of protocol darkness_of_lines; it has power'),
        (
            (None, darkness),
            dict(compare=['handright']),
            f'--compare or --texts_out with --protocol={darkness}: expected --protocol=comparison',
        ),
        ((None, 'hands'), {}, '--protocol=hands with an empty --model: expected the folder of a model'),
        (
            (None, darkness),
            dict(data=data, split='unseen'),
            f'{data}: no split unseen; expected a folder with lines by writers',
        ),
    ):
        with pytest.raises(ProtocolError) as raised:
            session.evaluate(*arguments, **options)
        assert str(raised.value).startswith(message)
    with pytest.raises(ArtefactError, match='nowhere: no generator there'):
        session.evaluate('nowhere', darkness, data=data)
    with pytest.raises(ProtocolError, match='--texts_out with --protocol=reader'):
        session.write_texts('x.tsv', 'reader')
    assert not list(pathlib.Path().glob('evaluations*'))


def test_a_model_is_measured_on_the_corpus_it_learned_from(tmp_path):
    """Held-out characters are those of a version: another one would have the model tested on what it saw,
    without a word. Of one version, the corpus whose characters are nearest to what it saw.
    """
    (tmp_path / 'generator.json').write_text(
        json.dumps({'info': {'data': {'source': 'scribe', 'version': '2.0'}}}), encoding='utf-8'
    )
    reader = registry.find_protocol('reader')
    demo, shipped = (str(CHECKOUT / 'saved_models' / name) for name in ('demo', 'spaced64'))
    folders = [
        session.default_data(reader, model) for model in (demo, Model(), shipped, None, tmp_path, 'nowhere')
    ]
    assert folders == ['tfrecords/demo-1.1'] * 2 + ['tfrecords/wide'] * 2 + ['tfrecords/demo'] * 2
    assert session.default_data(registry.find_protocol('ablation'), str(tmp_path)) == 'tfrecords/ablation'
    # 3,000 of the hanzi that spaced64 has seen: nearer to the corpus of 3,500 than to that of 7,000
    description = json.loads((CHECKOUT / 'saved_models/spaced64/generator.json').read_text(encoding='utf-8'))
    learned = {name: description[name] for name in ('info', 'charset')}
    (tmp_path / 'generator.json').write_text(
        json.dumps({**learned, 'seen': description['seen'][:3000]}), encoding='utf-8'
    )
    assert session.default_data(reader, tmp_path) == 'tfrecords/demo'


def test_a_word_where_data_does_not_fit_the_model():
    notes = []
    model = types.SimpleNamespace(description={'info': {'data': {'source': 'scribe', 'version': '1.1'}}})
    for version in ('1.1', '2.0'):
        session._tell_what_does_not_fit({'source': 'scribe', 'version': version}, model, report=notes.append)
    session._tell_what_does_not_fit({'source': 'folder', 'version': 1}, model, report=notes.append)
    session._tell_what_does_not_fit({'source': 'scribe', 'version': '2.0'}, None, report=notes.append)
    assert (
        len(notes) == 1
        and 'learned from version 1.1 of the embedded corpus, the data is version 2.0' in notes[0]
    )
    # characters by their numbers in the table: 200 of the vocabulary, the first two of which are not known
    characters = Charset.load().characters
    info = {'source': 'folder', 'charset': {}, 'vocabulary': list(range(1, 201)), 'held_out': [300, 301, 302]}
    for seen, expected in (
        (characters[3:201], None),  # two of 200 are one in a hundred: as many as lines may happen not to show
        (
            characters[4:201],
            'note: the model has not seen 3 of the 200 characters of the training lines of the data',
        ),
        (
            (*characters[1:201], characters[302]),
            'note: the model has seen 1 of the 3 characters that training lines of the data do not show',
        ),
    ):
        model = types.SimpleNamespace(description={'seen': ''.join(seen)})
        notes.clear()
        session._tell_what_does_not_fit(info, model, report=notes.append)
        assert notes == ([expected] if expected else [])


class Told(Protocol):
    """What it found, without seeds and without a page."""

    name, summary, title = 'told', 'What is there?', 'Told'
    takes_against, by_seed, real_alone = False, False, True

    def measure(self, task):
        return Findings([], {'found': 7})


def test_a_protocol_without_seeds_or_comparison(written_folder, monkeypatch):
    """Its result is what it found, as JSON without a page, and is held against nothing."""
    monkeypatch.setattr(registry, '_registered', {})
    registry.register(Told)
    options = dict(data=str(written_folder), out='there', report=lambda line: None)
    assert session.evaluate(None, 'told', **options)['found'] == 7
    assert json.loads(pathlib.Path('there/told.json').read_text(encoding='utf-8'))['found'] == 7
    assert not pathlib.Path('there/told.html').exists()
    with pytest.raises(ProtocolError, match='--against with --protocol=told: expected another protocol'):
        session.evaluate(None, 'told', against='x.json', **options)
