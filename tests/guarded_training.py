"""A small training that is healthy from the start, and callbacks that spoil it."""

import io

import keras
import numpy as np

import kerasgan
from kerasgan.callbacks import CollapseGuard

LATENT = 6


def healthy(seed=0, kind=kerasgan.GAN, **arguments):
    """Return a GAN and real images that its generator generates already, so that it is healthy."""
    keras.utils.set_random_seed(seed)
    pair = kerasgan.networks.mlp(image_size=8, channels=1, latent_dim=LATENT, width=16, depth=1)
    gan = kind(*pair, seed=seed, **{"ema": 0.5, **arguments})
    gan.compile(keras.optimizers.SGD(1e-6, momentum=0.5), keras.optimizers.SGD(1e-6, momentum=0.5))
    return gan, gan.sample(600, seed=5)


class Sabotage(keras.callbacks.Callback):
    """Breaks the generator at the start of some epochs."""

    def __init__(self, epochs, value=0.0):
        super().__init__()
        self.epochs, self.value = epochs, value

    def on_epoch_begin(self, epoch, logs=None):
        if epoch in self.epochs:
            for network in (self.model.generator, self.model.ema_generator):
                kernel = network.layers[-3].kernel
                kernel.assign(np.full(kernel.shape, self.value, "float32"))


class Noise(keras.callbacks.Callback):
    """Makes the generator a little worse from an epoch on."""

    def __init__(self, epoch, by):
        super().__init__()
        self.epoch, self.by = epoch, by

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            for network in (self.model.generator, self.model.ema_generator):
                kernel = network.layers[-3].kernel
                noise = np.random.default_rng(0).normal(0, self.by, kernel.shape)
                kernel.assign(keras.ops.convert_to_numpy(kernel) + noise)


def fit(gan, real, guard, epochs=8, others=(), **arguments):
    return gan.fit(
        real, batch_size=60, epochs=epochs, verbose=0, callbacks=[*others, guard], **arguments
    )


def guarded(policy="rescue", **arguments):
    return CollapseGuard(
        policy, **{"every": 10, "samples": 200, "stream": io.StringIO(), **arguments}
    )
