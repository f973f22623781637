"""The kernel distance."""

import math

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks


def kernel_distance(real, generated, block_size=1000, min_blocks=10, seed=0):
    """Return the unbiased squared maximum mean discrepancy, and its standard error.

    The kernel is `(x . y / d + 1)^3`; with Inception features the distance is called KID. Unlike
    the mean of the Fréchet distance, its mean does not depend on the number of samples. For two
    sets of one distribution the mean is zero, so single values may be negative. The distance is the
    mean over disjoint random blocks of samples, and their spread gives the standard error.
    Overlapping blocks, which other implementations use, would understate the error.

    Args:
        real: Matrix `(n, d)`.
        generated: Matrix `(m, d)`.
        block_size: Samples of each set in a block; fewer if there would be fewer than `min_blocks`
            blocks.
        min_blocks: Least number of blocks.
        seed: Seed of the blocks.

    Returns:
        The distance and its standard error.

    Reference: Bińkowski et al. 2018, https://arxiv.org/abs/1801.01401.
    """
    for name, value in (("block_size", block_size), ("min_blocks", min_blocks)):
        validation.positive_integer(name, value)
        if value < 2:
            raise ValueError(f"`{name}` must be at least 2. Received: {name}={value}")
    real, generated = checks.pair(real, generated, at_least=2 * min_blocks)
    fewest = min(len(real), len(generated))
    size = min(block_size, fewest // min_blocks)
    rng = np.random.default_rng(seed)
    rows, others = (rng.permutation(len(x)) for x in (real, generated))
    values = [
        unbiased_discrepancy(real[rows[i : i + size]], generated[others[i : i + size]])
        for i in range(0, fewest - size + 1, size)
    ]
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def unbiased_discrepancy(x, y):
    """Return the unbiased estimate of the squared discrepancy between two blocks."""
    x, y = x.astype("float64"), y.astype("float64")
    within = [(_kernel(a, a).sum() - _diagonal(a).sum()) / (len(a) * (len(a) - 1)) for a in (x, y)]
    return float(sum(within) - 2 * _kernel(x, y).mean())


def _kernel(x, y):
    return _cubed(x @ y.T / x.shape[1] + 1)  # For `x @ x.T` NumPy computes only one half.


def _diagonal(x):
    return _cubed(np.einsum("nd,nd->n", x, x) / x.shape[1] + 1)


def _cubed(x):
    return x * x * x
