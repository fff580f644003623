"""`session.generate` from Python: a writer that is open already, what it returns, and what is refused before
anything is loaded. What it writes is tested in tests/cli/test_generate.py.
"""

import dataclasses
import os
import pathlib
import types

import numpy as np
import pytest

from hwgen.data.reading.shards import read_info
from hwgen.generation import session
from hwgen.inference.line_layout import WrittenLine, even_boxes
from hwgen.settings.generate import (
    MAX_SEEDS,
    GenerateSettings,
    HandSettings,
    PageSettings,
    WritingSettings,
)
from hwgen.settings.setting import SettingError


@pytest.fixture(scope='module')
def writer(repertoire):
    """A writer whose characters are grey cells of 16 x 16."""

    def write_lines(texts, **_):
        counts = [len(repertoire.encode(text).units) for text in texts]
        return [
            WrittenLine(
                np.full([16, 16 * count], 128, np.uint8), even_boxes(count, char_px=16, char_width_px=16)
            )
            for count in counts
        ]

    return types.SimpleNamespace(
        repertoire=repertoire,
        charset=repertoire.charset,
        char_px=16,
        char_width_px=16,
        encode=repertoire.encode,
        write_lines=write_lines,
        layout='cells',
        styles=lambda seeds, truncation: np.zeros([len(seeds), 4], np.float32),
    )


def settings(hands=None, pages=None, **writing):
    return GenerateSettings(
        WritingSettings(**writing), HandSettings(**(hands or {})), PageSettings(**(pages or {}))
    )


def test_what_is_returned(writer):
    said = []
    written = session.generate(
        settings({'num_styles': 3}, text='明天', out='a.png'), writer=writer, report=said.append
    )
    assert written == session.Written('a.png', 3, 6, '32 x 56 px')
    assert len(said) == 1 and said[0].startswith('a.png: 32 x 56 px; 3 lines, 6 characters in ')
    pathlib.Path('rows.txt').write_text('明\n\n天地\n', encoding='utf-8')
    written = session.generate(settings(text_file='rows.txt', out='rows'), writer=writer, report=said.append)
    assert written == ('rows', 2, 3, '2 pictures, labels.tsv')
    assert sorted(os.listdir('rows')) == ['000001.png', '000002.png', 'labels.tsv', 'styles.tsv']


def test_records_tell_what_made_them(writer):
    for command in ({}, {'command': 'mine'}):
        asked = settings(text='明天', out='records', format='tfrecord', overwrite=True)
        assert session.generate(asked, writer=writer, report=str, **command).told == '1 record in 1 shard'
        assert read_info('records')['command'] == command.get('command', 'hwgen.generate')


@pytest.mark.parametrize(
    'asked, message',
    [
        (settings(out='a.png'), 'expected either --text'),
        (settings(text='明', text_file='x', out='a.png'), 'expected either --text'),
        (settings(text='明'), '--out is missing'),
        (
            settings({'style_seed': MAX_SEEDS}, text='明', out='a.png'),
            '--style_seed=18446744073709551616: exp',
        ),
        (
            settings({'interpolate': (1,)}, text='明', out='a.png'),
            '--interpolate 1: expected two style seeds',
        ),
        (
            settings({'interpolate': (1, MAX_SEEDS)}, text='明', out='a.png'),
            '--interpolate 1 18446744073709551616',
        ),
        (settings({'interpolate': ()}, text='明', out='a.png'), '--interpolate : expected two style seeds'),
        (settings(text='明\n天', out='a.png'), '--text holds a line break'),
        (
            settings({'interpolate': (1, 2), 'num_styles': 2}, text='明', out='a.png'),
            '--num_styles does not go with --interpolate',
        ),
        (
            settings({'styles_per_line': 'random'}, {'page_width': '9'}, text='明', out='a.png'),
            '--styles_per_line random does not go with --page_width',
        ),
        (
            settings(text_file='x', out='a.png'),
            '--out=a.png: --text_file without --page_width writes a folder',
        ),
        (
            settings(text='明', out='a.png', format='tfrecord'),
            '--out=a.png: --format tfrecord writes a folder',
        ),
    ],
)
def test_what_does_not_go_together_is_refused_first(asked, message):
    with pytest.raises(SettingError, match=f'^{message}'):
        session.generate(asked)  # without a model: none is looked for


def test_values_are_held_against_their_bounds():
    for cls, values, message in (
        (HandSettings, {'num_styles': 0}, 'num_styles=0: expected at least 1'),
        (HandSettings, {'interpolate': (-1, 2)}, r'interpolate=\(-1, 2\): expected at least 0'),
        (PageSettings, {'height_px': 3}, 'height_px=3: expected 4 to 4096'),
        (WritingSettings, {'format': 'gif'}, "format='gif': expected one of png, tfrecord"),
    ):
        with pytest.raises(ValueError, match=f'^{message}$'):
            dataclasses.replace(cls(), **values)
