"""Multi-scale structural similarity."""

import math

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Of the five scales, finest first.
_WIDTH, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2  # For values in a range of 1.


def mean_ms_ssim(images, pairs=1000, seed=0):
    """Return the mean similarity of random pairs of images, and its standard error.

    A mean above that of as many real images indicates a collapse. A mean below it does not rule out
    a collapse.

    Args:
        images: Integers in 0..255 or floats in [-1, 1], `(n, height, width, channels)` with 1,
            3 or 4 channels.
        pairs: Number of pairs, each of two different images.
        seed: Seed of the pairs.

    Reference: Odena et al. 2017, https://arxiv.org/abs/1610.09585, for the use; `ms_ssim`.
    """
    validation.positive_integer("pairs", pairs)
    images = checks.images("images", images)
    if len(images) < 2:
        raise checks.MetricError(f"`images` must be at least 2. Received: {len(images)}")
    rng = np.random.default_rng(seed)
    first = rng.integers(len(images), size=pairs)
    second = (first + rng.integers(1, len(images), size=pairs)) % len(images)
    values = np.concatenate(
        [
            ms_ssim(images[first[i : i + 100]], images[second[i : i + 100]])
            for i in range(0, pairs, 100)
        ]
    )
    return float(values.mean()), float(values.std() / math.sqrt(pairs))


def ms_ssim(first, second):
    """Return the multi-scale structural similarity of each pair of images, `(n,)`.

    The windows are Gaussian, 11 pixels wide, with a standard deviation of 1.5. Each scale is half
    the size of the last, by averages of 2x2 pixels. If the coarsest of the paper's five scales
    would be smaller than the window, fewer scales are used, with weights of the same sum. Negative
    factors count as zero.

    Args:
        first: Images as in `mean_ms_ssim`, at least 11 pixels high and wide.
        second: As many of the same shape.

    Reference: Wang, Simoncelli and Bovik 2003, doi:10.1109/ACSSC.2003.1292216.
    """
    x, y = checks.images("first", first), checks.images("second", second)
    if x.shape != y.shape:
        raise checks.MetricError(
            f"`first` and `second` must have one shape. Received: {x.shape} and {y.shape}"
        )
    weights = scale_weights(*x.shape[1:3])
    x, y = (x + 1) / 2, (y + 1) / 2
    result = np.ones(x.shape[0::3], "float64")  # (n, channels)
    for scale, weight in enumerate(weights):
        similarity, contrast = _ssim(x, y)
        last = scale == len(weights) - 1
        result *= np.maximum(similarity if last else contrast, 0) ** weight
        if not last:
            x, y = _halved(x), _halved(y)
    return result.mean(axis=1)


def scale_weights(height, width):
    """Return the weights of the scales that images of this size have.

    Raises:
        MetricError: If the images are smaller than the window.
    """
    side = min(height, width)
    if side < _WIDTH:
        raise checks.MetricError(
            f"images must be at least {_WIDTH} pixels high and wide. Received: {height}x{width}"
        )
    count = min(len(WEIGHTS), int(math.log2(side / _WIDTH)) + 1)
    chosen = np.array(WEIGHTS[:count])
    return chosen / chosen.sum()


def _ssim(x, y):
    """Return the mean similarity, and the mean contrast and structure, each `(n, channels)`."""
    mean_x, mean_y = _blurred(x), _blurred(y)
    both, squares = _blurred(x * y), _blurred(x * x + y * y)
    product, power = mean_x * mean_y, mean_x**2 + mean_y**2
    contrast = (2 * (both - product) + _C2) / (squares - power + _C2)
    similarity = contrast * (2 * product + _C1) / (power + _C1)
    return similarity.mean(axis=(1, 2)), contrast.mean(axis=(1, 2))


def _blurred(x):
    """Return the Gaussian means of all windows inside the image."""
    offsets = np.arange(_WIDTH) - _WIDTH // 2
    window = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    window /= window.sum()
    rows = x.shape[1] - _WIDTH + 1
    x = sum(w * x[:, i : i + rows] for i, w in enumerate(window.astype("float32")))
    columns = x.shape[2] - _WIDTH + 1
    return sum(w * x[:, :, i : i + columns] for i, w in enumerate(window.astype("float32")))


def _halved(x):
    n, height, width, channels = x.shape
    x = np.pad(x, [(0, 0), (0, height % 2), (0, width % 2), (0, 0)], mode="symmetric")
    return x.reshape(n, (height + 1) // 2, 2, (width + 1) // 2, 2, channels).mean(axis=(2, 4))
