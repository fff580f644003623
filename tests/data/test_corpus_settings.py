"""What the settings of the embedded corpus become: the plan that is asked for, and what a folder is known by.

Nothing is planned or drawn.
"""

import types

import numpy as np
import pytest

from hwgen.data.preparing import prepare
from hwgen.data.preparing.corpus_work import work_of
from hwgen.data.reading.shards import write_info
from hwgen.data.scribe import corpus


@pytest.fixture
def planned(monkeypatch):
    """The arguments of each plan that is made; pens as `plan_corpus` shares them out."""
    asked = []

    def plan(**arguments):
        asked.append(arguments)
        share = arguments['pen_share']
        default = (
            0.0
            if arguments['version'] == corpus.FONTS_VERSION or arguments['script'] == 'latin'
            else corpus.PEN_SHARE
        )
        return types.SimpleNamespace(pen_share=default if share is None else share)

    monkeypatch.setattr(corpus, 'plan_corpus', plan)
    return asked


DEFAULTS = {
    'seed': 0,
    'height_px': 64,
    'script': 'chinese',
    'shots': [],
    'num_writers': 400,
    'version': '2.0',
    'pen_share': None,
    'vertical': False,
    'slips': 0.0,
    'lines': 48000,
    'vocabulary_size': 3500,
    'min_characters': 2,
    'max_characters': 8,
    'validation_lines': 500,
    'test_lines': 500,
    'unseen_lines': 500,
}
SAID = {
    'seed': 0,
    'height_px': 64,
    'script': 'chinese',
    'pen_share': 0.5,
    'lines': 48000,
    'vocabulary_size': 3500,
    'min_characters': 2,
    'max_characters': 8,
    'validation_lines': 500,
    'test_lines': 500,
    'unseen_lines': 500,
}


def test_the_settings_of_the_corpus_that_is_written_by_default(planned):
    work = work_of()
    assert planned == [DEFAULTS] and work.planned == {**DEFAULTS, 'pen_share': 0.5}
    assert work.identity == {'source': 'scribe', 'version': '2.0', 'seed': 0, 'settings': SAID}
    assert (work.given, work.as_pictures, work.trajectory) == (None, False, False)


@pytest.mark.parametrize(
    'settings, changed, said',
    [
        ({'lines': 0, 'seed': 7}, {'lines': 0, 'seed': 7}, {'lines': 0, 'seed': 7}),
        (
            {'validation_lines': 0, 'test_lines': 1},
            {'validation_lines': 0, 'test_lines': 1},
            {'validation_lines': 0, 'test_lines': 1},
        ),
        (
            {'unseen_lines': 3, 'min_characters': 1, 'max_characters': 1},
            {'unseen_lines': 3, 'min_characters': 1, 'max_characters': 1},
            {'unseen_lines': 3, 'min_characters': 1, 'max_characters': 1},
        ),
        ({'shots': (0, 5)}, {'shots': [0, 5]}, {'shots': [0, 5]}),
        ({'num_writers': 40}, {'num_writers': 40}, {'num_writers': 40}),
        ({'slips': 0.2}, {'slips': 0.2}, {'slips': 0.2}),
        ({'version': '1.1'}, {'version': '1.1'}, {'pen_share': ...}),
        ({'pen_share': 0.0}, {'pen_share': 0.0}, {'pen_share': ...}),
        ({'pen_share': 0.25}, {'pen_share': 0.25}, {'pen_share': 0.25}),
        ({'trajectory': True}, {'pen_share': 1.0}, {'pen_share': 1.0, 'trajectory': True}),
        (
            {'vertical': True, 'output_format': 'folder'},
            {'vertical': True},
            {'vertical': True, 'format': 'folder'},
        ),
    ],
)
def test_what_was_not_thought_of_at_first_stands_in_a_folder_only_where_it_is_not_as_it_was(
    planned, settings, changed, said
):
    work = work_of(**settings)
    assert planned == [{**DEFAULTS, **changed}]
    expected = {name: value for name, value in {**SAID, **said}.items() if value is not ...}
    assert work.identity['settings'] == expected and work.identity['version'] == settings.get(
        'version', '2.0'
    )
    assert work.identity['seed'] == settings.get('seed', 0)


