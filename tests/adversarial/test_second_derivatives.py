"""Penalties on gradients and unrolled steps, through Keras' own normalisation layers."""

import keras
import numpy as np
import pytest
from doors import array
from keras import layers, ops

import kerasgan
from kerasgan import backend, penalties

EPSILON = 1e-3


def normalised(kind, x):
    """Normalise features `(n, d)` in NumPy, as the Keras layers do."""
    n, d = x.shape
    shape, axes = {
        "batch": ((n, d), 0),
        "layer": ((n, d), 1),
        "group": ((n, 2, d // 2), 2),
    }[kind]
    x = x.reshape(shape)
    mean = x.mean(axes, keepdims=True)
    return ((x - mean) / np.sqrt(x.var(axes, keepdims=True) + EPSILON)).reshape(n, d)


LAYERS = {
    "batch": lambda: layers.BatchNormalization(epsilon=EPSILON),
    "layer": lambda: layers.LayerNormalization(epsilon=EPSILON),
    "group": lambda: layers.GroupNormalization(2, epsilon=EPSILON),
}


def difference(fn, x, step):
    """Return the gradient of a scalar function of a float64 array, by central differences."""
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        moved = [x.copy(), x.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        gradient[place] = (fn(moved[0]) - fn(moved[1])) / (2 * step)
    return gradient


@pytest.mark.parametrize("kind", LAYERS)
def test_the_gradient_of_a_penalty_is_that_of_float64(kind):
    generator = np.random.default_rng(0)
    first, last = generator.standard_normal((3, 4)), generator.standard_normal((4, 1))
    x = generator.standard_normal((5, 3))

    def penalty(first):
        def score(x):
            return np.tanh(normalised(kind, x @ first) @ last).sum()

        return 0.5 * (difference(score, x, 1e-5) ** 2).sum() / len(x)

    expected = difference(penalty, first, 1e-4)
    critic = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, use_bias=False),
            LAYERS[kind](),
            layers.Dense(1, "tanh", use_bias=False),
        ]
    )
    critic.layers[0].set_weights([first])
    critic.layers[-1].set_weights([last])
    images = ops.convert_to_tensor(x.astype("float32"))
    _, (found,) = backend.value_and_grad(
        lambda: penalties.zero_centred_penalty(lambda x: critic(x, training=True), images),
        [critic.layers[0].kernel],
    )
    np.testing.assert_allclose(array(found), expected, atol=2e-4 * np.abs(expected).max())


class Written(layers.Layer):
    """Batch normalisation in plain operations."""

    def call(self, x):
        far = x - ops.mean(x, 0, keepdims=True)
        return far / ops.sqrt(ops.mean(ops.square(far), 0, keepdims=True) + EPSILON)


def test_unrolled_steps_through_batch_normalisation():
    def moved(norm):
        keras.utils.set_random_seed(0)
        generator = keras.Sequential(
            [keras.Input((4,)), layers.Dense(16, "tanh"), layers.Reshape((4, 4, 1))]
        )
        critic = keras.Sequential(
            [keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(8), norm, layers.Dense(1)]
        )
        critic.layers[1].set_weights([np.linspace(-1, 1, 128).reshape(16, 8) ** 3, np.zeros(8)])
        gan = kerasgan.UnrolledGAN(generator, critic, unrolled_steps=3, inner="sgd", ema=None)
        gan.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(0.5))
        before = array(generator.layers[0].kernel)
        images = np.random.default_rng(0).uniform(-1, 1, (16, 4, 4, 1)).astype("float32")
        gan.fit(images, batch_size=16, verbose=0)
        return array(generator.layers[0].kernel) - before

    norm = layers.BatchNormalization(epsilon=EPSILON, center=False, scale=False)
    found, expected = moved(norm), moved(Written())
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
