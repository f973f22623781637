"""The Vendi score."""

import numpy as np

from kerasgan.metrics import checks


def vendi_score(features):
    """Return the effective number of different samples: exp of the entropy of K's eigenvalues.

    K is the matrix of cosine similarities, over n. From 1 (all alike) to n. One set is measured,
    and no real one; compare it with the score of as many real samples.

    Args:
        features: Matrix `(n, d)`. A row of zeros, which has no direction, is like other rows of
            zeros and unlike the rest.

    Reference: Friedman and Dieng 2023, https://arxiv.org/abs/2210.02410.
    """
    x = checks.features("features", features, at_least=1)
    n, width = x.shape
    norms = np.sqrt(np.einsum("nd,nd->n", x, x, dtype="float64"))
    zeros = int(np.count_nonzero(norms == 0))
    factor = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    unit = x.astype("float32", copy=False) * factor[:, None].astype("float32")
    # The smaller of the two products has the same eigenvalues but for zeros.
    if width < n:
        product = np.zeros((width, width))
        for part in checks.blocks(unit, 8192):
            product += part.T @ part
    else:
        product = (unit @ unit.T).astype("float64")
    # Half the digits take half the time, and leave six of the score.
    found = np.linalg.eigvalsh((product / n).astype("float32")).astype("float64")
    values = np.append(found, zeros / n)
    values = values[values > 1e-7]
    return float(np.exp(-np.sum(values * np.log(values))))
