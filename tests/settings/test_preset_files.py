"""Presets that name a parent: where it is looked for, in which order flags come, and what goes wrong."""

import pathlib

import pytest

from hwgen.settings import presets
from hwgen.settings.resources import CHECKOUT


def write(path, *rows):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(rows) + '\n', encoding='utf-8')
    return path


def test_a_preset_holds_the_difference_from_its_parent():
    write('elsewhere/parent.flags', '# sizes', '', '--batch_size=4', '--seed=2')
    child = write('elsewhere/child.flags', '// a child', '--flagfile=parent.flags', '  --seed=3  ')
    assert presets.expand([f'--flagfile={child}', '--seed=5', 'rest']) == [
        '--batch_size=4',
        '--seed=2',
        '--seed=3',
        '--seed=5',
        'rest',
    ]
    assert (
        presets.expand(['--flagfile', str(child)])
        == presets.expand(['-flagfile=elsewhere/child.flags'])
        == presets.read(child)
    )


def test_where_a_parent_is_looked_for():
    """Beside the preset that names it; then where one stands; then beside the package."""
    child = write('elsewhere/child.flags', '--flagfile=hand.flags')
    assert presets.read(child) == presets.read(CHECKOUT / 'hand.flags') != []
    here = write('hand.flags', '--seed=1')
    assert (
        presets.read(child) == presets.expand(['--flagfile=hand.flags']) == presets.read(here) == ['--seed=1']
    )
    write('elsewhere/hand.flags', '--seed=2')
    assert presets.read(child) == ['--seed=2'] and presets.expand(['--flagfile=hand.flags']) == ['--seed=1']
    write('elsewhere/deeper/child.flags', '--flagfile=../child.flags')
    assert presets.expand(['--flagfile=elsewhere/deeper/child.flags']) == ['--seed=2']


def test_what_is_no_preset():
    assert presets.expand(['--flagfile=', '--seed=1', '--', '--flagfile=none.flags']) == [
        '--seed=1',
        '--',
        '--flagfile=none.flags',
    ]
    assert presets.expand(['flagfile=x', '--text', 'flagfile']) == ['flagfile=x', '--text', 'flagfile']


def test_what_goes_wrong_is_one_line():
    with pytest.raises(presets.PresetError, match='^--flagfile=none.flags: no such file$'):
        presets.expand(['--flagfile=none.flags'])
    with pytest.raises(presets.PresetError, match='^--flagfile with no argument$'):
        presets.expand(['--flagfile'])
    child = write('child.flags', '--flagfile=none.flags')
    with pytest.raises(
        presets.PresetError, match=r'^--flagfile=none.flags: no such file \(named in child.flags\)$'
    ):
        presets.expand(['--flagfile=child.flags'])
    write('child.flags', '--flagfile=other.flags')
    write('other.flags', '--seed=1', '--flagfile=./child.flags')
    with pytest.raises(presets.PresetError, match='a preset that names itself, by way of other.flags$'):
        presets.read(child)
    child.write_bytes(b'--text=\xff')
    with pytest.raises(presets.PresetError, match='child.flags: no text in UTF-8 at byte 7$'):
        presets.read(child)
    pathlib.Path('folder').mkdir()
    with pytest.raises(presets.PresetError, match='^--flagfile=folder: no such file$'):
        presets.expand(['--flagfile=folder'])
