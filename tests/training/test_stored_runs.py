"""Runs that were started before settings had one place (stored_runs.json: their config.json) are what they
were: read back, compared by what they mean, gone on with.
"""

import dataclasses
import json
import os
import pathlib

import pytest

from hwgen.charset.encoding import Charset
from hwgen.inference.artefact import load_generator
from hwgen.settings import flags as settings_flags
from hwgen.settings.model import GeneratorConfig, HctGanConfig, stored_model
from hwgen.settings.pairs import PairSettings
from hwgen.settings.resources import resource_path
from hwgen.settings.schedule import Schedule
from hwgen.settings.setting import described as described_settings
from hwgen.settings.setting import flag_of, from_stored
from hwgen.settings.steps import GanSettings
from hwgen.settings.train import TrainSettings
from hwgen.training.run_directory import OtherRunError, RunDirectory
from hwgen.training.session import configurations

STORED = json.loads(pathlib.Path(__file__).with_name('stored_runs.json').read_text(encoding='utf-8'))
# What was typed then, and what to type for the same today, where the defaults are others.
TYPED = {
    'demo': ['--product_dtype=bfloat16'],
    'no preset': [
        '--flagfile=paper_sizes.flags',
        '--batch_size=4',
        '--product_dtype=float32',
        '--generator_channels=8,8,8',
    ],
}
# Settings that came later, by part of config.json, and what runs of before had in their place.
LATER = {
    'generator': {'layout': 'cells', 'filter_mean': False, 'noise_prior': 'normal'},
    'settings': {'spacing_weight': 0.2},
    'schedule': {'game': 'paper'},
}
LATER_FLAGS = {
    'game',
    'character_layout',
    'filter_mean',
    'noise_prior',
    'spacing_weight',
    *(flag_of(PairSettings, name) for name in described_settings(PairSettings)),
}
LINES = dict(folder='lines', digest='a', charset_hash='h')


def with_later_sizes(model):
    """The sizes of a stored model as they are said today."""
    return {**model, 'generator': {**model['generator'], **LATER['generator']}}


def described(*arguments):
    """The parts of config.json that make two calls one run, as today's flags come to them."""
    settings = settings_flags.parse(TrainSettings, arguments)
    model, steps, schedule = configurations(settings, Charset.load())
    return dict(
        model=dataclasses.asdict(model),
        settings=dataclasses.asdict(steps),
        schedule=dataclasses.asdict(schedule),
        data=LINES,
        flags=settings_flags.as_flags(settings),
    )


def begun(stored):
    """A run with a checkpoint and this config.json."""
    os.makedirs('run/checkpoints')
    pathlib.Path('run/checkpoints/step-2.index').write_text('')
    pathlib.Path('run/config.json').write_text(json.dumps({**stored, 'data': LINES}))


def without(stored, *places):
    stored = json.loads(json.dumps(stored))
    for *parents, name in places:
        inner = stored
        for parent in parents:
            inner = inner[parent]
        del inner[name]
    return stored


@pytest.mark.parametrize('name', STORED)
def test_the_layout_is_that_of_before(name):
    now = json.loads(json.dumps(described(*TYPED[name])))
    for part in ('settings', 'schedule'):
        assert now[part] == {**STORED[name][part], **LATER[part]}
    assert now['model'] == with_later_sizes(STORED[name]['model'])
    assert now['flags'].keys() == STORED[name]['flags'].keys() | LATER_FLAGS


@pytest.mark.parametrize('name', STORED)
def test_a_run_of_before_goes_on(name):
    """Its effective settings are equal, whatever was typed and whatever the defaults were."""
    begun(STORED[name])
    RunDirectory('run', described(*TYPED[name])).close()
    with pytest.raises(
        OtherRunError, match='--bend_px=. now --bend_px=3: give the same flags'.replace('. ', '., ')
    ):
        RunDirectory('run', described(*TYPED[name], '--bend_px=3'))


