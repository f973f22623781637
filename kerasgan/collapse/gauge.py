"""A few cheap numbers that say how much of the real data a generator draws."""

import dataclasses

import numpy as np

from kerasgan import validation
from kerasgan.data import from_uint8
from kerasgan.metrics import checks, clusters, divergences, frechet, vendi
from kerasgan.metrics.prdc import Neighbourhoods

MAX_VALUES = 1024  # Of an image, once it is shrunk.
COMPONENTS = 32
CELLS = 50
REFERENCE = 5000  # Real images behind the components and the cells.
EXEMPLARS = 5  # Real images that stand for a cell.
PRESENT = 0.2  # A cell counts as filled from this share of its real share on.


@dataclasses.dataclass(frozen=True)
class Look:
    """What one look at a generator found. All but `finite` and `js` are relative to as many
    held-out real images, which score 1.

    Args:
        diversity: Overlap of the two histograms over the cells of the real data, `sum min(p, q)`.
        cells: Cells that hold at least a fifth of their real share.
        coverage: Real images with a generated one as near as their fifth real neighbour.
        vendi: Vendi score of the features, the effective number of directions that they fill.
        spread: Variance of the features.
        js: Jensen-Shannon divergence between the histograms, in nats, less that of real images.
        finite: Whether all images were.
        shares: Each cell's share of the generated images, `(cells,)`.
    """

    diversity: float
    cells: float
    coverage: float
    vendi: float
    spread: float
    js: float
    finite: bool = True
    shares: tuple = ()


BROKEN = Look(0.0, 0.0, 0.0, 0.0, 0.0, float(np.log(2)), finite=False)


class Gauge:
    """Real images, prepared once, beside which a generator's are measured in a moment.

    Images are shrunk by averaging until they have at most 1,024 values, and projected on the first
    32 principal components of the real ones. There k-means divides the real images into 50 cells.
    No network and no label takes part, and NumPy does all of it: one set of images gives one
    result, whatever the backend.

    Args:
        images: Real images `(n, height, width, channels)`, uint8 or floats in [-1, 1]; an array or
            a memory map, of which a random part is read. At least 40.
        samples: Generated images in a look, and held-out real ones; a third of the real images if
            those are fewer.
        cells: Cells; a tenth of the real images behind them if that is less.
        seed: Seed of the choice of real images and of k-means.

    Attributes:
        samples: Images that `measure` wants.
        real_shares: Each cell's share of the real images behind them, `(cells,)`.
        exemplars: Of each cell the few real images in its middle, `(k, height, width, channels)`;
            no other real image is kept.

    Raises:
        MetricError: If there are fewer images, or all are equal.
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
            middle = members[np.argsort(squares[members], kind="stable")][:EXEMPLARS]
            self.exemplars.append(np.asarray(images[np.sort(reference)[middle]]))

    def measure(self, images):
        """Return the `Look` at generated images, `(n, height, width, channels)` in [-1, 1]."""
        if not np.isfinite(images).all():
            return BROKEN
        found = self._measure(self._features(images))
        return Look(
            **{
                name: found[name] / self._held_out[name]
                for name in ("diversity", "cells", "coverage", "vendi", "spread")
            },
            js=max(0.0, found["js"] - self._held_out["js"]),
            shares=tuple(found["shares"].tolist()),
        )

    def lost(self, look):
        """Return the cells that a look found empty or nearly so, the greatest loss first."""
        loss = self.real_shares - np.asarray(look.shares)
        missing = np.asarray(look.shares) < PRESENT * self.real_shares
        return [int(cell) for cell in np.argsort(-loss) if missing[cell]]

    def nearest(self, cells, images):
        """Return for each of some cells the number of the image nearest to its middle."""
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
    """Return chosen images as rows of at most `MAX_VALUES` floats: means over squares of pixels."""
    height, width, channels = images.shape[1:]
    side = 1
    while -(-height // side) * -(-width // side) * channels > MAX_VALUES and side < height:
        side += 1
    found = []
    for some in checks.blocks(rows, 256):  # Of a memory map no more is read at a time.
        x = np.asarray(images[some])
        x = from_uint8(x) if x.dtype == np.uint8 else x.astype("float32")
        x = np.add.reduceat(x, np.arange(0, height, side), axis=1)
        x = np.add.reduceat(x, np.arange(0, width, side), axis=2)
        found.append(x.reshape(len(x), -1) / side**2)
    return np.concatenate(found)
