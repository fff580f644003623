"""experiments/accelerator/pairs.py and game.py: the judge of pairs, its weight, what is exported; play.py
without JAX.
"""

import dataclasses
import functools
import importlib.util
import json
import math
import pathlib
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from experiments.accelerator import game, lowering, pairs
from hwgen.charset.encoding import Charset
from hwgen.models.layers import StyleSpace
from hwgen.settings.pairs import PairSettings
from tests.experiments.test_accelerator import N, batch_of, make, run_folder

SETTINGS = PairSettings(judge_channels=(4, 6), drawn_share=0.5)


def make_game(settings=SETTINGS):
    return make(functools.partial(pairs.PairTrainer, pairs=settings))


def batch_of_game(trainer, **controls):
    rng = np.random.default_rng(3)
    shapes = pairs.specification(
        trainer.model.config.generator, trainer.pairs.pairs, batch_size=2, num_characters=N
    )
    batch = batch_of(trainer)
    for name, (_, shape) in shapes.items():
        if name not in batch:
            batch[name] = tf.constant(rng.uniform(-1, 1, shape).astype(np.float32))
    batch.update({name: tf.constant(0.0) for name in pairs.CONTROLS})
    batch.update({name: tf.constant(value) for name, value in controls.items()})
    assert set(batch) == set(shapes)
    return batch


@pytest.mark.slow
def test_without_a_judge_it_is_reconstruction():
    trainer, plain = make_game(dataclasses.replace(SETTINGS, drawn_share=0.0)), make(lowering.LoweredTrainer)
    got = trainer.step('pairs', jit=False)(batch_of_game(trainer))
    expected = plain.step('reconstruction', jit=False)(batch_of(plain))
    for name in ('loss/pixel', 'loss/feature', 'loss/style_kl', 'loss/noise_kl'):
        assert float(got[name]) == pytest.approx(float(expected[name]), rel=1e-4), name
    assert float(got['grad/pairs_norm']) == pytest.approx(
        float(expected['grad/reconstruction_norm']), rel=1e-3
    )


@pytest.mark.slow
def test_the_judges_gradient_has_a_most():
    trainer = make_game()
    before = [v.numpy() for v in trainer.judge.trainable_variables]
    controls = dict(judge_weight=1e6, judge_share=0.25, reading_weight=1e-9, reading_share=1.0)
    got = trainer.step('pairs', jit=False)(batch_of_game(trainer, **controls))
    assert float(got['grad/judge_scale'] * got['grad/judge']) == pytest.approx(
        0.25 * float(got['grad/reconstruction']), rel=1e-3
    )
    assert float(got['grad/reading_scale']) == pytest.approx(1e-9)
    # a judge of rate 0 is as it was
    for variable, value in zip(trainer.judge.trainable_variables, before):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.slow
def test_what_a_game_takes_along(tmp_path):
    trainer = make(lowering.LoweredTrainer)
    run = run_folder(tmp_path / 'run', trainer)
    trainer, config = game.open_game(run, SETTINGS, noise_kl_weight=0.5)
    assert trainer.settings.noise_kl_weight == 0.5
    game.export_game(trainer, config, tmp_path / 'out', batch_size=2)
    told = {phase: json.loads((tmp_path / 'out' / f'{phase}.json').read_text()) for phase in game.PHASES}
    assert set(pairs.CONTROLS) <= set(told['pairs']['inputs'])
    assert told['pairs']['inputs']['jitter_uniform'] == ['float32', [6, 2]]
    moved = set(told['pairs']['updates'].values())
    for module in (
        'generator/',
        'average/',
        'style_encoder/',
        'judge/',
        'judge_optimizer/',
        'pair_optimizer/',
    ):
        assert any(name.startswith(module) for name in moved), module
    assert not any(name.startswith(('sequence_', 'spatial_')) for name in moved)
    styles = json.loads((tmp_path / 'out' / 'styles.json').read_text())
    assert set(styles['inputs']) == {'images', 'lengths'} and not styles['updates']
    assert set(styles['metrics']) == {'style_mean', 'style_log_variance'}
    with np.load(tmp_path / 'out' / 'variables.npz') as stored:
        here = set(stored.files) | set(json.loads(str(stored['same'])))
    assert set(told['pairs']['captured']) | set(told['reconstruction']['captured']) <= here
    assert {path.name for path in (tmp_path / 'out').iterdir()} >= {'device.py', 'play.py', 'tables.npz'}


