"""Mixtures of Gaussians in the plane, as images of one pixel with two channels."""

import keras
import numpy as np

from kerasgan.layers import MinibatchDiscrimination, SpectralDense

# The points lie in [-1, 1], as the values of images do.
SHAPE = (1, 1, 2)


def ring(modes=8, radius=0.7):
    """Return centres `(modes, 2)`, evenly spaced on a circle of a given radius."""
    angles = 2 * np.pi * np.arange(modes) / modes
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def grid(side=5, reach=0.8):
    """Return centres `(side ** 2, 2)` on a square grid from -`reach` to `reach`."""
    places = np.linspace(-reach, reach, side)
    return np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)


def sample(centres, sigma, n, seed):
    """Return `n` points of a mixture with equal shares, and the mode of each.

    Args:
        centres: Centres `(modes, 2)`.
        sigma: Standard deviation of every mode.
        n: How many points.
        seed: Seed of the points.

    Returns:
        Points `(n, 1, 1, 2)`, clipped to [-1, 1], and modes `(n,)`.
    """
    rng = np.random.default_rng(seed)
    modes = rng.integers(len(centres), size=n)
    points = centres[modes] + sigma * rng.standard_normal((n, 2))
    return np.clip(points, -1, 1).astype("float32").reshape(n, *SHAPE), modes


def networks(latent_dim=16, width=128, depth=2, packing=1, critic_norm=None):
    """Return a generator and a critic of points; see `generator` and `critic`."""
    return generator(latent_dim, width, depth), critic(width, depth, packing, critic_norm)


def generator(latent_dim, width, depth, slope=0.2, scale=1.0):
    """Return a network from latent vectors to points, with a linear output.

    Args:
        latent_dim: Length of a latent vector.
        width: Units of a hidden layer.
        depth: Number of hidden layers.
        slope: Slope of LeakyReLU for negative values; 0 is ReLU.
        scale: Number that the output is divided by.
    """
    z = x = keras.Input((latent_dim,))
    for _ in range(depth):
        x = keras.layers.Dense(width, kernel_initializer="he_normal")(x)
        x = keras.layers.LeakyReLU(slope)(x)
    x = keras.layers.Reshape(SHAPE)(keras.layers.Dense(2)(x))
    return keras.Model(z, keras.layers.Rescaling(1 / scale)(x))


def critic(width, depth, packing=1, norm=None, scale=1.0, minibatch=None):
    """Return a network from packed points to one score.

    Args:
        width: Units of a hidden layer.
        depth: Number of hidden layers.
        packing: Points that one score is given for, stacked along the channels.
        norm: "batch", "spectral" or None.
        scale: Number that the input is multiplied by.
        minibatch: Kernels of a minibatch discrimination after the last hidden layer, or None.
    """
    dense = SpectralDense if norm == "spectral" else keras.layers.Dense
    points = keras.Input((*SHAPE[:2], packing * SHAPE[2]))
    x = keras.layers.Flatten()(keras.layers.Rescaling(scale)(points))
    for _ in range(depth):
        x = dense(width, kernel_initializer="he_normal")(x)
        if norm == "batch":
            x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.LeakyReLU(0.2)(x)
    if minibatch:
        x = MinibatchDiscrimination(minibatch)(x)
    return keras.Model(points, dense(1)(x))
