"""Lines without text in the adversarial step: the discriminator learns from them and nothing else does."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from hwgen.data.reading.mixed_lines import RealLines
from hwgen.training import distribution

PX = 16


def tensors(values):
    return tf.nest.map_structure(tf.constant, values)


@pytest.fixture(scope='module')
def make_real(make_batch):
    """Function of a step -> what MixedLines gives: two lines of the batch, one cell and a half and one cell
    and a quarter of another hand.

    The other hand draws everything upside down, and paler.
    """

    def make(step=0, *, padding_px=0):
        batch, other = make_batch(step), make_batch(step + 100)
        images = batch.images.copy()
        images[2:] = 0.5 + 0.5 * other.images[2:, ::-1]
        lengths = np.array([2.0, 2.0, 1.5, 1.25], np.float32)
        beyond = np.arange(2 * PX) >= lengths[:, None] * PX
        images[np.broadcast_to(beyond[:, None, :, None], images.shape)] = 1.0
        images = np.pad(images, [(0, 0), (0, 0), (0, padding_px), (0, 0)], constant_values=1.0)
        return RealLines(images, lengths, np.array([0, 0, 2, 2], np.float32))

    return make


@pytest.fixture(scope='module')
def step_of(make_batch, texts_of):
    """Function of a trainer, a step and its real lines -> the metrics of an adversarial step."""

    def run(trainer, real, *, step=0, **options):
        batch = make_batch(step)
        return {
            key: float(value)
            for key, value in trainer.adversarial.update(
                tensors(batch), tensors(texts_of(batch)), real=real and tensors(real), **options
            ).items()
        }

    return run


def values_of(trainer, variables_of):
    return {name: variable.numpy() for name, variable in variables_of(trainer).items()}


@pytest.mark.usefixtures('each_way')
def test_scores_are_those_of_each_line_alone(trainer, make_real, step_of):
    """score/real and score/unlabelled by hand: D of each line cut to its own cells; a score moves by the
    rounding of sums.
    """
    real = make_real()
    alone = []
    for image, length in zip(real.images, real.lengths):
        columns = int(np.ceil(length)) * PX
        alone.append(
            float(trainer.model.discriminator(image[None, :, :columns], lengths=tf.constant([length]))[0])
        )
    metrics = step_of(trainer, real, update_generator=False)
    assert metrics['score/real'] == pytest.approx(np.mean(alone), rel=1e-4)
    assert metrics['score/unlabelled'] == pytest.approx(np.mean(alone[2:]), rel=1e-4)


@pytest.mark.usefixtures('each_way')
def test_padding_changes_nothing(trainer, variables_of, make_real, step_of):
    """Twice the width: the same metrics, and the same step of the discriminator (Adam's first step is the
    rate times a sign: 2e-4).
    """
    start = values_of(trainer, variables_of)
    plain = step_of(trainer, make_real(), update_generator=False)
    moved = values_of(trainer, variables_of)
    for name, variable in variables_of(trainer).items():
        variable.assign(start[name])
    padded = step_of(trainer, make_real(padding_px=2 * PX), update_generator=False)
    assert padded == pytest.approx(plain, rel=1e-4)
    for name, value in values_of(trainer, variables_of).items():
        if name.startswith('discriminator/'):
            assert np.abs(value - moved[name]).mean() < 1e-5, name


@pytest.mark.usefixtures('each_way')
def test_nothing_but_the_discriminator_learns_from_them(
    determinism, trainer, variables_of, make_real, step_of
):
    """Two steps on other unlabelled pixels.

    All but D and its optimizer ends bit for bit the same, where D stands still; else D differs.
    """
    start, settings = values_of(trainer, variables_of), trainer.settings
    real = make_real()
    other = real._replace(images=np.concatenate([real.images[:2], -real.images[2:]]))

    def learned(lines, discriminator_rate):
        for name, variable in variables_of(trainer).items():
            variable.assign(start[name])
        trainer.settings = dataclasses.replace(settings, discriminator_rate=discriminator_rate)
        try:
            metrics = [step_of(trainer, lines, step=step) for step in range(2)]
        finally:
            trainer.settings = settings
        return metrics, values_of(trainer, variables_of)

    about_real = {'loss/discriminator', 'score/real', 'score/unlabelled', 'grad/discriminator_norm'}
    (metrics, still), (other_metrics, still_other) = learned(real, 0.0), learned(other, 0.0)
    for name, value in still.items():
        if not name.startswith('discriminator_optimizer/'):
            np.testing.assert_array_equal(value, still_other[name], err_msg=name)
    assert any((value != start[name]).any() for name, value in still.items() if name.startswith('generator/'))
    for a, b in zip(metrics, other_metrics, strict=True):
        assert {key for key in a if a[key] != b[key]} == about_real
    moved, moved_other = learned(real, 2e-4)[1], learned(other, 2e-4)[1]
    for module in ('discriminator', 'discriminator_optimizer', 'generator'):  # the generator through D alone
        assert any(
            (value != moved_other[name]).any()
            for name, value in moved.items()
            if name.startswith(f'{module}/')
        ), module


@pytest.mark.usefixtures('each_way')
def test_labelled_lines_that_are_not_shown_do_not_count(
    determinism, trainer, variables_of, make_batch, texts_of, make_real
):
    """With `real`, the images of the batch are nothing to the step: recognisers and style encoder have
    their own steps for them.
    """
    start, ends = values_of(trainer, variables_of), []
    for images in (make_batch(0).images, np.zeros_like(make_batch(0).images)):
        for name, variable in variables_of(trainer).items():
            variable.assign(start[name])
        batch = make_batch(0)
        trainer.adversarial.update(
            tensors(batch._replace(images=images)), tensors(texts_of(batch)), real=tensors(make_real())
        )
        ends.append(values_of(trainer, variables_of))
    for name, value in ends[0].items():
        np.testing.assert_array_equal(value, ends[1][name], err_msg=name)
        if name.split('/')[0] in (
            'sequence_trunk',
            'sequence_recognition',
            'spatial_perception',
            'style_encoder',
            'recognizer_optimizer',
            'reconstruction_optimizer',
        ):
            np.testing.assert_array_equal(value, start[name], err_msg=name)


@pytest.mark.slow
def test_the_discriminator_takes_another_hand_for_real_once_it_was_shown(
    trainer, variables_of, make_batch, make_real, step_of
):
    """Thirty steps with and without the pale hand that writes upside down: of its other lines the one thinks
    better than the other,
    both measured against the labelled hand."""
    start, margins = values_of(trainer, variables_of), []
    new = np.concatenate([make_real(step).images[2:, :, :PX] for step in range(60, 80)])
    known = np.concatenate([make_batch(step).images[:, :, :PX] for step in range(60, 80)])

    def labelled(step):
        return make_real(step)._replace(images=make_batch(step).images, lengths=np.full(4, 2.0, np.float32))

    for real in (make_real, labelled):
        for name, variable in variables_of(trainer).items():
            variable.assign(start[name])
        for step in range(30):
            step_of(trainer, real(step), step=step, rate_scale=10.0, update_generator=False)

        def score(images):
            return float(tf.reduce_mean(trainer.model.discriminator(images)))

        margins.append(score(new) - score(known))
    assert margins[0] > margins[1] + 0.1, margins


@pytest.mark.slow
def test_two_replicas_equal_one_with_unlabelled_lines(
    make_trainer, two_replicas, make_batch, texts_of, make_real, step_of
):
    """One line of either kind a replica more or less; tolerance as in test_gan.py."""
    expected = step_of(make_trainer(), make_real(), update_generator=False)
    trainer, batch = make_trainer(two_replicas), make_batch(0)
    dataset = tf.data.Dataset.from_tensors((tensors(batch), tensors(texts_of(batch)), tensors(make_real())))
    batch, texts, real = next(distribution.distribute(two_replicas, dataset))
    found = {
        key: float(value)
        for key, value in trainer.adversarial.update(batch, texts, real=real, update_generator=False).items()
    }
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)
