"""Mixtures of Gaussians in the plane, as images of one pixel with two channels."""

import keras
import numpy as np

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
    """Return a plain generator and critic of points: LeakyReLU, He's initial weights."""

    def hidden(x, norm=None):
        for _ in range(depth):
            x = keras.layers.Dense(width, kernel_initializer="he_normal")(x)
            if norm == "batch":
                x = keras.layers.BatchNormalization(momentum=0.9)(x)
            x = keras.layers.LeakyReLU(0.2)(x)
        return x

    z = keras.Input((latent_dim,))
    points = keras.layers.Reshape(SHAPE)(keras.layers.Dense(2)(hidden(z)))
    packed = keras.Input((*SHAPE[:2], packing * SHAPE[2]))
    scores = keras.layers.Dense(1)(hidden(keras.layers.Flatten()(packed), critic_norm))
    return keras.Model(z, points), keras.Model(packed, scores)