def test_the_settings_of_given_texts(planned, tmp_path):
    """As many lines as texts, and none of other splits, unless they are asked for; any length."""
    path = tmp_path / 'texts.txt'
    path.write_bytes('天\n地玄\n黄宇宙\n'.encode())
    work = work_of(text_file=path)
    given = {
        name: value
        for name, value in DEFAULTS.items()
        if name not in ('vocabulary_size', 'min_characters', 'max_characters')
    }
    assert planned == [
        given
        | {
            'lines': 3,
            'texts': ('天', '地玄', '黄宇宙'),
            'validation_lines': 0,
            'test_lines': 0,
            'unseen_lines': 0,
        }
    ]
    said = work.identity['settings']
    assert (
        said['text_file'],
        said['text_file_bytes'],
        said['on_error'],
        said['min_characters'],
        said['max_characters'],
    ) == ('texts.txt', 21, 'fail', None, None)
    assert (
        len(said['text_file_sha256']) == 64
        and 'texts' not in said
        and 'vocabulary_size' not in said
        and said['lines'] == 3
    )
    work = work_of(text_file=path, lines=7, test_lines=2, min_characters=2, max_characters=2, on_error='skip')
    assert planned[1]['texts'] == ('地玄',) and (
        planned[1]['lines'],
        planned[1]['test_lines'],
        planned[1]['validation_lines'],
    ) == (7, 2, 0)
    assert (
        work.identity['settings']['min_characters'],
        work.identity['settings']['max_characters'],
        work.identity['settings']['on_error'],
    ) == (2, 2, 'skip')
    assert work.given.skipped == {'length': 2}


@pytest.mark.parametrize(
    'settings, message',
    [
        ({'output_format': 'zip'}, "output_format='zip': expected records or folder"),
        (
            {'vertical': True},
            'vertical lines: models learn from horizontal ones; expected output_format=folder',
        ),
        (
            {'trajectory': True, 'pen_share': 0.9},
            r'trajectory with version=2.0, pen_share=0.9: a font has no path of a pen; expected pen_share=1',
        ),
        (
            {'trajectory': True, 'version': '1.1'},
            'trajectory with version=1.1, pen_share=None: a font has no path',
        ),
    ],
)
def test_impossible_settings(planned, settings, message):
    with pytest.raises(ValueError, match=message):
        work_of(**settings)
    assert not planned


def test_settings_come_back_from_a_folder(planned):
    for settings in (
        {'lines': 9, 'shots': (1,)},
        {'version': '1.1', 'num_writers': 5},
        {'trajectory': True, 'seed': 3},
        {'script': 'latin', 'pen_share': 0.0},
    ):
        work = work_of(**settings)
        again = work_of(**prepare.settings_of(work.identity))
        assert again.identity == work.identity
        assert {**again.planned, 'pen_share': again.planned['pen_share'] or 0.0} == {
            **work.planned,
            'pen_share': work.planned['pen_share'] or 0.0,
        }


@pytest.mark.parametrize(
    'splits, writes',
    [
        (['test'], True),
        (['train', 'test'], True),
        (['train', 'other'], False),
        (['test', 'other'], True),
        ([], False),
    ],
)
def test_a_folder_gets_what_is_planned_and_asked_for(tmp_path, monkeypatch, splits, writes):
    """With the settings that it was written by, whatever is there already or is none of the corpus."""
    asked, said = [], []
    monkeypatch.setattr(
        prepare, 'prepare_scribe', lambda folder, **settings: asked.append((folder, settings))
    )
    counts = {'records': 1, 'shards': 1}
    write_info(
        tmp_path,
        {
            'version': '1.1',
            'settings': {'lines': 3},
            'splits': {'train': counts},
            'planned': {'test': counts},
            'charset': {'row_count': 1, 'hash': ''},
        },
    )
    prepare.ensure_embedded(tmp_path, splits, settings={'lines': 99}, report=said.append)
    assert (
        asked
        == [(tmp_path, {'lines': 3, 'version': '1.1', 'splits': splits, 'report': said.append})] * writes
    )
    assert (
        said
        == [
            f'{tmp_path}: writing what is needed of the embedded corpus and not there: {", ".join(splits)}'
            ' (once)'
        ]
        * writes
    )


