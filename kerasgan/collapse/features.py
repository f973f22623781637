"""What the collapse guard sees of an image: features that are made from the real images alone."""

import numpy as np

from kerasgan.data import from_uint8
from kerasgan.metrics import checks, frechet

MAX_VALUES = 1024  # In an image after it is shrunk, for `Layout`,
SIDE = 32  # For `Surface` an image is shrunk by a whole number, so that no side is below this.
LAYOUT = 32  # Principal components.
SURFACE = 64
SMALLEST = 16  # Side of an image with a surface.
COLOURS = 256  # Bins of a colour histogram, at most,
BINS = 16  # and along a channel.
FILTERS = 128
PATCH = 6  # Side of the patches, in pixels,
STRIDE = 2  # and between two of them.
PATCHES = 50_000  # To learn the filters from.
ROUNDS = 10  # Of learning.
EVEN = 0.01  # Added to the variance of a patch, so that the noise of an even patch stays small.
FLOOR = 0.1  # Added to the variances that whitening divides by.
QUIET = 0.25  # Answers of a filter up to this size count as none.
SCALES = 3  # Of fine structure.
BLOCK = 64  # Images that are floats at a time.


class Chosen:
    """Some of the images of an array or a memory map, of which no more than a slice is read.

    Args:
        images: `(n, height, width, channels)`.
        rows: Indices of images.
    """

    def __init__(self, images, rows):
        self.images = images
        self.rows = rows
        self.shape = (len(rows), *images.shape[1:])

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, part):
        return np.asarray(self.images[self.rows[part]])


