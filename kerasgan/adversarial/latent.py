"""Latent vectors: their distributions, and draws outside training.

Those outside training are drawn by NumPy, so that they are the same on every machine and backend.
"""

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Prior:
    """A distribution of latent vectors.

    Args:
        kind: "normal" or "uniform" in [0, 1), the numbers that are drawn.
        scaled: A function of such numbers, arrays or tensors, and of the logarithm for them; it
            returns numbers of the prior.
    """

    kind: str
    scaled: Callable


PRIORS = {
    "normal": Prior("normal", lambda draws, log: draws),
    "uniform": Prior("uniform", lambda draws, log: 2.0 * draws - 1.0),
    # Halfway into the steps of a float32 draw, which may be 0.
    "logistic": Prior("uniform", lambda draws, log: log(draws + 3e-8) - log(1.0 - draws + 3e-8)),
}


def latent_vectors(n, shape, seed, prior="normal"):
    """Return `n` latent vectors `(n, *shape)`, float32."""
    generator = np.random.default_rng(seed)
    draw = generator.standard_normal if PRIORS[prior].kind == "normal" else generator.random
    return PRIORS[prior].scaled(draw((n, *shape), dtype="float32"), np.log)


def labels(n, num_classes, seed):
    """Return `n` class numbers, int32, each as likely as another."""
    return _stream(seed, 1).integers(num_classes, size=n, dtype="int32")


def noise_seeds(n, seed):
    """Return a seed for the noise of each of `n` images, int32."""
    return _stream(seed, 3).integers(2**31, size=n, dtype="int32")


def _stream(seed, number):
    # Apart from that of the latent vectors.
    return np.random.default_rng(None if seed is None else [seed, number])


def interpolated(n, a, b, prior="normal"):
    """Return `n` latent vectors on the way from `a` to `b`, two of one shape.

    The way is a great circle where the prior is normal, since the middle of a chord is shorter than
    any vector that the generator has seen, and else a straight line.
    """
    shape = np.shape(a)
    a, b = np.ravel(a), np.ravel(b)
    t = np.linspace(0.0, 1.0, n, dtype="float32")[:, None]
    cosine = np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    if prior != "normal" or np.sin(angle) < 1e-6:
        found = (1 - t) * a + t * b
    else:
        found = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return found.astype("float32").reshape(n, *shape)
