"""Features without a network."""

import numpy as np

from kerasgan import validation
from kerasgan.metrics.extractors.base import Extractor


class Pixels(Extractor):
    """The pixels themselves, in [-1, 1]: `(n, height * width * channels)`."""

    name = "pixels"

    def extract(self, images):
        return images.reshape(len(images), -1)


class RandomProjection(Extractor):
    """Fixed random directions in the space of pixels.

    They keep distances in the mean (Johnson and Lindenstrauss 1984), and are few enough for
    covariances. They know nothing of what an image shows.

    Args:
        dimensions: Number of directions.
        seed: Their seed.
    """

    def __init__(self, dimensions=128, seed=0):
        validation.positive_integer("dimensions", dimensions)
        self.dimensions = dimensions
        self.seed = seed
        self.name = f"random projection (dimensions={dimensions}, seed={seed})"

    def extract(self, images):
        flat = images.reshape(len(images), -1)
        rng = np.random.default_rng(self.seed)
        directions = rng.standard_normal((flat.shape[1], self.dimensions))
        return flat @ (directions / np.sqrt(self.dimensions)).astype("float32")
