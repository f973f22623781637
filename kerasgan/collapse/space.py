"""A space of features, divided into cells by the real images."""

import numpy as np

from kerasgan.metrics import clusters
from kerasgan.metrics.prdc import Neighbourhoods

PRESENT = 0.2  # A cell counts as filled if it has at least this fraction of its real share.


class Space:
    """Measures how well images fill the part of a space of features that real images fill.

    Args:
        features: Features of real images, `(n, d)`.
        cells: Number of cells that k-means divides them into.
        samples: Number of images in a measurement.
        seed: Seed of k-means and of the choice of the real images that coverage asks for.
        centred: Whether images are moved so that their mean is that of the real ones. Then what all
            images share, as the weave of a young generator, counts little.

    Attributes:
        cells: The `kerasgan.metrics.clusters.Cells`.
        shares: The share of the real images in each cell, `(cells,)`.
    """

    def __init__(self, features, cells, samples, seed=0, centred=False):
        self.cells = clusters.Cells(features, cells, seed)
        self.shares = self.cells.counts / len(features)
        self._centre = features.mean(axis=0) if centred else None
        near = np.random.default_rng(seed).permutation(len(features))[:samples]
        self._neighbourhoods = Neighbourhoods(features[near])

    def near(self, features):
        """Return the share of the real images with one of the images as near as a real one.

        That is their coverage, in which what all images share counts in full.
        """
        return self._neighbourhoods.coverage(features)

    def measure(self, features):
        """Return how well features `(samples, d)` fill the space.

        Returns:
            A dictionary: `overlap`, `sum min(p, q)` of the shares of the cells; `cells`, the share
            of the cells that are filled; `coverage`, the share of the real images with one of the
            images as near as their fifth real neighbour; `counts`, the images in each cell.
        """
        if self._centre is not None:
            features = features - features.mean(axis=0) + self._centre
        counts = self.cells.count(features)
        shares = counts / len(features)
        return {
            "overlap": float(np.minimum(shares, self.shares).sum()),
            "cells": float(np.mean(shares >= PRESENT * self.shares)),
            "coverage": self._neighbourhoods.coverage(features),
            "counts": counts,
        }
