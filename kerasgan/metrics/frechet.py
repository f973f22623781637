"""The Fréchet distance."""

import numpy as np

from kerasgan.metrics import checks


def frechet_distance(real, generated):
    """Return the squared Fréchet distance between Gaussians fitted to two sets of features.

    It is `|m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2))`. With the features of an Inception
    network it is called FID. It falls with the number of samples, so compare only distances of the
    same number of samples.

    Args:
        real: Matrix `(n, d)`.
        generated: Matrix `(m, d)`.

    Raises:
        MetricError: If a set does not have more samples than features. Its covariance would be
            singular and the distance too biased to use.

    Reference: Heusel et al. 2017, https://arxiv.org/abs/1706.08500.
    """
    return Gaussian(real).distance(generated)


class Gaussian:
    """A Gaussian fitted to real features, which measures any number of distances to it.

    Args:
        real: See `frechet_distance`.
    """

    def __init__(self, real):
        real = checks.real(real)
        checks.features("real", real, at_least=real.shape[1] + 1)
        self.mean, self.covariance = moments(real)
        values, vectors = np.linalg.eigh(self.covariance)
        self.root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T

    def distance(self, generated):
        """Return `frechet_distance` to generated features."""
        width = len(self.mean)
        mean, covariance = moments(checks.generated(generated, width, at_least=width + 1))
        # tr (C_1 C_2)^(1/2) is the sum of the roots of the eigenvalues of C_1^(1/2) C_2 C_1^(1/2).
        middle = self.root @ covariance @ self.root
        cross = np.sqrt(np.maximum(np.linalg.eigvalsh((middle + middle.T) / 2), 0)).sum()
        traces = np.trace(self.covariance) + np.trace(covariance)
        return max(0.0, float(np.sum((self.mean - mean) ** 2) + traces - 2 * cross))


def moments(x):
    """Return mean `(d,)` and unbiased covariance `(d, d)` of the rows, in double precision."""
    mean = x.mean(axis=0, dtype="float64")
    total = np.zeros((x.shape[1],) * 2)
    for part in checks.blocks(x, 8192):
        part = part - mean
        total += part.T @ part
    return mean, total / (len(x) - 1)
