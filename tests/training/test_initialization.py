"""Starting from weights that are there: what is taken, what is refused, tables that have grown."""

import dataclasses
import json
import types

import numpy as np
import pytest
import tensorflow as tf

from hwgen.charset.encoding import CharsetMismatchError
from hwgen.inference import artefact
from hwgen.training import initialization
from hwgen.training.checkpoints import Checkpoints
from hwgen.training.initialization import (
    InitializationError,
    common_table,
    initialize,
    initialize_recognizers,
)


def values(module):
    return [variable.numpy() for variable in module.variables]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture(scope='module')
def written(tmp_path_factory, make_trainer, charset):
    """A generator and style encoder of other weights than a fresh trainer's, as files; and the values that
    were written.
    """
    model = make_trainer().model
    for variable in (*model.generator.variables, *model.average.variables, *model.style_encoder.variables):
        variable.assign(variable + 1.5)
    path = str(tmp_path_factory.mktemp('written') / 'model')
    artefact.save_generator(path, model.average, style_encoder=model.style_encoder, charset=charset)
    return path, model


@pytest.fixture(scope='module')
def one_larger(make_trainer):
    return make_trainer(model=dict(num_components=15)).model


@pytest.fixture
def larger(one_larger):
    """A fresh model with three more components than the twelve."""
    kept = [(v, v.numpy()) for module in one_larger.modules().values() for v in module.variables]
    yield one_larger
    for variable, value in kept:
        variable.assign(value)


@pytest.fixture(scope='module')
def wider(make_trainer):
    """A model of other channels: nothing fits it, so that it stays as it is."""
    return make_trainer(model=dict(channels=(8, 16))).model


def test_a_run_has_the_table_of_its_lines_or_of_its_weights_where_that_is_larger(tmp_path, charset):
    first = charset.prefix(9658)
    of_lines = {
        name: {'charset': dict(row_count=table.row_count, hash=table.hash)}
        for name, table in (('first', first), ('whole', charset))
    }
    for name, info in of_lines.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / 'generator.json').write_text(json.dumps(info), encoding='utf-8')
        (tmp_path / f'run-{name}').mkdir()
        (tmp_path / f'run-{name}' / 'config.json').write_text(
            json.dumps({'data': {'charset_rows': info['charset']['row_count']}}), encoding='utf-8'
        )
    for lines, weights, expected in (
        ('first', None, first),
        ('whole', '', charset),
        ('first', 'first', first),
        ('first', 'whole', charset),
        ('whole', 'first', charset),
        ('first', 'run-first', first),
        ('first', 'run-whole', charset),
        ('first', 'nowhere', first),
    ):
        assert common_table(charset, of_lines[lines], weights and str(tmp_path / weights)) is expected
    with pytest.raises(CharsetMismatchError, match='0000'):
        common_table(charset, {'charset': dict(row_count=9658, hash='0' * 64)}, None)


@pytest.mark.slow
def test_from_a_written_generator(written, make_trainer, charset):
    """Both generators start as the one that was written, which is the average; recognisers and
    discriminator are left alone.
    """
    path, source = written
    model = make_trainer().model
    others = values(model.discriminator), values(model.sequence_trunk)
    assert initialize(model, path, charset=charset) == f'generator and style encoder from {path}'
    assert same(values(model.generator), values(source.average)) and same(
        values(model.average), values(source.average)
    )
    assert same(values(model.style_encoder), values(source.style_encoder))
    assert same(values(model.discriminator), others[0]) and same(values(model.sequence_trunk), others[1])


@pytest.mark.slow
def test_from_a_run(tmp_path, make_trainer, charset, variables_of):
    """The newest checkpoint's modules, all of them; its optimizers and step count are not taken.

    The name is one that TensorFlow takes for a pattern.
    """
    source, run = make_trainer(), str(tmp_path / 'runs' / 'exp[1]')
    checkpoints = Checkpoints(f'{run}/checkpoints', source.trackables())
    for step in (3, 5):
        for variable in variables_of(source).values():
            variable.assign(variable + 1)
        checkpoints.save(step)
    trainer = make_trainer()
    assert initialize(trainer.model, run, charset=charset) == f'all modules from {run}/checkpoints/step-5'
    for name, module in trainer.model.modules().items():
        expected = source.model.average if name == 'generator' else source.model.modules()[name]
        assert same(values(module), values(expected)), name
    assert int(trainer.average_updates) == 0 and int(trainer.reconstruction.optimizer.iterations) == 0


