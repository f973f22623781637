"""Latent vectors outside training, drawn by NumPy: the same on every machine and backend."""

import numpy as np


def latent_vectors(n, latent_dim, seed):
    """Return `n` rows of N(0, I) of width `latent_dim`, the same on every machine and backend."""
    return np.random.default_rng(seed).standard_normal((n, latent_dim), dtype="float32")


def interpolated_vectors(n, latent_dim, first_seed, last_seed):
    """Return `n` latent vectors on the great circle from one seed's first vector to another's.

    Spherical, not straight: the middle of a chord is shorter than any vector that the generator
    has seen.
    """
    a, b = (latent_vectors(1, latent_dim, seed)[0] for seed in (first_seed, last_seed))
    cosine = np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    t = np.linspace(0.0, 1.0, n, dtype="float32")[:, None]
    if np.sin(angle) < 1e-6:
        return (1 - t) * a + t * b
    return ((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)).astype("float32")
