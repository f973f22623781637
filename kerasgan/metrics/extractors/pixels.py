"""Features without a network."""

import math

import numpy as np

from kerasgan import validation
from kerasgan.metrics.extractors.base import Extractor


class Pixels(Extractor):
    """The pixels themselves, in [-1, 1]: `(n, height * width * channels)`."""

    name = "pixels"

    def width(self, image_shape):
        return math.prod(image_shape)

    def extract(self, images):
        return images.reshape(len(images), -1)


class RandomProjection(Extractor):
    """The pixels projected onto fixed random directions.

    The projection preserves distances in the mean (Johnson and Lindenstrauss 1984), and has few
    enough dimensions for covariances. It knows nothing of the content of an image.

    Args:
        dimensions: Number of directions.
        seed: Seed of the directions.
    """

    def __init__(self, dimensions=128, seed=0):
        validation.positive_integer("dimensions", dimensions)
        self.dimensions = dimensions
        self.seed = seed
        self.name = f"random projection (dimensions={dimensions}, seed={seed})"

    def width(self, image_shape):
        return self.dimensions

    def extract(self, images):
        flat = images.reshape(len(images), -1)
        rng = np.random.default_rng(self.seed)
        directions = rng.standard_normal((flat.shape[1], self.dimensions))
        return flat @ (directions / np.sqrt(self.dimensions)).astype("float32")
