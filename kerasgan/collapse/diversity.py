"""How much of the real data a generator produces, in a few numbers that are cheap to compute."""

import dataclasses

import numpy as np

from kerasgan import validation
from kerasgan.data import from_uint8
from kerasgan.metrics import checks, clusters, divergences, frechet, vendi
from kerasgan.metrics.prdc import Neighbourhoods

MAX_VALUES = 1024  # In an image after it is shrunk.
COMPONENTS = 32
CELLS = 50
REFERENCE = 5000  # Real images behind the components and the cells.
EXEMPLARS = 5  # Real images that are shown for a cell.
PRESENT = 0.2  # A cell counts as filled if it has at least this fraction of its real share.


@dataclasses.dataclass(frozen=True)
class Measurement:
    """How much of the real data a set of generated images shows.

    `diversity`, `cells`, `coverage`, `vendi` and `spread` are divided by what held-out real images
    score, so that 1 is as good as real images.

    Args:
        diversity: Overlap of the histograms of generated and real images over the cells,
            `sum min(p, q)`.
        cells: Share of the cells that hold at least a fifth of their share of the real images.
        coverage: Share of the real images with a generated image as near as their fifth real
            neighbour. Reference: Naeem et al. 2020, https://arxiv.org/abs/2002.09797.
        vendi: Vendi score of the features: the effective number of directions that they fill.
            Reference: Friedman and Dieng 2022, https://arxiv.org/abs/2210.02410.
        spread: Variance of the features.
        js: Jensen-Shannon divergence between the histograms, in nats, minus that of held-out real
            images; 0 at best.
        finite: Whether all images were finite.
        shares: The share of the generated images in each cell, `(cells,)`.
    """

    diversity: float
    cells: float
    coverage: float
    vendi: float
    spread: float
    js: float
    finite: bool = True
    shares: tuple = ()


# What images with NaN or infinite values score.
BROKEN = Measurement(0.0, 0.0, 0.0, 0.0, 0.0, float(np.log(2)), finite=False)


class DiversityMetric:
    """Measures how much of the real data's variety generated images show.

    It shrinks images by averaging until they have at most 1,024 values and projects them on the
    first 32 principal components of the real images. There, k-means divides the real images into
    50 cells. The metric uses no network and no labels. It runs in NumPy, so the same images give
    the same result on every backend.

    Args:
        images: At least 40 real images `(n, height, width, channels)`, uint8 or floats in
            [-1, 1]. Of an array or a memory map a random part is read.
        samples: Number of generated images in a measurement, and of held-out real images. It is at
            most a third of the real images.
        cells: Number of cells, at most a tenth of the real images that are divided.
        seed: Seed of the choice of real images and of k-means.

    Attributes:
        samples: Number of images that `measure` expects.
        real_shares: The share of the real images in each cell, `(cells,)`.
        exemplars: For each cell the real images nearest to its centre, an array `(k, height,
            width, channels)` with k up to 5. No other real image is kept.

    Raises:
        MetricError: If there are fewer than 40 images, or all are equal.
    """

    def __init__(self, images, samples=1000, cells=CELLS, seed=0):
        validation.positive_integer("samples", samples)
        validation.positive_integer("cells", cells)
        if len(images) < 40:
            raise checks.MetricError(
                "there must be at least 40 real images to tell a collapse from chance. "
                f"Received: {len(images)}"
            )
        self.samples = min(samples, len(images) // 3)
        order = np.random.default_rng(seed).permutation(len(images))
        held_out, reference = np.split(order[: self.samples + REFERENCE], [self.samples])
        shrunk = _shrunk(images, np.sort(reference))
        self.mean, covariance = frechet.moments(shrunk)
        self.directions = np.linalg.eigh(covariance)[1][:, ::-1][:, :COMPONENTS]
        features = self._project(shrunk)
        self._cells = clusters.Cells(features, min(cells, max(2, len(features) // 10)), seed)
        self.real_shares = self._cells.counts / len(features)
        near = np.random.default_rng(seed).permutation(len(features))[: self.samples]
        self._neighbourhoods = Neighbourhoods(features[near])
        self._held_out = self._measure(self._project(_shrunk(images, np.sort(held_out))))
        cell_of, squares = clusters.assign(features, self._cells.centres)
        self.exemplars = []
        for cell in range(len(self.real_shares)):
            members = np.flatnonzero(cell_of == cell)
            nearest = members[np.argsort(squares[members], kind="stable")][:EXEMPLARS]
            self.exemplars.append(np.asarray(images[np.sort(reference)[nearest]]))

    def measure(self, images):
        """Return the `Measurement` of images `(n, height, width, channels)` in [-1, 1]."""
        if not np.isfinite(images).all():
            return BROKEN
        found = self._measure(self._features(images))
        return Measurement(
            **{
                name: found[name] / self._held_out[name]
                for name in ("diversity", "cells", "coverage", "vendi", "spread")
            },
            js=max(0.0, found["js"] - self._held_out["js"]),
            shares=tuple(found["shares"].tolist()),
        )

    def lost(self, measurement):
        """Return the cells that are (nearly) empty in a `Measurement`, the largest loss first."""
        loss = self.real_shares - np.asarray(measurement.shares)
        missing = np.asarray(measurement.shares) < PRESENT * self.real_shares
        return [int(cell) for cell in np.argsort(-loss) if missing[cell]]

    def nearest(self, cells, images):
        """Return for each of the given cells the index of the image nearest to its centre."""
        return clusters.assign(self._cells.centres[cells], self._features(images))[0].tolist()

    def _measure(self, features):
        counts = self._cells.count(features)
        shares = counts / len(features)
        return {
            "diversity": float(np.minimum(shares, self.real_shares).sum()),
            "cells": float(np.mean(shares >= PRESENT * self.real_shares)),
            "coverage": self._neighbourhoods.coverage(features),
            "vendi": vendi.vendi_score(features),
            "spread": float(features.var(axis=0).sum()),
            "js": divergences.js(self._cells.counts, counts),
            "shares": shares,
        }

    def _features(self, images):
        return self._project(_shrunk(images, np.arange(len(images))))

    def _project(self, shrunk):
        return ((shrunk - self.mean) @ self.directions).astype("float32")


def _shrunk(images, rows):
    """Return the images at `rows` as vectors of at most `MAX_VALUES` means over square blocks."""
    height, width, channels = images.shape[1:]
    side = 1
    while -(-height // side) * -(-width // side) * channels > MAX_VALUES and side < height:
        side += 1
    found = []
    for some in checks.blocks(rows, 256):  # No more of a memory map is read at a time.
        x = np.asarray(images[some])
        x = from_uint8(x) if x.dtype == np.uint8 else x.astype("float32")
        x = np.add.reduceat(x, np.arange(0, height, side), axis=1)
        x = np.add.reduceat(x, np.arange(0, width, side), axis=2)
        found.append(x.reshape(len(x), -1) / side**2)
    return np.concatenate(found)