def test_a_batch_of_noise_is_one_of_lines():
    trainer, charset = make_game(), Charset.load()
    batch = game.random_batch(trainer, 'pairs', charset, num_characters=N)
    lengths = batch['lengths'].numpy()
    np.testing.assert_array_equal(batch['character_ids'].numpy() > 0, np.arange(N) < lengths[:, None])
    assert (batch['images'].numpy()[0, :, 16 * lengths[0] :] == 1).all()


@pytest.fixture
def play(monkeypatch):
    """play.py with stand-ins for JAX and for its neighbour."""
    monkeypatch.setitem(sys.modules, 'jax', types.ModuleType('jax'))
    told = []
    neighbour = types.SimpleNamespace(Device=object, load_step=None, say=told.append)
    monkeypatch.setitem(sys.modules, 'device', neighbour)
    path = pathlib.Path(game.__file__).with_name('play.py')
    spec = importlib.util.spec_from_file_location('play', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.told = told
    return module


def test_controls_move_by_powers(play):
    assert play.value_at(0.3, 0.5) == 0.3
    assert [play.value_at([1.0, 0.01], share) for share in (0, 0.5, 1)] == pytest.approx([1.0, 0.1, 0.01])


class Game:
    """A call lasts one second of a clock of its own."""

    chunk = 100

    def __init__(self, clock, *, bad_at=math.inf):
        self.clock, self.bad_at, self.calls, self.written = clock, bad_at, [], []

    def start_again(self):
        self.calls.append('again')

    def fit_styles(self):
        self.calls.append('styles')

    def play(self, phase, rate, longest, controls):
        self.clock[0] += 1.0
        self.calls.append((phase, rate, longest, controls))
        return {'loss': np.array([1.0, math.nan if len(self.calls) > self.bad_at else 3.0])}

    def write(self, out, name, phase):
        self.written.append(name)


def test_an_arm_lasts_its_seconds(play, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(play.time, 'monotonic', lambda: clock[0])
    arm = {
        'name': 'a',
        'phase': 'pairs',
        'seconds': 10,
        'rate': 0.5,
        'controls': {'judge_weight': 4.0, 'penalty': [1.0, 0.1]},
    }
    players = Game(clock)
    log = play.play_arm(players, arm, None, longest=8, deadline=1e9)
    assert len(log) == 10 and log[-1]['step'] == 1000 and log[0]['loss'] == 2.0
    assert players.calls[0] == 'again' and players.written == ['a']
    rates = [call[1] for call in players.calls[1:]]
    assert rates[0] == pytest.approx(0.5 / 3) and rates[2] < 0.5 and rates[-1] < 0.1
    weights = [call[3]['judge_weight'] for call in players.calls[1:]]
    assert weights[:4] == pytest.approx([4 / 3, 8 / 3, 4, 4])
    assert players.calls[1][3]['penalty'] == 1.0 and players.calls[6][3]['penalty'] == pytest.approx(0.1**0.5)
    clock[0] = 0.0
    assert len(play.play_arm(Game(clock), arm, None, longest=8, deadline=4.0)) == 4


def test_an_arm_that_breaks_writes_nothing(play, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(play.time, 'monotonic', lambda: clock[0])
    arm = {'name': 'a', 'phase': 'pairs', 'seconds': 10, 'rate': 0.5}
    players = Game(clock, bad_at=3)
    log = play.play_arm(players, arm, None, longest=8, deadline=1e9)
    assert len(log) == 3 and not players.written and any('not finite' in line for line in play.told)


def test_an_arm_goes_on_with_styles_fitted_anew(play, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(play.time, 'monotonic', lambda: clock[0])
    arm = {'name': 'a', 'phase': 'reconstruction', 'seconds': 10, 'rate': 0.5, 'floor': 0.5}
    players = Game(clock)
    play.play_arm(players, {**arm, 'goes_on': True, 'fit_styles': True}, None, longest=8, deadline=1e9)
    assert players.calls[0] == 'styles' and 'again' not in players.calls
    # a warm-up of three calls, then half a cosine from the rate to half of it
    assert players.calls[6][1] == pytest.approx(0.5 * (0.5 + 0.5 * 0.5 * (1 + math.cos(math.pi * 0.5))))


def test_styles_are_fitted_as_the_trainer_fits_them(play):
    rng = np.random.default_rng(0)
    means, log_variances = rng.normal(size=(40, 5)), rng.normal(size=(40, 5))
    layer = StyleSpace()
    layer.build([None, 5])
    layer.fit(means, np.exp(log_variances))
    mean, factor = play.style_space(means, log_variances)
    np.testing.assert_allclose(mean, layer.mean, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(factor, layer.factor, rtol=1e-5, atol=1e-7)
