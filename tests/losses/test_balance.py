"""Gradient balance against NumPy and by hand: both rules, both references, masks, a gradient without
spread.
"""

import numpy as np
import pytest
import tensorflow as tf

from hwgen.losses.balance import balance_gradients

WEIGHTS = dict(discriminator=1.0, sequence=0.5, spatial=0.25)


def numpy_balance(gradients, weights, mask, rule, reference):
    """The balance rule of HCT-GAN ("Losses and optimization settings") in float64, on the valid pixels
    only.
    """
    valid = np.broadcast_to(mask, gradients['discriminator'].shape) > 0
    moments = {
        name: (g[valid].astype(np.float64).mean(), g[valid].astype(np.float64).std())
        for name, g in gradients.items()
    }
    r = 'discriminator' if reference == 'discriminator' else min(moments, key=lambda name: moments[name][1])
    total = np.zeros(valid.shape)
    for name, g in gradients.items():
        if name == r:
            total += weights[name] * g
            continue
        scale = moments[r][1] / max(moments[name][1], 1e-12)
        total += weights[name] * (
            scale * (g - moments[name][0]) + moments[r][0] if rule == 'full' else scale * g
        )
    return total * valid, {name: sigma for name, (_, sigma) in moments.items()}


def row(*values):
    return np.array(values, np.float32).reshape(1, 1, -1, 1)


@pytest.fixture
def example():
    rng = np.random.default_rng(2)
    gradients = {
        name: rng.normal(mean, sigma, size=(3, 4, 6, 1)).astype(np.float32)
        for name, mean, sigma in (
            ('discriminator', 0.2, 2.0),
            ('sequence', -1.0, 0.5),
            ('spatial', 0.1, 30.0),
        )
    }
    mask = (np.arange(6) < np.array([6, 2, 4])[:, None]).astype(np.float32)[:, None, :, None]
    return gradients, mask


def test_worked_by_hand():
    # D: (1, 3), mu 2, sigma 1. Sequence: (0, 20), mu 10, sigma 10, weight .5.
    gradients, mask = dict(discriminator=row(1, 3), sequence=row(0, 20)), np.ones([1, 1, 2, 1], np.float32)
    # full, r = D: .5 [ 1/10 (g - 10) + 2 ] = .5 (1, 3); with D (1.5, 4.5).
    total, sigmas = balance_gradients(gradients, WEIGHTS, mask=mask)
    np.testing.assert_allclose(total, row(1.5, 4.5), rtol=1e-6)
    assert {name: float(s) for name, s in sigmas.items()} == pytest.approx(
        dict(discriminator=1.0, sequence=10.0)
    )
    # scale: .5 * 1/10 * (0, 20) = (0, 1); with D (1, 4).
    np.testing.assert_allclose(
        balance_gradients(gradients, WEIGHTS, mask=mask, rule='scale')[0], row(1, 4), rtol=1e-6
    )
    # r = smallest, and D the large one: D becomes 1/10 (g - 10) + 2 = (1, 3), the reference stays .5 (1, 3).
    swapped = dict(discriminator=row(0, 20), sequence=row(1, 3))
    np.testing.assert_allclose(
        balance_gradients(swapped, WEIGHTS, mask=mask, reference='smallest')[0], row(1.5, 4.5), rtol=1e-6
    )
    # ... and r = D again: the small one is brought up to sigma 10: .5 [ 10 (g - 2) + 10 ] = (0, 10); with D
    # (0, 30).
    np.testing.assert_allclose(balance_gradients(swapped, WEIGHTS, mask=mask)[0], row(0, 30), rtol=1e-6)


@pytest.mark.parametrize('rule', ['full', 'scale'])
@pytest.mark.parametrize('reference', ['discriminator', 'smallest'])
def test_equals_numpy(example, rule, reference):
    gradients, mask = example
    total, sigmas = balance_gradients(gradients, WEIGHTS, mask=mask, rule=rule, reference=reference)
    expected, expected_sigmas = numpy_balance(gradients, WEIGHTS, mask, rule, reference)
    np.testing.assert_allclose(total, expected, rtol=1e-5, atol=1e-5)
    for name, sigma in expected_sigmas.items():
        assert float(sigmas[name]) == pytest.approx(sigma, rel=1e-5)


@pytest.mark.parametrize('rule', ['full', 'scale'])
def test_padding_is_excluded(example, rule):
    gradients, mask = example
    total, sigmas = balance_gradients(gradients, WEIGHTS, mask=mask, rule=rule)
    dirty = {
        name: np.where(mask > 0, g, 1e6 * (i + 1)).astype(np.float32)
        for i, (name, g) in enumerate(gradients.items())
    }
    again, sigmas_again = balance_gradients(dirty, WEIGHTS, mask=mask, rule=rule)
    np.testing.assert_array_equal(again, total)
    wide = {
        name: np.pad(g, [(0, 0), (0, 0), (0, 6), (0, 0)], constant_values=7.0)
        for name, g in gradients.items()
    }
    doubled, _ = balance_gradients(
        wide, WEIGHTS, mask=np.pad(mask, [(0, 0), (0, 0), (0, 6), (0, 0)]), rule=rule
    )
    np.testing.assert_allclose(doubled[:, :, :6], total, rtol=1e-5, atol=1e-6)
    assert not doubled[:, :, 6:].numpy().any() and not (total.numpy() * (1.0 - mask)).any()
    for name in sigmas:
        assert float(sigmas[name]) == float(sigmas_again[name])