@pytest.mark.slow
def test_recognizers_of_a_run_of_another_generator(tmp_path, make_trainer, variables_of):
    """Runs of other encodings share recognisers: these are taken, nothing else is."""
    source = make_trainer()
    for variable in variables_of(source).values():
        variable.assign(variable + 1)
    Checkpoints(str(tmp_path / 'run' / 'checkpoints'), source.trackables()).save(5)
    trainer = make_trainer(model=dict(content_encoding='onehot', channels=(8, 16)))
    before = {name: values(module) for name, module in trainer.model.modules().items()}
    said = initialize_recognizers(trainer.model, str(tmp_path / 'run'))
    assert said.startswith('sequence_trunk, sequence_recognition, ') and said.endswith('step-5')
    for name, module in trainer.model.modules().items():
        taken = module in trainer.model.recognizers()
        assert same(values(module), values(source.model.modules()[name]) if taken else before[name]), name


@pytest.mark.slow
def test_recognizers_of_another_kind(tmp_path, make_trainer):
    Checkpoints(
        str(tmp_path / 'run' / 'checkpoints'), make_trainer(guides=dict(recurrent_sequence=True)).trackables()
    ).save(1)
    with pytest.raises(
        InitializationError, match='step-1: does not fit: .*expected recognisers of the same sizes and kinds'
    ):
        initialize_recognizers(make_trainer().model, str(tmp_path / 'run'))
    with pytest.raises(InitializationError, match='nowhere: a run without checkpoints'):
        initialize_recognizers(make_trainer().model, str(tmp_path / 'nowhere'))


def test_grown_tables_keep_new_rows(written, larger, charset):
    (path, source), model = written, larger
    fresh = model.average.content_encoder.component_embedding.table.numpy()
    assert initialize(model, path, charset=charset).endswith('; 3 new rows of embeddings')
    table = model.average.content_encoder.component_embedding.table.numpy()
    np.testing.assert_array_equal(
        table[:12], source.average.content_encoder.component_embedding.table.numpy()
    )
    np.testing.assert_array_equal(table[12:], fresh[12:])
    np.testing.assert_array_equal(model.generator.content_encoder.component_embedding.table.numpy(), table)


def test_from_a_run_with_smaller_tables(tmp_path, trainer, larger, charset, variables_of):
    """As from its generator, and with its discriminator; the recognisers, whose classes are the rows of
    the tables, begin anew.
    """
    source, run = trainer, str(tmp_path / 'run')
    for variable in variables_of(source).values():
        variable.assign(variable + 1)
    Checkpoints(f'{run}/checkpoints', source.trackables()).save(2)
    sizes = dataclasses.asdict(source.model.config.generator)
    (tmp_path / 'run' / 'config.json').write_text(
        json.dumps({'model': {'generator': sizes}}), encoding='utf-8'
    )
    model = larger
    read = values(model.sequence_recognition)
    told = initialize(model, run, charset=charset)
    assert (
        told == f'generator, discriminator and style encoder from {run}/checkpoints/step-2; 3 new rows of'
        ' embeddings; its table of characters is a smaller one, so the recognisers begin anew'
    )
    for name in ('discriminator', 'style_encoder'):
        assert same(values(getattr(model, name)), values(getattr(source.model, name)))
    assert same(values(model.sequence_recognition), read)
    assert all(
        np.array_equal(here[: len(there)] if here.ndim else here, there)
        for here, there in zip(values(model.average), values(source.model.average), strict=True)
    )
    assert same(values(model.generator), values(model.average))


@pytest.mark.parametrize(
    'sizes, message',
    [
        (dict(channels=(8, 16)), r'channels \(8, 8\) there, \(8, 16\) here'),
        (dict(num_components=10), 'num_components 12 there, 10 here'),
        (
            dict(content_encoding='layout', bend_px=2),
            'content_encoding warped there, layout here; bend_px 0 there, 2 here',
        ),
    ],
)
def test_other_sizes_are_named_and_nothing_is_taken(written, make_trainer, wider, charset, sizes, message):
    path, _ = written
    model = wider if 'channels' in sizes else make_trainer(model=sizes).model
    before = values(model.generator)
    with pytest.raises(InitializationError, match='other sizes than this run: .*' + message):
        initialize(model, path, charset=charset)
    assert same(values(model.generator), before)


