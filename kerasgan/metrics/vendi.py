"""The Vendi score."""

import numpy as np

from kerasgan.metrics import checks


def vendi_score(features):
    """Return the effective number of different samples, from 1 (all alike) to n.

    It is the exponential of the entropy of the eigenvalues of K, the matrix of cosine similarities
    divided by n. The score does not involve real samples; compare it with that of as many real
    samples.

    Args:
        features: Matrix `(n, d)`. A row of zeros has no direction; it counts as equal to other rows
            of zeros and as different from all others.

    Reference: Friedman and Dieng 2023, https://arxiv.org/abs/2210.02410.
    """
    x = checks.features("features", features, at_least=1)
    n, width = x.shape
    norms = np.sqrt(np.einsum("nd,nd->n", x, x, dtype="float64"))
    zeros = int(np.count_nonzero(norms == 0))
    factor = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    unit = x.astype("float32", copy=False) * factor[:, None].astype("float32")
    # Both products have the same eigenvalues except for zeros; the smaller one is computed.
    if width < n:
        product = np.zeros((width, width))
        for part in checks.blocks(unit, 8192):
            product += part.T @ part
    else:
        product = (unit @ unit.T).astype("float64")
    # Single precision takes half the time and leaves six digits of the score.
    found = np.linalg.eigvalsh((product / n).astype("float32")).astype("float64")
    values = np.append(found, zeros / n)
    values = values[values > 1e-7]
    return float(np.exp(-np.sum(values * np.log(values))))
