"""The Fréchet distance."""

import numpy as np

from kerasgan.metrics import checks


def frechet_distance(real, generated):
    """Return the squared Fréchet distance between Gaussians fitted to two sets of features.

    `|m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2))`; with the features of an Inception network
    it is called FID. It falls with the number of samples, which must be the same in what is
    compared.

    Args:
        real: Matrix `(n, d)`.
        generated: Matrix `(m, d)`.

    Raises:
        MetricError: If either has not more samples than features: its covariance would be
            singular and the distance biased beyond use.

    Reference: Heusel et al. 2017, https://arxiv.org/abs/1706.08500.
    """
    real, generated = checks.pair(real, generated)
    width = real.shape[1]
    for name, x in (("real", real), ("generated", generated)):
        checks.features(name, x, at_least=width + 1)
    (mean_1, cov_1), (mean_2, cov_2) = moments(real), moments(generated)
    # tr (C_1 C_2)^(1/2) is the sum of the roots of the eigenvalues of C_1^(1/2) C_2 C_1^(1/2).
    values, vectors = np.linalg.eigh(cov_1)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    middle = root @ cov_2 @ root
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh((middle + middle.T) / 2), 0)).sum()
    distance = np.sum((mean_1 - mean_2) ** 2) + np.trace(cov_1) + np.trace(cov_2) - 2 * cross
    return max(0.0, float(distance))


def moments(x):
    """Return mean `(d,)` and unbiased covariance `(d, d)` of the rows, in double precision."""
    mean = x.mean(axis=0, dtype="float64")
    total = np.zeros((x.shape[1],) * 2)
    for part in checks.blocks(x, 8192):
        part = part - mean
        total += part.T @ part
    return mean, total / (len(x) - 1)
