"""Mixtures of Gaussians in the plane, as images of one pixel with two channels."""

import keras
import numpy as np

from kerasgan.layers import MinibatchDiscrimination, SpectralDense

# Inside [-1, 1], where images live.
SHAPE = (1, 1, 2)


def ring(modes=8, radius=0.7):
    """Return centres `(modes, 2)` on a circle; the angle 2 pi is that of 0 and not one more."""
    angles = 2 * np.pi * np.arange(modes) / modes
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def grid(side=5, reach=0.8):
    """Return centres `(side ** 2, 2)` on a square grid."""
    places = np.linspace(-reach, reach, side)
    return np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)


def draw(centres, sigma, n, seed):
    """Return `n` points of the mixture and the mode of each; `(n, 1, 1, 2)` and `(n,)`."""
    rng = np.random.default_rng(seed)
    modes = rng.integers(len(centres), size=n)
    points = centres[modes] + sigma * rng.standard_normal((n, 2))
    return np.clip(points, -1, 1).astype("float32").reshape(n, *SHAPE), modes


def networks(latent_dim=16, width=128, depth=2, packing=1, critic_norm=None):
    """Return a plain generator and critic of points."""
    return generator(latent_dim, width, depth), critic(width, depth, packing, critic_norm)


def generator(latent_dim, width, depth, slope=0.2, scale=1.0):
    """Return a network from latent vectors to points, without a squashing output.

    Args:
        latent_dim: Length of a latent vector.
        width: Units of a hidden layer.
        depth: Hidden layers.
        slope: Of LeakyReLU; 0 is ReLU.
        scale: What a point is divided by at the end.
    """
    z = x = keras.Input((latent_dim,))
    for _ in range(depth):
        x = keras.layers.Dense(width, kernel_initializer="he_normal")(x)
        x = keras.layers.LeakyReLU(slope)(x)
    x = keras.layers.Reshape(SHAPE)(keras.layers.Dense(2)(x))
    return keras.Model(z, keras.layers.Rescaling(1 / scale)(x))


def critic(width, depth, packing=1, norm=None, scale=1.0, minibatch=None):
    """Return a network from points, so many packed together, to a score.

    Args:
        width: Units of a hidden layer.
        depth: Hidden layers.
        packing: Points that it judges at once.
        norm: "batch", "spectral" or None.
        scale: What a point is multiplied with before anything else.
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
