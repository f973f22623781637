"""How much of the real data a generator produces, in a few numbers that are cheap to compute."""

import contextlib
import dataclasses
import math
import typing

import numpy as np

from kerasgan import validation
from kerasgan.collapse import features
from kerasgan.collapse.space import PRESENT, Space
from kerasgan.data.labels import checked
from kerasgan.metrics import checks, clusters, distances, divergences, vendi

CELLS = 50
FINER = 3  # There are as many times more cells of colours and textures, if there are
PER_CELL = 6  # as many generated images for each.
CLASS_CELLS = 12
CLASS_SAMPLES = 30  # Generated images of a class, at least, that tell something about it.
REFERENCE = 5000  # Real images behind the features and the cells.
EXEMPLARS = 5  # Real images that are shown for a cell.
TWIN = 0.25  # A twin is nearer than this part of the median distance between real neighbours.
FIDELITY = 0.25  # Exponent of the mean ratio of the fine structure.
FEWEST = 40  # Real images.
COMPARED = 4000  # Generated images, at most, among which copies are sought.
# Images are far from the data if `near` or `fidelity` is less (benchmarks/guard_distance.py).
FAR = 0.4
COARSE = 0.75


@dataclasses.dataclass(frozen=True)
class Measurement:
    """How much of the real data a set of generated images shows.

    All but `js`, `finite` and `shares` are divided by what held-out real images score, so that 1 is
    as good as real images. What could not be measured is None, or an empty sequence.

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
        surface: How many of the colours and textures are shown: the mean of overlap and filled
            cells, times the square root of the coverage, in the features
            `kerasgan.collapse.features.Surface`. What all images share hardly lowers it.
        distinct: Share of the images that have no twin among the others. A twin is nearer than a
            quarter of the median distance between a real image and its nearest other.
        detail: How much fine structure the images have at three scales, the finest first; see
            `kerasgan.collapse.features.detail`.
        classes: For each class, the mean of overlap and filled cells of its own images.
        near: Share of the real images with a generated one as near, in the features of the surface,
            as their fifth real neighbour. Here what all images share counts: a weave, a blur, a
            smear or noise.
    """

    diversity: float
    cells: float
    coverage: float
    vendi: float
    spread: float
    js: float
    finite: bool = True
    shares: tuple = ()
    surface: float | None = None
    distinct: float | None = None
    detail: tuple = ()
    classes: tuple = ()
    near: float | None = None

    @classmethod
    def from_json(cls, stored):
        """Return the measurement in JSON values, also in those of earlier versions.

        Raises:
            ValueError, TypeError: If a value is of another kind, missing or unknown.
        """
        lists = {name: tuple(value) for name, value in stored.items() if isinstance(value, list)}
        values = [value for name in stored for value in lists.get(name, (stored[name],))]
        if not all(value is None or type(value) in (float, int, bool) for value in values):
            raise ValueError("a measurement must hold numbers alone")
        return cls(**{**stored, **lists})

    @property
    def layout(self):
        """How much of the data is shown, as seen in shrunken images, from 0 to about 1.

        It is the mean of `diversity` and `cells`, times the cube root of `coverage`. Coverage
        lowers it for images that lie in every cell but near no real image.
        """
        shown = (self.diversity + self.cells) / 2
        return math.cbrt(max(0.0, self.coverage)) * shown

    @property
    def sharpness(self):
        """How little fine structure is missing: 1 as in real images, 0.5 for a strong blur."""
        return _closeness([min(1.0, ratio) for ratio in self.detail])

    @property
    def fidelity(self):
        """How close the fine structure is to that of real images: 1 at best, less for noise too."""
        return _closeness(self.detail)

    @property
    def far(self):
        """Whether the images, however diverse, are far from the data; None if it is not known."""
        return None if self.near is None else self.near < FAR or self.fidelity < COARSE

    @property
    def level(self):
        """How good a state of a training this is: how much of the data it shows, and how sharply.

        It is the geometric mean of `layout` and `surface`, times `fidelity`.
        """
        shown = self.layout
        if self.surface is not None:
            shown = math.sqrt(shown * self.surface)
        return shown * self.fidelity


def _closeness(ratios):
    """Return 1 if all ratios are 1, and less the farther they are from it in the mean."""
    if not ratios:
        return 1.0
    away = [abs(math.log(min(max(ratio, 1e-6), 1e6))) for ratio in ratios]
    return math.exp(-FIDELITY * sum(away) / len(away))


# What images with NaN or infinite values score.
BROKEN = Measurement(0.0, 0.0, 0.0, 0.0, 0.0, float(np.log(2)), finite=False)