def test_a_run_of_before_was_played_as_the_paper_plays():
    """It has no word of a game and none of a judge; `paper` goes on with it, `pairs` is another run."""
    begun(STORED['demo'])
    now = {**described(*TYPED['demo']), 'pairs': None}
    RunDirectory('run', now).close()
    with pytest.raises(
        OtherRunError, match='its run was started with schedule.game = paper, now pairs: give'
    ):
        RunDirectory('run', {**now, **described(*TYPED['demo'], '--game=pairs')})


def test_a_run_of_pairs_goes_on_with_its_numbers():
    now = described('--game=pairs', '--judge_share=0.5')
    now['pairs'] = dataclasses.asdict(PairSettings(judge_share=0.5))
    begun(now)
    RunDirectory('run', now).close()
    # a setting that came after the run was what it is where nothing is said
    begun_before = without(now, ('pairs', 'ink_jitter'), ('flags', 'ink_jitter'))
    pathlib.Path('run/config.json').write_text(json.dumps({**begun_before, 'data': LINES}))
    RunDirectory('run', now).close()
    other = described('--game=pairs', '--judge_share=0.6')
    other['pairs'] = dataclasses.asdict(PairSettings(judge_share=0.6))
    with pytest.raises(OtherRunError, match='started with --judge_share=0.5, now --judge_share=0.6: give'):
        RunDirectory('run', other)


def test_a_run_that_is_older_than_some_settings():
    """What its config.json does not name it did not have: today's defaults are not put in its place."""
    late = [
        ('model', 'generator', 'bend_px'),
        ('model', 'generator', 'learn_boxes'),
        ('model', 'generator', 'map_channels'),
        ('settings', 'product_dtype'),
        ('flags', 'bend_px'),
        ('flags', 'learn_boxes'),
        ('flags', 'map_channels'),
        ('flags', 'product_dtype'),
    ]
    begun(without(STORED['no preset'], *late))
    RunDirectory('run', described(*TYPED['no preset'])).close()
    for flag, place in {
        '--bend_px=5': 'model.generator.bend_px = 0, now 5',
        '--map_channels=16,8': 'model.generator.map_channels = , now 16,8',
        '--learn_boxes': 'model.generator.learn_boxes = false, now true',
    }.items():
        with pytest.raises(OtherRunError, match=f'its run was started with {place}: give'):
            RunDirectory('run', described(*TYPED['no preset'], flag))


def test_stored_descriptions_are_read_back():
    for stored in STORED.values():
        model = stored_model(stored['model'])
        assert json.loads(json.dumps(dataclasses.asdict(model))) == with_later_sizes(stored['model'])
        assert isinstance(model, HctGanConfig)
        settings = json.loads(json.dumps(dataclasses.asdict(from_stored(GanSettings, stored['settings']))))
        assert settings == {**stored['settings'], **LATER['settings']}
        assert dataclasses.asdict(from_stored(Schedule, stored['schedule'])) == {
            **stored['schedule'],
            **LATER['schedule'],
        }
    older = without(STORED['demo']['model']['generator'], ('bend_px',), ('learn_boxes',), ('map_channels',))
    config = from_stored(GeneratorConfig, older)
    assert (config.bend_px, config.learn_boxes, config.map_channels, config.content_channels) == (
        0,
        False,
        (),
        192,
    )


def test_the_model_that_ships_is_what_the_defaults_make():
    """generator.json as it was written long before; its sizes are today's defaults."""
    folder = str(resource_path('saved_models/demo'))
    generator, _, description = load_generator(folder)
    sizes = {**description['generator'], **LATER['generator']}
    assert json.loads(json.dumps(dataclasses.asdict(generator.config))) == sizes
    tables = {
        name: description['generator'][name]
        for name in ('num_components', 'num_structures', 'num_characters')
    }
    assert GeneratorConfig(**tables) == generator.config
