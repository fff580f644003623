"""What `evaluate` gives to the experiments, which are replaced by what tells of it."""

import types

import numpy as np

from hwgen.charset.encoding import Charset
from hwgen.cli import experiments, measurements
from hwgen.evaluation import results


def task_of(protocol, monkeypatch, **options):
    task = measurements.Task(**{**dict(
        protocol=protocol, data='lines', split='test', info={'splits': {'train': {}, 'test': {}, 'unseen': {}}, 'vocabulary': [5, 9000, 12000]}, judges={}, writer=None, out='out',
        seeds=[3], num_lines=7, truncation=.6, measured_under={}, facts={}, there=None, against=None), **options})
    monkeypatch.setattr(task, 'index', lambda split=None: f'index of {split}')
    monkeypatch.setattr(task, 'write', lambda *arguments, **facts: None)
    return task


def test_nonsense_is_drawn_from_the_older_table(monkeypatch):
    """Who writes and who reads must both know the glyphs, and the characters that they are made of."""
    class Enough(Exception):
        pass

    def read_lines(reader, indices, writer, *, vocabulary, charset, known, **options):
        asked.append((charset.row_count, vocabulary, known, indices, options['num_lines'], options['seed'], options['truncation']))
        raise Enough
    monkeypatch.setattr(experiments.nonsense, 'read_lines', read_lines)
    monkeypatch.setattr(experiments.nonsense, 'known_codes', lambda charset: f'codes of {charset.row_count}')
    whole, first, asked = Charset.load(), Charset.load().prefix(9658), []
    for writing, reading in ((whole, first), (first, whole)):
        task = task_of('nonsense', monkeypatch, writer=types.SimpleNamespace(charset=writing), judges={'component_reader': types.SimpleNamespace(charset=reading)})
        try:
            experiments.measure_nonsense(task)
        except Enough:
            pass
    indices = {'test': 'index of test', 'unseen': 'index of unseen'}
    vocabulary = [i for i in (5, 9000, 12000) if i < first.num_characters]
    assert asked == [(9658, vocabulary, 'codes of 9658', indices, 7, 3, .6)] * 2 and vocabulary != [5, 9000, 12000]


def test_copies_of_real_characters_are_looked_for_in_the_training_lines(monkeypatch):
    """There are most of them; the split is for what is written."""
    asked = []
    monkeypatch.setattr(experiments.neighbours, 'real_copies', lambda index: f'copies in {index}')
    monkeypatch.setattr(experiments.neighbours, 'measure', lambda index, writer, **options: asked.append((index, options)) or results.Measured({}, {}, 'digest'))
    monkeypatch.setattr(experiments.neighbours, 'sheets', lambda *arguments, **options: {'lines': (np.zeros([4, 4], np.uint8), 'caption')})
    writer = types.SimpleNamespace(generator=types.SimpleNamespace(context_characters=2))
    for splits, copies in (({'train': {}, 'test': {}}, 'copies in index of train'), ({'test': {}}, 'copies in index of None')):
        task = task_of('neighbours', monkeypatch, writer=writer, judges={'space': types.SimpleNamespace(description={})}, info={'splits': splits})
        experiments.measure_neighbours(task)
        index, options = asked.pop()
        assert index == 'index of None' and (options['real'], options['num_places'], options['seed'], options['truncation']) == (copies, 7, 3, .6)
        assert task.measured_under['lines_sha256'] == ['digest']