class Copies(typing.NamedTuple):
    """A generated image that comes again and again.

    Attributes:
        image: The index of the image.
        twins: The indices of some of its twins, the nearest first.
        count: How many twins it has.
        real: The index of the nearest of the real images behind the features, which are at most
            5,000 of the images of the metric.
    """

    image: int
    twins: tuple
    count: int
    real: int


class DiversityMetric:
    """Measures how much of the real data's variety generated images show.

    It describes images by features that it makes from the real images alone: the layout, which is
    32 principal components of the pixels of shrunken images, and from 16 pixels on the surface,
    which is colours and textures (see `kerasgan.collapse.features`). In each, k-means divides the
    real images into cells. No trained network is used. All runs in NumPy, so the same images give
    the same result on every backend.

    Args:
        images: At least 40 real images `(n, height, width, channels)`, uint8 or floats in
            [-1, 1]. Of an array or a memory map a random part is read.
        samples: Number of generated images in a measurement, and of held-out real images. It is at
            most a third of the real images.
        cells: Number of cells, at most a tenth of the real images that are divided.
        seed: Seed of the choice of real images and of k-means.
        labels: The class of each image `(n,)`, integers from 0, to measure each class as well.

    Attributes:
        samples: Number of images that `measure` expects.
        real_shares: The share of the real images in each cell, `(cells,)`.
        exemplars: For each cell the real images nearest to its centre, an array `(k, height,
            width, channels)` with k up to 5.
        images: The real images, as they were given.
        unseen: A sentence that says what cannot be measured of these images, or None.

    Raises:
        MetricError: If there are fewer than 40 images, or all are equal.
    """

    def __init__(self, images, samples=1000, cells=CELLS, seed=0, labels=None):
        validation.positive_integer("samples", samples)
        validation.positive_integer("cells", cells)
        if len(images) < FEWEST:
            raise checks.MetricError(
                f"there must be at least {FEWEST} real images to tell a collapse from chance. "
                f"Received: {len(images)}"
            )
        self.images = images
        self.samples = min(samples, len(images) // 3)
        order = np.random.default_rng(seed).permutation(len(images))
        order = np.split(order[: self.samples + REFERENCE], [self.samples])
        rows, real_rows = (np.sort(part) for part in order)
        held_out, real = (features.Chosen(images, part) for part in (rows, real_rows))
        self._real_rows = real_rows
        self._layout, self._surface = features.Layout(real), None
        self._space = self._divided(self._layout, cells, seed)
        self.real_shares = self._space.shares
        self.unseen = None
        if features.has_surface(images.shape[1:]):
            try:
                self._surface = features.Surface(real, seed)
                most = max(cells, min(FINER * cells, self.samples // PER_CELL))
                self._surfaces = self._divided(self._surface, most, seed, centred=True)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                self._surface = None
                self.unseen = f"colours and textures cannot be measured: {error}"
        self._classes = {}
        if labels is not None:
            labels = checked(labels, len(images))
            self._divide_classes(labels[real_rows], labels[rows], seed)
        squares = self._nearest_squares(self._layout(held_out))
        self._near = TWIN**2 * float(np.median(squares))
        self._held_out = self._measure(held_out, None if labels is None else labels[rows])
        self.exemplars = [np.asarray(images[real_rows[near]]) for near in self._typical()]

    def _divided(self, made, cells, seed, centred=False):
        most = max(2, len(made.real) // 10)
        return Space(made.real, min(cells, most), self.samples, seed, centred)

    def _divide_classes(self, labels, held_out, seed):
        """Divide the real images of each class that is common enough."""
        own = (self._surface or self._layout).real
        for label in np.unique(held_out):
            members = own[labels == label]
            many = min(np.count_nonzero(held_out == label), len(members) // 2)
            if many >= CLASS_SAMPLES:
                cells = min(CLASS_CELLS, len(members) // 10)
                # The images of a class may be (nearly) all the same; then it has nothing to lose.
                with contextlib.suppress(checks.MetricError):
                    self._classes[int(label)] = Space(members, cells, many, seed, centred=True)

    def _typical(self):
        """Return for each cell the indices of the real images nearest to its centre."""
        cell_of, squares = clusters.assign(self._layout.real, self._space.cells.centres)
        for cell in range(len(self.real_shares)):
            members = np.flatnonzero(cell_of == cell)
            yield members[np.argsort(squares[members], kind="stable")][:EXEMPLARS]

    def measure(self, images, labels=None):
        """Return the `Measurement` of images `(n, height, width, channels)` in [-1, 1].

        Args:
            images: The images.
            labels: The class that each was asked for, `(n,)`, to measure each class as well.
        """
        if not np.isfinite(images).all():
            return BROKEN
        found, real = self._measure(images, labels), self._held_out
        numbers = (
            "diversity",
            "cells",
            "coverage",
            "vendi",
            "spread",
            "surface",
            "distinct",
            "near",
        )
        return Measurement(
            **{name: found[name] / real[name] for name in numbers if name in found},
            js=max(0.0, found["js"] - real["js"]),
            shares=tuple(found["shares"].tolist()),
            detail=tuple((found["detail"] / real["detail"]).tolist()),
            classes=self._class_levels(found["classes"], real["classes"]),
        )

    def lost(self, measurement):
        """Return the cells that are (nearly) empty in a `Measurement`, the largest loss first."""
        loss = self.real_shares - np.asarray(measurement.shares)
        missing = np.asarray(measurement.shares) < PRESENT * self.real_shares
        return [int(cell) for cell in np.argsort(-loss) if missing[cell]]

    def nearest(self, cells, images):
        """Return for each of the given cells the index of the image nearest to its centre."""
        centres = self._space.cells.centres[cells]
        return clusters.assign(centres, self._layout(images))[0].tolist()

    def copies(self, images, most=6, twins=4):
        """Return the `Copies` of the images that come most often.

        It takes the image with the most twins, leaves it and them out, and looks for the next. A
        twin is an image that `Measurement.distinct` counts as one.

        Args:
            images: Finite images `(n, height, width, channels)` in [-1, 1]. Of more than 4,000
                only the first are compared.
            most: Greatest number of images to return.
            twins: Greatest number of twins to name for each.

        Returns:
            A list, those with the most twins first. It is empty if no image has a twin.
        """
        found = self._layout(images[:COMPARED])
        (points,) = distances.points(found)
        near = np.empty((len(found), len(found)), bool)
        for part, squares in points.to(points):
            near[part] = squares < self._near
        np.fill_diagonal(near, False)
        groups = []
        while len(groups) < most:
            first = int(near.sum(axis=1).argmax())
            own = np.flatnonzero(near[first])
            if not len(own):
                break
            order = np.argsort(np.square(found[own] - found[first]).sum(axis=1), kind="stable")
            groups.append((first, own[order]))
            near[own] = near[:, own] = near[first] = near[:, first] = False
        if not groups:
            return []
        nearest = clusters.assign(found[[g[0] for g in groups]], self._layout.real)[0]
        return [
            Copies(first, tuple(own[:twins].tolist()), len(own), int(self._real_rows[real]))
            for (first, own), real in zip(groups, nearest, strict=True)
        ]

    def _measure(self, images, labels):
        layout = self._layout(images)
        found = self._space.measure(layout)
        shares = found["counts"] / len(layout)
        measured = {
            "diversity": found["overlap"],
            "cells": found["cells"],
            "coverage": found["coverage"],
            "vendi": vendi.vendi_score(layout),
            "spread": float(layout.var(axis=0).sum()),
            "js": divergences.js(self._space.cells.counts, found["counts"]),
            "shares": shares,
            "detail": np.empty(0),
        }
        surface = layout
        if features.has_surface(images.shape[1:]):
            squares = self._nearest_squares(layout)
            measured["distinct"] = float(np.mean(squares >= self._near))
            measured["detail"] = np.maximum(features.detail(images), 1e-12)
        if self._surface is not None:
            surface = self._surface(images)
            found = self._surfaces.measure(surface)
            measured["surface"] = _shown(found) * math.sqrt(found["coverage"])
            measured["near"] = self._surfaces.near(surface)
        measured["classes"] = self._measure_classes(surface, labels)
        return measured

    def _measure_classes(self, found, labels):
        """Return how much of its class the images of each class show, where there are enough."""
        if labels is None:
            return {}
        labels = np.asarray(labels).reshape(len(found))
        own = {label: found[labels == label] for label in self._classes}
        return {
            label: _shown(self._classes[label].measure(images))
            for label, images in own.items()
            if len(images) >= CLASS_SAMPLES
        }

    def _class_levels(self, found, real):
        count = max(self._classes, default=-1) + 1 if found else 0
        return tuple(found[c] / real[c] if c in found and c in real else None for c in range(count))

    @staticmethod
    def _nearest_squares(found):
        (points,) = distances.points(found)
        return distances.nearest(points)


def _shown(found):
    return (found["overlap"] + found["cells"]) / 2