def test_full_rule_gives_every_loss_the_same_mean_and_spread(example):
    gradients, _ = example
    mask = np.ones([3, 1, 6, 1], np.float32)
    target = gradients['discriminator']
    for name in ('sequence', 'spatial'):
        only = balance_gradients(
            gradients, dict(discriminator=0.0, sequence=0.0, spatial=0.0) | {name: 1.0}, mask=mask
        )[0].numpy()
        assert only.mean() == pytest.approx(target.mean(), abs=1e-5)
        assert only.std() == pytest.approx(target.std(), rel=1e-5)


def test_gradient_without_spread_stays_finite():
    mask = np.ones([1, 1, 2, 1], np.float32)
    gradients = dict(discriminator=row(1, 3), sequence=row(0, 0))
    # sigma 0: the quotient's floor times (g - mu) = 0 leaves mu_r: D + .5 * 2.
    np.testing.assert_allclose(balance_gradients(gradients, WEIGHTS, mask=mask)[0], row(2, 4))
    np.testing.assert_allclose(balance_gradients(gradients, WEIGHTS, mask=mask, rule='scale')[0], row(1, 3))
    # An uninformative D as reference switches the others off, all but its mean.
    dead = dict(discriminator=row(2, 2), sequence=row(0, 20))
    np.testing.assert_allclose(balance_gradients(dead, WEIGHTS, mask=mask)[0], row(3, 3))


def test_global_batch_of_two_replicas(example):
    """Halves of the batch on two replicas give the halves of the whole batch's result."""
    gradients, mask = example
    gradients = {name: np.concatenate([g, g[:1] * 3.0]) for name, g in gradients.items()}
    mask = np.concatenate([mask, mask[:1]])
    whole, sigmas = balance_gradients(gradients, WEIGHTS, mask=mask)
    # Not by collectives: the keys of their calls are counted anew by each strategy of a process, and would
    # clash.
    strategy = tf.distribute.MirroredStrategy(
        ['CPU:0', 'CPU:1'], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )

    @tf.function
    def both():
        def replica():
            start = 2 * tf.distribute.get_replica_context().replica_id_in_sync_group

            def cut(x):
                return tf.constant(x)[start : start + 2]

            return balance_gradients({name: cut(g) for name, g in gradients.items()}, WEIGHTS, mask=cut(mask))

        return strategy.run(replica)

    total, replica_sigmas = both()
    parts = strategy.experimental_local_results(total)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5, atol=1e-5)
    for name, sigma in replica_sigmas.items():
        for value in strategy.experimental_local_results(sigma):
            assert float(value) == pytest.approx(float(sigmas[name]), rel=1e-6)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(rule='half'), "'half': expected one of full, scale"),
        (dict(reference='largest'), "'largest': expected one of discriminator, smallest"),
    ],
)
def test_unknown_options(example, options, message):
    gradients, mask = example
    with pytest.raises(ValueError, match=message):
        balance_gradients(gradients, WEIGHTS, mask=mask, **options)


def test_missing_weight_is_named(example):
    gradients, mask = example
    with pytest.raises(ValueError, match='no weight for spatial'):
        balance_gradients(gradients, dict(discriminator=1.0, sequence=1.0), mask=mask)


def test_a_spread_below_epsilon_counts_as_epsilon():
    """D: (1, 3), sigma 1.

    Sequence: (0, 2) / 1000, sigma .001, which counts as .5: twice its distance from its mean, and D's mean,
    times .5.
    """
    gradients, mask = dict(discriminator=row(1, 3), sequence=row(0, 0.002)), np.ones([1, 1, 2, 1], np.float32)
    total = balance_gradients(gradients, WEIGHTS, mask=mask, epsilon=0.5)[0]
    np.testing.assert_allclose(total, row(1 + 0.5 * (2 - 0.002), 3 + 0.5 * (2 + 0.002)), rtol=1e-6)


def test_rebuilding_may_be_the_reference():
    """(2, 6): its mean 4 and spread 2 are what D, (0, 2), is brought to: .5 [2 (g - 1) + 4] = (1, 3)."""
    gradients, weights = (
        dict(reconstruction=row(2, 6), discriminator=row(0, 2)),
        dict(reconstruction=1.0, discriminator=0.5),
    )
    total, sigmas = balance_gradients(
        gradients, weights, mask=np.ones([1, 1, 2, 1], np.float32), reference='reconstruction'
    )
    np.testing.assert_allclose(total, row(3, 9), rtol=1e-6)
    assert {name: float(sigma) for name, sigma in sigmas.items()} == pytest.approx(
        dict(reconstruction=2.0, discriminator=1.0)
    )
    with pytest.raises(
        ValueError, match="no gradient of the reference 'reconstruction' among sequence, spatial"
    ):
        balance_gradients(
            dict(sequence=row(1), spatial=row(2)),
            WEIGHTS,
            mask=np.ones([1, 1, 1, 1], np.float32),
            reference='reconstruction',
        )


def test_gradients_however_small_are_brought_to_one_spread():
    """Per pixel of a whole batch they are: (0, 2) times 1e-9 becomes .5 (1, 3)."""
    gradients, mask = dict(discriminator=row(1, 3), sequence=row(0, 2e-9)), np.ones([1, 1, 2, 1], np.float32)
    np.testing.assert_allclose(balance_gradients(gradients, WEIGHTS, mask=mask)[0], row(1.5, 4.5), rtol=1e-5)