def test_a_run_of_other_sizes(tmp_path, trainer, wider, charset):
    Checkpoints(str(tmp_path / 'run' / 'checkpoints'), trainer.trackables()).save(1)
    with pytest.raises(
        InitializationError, match='step-1: does not fit: .*expected a run with the same sizes'
    ):
        initialize(wider, str(tmp_path / 'run'), charset=charset)


def test_nothing_to_start_from(tmp_path, trainer, charset):
    model = trainer.model
    with pytest.raises(
        InitializationError, match='nowhere: no such folder; expected that of a run or of a generator'
    ):
        initialize(model, str(tmp_path / 'nowhere'), charset=charset)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(InitializationError, match='empty: no generator there'):
        initialize(model, str(tmp_path / 'empty'), charset=charset)
    (tmp_path / 'run' / 'checkpoints').mkdir(parents=True)
    with pytest.raises(InitializationError, match='run: a run without checkpoints'):
        initialize(model, str(tmp_path / 'run'), charset=charset)


def test_another_table(written, trainer):
    def refuse(row_count, digest):
        raise CharsetMismatchError(f'{row_count} {digest}')

    with pytest.raises(CharsetMismatchError):
        initialize(trainer.model, written[0], charset=types.SimpleNamespace(check_compatible=refuse))


def test_a_table_is_no_larger_than_the_packaged_one_and_a_broken_word_of_it_is_passed_over(tmp_path, charset):
    """Of a folder that is both, the larger counts; whoever reads the weights says what is wrong with them."""
    first, second = charset.prefix(9658), charset.prefix(9700)
    info = {'charset': dict(row_count=first.row_count, hash=first.hash)}
    for name, generator, config, expected in (
        ('later', {'charset': {'row_count': charset.row_count + 9}}, {}, charset),
        ('both', {'charset': {'row_count': 9658}}, {'data': {'charset_rows': 9700}}, second),
        ('other way', {'charset': {'row_count': '9700'}}, {'data': {'charset_rows': 9658}}, second),
        ('no number', {'charset': {'row_count': 'x'}}, {'data': None}, first),
        ('no table', [], {'data': {'charset_rows': 9700}}, second),
        ('none', {}, {}, first),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'generator.json').write_text(json.dumps(generator), encoding='utf-8')
        (tmp_path / name / 'config.json').write_text(json.dumps(config), encoding='utf-8')
        assert common_table(charset, info, str(tmp_path / name)) is expected, name


@pytest.mark.parametrize(
    'there, smaller',
    [
        (dict(num_components=10), dict(num_components=10)),
        (
            dict(num_components=10, num_structures=3, num_characters=20),
            dict(num_components=10, num_structures=3, num_characters=20),
        ),
        ({}, {}),
        (dict(num_components=13), {}),
        (dict(num_components=10, num_characters=22), {}),
        (dict(num_structures='x'), {}),
    ],
)
def test_only_an_earlier_state_of_the_tables_is_a_smaller_one(tmp_path, there, smaller):
    """Where one of them is larger there it is another table, and whoever restores the weights says so."""
    sizes = dict(num_components=12, num_structures=5, num_characters=21)
    (tmp_path / 'config.json').write_text(
        json.dumps({'model': {'generator': {**sizes, **there, 'channels': [9]}}}), encoding='utf-8'
    )
    config = types.SimpleNamespace(**sizes, channels=(8,), noise_prior='normal')
    assert (
        initialization._earlier_sizes(config, str(tmp_path)) == smaller
        and initialization._earlier_sizes(config, str(tmp_path / 'nowhere')) == {}
    )


class Stored:
    """A variable that was read from a file."""

    def __init__(self, path, value):
        self.path, self.value = path, np.asarray(value)

    def __array__(self, dtype=None, copy=None):
        del dtype, copy
        return self.value


