"""The random numbers of a training."""

import keras
import numpy as np
from doors import IMAGES, array, pair

import kerasgan


def draws(seed, kind="normal"):
    gan = kerasgan.GAN(*pair(), seed=seed)
    return [array(gan.noise(4, kind, 3)) for _ in range(8)]


def test_neighbouring_seeds_have_no_noise_in_common():
    for kind in ("normal", "uniform"):
        every = np.concatenate([array for seed in range(5) for array in draws(seed, kind)])
        assert len(np.unique(every)) == every.size
    np.testing.assert_array_equal(draws(3), draws(3))


class Noted(keras.layers.Layer):
    """Dropout that notes which values it keeps."""

    def __init__(self, seed):
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.kept = []

    def call(self, x, training=False):
        if not training:
            return x
        y = keras.random.dropout(keras.ops.ones_like(x), 0.5, seed=self.seed_generator)
        self.kept.append(array(y) > 0)
        return x * y


def test_dropout_of_neighbouring_seeds_is_independent():
    def kept(seed):
        layer = Noted(seed)
        critic = keras.Sequential(
            [keras.Input((8, 8, 1)), keras.layers.Flatten(), layer, keras.layers.Dense(1)]
        )
        gan = kerasgan.GAN(pair()[0], critic)
        gan.compile(run_eagerly=True)
        gan.fit(IMAGES, batch_size=8, verbose=0)
        return layer.kept

    first, second = kept(0), kept(1)
    assert len(first) == len(second) > 5
    assert not any(np.array_equal(a, b) for a in first for b in second)