class Layout:
    """Where the light and dark parts of an image are: principal components of shrunken pixels.

    Args:
        real: Real images `(n, height, width, channels)`, uint8 or floats in [-1, 1], or `Chosen`.

    Attributes:
        real: The features of the real images.
    """

    def __init__(self, real):
        found = self._shrunk(real)
        self.mean, covariance = frechet.moments(found)
        self.directions = np.linalg.eigh(covariance)[1][:, ::-1][:, :LAYOUT]
        self.real = self._project(found)

    def __call__(self, images):
        """Return the features `(n, 32)` of images, or fewer for images of fewer values."""
        return self._project(self._shrunk(images))

    def _project(self, found):
        return ((found - self.mean) @ self.directions).astype("float32")

    @staticmethod
    def _shrunk(images):
        height, width, channels = images.shape[1:]
        side = 1
        while -(-height // side) * -(-width // side) * channels > MAX_VALUES and side < height:
            side += 1
        parts = [_means(some, side) for some in checks.blocks(images, BLOCK)]
        return np.concatenate([x.reshape(len(x), -1) for x in parts])


class Surface:
    """What colours and textures an image has, wherever they are.

    It joins a histogram of the colours with the mean answers of filters to small patches. The
    filters are learned from patches of the real images, by k-means of their directions. The
    principal components of both are half whitened, so that rare colours and textures count.

    Args:
        real: Real images `(n, height, width, channels)`, uint8 or floats in [-1, 1], or `Chosen`.
        seed: Seed of the choice of patches and of the first filters.

    Attributes:
        real: The features of the real images.

    Reference: Coates and Ng 2012, Learning Feature Representations with K-means.
    """

    def __init__(self, real, seed=0):
        self._learn(real, np.random.default_rng(seed))
        parts = self._parts(real)
        self.means = [part.mean(axis=0) for part in parts]
        pairs = zip(parts, self.means, strict=True)
        # Colours and textures weigh the same.
        self.scales = [max(np.sqrt(np.square(x - m).sum(axis=1).mean()), 1e-6) for x, m in pairs]
        joined = self._joined(parts)
        values, vectors = np.linalg.eigh(frechet.moments(joined)[1])
        values, vectors = values[::-1][:SURFACE], vectors[:, ::-1][:, :SURFACE]
        kept = values > 1e-6 * values[0]
        self.directions = vectors[:, kept] / np.sqrt(np.sqrt(values[kept]))
        self.real = self._project(joined)

    def __call__(self, images):
        """Return the features `(n, 64)` of images, or fewer where there are fewer directions."""
        return self._project(self._joined(self._parts(images)))

    def _project(self, joined):
        return (joined @ self.directions).astype("float32")

    def _joined(self, parts):
        triples = zip(parts, self.means, self.scales, strict=True)
        return np.concatenate([(x - mean) / scale for x, mean, scale in triples], axis=1)

    def _parts(self, images):
        colours, textures = [], []
        for some in checks.blocks(images, BLOCK):
            small = _small(some)
            colours.append(_histograms(small))
            textures.append(self._answers(small))
        return np.sqrt(np.concatenate(colours)), np.sqrt(np.concatenate(textures))

    def _learn(self, real, rng):
        """Learn the filters from patches of the real images."""
        patches = []
        for some in checks.blocks(real, BLOCK):
            found = _patches(_small(some))
            found = found.reshape(-1, found.shape[-1])
            patches.append(found[rng.integers(len(found), size=len(some) * PATCHES // len(real))])
        patches = _evened(np.concatenate(patches))
        self.centre = patches.mean(axis=0)
        values, vectors = np.linalg.eigh(frechet.moments(patches)[1])
        whiten = (vectors / np.sqrt(values + FLOOR)) @ vectors.T
        points = ((patches - self.centre) @ whiten).astype("float32")
        points /= np.linalg.norm(points, axis=1, keepdims=True) + 1e-6
        filters = rng.standard_normal((FILTERS, points.shape[1])).astype("float32")
        filters /= np.linalg.norm(filters, axis=1, keepdims=True)
        for _ in range(ROUNDS):
            answers = points @ filters.T
            nearest = np.abs(answers).argmax(axis=1)
            own = np.take_along_axis(answers, nearest[:, None], axis=1)
            sums = np.zeros_like(filters)
            np.add.at(sums, nearest, own * points)
            sizes = np.linalg.norm(sums, axis=1, keepdims=True)
            # A filter that is nearest to no patch stays what it is.
            filters = np.where(sizes > 1e-3, sums / np.maximum(sizes, 1e-3), filters)
        self.filters = (whiten @ filters.T).astype("float32")

    def _answers(self, images):
        """Return how strongly an image answers to each filter and to its opposite, in the mean."""
        answers = (_evened(_patches(images)) - self.centre) @ self.filters
        answers = answers.reshape(len(images), -1, FILTERS)
        signs = [np.maximum(sign * answers - QUIET, 0).mean(axis=1) for sign in (1, -1)]
        return np.concatenate(signs, axis=1)


def detail(images):
    """Return how much fine structure images have, at each of three scales, `(3,)`.

    It is the mean square of the differences between pixels and the mean of their four neighbours,
    in the image and in the image shrunk to a half and to a quarter.

    Args:
        images: At least 16 x 16 pixels, uint8 or floats in [-1, 1], or `Chosen`.
    """
    sums = np.zeros(SCALES)
    for some in checks.blocks(images, BLOCK):
        for scale in range(SCALES):
            x = _by_squares(some, 2**scale)
            around = x[:, 2:, 1:-1] + x[:, :-2, 1:-1] + x[:, 1:-1, 2:] + x[:, 1:-1, :-2]
            away = (x[:, 1:-1, 1:-1] - around / 4).ravel()
            sums[scale] += len(x) * float(away @ away) / len(away)
    return sums / len(images)


def has_surface(image_shape):
    """Return whether images `(height, width, channels)` are large enough for `Surface`."""
    return min(image_shape[:2]) >= SMALLEST and image_shape[2] <= 4


def _floats(images):
    images = np.asarray(images)
    return from_uint8(images) if images.dtype == np.uint8 else images.astype("float32")


def _means(images, side):
    """Return images as floats in [-1, 1], shrunk by means over squares of `side` pixels.

    Squares at the lower and right edge may hold fewer pixels; their means are closer to 0.
    """
    x = _floats(images)
    if side > 1:
        x = np.add.reduceat(x, np.arange(0, x.shape[1], side), axis=1)
        x = np.add.reduceat(x, np.arange(0, x.shape[2], side), axis=2)
        x = x / side**2
    return x


def _by_squares(images, side):
    """Return images as floats, shrunk by means over whole squares of `side` pixels."""
    height, width = (size // side * side for size in images.shape[1:3])
    x = _floats(images[:, :height, :width])
    if side > 1:
        x = sum(x[:, i::side] for i in range(side))
        x = sum(x[:, :, i::side] for i in range(side)) / side**2
    return x


def _small(images):
    return _by_squares(images, max(1, min(images.shape[1:3]) // SIDE))


def _histograms(images):
    """Return the share of the pixels in each bin of their colours, `(n, bins)`."""
    n, _, _, channels = images.shape
    bins = min(BINS, int(COLOURS ** (1 / channels) + 1e-9))
    digits = np.clip(((images + 1) / 2 * bins).astype("int32"), 0, bins - 1)
    colours = digits.reshape(n, -1, channels) @ bins ** np.arange(channels)
    rows = np.arange(n)[:, None] * bins**channels
    counts = np.bincount((colours + rows).ravel(), minlength=n * bins**channels)
    return counts.reshape(n, -1).astype("float32") / colours.shape[1]


def _patches(images):
    windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), (1, 2))
    windows = windows[:, ::STRIDE, ::STRIDE]
    return windows.reshape(*windows.shape[:3], -1)


def _evened(patches):
    """Return patches without their mean colour, and of about equal contrast."""
    patches = patches - patches.mean(axis=-1, keepdims=True)
    return patches / np.sqrt(patches.var(axis=-1, keepdims=True) + EVEN)