def test_a_folder_that_is_not_there_is_written_by_its_name_or_by_the_settings_that_are_given(monkeypatch):
    asked = []
    monkeypatch.setattr(
        prepare,
        'prepare_scribe',
        lambda folder, *, splits, report, **settings: asked.append((folder, settings)),
    )
    for folder, settings in (
        ('tfrecords/latin', None),
        ('tfrecords/latin', {'lines': 3}),
        ('other', None),
        ('other', {}),
        ('tfrecords/demo', None),
    ):
        prepare.ensure_embedded(folder, ['train'], settings=settings, report=str)
    assert asked == [
        ('tfrecords/latin', {'script': 'latin'}),
        ('tfrecords/latin', {'lines': 3}),
        ('other', {}),
        ('tfrecords/demo', {}),
    ]


def test_corpora_by_their_names():
    assert prepare.EMBEDDED == {
        'tfrecords/demo': {},
        'tfrecords/demo-1.1': {'version': '1.1'},
        'tfrecords/latin': {'script': 'latin'},
        'tfrecords/wide': {
            'lines': 16000,
            'validation_lines': 300,
            'test_lines': 300,
            'unseen_lines': 300,
            'vocabulary_size': 7000,
            'seed': 5,
        },
    }


def test_a_shard_has_5000_lines_at_most():
    assert [prepare._num_shards(n) for n in (1, 5000, 5001, 48000)] == [1, 1, 2, 10]


# ---- pieces


class Plan:
    """Stands for a corpus.Plan of 70 lines; a line is its number, as an image."""

    splits = {'train': 70}

    def __init__(self, trajectory):
        self._trajectory = trajectory

    def line(self, split, i):
        """A record of it."""
        assert split == 'train'
        image = np.full((2, 2), i, np.uint8)
        return prepare.records_lib.LineRecord(
            image,
            '天',
            np.ones(1),
            np.ones((1, 4)),
            np.ones(1),
            'w',
            's',
            trajectory=self._trajectory,
            trajectory_slots=self._trajectory,
        )


def test_lines_come_in_pieces_of_32_from_where_it_was_left():
    def levels(piece):
        return [int(prepare.records_lib.decode_png(record.image)[0, 0]) for record in piece.records]

    for done, expected in ((0, [(0, 32), (32, 64), (64, 70)]), (33, [(33, 65), (65, 70)]), (70, [])):
        found = [
            (levels(piece), piece.done, piece.within)
            for piece in prepare._drawn_lines(Plan(None), None, 'train', False, done, 0)
        ]
        assert found == [(list(range(*place)), place[1], 0) for place in expected]


def test_the_path_of_the_pen_is_kept_where_it_is_asked_for():
    path = np.zeros((3, 5))
    for asked in (True, False):
        (record,) = prepare.drawn(Plan(path), 'train', [4], trajectory=asked)
        assert (
            (record.trajectory is path and record.trajectory_slots is path)
            if asked
            else (record.trajectory, record.trajectory_slots) == (None, None)
        )
    with pytest.raises(
        ValueError,
        match=(
            'train, line 4: w writes with a font and has no trajectory, expected a writer with a pen; leave'
            ' --trajectory out'
        ),
    ):
        prepare.drawn(Plan(None), 'train', [4], trajectory=True)
