"""What `evaluate` makes of what the protocols found, with protocols whose findings are known."""

import types

import numpy as np

from hwgen.cli import measurements
from hwgen.evaluation import distribution_protocol as distances


class Lines:
    """Stands in for a RecordIndex: each line is as grey as its number."""

    def __len__(self):
        return 40

    def read_record(self, number):
        return types.SimpleNamespace(image=np.full([4, 4], number, np.uint8))


def task_of(protocol, splits, monkeypatch, told, **options):
    """A Task without files: `told` gets the figures and facts that it would write."""
    task = measurements.Task(**{**dict(protocol=protocol, data='lines', split='test', info={'splits': dict.fromkeys(splits)}, writer=None, out='out', seeds=[3, 4], num_lines=None,
                                       judges={'space': types.SimpleNamespace(description={})}, truncation=.8, measured_under={}, facts={}, there=None, against=None), **options})
    monkeypatch.setattr(task, 'index', lambda split=None: Lines())
    monkeypatch.setattr(task, 'write', lambda figures, **facts: told.append((figures, facts)))
    return task


def test_copies_are_shown_beside_the_training_lines_that_they_resemble(monkeypatch):
    """A place among the lines that were looked through is not the number of a record."""
    sheets, told = {}, []
    written = [(np.full([4, 4], 200 + place, np.uint8), place) for place in (0, 7, 39)]
    monkeypatch.setattr(distances, 'training_features', lambda *arguments, **options: np.zeros([40, 2], np.float32))
    monkeypatch.setattr(distances, 'compare', lambda *arguments, seed, **options: distances.Comparison({'fid': {'floor': float(seed)}}, [], written, f'digest {seed}'))
    monkeypatch.setattr(measurements.result_page, 'write_sheet', lambda path, rows, **options: sheets.setdefault(path, rows))
    task = task_of('hct', ['train', 'test'], monkeypatch, told)
    measurements.measure_distances(task)
    numbers = distances.training_lines(Lines())
    assert numbers.tolist() != list(range(40))
    shown = [[picture[0, 0] for picture in row] for row in sheets['out/hct_copies.png']]
    assert shown == [[200 + place, numbers[place]] for _, place in written]
    (figures, facts), = told
    assert figures == [{'fid': {'floor': 3.}}, {'fid': {'floor': 4.}}] and [name for name, _ in facts['pictures']] == ['hct.png', 'hct_copies.png']
    assert task.measured_under['lines_sha256'] == ['digest 3', 'digest 4'] and task.measured_under['cells'] == dict(char_px=32, char_width_px=32)


def test_only_protocols_that_look_for_copies_read_the_training_lines(monkeypatch):
    read, given = [], []
    monkeypatch.setattr(distances, 'training_features', lambda index, name, **options: read.append(name) or np.zeros([40, 2], np.float32))
    monkeypatch.setattr(distances, 'compare', lambda *arguments, training, **options: given.append(training is not None) or distances.Comparison({}, [], [], ''))
    monkeypatch.setattr(measurements.result_page, 'write_sheet', lambda *arguments, **options: None)
    for protocol, splits in (('hwd', ['train', 'test']), ('ganwriting', ['train', 'test']), ('hct', ['test']), ('scrabblegan', ['train', 'test'])):
        measurements.measure_distances(task_of(protocol, splits, monkeypatch, [], seeds=[0]))
    assert read == ['scrabblegan'] and given == [False, False, False, True]
