"""Latent vectors: their distributions, and draws outside training.

Those outside training are drawn by NumPy: the same on every machine and backend.
"""

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Prior:
    """A distribution of latent vectors.

    Args:
        kind: "normal" or "uniform" in [0, 1), what is drawn.
        scaled: A function of such draws, arrays or tensors, and of the logarithm that takes them;
            it returns the prior's.
    """

    kind: str
    scaled: Callable


PRIORS = {
    "normal": Prior("normal", lambda draws, log: draws),
    "uniform": Prior("uniform", lambda draws, log: 2.0 * draws - 1.0),
    # Halfway into the steps of a float32 draw, which may be 0.
    "logistic": Prior("uniform", lambda draws, log: log(draws + 3e-8) - log(1.0 - draws + 3e-8)),
}


def latent_vectors(n, latent_dim, seed, prior="normal"):
    """Return `n` latent vectors of width `latent_dim`, float32."""
    generator = np.random.default_rng(seed)
    draw = generator.standard_normal if PRIORS[prior].kind == "normal" else generator.random
    return PRIORS[prior].scaled(draw((n, latent_dim), dtype="float32"), np.log)


def labels(n, num_classes, seed):
    """Return `n` class numbers, int32, each as likely as another."""
    stream = None if seed is None else [seed, 1]  # Apart from that of the latent vectors.
    return np.random.default_rng(stream).integers(num_classes, size=n, dtype="int32")


def interpolated_vectors(n, a, b, prior="normal"):
    """Return `n` latent vectors on the way from `a` to `b`, two of shape `(latent_dim,)`.

    A great circle where the prior is normal: the middle of a chord is shorter than any vector that
    the generator has seen. A straight line in the cube of the uniform one.
    """
    t = np.linspace(0.0, 1.0, n, dtype="float32")[:, None]
    cosine = np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    if prior != "normal" or np.sin(angle) < 1e-6:
        return (1 - t) * a + t * b
    return ((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)).astype("float32")
