"""Optimizers that accumulate gradients over several steps."""

import keras
import numpy as np
import pytest
from doors import IMAGES, array, pair

import kerasgan


def trained(steps, epochs, **arguments):
    keras.utils.set_random_seed(1)
    gan = kerasgan.GAN(*pair(), **arguments)
    optimizers = [keras.optimizers.SGD(0.05, gradient_accumulation_steps=steps) for _ in range(2)]
    gan.compile(*optimizers)
    weights = []
    for _ in range(epochs):
        history = gan.fit(IMAGES[:8], batch_size=8, verbose=0).history
        assert np.isfinite(history["loss"]).all()
        weights.append(array(gan.critic.trainable_variables[0]))
    return gan, weights


@pytest.mark.parametrize("steps", [None, 2, 3])
def test_the_mean_of_past_weights_counts_updates(steps):
    gan, weights = trained(steps, 6, historical_averaging=0.1)
    updates = weights[(steps or 1) - 1 :: steps or 1]  # The weights after each update.
    mean = array(gan._past["critic"][0])
    np.testing.assert_allclose(mean, np.mean(updates, axis=0), atol=1e-6)


def test_the_moving_average_follows_updates():
    before, _ = trained(3, 2, ema=0.5)  # No update yet.
    start = array(before.generator.trainable_variables[0])
    np.testing.assert_array_equal(array(before.ema_generator.variables[0]), start)
    after, _ = trained(3, 4, ema=0.5)  # One update, in the third step.
    decay = 2 / 11  # See `ema_decay`.
    expected = decay * start + (1 - decay) * array(after.generator.trainable_variables[0])
    np.testing.assert_allclose(array(after.ema_generator.variables[0]), expected, atol=1e-6)
