"""Names that are no UTF-8, and control characters, through the commands: one line, nothing lost."""

import io
import os
import pathlib
import sys

import forked
import numpy as np
import pytest
from PIL import Image

from hwgen import files
from hwgen.cli import app
from hwgen.data.reading import shards
from hwgen.inference import picture_files
from hwgen.training.run_directory import RunDirectory
from hwgen.training.summaries import RunLog

ROOT = str(pathlib.Path(app.__file__).resolve().parents[2])
NAME = os.fsdecode(b'\xd5\xc5')


class Wrong(ValueError):
    """An error of the program's own."""


Wrong.__module__ = 'hwgen.cli.wrong'


def said(capsys, main, *arguments):
    """The status and what `app.run` says of what `main` raises."""
    with pytest.raises(SystemExit) as end:
        app.run(main, 'Summary.', arguments=list(arguments), program='bin/x')
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    'error, line',
    [
        (
            FileNotFoundError(2, 'No such file or directory', f'in/{NAME}\x1b[31m\n.png'),
            'bin/x: in/\\xd5\\xc5\\x1b[31m\\n.png: no such file or directory',
        ),
        (
            FileNotFoundError(2, 'No such file or directory', b'\xd5\xc5'),
            'bin/x: \\xd5\\xc5: no such file or directory',
        ),
        (Wrong(f'{NAME}: \x07 no\n picture'), 'bin/x: \\xd5\\xc5: \\x07 no picture'),
    ],
)
def test_errors_are_one_line_that_does_nothing_to_a_terminal(capsys, error, line):
    def main(arguments):
        raise error

    assert said(capsys, main) == (2, line + '\n')


def command(*arguments):
    """A command as a process of its own: its flags are not those of another."""
    return forked.run(
        [sys.executable, '-P', '-m', 'hwgen.cli', *arguments],
        env={**os.environ, 'PYTHONPATH': ROOT},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_text_in_another_encoding():
    """--text of GBK bytes says so, before anything is loaded."""
    done = command('generate', b'--text=' + '明天'.encode('gbk'), '--out=x.png')
    assert (
        done.returncode == 2
        and '--text=\\xc3\\xf7\\xcc\\xec: no UTF-8' in done.stderr
        and len(done.stderr.strip().split('\n')) == 1
    )


def test_settings_are_called_as_they_are_typed(tmp_path):
    done = command('prepare', f'--out={tmp_path}/x', '--trajectory', '--pen_share=.5')
    assert (
        done.returncode == 2
        and '--pen_share=0.5: a font has no path of a pen; expected --pen_share=1' in done.stderr
    )


def test_a_run_in_such_a_folder(tmp_path):
    """config.json, metrics.jsonl and TensorBoard's events; the same run is found again."""
    run = str(tmp_path / NAME)
    config = {
        'command': f'train --run_dir={run}',
        'data': {'folder': NAME},
        'flags': {'data': NAME},
        'settings': {'name': NAME},
    }
    RunDirectory(run, config).close()
    RunDirectory(run, config).close()
    assert '\\\\xd5\\\\xc5' in pathlib.Path(run, 'config.json').read_text(encoding='utf-8')
    log = RunLog(run, total_steps=3, stream=io.StringIO())
    log.record(1, {'resumed_from': NAME})
    log.scalars(2, 'gan', {'loss/pixel': 0.5})
    log.text(2, 'command', NAME)
    log.close()
    assert '\\\\xd5\\\\xc5' in pathlib.Path(run, 'metrics.jsonl').read_text(encoding='utf-8')
    assert [path.stat().st_size > 0 for path in pathlib.Path(run, 'tensorboard').iterdir()] == [True]


def test_pictures_go_to_such_a_folder(tmp_path):
    files.write_file(
        str(tmp_path / NAME / f'{NAME}.png'),
        picture_files.encode_png(np.pad(np.zeros((4, 20), np.uint8), 20, constant_values=255)),
    )
    assert Image.open(tmp_path / NAME / f'{NAME}.png').size == (60, 44)


def test_prepare_shows_names_escaped(tmp_path, monkeypatch):
    """What is said of a picture whose name holds a line break and an escape is one line; what cannot be
    said as it is stands in info.json escaped.
    """
    monkeypatch.chdir(tmp_path)
    os.makedirs('in')
    for name in ('in/a\n\x1b[2J.png', 'in/b.png'):
        pathlib.Path(name).write_bytes(
            picture_files.encode_png(np.pad(np.zeros((4, 20), np.uint8), 20, constant_values=255))
            if name.endswith('b.png')
            else b'none'
        )
    done = command(
        'prepare', '--source=folder', '--unlabelled', '--input=in', b'--out=\xd5\xc5', '--on_error=skip'
    )
    assert (
        done.returncode == 0
        and '\x1b' not in done.stdout
        and 'in/a\\n\\x1b[2J.png: no readable image' in done.stdout
        and '\\xd5\\xc5: complete, train 1' in done.stdout
    )
    assert "'--out=\\xd5\\xc5'" in shards.read_info(NAME)['command']
