"""Dataclasses of settings as flags: every kind of value there and back, bounds, choices, and what a stored
description of an older version means.
"""

import dataclasses

import pytest
from absl import flags

from hwgen.settings import flags as settings_flags
from hwgen.settings.model import GeneratorSettings, ModuleSettings
from hwgen.settings.schedule import Schedule
from hwgen.settings.setting import REQUIRED, check, from_stored, setting
from hwgen.settings.steps import GanSettings
from hwgen.settings.train import DataSettings, RunSettings, TrainSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pen:
    """A pen."""

    SECTION = 'Pen'

    kind: str = setting('brush', 'What writes.', choices=('brush', 'quill'))
    width_px: int = setting(3, 'How broad.', unit='px', lower=1, upper=9, free=True)
    pressure: float = setting(0.5, 'How hard.', lower=0.0, upper=1.0)
    dry: bool = setting(False, 'Whether it is dry.', flag='dry_pen', absent=True)
    hairs: tuple[int, ...] = setting((2, 4), 'Hairs of each part.', lower=1)
    parts: tuple[int, ...] = setting((), 'Any numbers.', may_be_empty=True)
    owner: str | None = setting(None, 'Whose it is.')
    names: tuple[str, ...] | None = setting(None, 'What it is called.')
    num_dots: int = setting(REQUIRED, 'Dots, which nobody types.', flag='')


def parsed(*arguments):
    values = flags.FlagValues()
    settings_flags.define(Pen, module='pen', flag_values=values)
    values(['pen', *arguments])
    return settings_flags.read(Pen, values, num_dots=1)


def test_every_kind_of_value_there_and_back():
    assert parsed() == Pen(num_dots=1)
    pen = parsed(
        '--kind=quill',
        '--width_px=9',
        '--pressure=.25',
        '--dry_pen',
        '--hairs=7',
        '--parts=0,-5',
        '--owner=Li',
        '--names=a,b',
    )
    assert pen == Pen(
        kind='quill',
        width_px=9,
        pressure=0.25,
        dry=True,
        hairs=(7,),
        parts=(0, -5),
        owner='Li',
        names=('a', 'b'),
        num_dots=1,
    )
    assert settings_flags.as_flags(pen) == dict(
        kind='quill',
        width_px=9,
        pressure=0.25,
        dry_pen=True,
        hairs=['7'],
        parts=['0', '-5'],
        owner='Li',
        names=['a', 'b'],
    )
    assert settings_flags.free_flags(Pen) == {'width_px'}


def test_what_was_typed_is_told_from_defaults():
    values = flags.FlagValues()
    settings_flags.define(Pen, module='pen', flag_values=values)
    values(['pen', '--kind=brush', '--names=a'])
    assert settings_flags.given(Pen, flag_values=values) == {'kind', 'names'}
    # what the command reads itself is not read from the flag
    assert settings_flags.read(Pen, values, hairs=(9,), num_dots=1).hairs == (9,)


@pytest.mark.parametrize(
    'argument, message',
    [
        ('--kind=pencil', 'value should be one of <brush|quill>'),
        ('--width_px=0', 'width_px=0'),
        ('--width_px=10', 'width_px=10'),
        ('--pressure=1.5', 'pressure=1.5'),
        ('--hairs=2,x', '^--hairs=2,x: expected whole numbers of at least 1, separated by commas$'),
        ('--hairs=', '^--hairs=: expected whole numbers'),
        ('--hairs=3,0', '--hairs=3,0'),
        ('--parts=x', '^--parts=x: expected whole numbers, separated by commas$'),
    ],
)
def test_values_that_are_none(argument, message):
    with pytest.raises((ValueError, flags.Error), match=message):
        parsed(argument)


@pytest.mark.parametrize(
    'values, message',
    [
        (dict(kind='pencil'), "^kind='pencil': expected one of brush, quill$"),
        (dict(width_px=0), '^width_px=0: expected 1 to 9$'),
        (dict(pressure=2.0), '^pressure=2.0: expected 0 to 1$'),
        (dict(hairs=(1, 0)), r'^hairs=\(1, 0\): expected at least 1$'),
    ],
)
def test_the_same_from_python(values, message):
    check(Pen(num_dots=1))
    with pytest.raises(ValueError, match=message):
        check(Pen(num_dots=1, **values))


def test_what_is_stored_may_be_older():
    """A field that it does not name means what it meant before there was that field, not today's default."""
    assert from_stored(Pen, dict(num_dots=4, hairs=[3])) == Pen(hairs=(3,), dry=True, num_dots=4)
    assert from_stored(Pen, dict(num_dots=4, dry=False)) == Pen(num_dots=4)
    with pytest.raises(TypeError, match='num_dots'):
        from_stored(Pen, {})
    with pytest.raises(TypeError, match='nib'):
        from_stored(Pen, dict(num_dots=4, nib=1))


def test_the_flags_of_train_come_to_its_settings():
    assert settings_flags.parse(TrainSettings) == TrainSettings()
    fast = settings_flags.parse(TrainSettings, ['--flagfile=fast.flags', '--seed=2', '--nodeterministic'])
    assert (
        fast.run.run_dir,
        fast.schedule.reconstruction_steps,
        fast.steps.seed,
        fast.run.deterministic,
    ) == ('runs/fast', 4000, 2, False)
    assert (
        settings_flags.parse(
            TrainSettings,
            [
                f'--{name}={",".join(value) if isinstance(value, list) else value}'
                for name, value in settings_flags.as_flags(fast).items()
                if value is not None
            ],
        )
        == fast
    )
    with pytest.raises(ValueError, match="^argument 'run' is not a flag"):
        settings_flags.parse(TrainSettings, ['run'])


@pytest.mark.parametrize(
    'cls, values, message',
    [
        (Schedule, dict(adversarial_steps=-1), '^adversarial_steps=-1: expected at least 0$'),
        (GanSettings, dict(balance_rule='none'), "^balance='none': expected one of full, scale$"),
        (GanSettings, dict(average_decay=1.5), '^average_decay=1.5: expected 0 to 1$'),
        (RunSettings, dict(cpu_replicas=0), '^cpu_replicas=0'),
        (DataSettings, dict(text_characters='some'), '^text_characters='),
        (ModuleSettings, dict(style_channels=(8, 0)), r'^style_channels=\(8, 0\)'),
        (GeneratorSettings, dict(bend_px=-1), '^bend_px=-1'),
    ],
)
def test_settings_from_python_are_held_against_their_bounds(cls, values, message):
    with pytest.raises(ValueError, match=message):
        cls(**values)