def test_what_a_written_generator_has_and_what_it_has_not(trainer, monkeypatch):
    """Without a style encoder only the generator is taken; one of other channels is refused, and all that
    differs is said at once.
    """
    model = trainer.model
    loaded, other = (
        types.SimpleNamespace(
            config=model.config.generator,
            variables=[Stored(v.path, v.numpy() + 2.0) for v in model.average.variables],
        ),
        types.SimpleNamespace,
    )
    monkeypatch.setattr(artefact, 'load_generator', lambda path, charset: (loaded, encoder, None))
    encoder, before = None, values(model.style_encoder)
    assert initialize(model, '.', charset=None) == 'generator from .'
    assert (
        same(values(model.generator), [v.value for v in loaded.variables])
        and same(values(model.average), [v.value for v in loaded.variables])
        and same(values(model.style_encoder), before)
    )
    encoder = other(convolutions=[other(filters=n) for n in (8, 16, 8)])
    loaded.config = dataclasses.replace(loaded.config, cell_dim=4)
    with pytest.raises(
        InitializationError,
        match=(
            r'other sizes than this run: cell_dim 4 there, 8 here; style_channels \(8, 16, 8\) there, \(8, 8,'
            r' 8\) here$'
        ),
    ):
        initialize(model, '.', charset=None)


def test_a_generator_of_cells_begins_one_that_learns_the_room_of_characters(written, make_trainer, charset):
    """All that it has is taken; what it has not keeps its own values. The other way round is refused."""
    path, source = written
    model = make_trainer(model=dict(layout='spaced')).model
    own = values(model.generator.spacing)
    initialize(model, path, charset=charset)
    count = len(source.average.variables)
    assert same(values(model.generator)[:count], values(source.average))
    assert same(values(model.generator)[count:], own) and own
    assert same(values(model.average), values(model.generator))
    assert same(
        values(model.style_encoder)[: len(source.style_encoder.variables)], values(source.style_encoder)
    )
    artefact.save_generator(
        path + '-spaced', model.average, style_encoder=model.style_encoder, charset=charset
    )
    with pytest.raises(InitializationError, match='layout spaced there, cells here'):
        initialize(make_trainer().model, path + '-spaced', charset=charset)


def test_a_run_begins_one_that_learns_where_its_noise_lies(tmp_path, trainer, make_trainer, charset):
    """All modules are taken, the recognisers too; the prior keeps its own values."""
    run = tmp_path / 'run'
    Checkpoints(str(run / 'checkpoints'), trainer.trackables()).save(1)
    config = dict(generator=dataclasses.asdict(trainer.model.config.generator))
    del config['generator']['noise_prior']  # as before there was a choice
    (run / 'config.json').write_text(json.dumps({'model': config}), encoding='utf-8')
    model = make_trainer(model=dict(noise_prior='learned')).model
    for module in model.modules().values():
        for variable in module.variables:
            variable.assign(tf.ones_like(variable) * 3)
    told = initialize(model, str(run), charset=charset)
    assert told.endswith('step-1, whose noise is N(0, 1): its prior begins to learn')
    for name, module in trainer.model.modules().items():
        source = trainer.model.average if name == 'generator' else module
        here = values(model.modules()[name])
        assert same(here[: len(source.variables)], values(source)), name
        assert all((value == 3).all() for value in here[len(source.variables) :]), name


def test_a_generator_begins_one_that_learns_where_its_noise_lies(written, make_trainer, charset):
    """By name: what lies behind (the room of characters) keeps its place. The other way round is refused."""
    path, source = written
    model = make_trainer(model=dict(noise_prior='learned')).model
    own = values(model.generator.noise_space)
    initialize(model, path, charset=charset)
    count = len(source.average.variables)
    assert same(values(model.generator)[:count], values(source.average))
    assert same(values(model.generator)[count:], own) and own
    model.average.noise_space.distribution.bias.assign_add([1.0] * 12)
    artefact.save_generator(
        path + '-learned', model.average, style_encoder=model.style_encoder, charset=charset
    )
    with pytest.raises(InitializationError, match='noise_prior learned there, normal here'):
        initialize(make_trainer().model, path + '-learned', charset=charset)
    both = make_trainer(model=dict(noise_prior='learned', layout='spaced')).model
    own = values(both.generator.spacing)
    initialize(both, path + '-learned', charset=charset)
    assert same(values(both.generator.noise_space), values(model.average.noise_space))
    assert same(values(both.generator.spacing), own)
