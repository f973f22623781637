"""The metrics that `Evaluator` knows by name, and how each scores a set of images."""

import dataclasses
from collections.abc import Callable

import numpy as np

from kerasgan.metrics import (
    checkerboard,
    clusters,
    distances,
    duplicates,
    frechet,
    kernel,
    modes,
    ms_ssim,
    ndb,
    prdc,
    vendi,
)


@dataclasses.dataclass
class Sample:
    """Images with their features and, for real images, their classes.

    Args:
        images: `(n, height, width, channels)`.
        features: `(n, d)`.
        classes: The class of each image, integers `(n,)` from 0, or None.
        names: The label of each class, as text.
        shares: The share of each class in all of the data.
    """

    images: np.ndarray
    features: np.ndarray
    classes: np.ndarray | None = None
    names: tuple = ()
    shares: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Score:
    """One number of a metric, without its provenance; the fields are those of `Result`."""

    value: float
    error: float | None = None
    floor: float | None = None
    remark: str = ""
    details: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Metric:
    """How a metric is computed in `evaluate`.

    Args:
        prepare: A callable `(real, seed)`, where `real` is a `Sample`. It returns a callable that
            takes another `Sample` and returns `{name: Score}`.
        better: "lower", "higher" or "baseline" for each name; see `Result`.
        parameters: A callable of the number of samples that returns the metric's parameters, as
            text for the provenance.
        cheap: Whether it takes at most about a second for 2,000 samples, short enough for `fit`.
        labels: Whether it needs labels of the real images.
        pixels: Whether it uses the images themselves, not their features.
        fewest: A callable of the number of features that returns the least number of samples.
    """

    prepare: Callable
    better: dict
    parameters: Callable = lambda n: ""
    cheap: bool = False
    labels: bool = False
    pixels: bool = False
    fewest: Callable = lambda width: 2


def _frechet(real, seed):
    gaussian = frechet.Gaussian(real.features)
    return lambda other: {"frechet_distance": Score(gaussian.distance(other.features))}


def _kernel(real, seed):
    def score(other):
        value, error = kernel.kernel_distance(real.features, other.features, seed=seed)
        return {"kernel_distance": Score(value, error, floor=0.0)}

    return score


def _prdc(real, seed):
    neighbourhoods = prdc.Neighbourhoods(real.features)

    def score(other):
        found = neighbourhoods.prdc(other.features)._asdict()
        floors = {"density": 1.0, "coverage": _coverage_floor(real, other)}
        return {name: Score(value, floor=floors.get(name)) for name, value in found.items()}

    return score


def _coverage(real, seed):
    neighbourhoods = prdc.Neighbourhoods(real.features)

    def score(other):
        found = neighbourhoods.coverage(other.features)
        return {"coverage": Score(found, floor=_coverage_floor(real, other))}

    return score


def _coverage_floor(real, other):
    return prdc.expected_coverage(len(real.features), len(other.features))


def _vendi(real, seed):
    return lambda other: {"vendi_score": Score(vendi.vendi_score(other.features))}


def _cells(n):
    return min(100, n // 10)


def _ndb(real, seed):
    cells = clusters.Cells(real.features, _cells(len(real.features)), seed)

    def score(other):
        found = ndb.compare(cells.counts, cells.count(other.features))
        return {"ndb": Score(found.bins), "ndb_js": Score(found.js)}

    return score


def _duplicates(real, seed):
    limit = duplicates.threshold(real.features)

    def score(other):
        rate = duplicates.rate_within(other.features, limit)
        return {"duplicate_rate": Score(rate, floor=duplicates.QUANTILE)}

    return score


def _support(real, seed):
    limit = duplicates.threshold(real.features)

    def score(other):
        found = duplicates.support_within(other.features, limit)
        remark = "no duplicate: a lower bound" if found.at_least else ""
        details = {"pairs": found.pairs, "at_least": found.at_least}
        return {"support_size": Score(found.size, remark=remark, details=details)}

    return score


def _ms_ssim(real, seed):
    return lambda other: {"ms_ssim": Score(*ms_ssim.mean_ms_ssim(other.images, seed=seed))}


def _checkerboard(real, seed):
    expected = checkerboard.nyquist_energy(real.images)

    def score(other):
        found = checkerboard.nyquist_energy(other.images)
        value = checkerboard.ratio(found, expected)
        return {"checkerboard": Score(value, details=found._asdict())}

    return score


def _classes(real, seed):
    count = len(real.names)

    def score(other):
        classes = nearest_classes(real.features, real.classes, other.features)
        found = modes.modes_of_labels(classes, count, real.shares)
        shares = dict(zip(real.names, found.shares, strict=True))
        floor = modes.expected_kl(count, len(classes), real.shares)
        return {
            "classes_covered": Score(found.covered, details={"shares": shares}),
            "class_kl": Score(found.kl, floor=floor),
        }

    return score


METRICS = {
    "frechet_distance": Metric(
        _frechet, {"frechet_distance": "lower"}, cheap=True, fewest=lambda width: width + 1
    ),
    "kernel_distance": Metric(_kernel, {"kernel_distance": "lower"}, cheap=True),
    "prdc": Metric(
        _prdc,
        {"precision": "higher", "recall": "higher", "density": "baseline", "coverage": "higher"},
        lambda n: "k=5",
    ),
    "coverage": Metric(_coverage, {"coverage": "higher"}, lambda n: "k=5", cheap=True),
    "vendi_score": Metric(_vendi, {"vendi_score": "baseline"}, cheap=True),
    "ndb": Metric(_ndb, {"ndb": "lower", "ndb_js": "lower"}, lambda n: f"k={_cells(n)}"),
    "duplicate_rate": Metric(
        _duplicates, {"duplicate_rate": "lower"}, lambda n: f"quantile={duplicates.QUANTILE}"
    ),
    "support_size": Metric(
        _support, {"support_size": "higher"}, lambda n: f"quantile={duplicates.QUANTILE}"
    ),
    "ms_ssim": Metric(_ms_ssim, {"ms_ssim": "baseline"}, lambda n: "pairs=1000", pixels=True),
    "checkerboard": Metric(_checkerboard, {"checkerboard": "baseline"}, cheap=True, pixels=True),
    "classes": Metric(
        _classes,
        {"classes_covered": "higher", "class_kl": "lower"},
        lambda n: "nearest 5 real images",
        labels=True,
    ),
}
# The metrics that `Evaluator` computes by default. `prdc` includes the coverage.
DEFAULT = tuple(name for name in METRICS if name != "coverage")
CHEAP = tuple(name for name, metric in METRICS.items() if metric.cheap)


def nearest_classes(real, classes, other, k=5):
    """Return the most common class among the k nearest real samples of each sample, `(m,)`.

    Args:
        real: Matrix `(n, d)`.
        classes: The classes of the real samples, integers `(n,)` from 0.
        other: Matrix `(m, d)`.
        k: Number of neighbours. Among equally common classes the lowest is taken.
    """
    x, y = distances.points(real, other)
    found = np.empty(len(y), "int64")
    for part, block in y.to(x):
        near = classes[np.argpartition(block, k - 1, axis=1)[:, :k]]
        votes = (near[..., None] == np.arange(classes.max() + 1)).sum(axis=1)
        found[part] = votes.argmax(axis=1)
    return found
