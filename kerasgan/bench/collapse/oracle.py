"""Oracles: how many modes a generator covers, by means that the detector does not have."""

import numpy as np

from kerasgan.data import to_uint8
from kerasgan.metrics.extractors import GarmentsAndDigits

PRESENT = 0.2  # A mode is covered if it has at least this part of its share of the real images.


class Oracle:
    """Measures the share of the modes that generated images cover.

    Args:
        classify: A callable from images to their modes, integers from 0; -1 for none.
        real: Real images, whose shares of the modes are the expected ones.
    """

    def __init__(self, classify, real):
        self.classify = classify
        counts = np.bincount(classify(real) + 1)[1:]
        self.expected = counts / len(real)

    def __call__(self, images):
        """Return the share of the modes that is covered, from 0 to 1."""
        return self.measure(images)["modes"]

    def measure(self, images):
        """Return what the images show of the modes.

        Returns:
            `{"modes": share, "overlap": share}`: the share of the modes that is covered, and the
            overlap of their shares with those of the real images; each from 0 to 1.
        """
        if not np.isfinite(images).all():
            return {"modes": 0.0, "overlap": 0.0}
        modes = len(self.expected)
        counts = np.bincount(self.classify(images) + 1, minlength=modes + 1)[1 : modes + 1]
        covered = counts >= np.maximum(PRESENT * self.expected * len(images), 1)
        shared = np.minimum(counts / len(images), self.expected)
        return {
            "modes": float(covered[self.expected > 0].mean()),
            "overlap": float(shared.sum()),
        }


def of_mixture(centres, sigma, within=5.0):
    """Return a classifier of points: the nearest centre within `within` standard deviations."""

    def classify(points):
        points = points.reshape(len(points), 2)
        distance = np.linalg.norm(points[:, None] - centres, axis=2)
        return np.where(distance.min(axis=1) < within * sigma, distance.argmin(axis=1), -1)

    return classify


def of_classes(digits):
    """Return a classifier of small grey images.

    Args:
        digits: Whether the modes are digits, and not garments.
    """
    return lambda images: GarmentsAndDigits.classify(np.clip(images, -1, 1), digits=digits)


def of_avatars(images):
    """Return the mode of each avatar of 32 pixels: one of 16 backgrounds with one of 8 skins.

    Both have known colours. The background fills the upper corners, and in 97 of 100 avatars the
    skin shows at the neck.
    """
    # This module needs packages that are not installed everywhere.
    from kerasgan.data.avatar_worker import BACKGROUNDS, SKIN

    images = to_uint8(images)
    corners = images[:, [0, 0], [0, -1]].mean(axis=1)
    neck = images[:, 24, 16].astype("float64")
    return len(SKIN) * _nearest(corners, BACKGROUNDS) + _nearest(neck, SKIN)


def _nearest(colours, names):
    known = np.array([list(bytes.fromhex(name)) for name in names], "float64")
    return np.square(colours[:, None] - known).sum(axis=2).argmin(axis=1)
