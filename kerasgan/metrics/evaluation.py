"""Every metric of a model in one table, each with its baseline, its floor and its provenance."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from kerasgan import validation
from kerasgan.data import to_uint8
from kerasgan.metrics import (
    checks,
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
from kerasgan.metrics.extractors import default_extractor
from kerasgan.metrics.features import cached_features, content_hash
from kerasgan.metrics.result import Provenance, Result


@dataclasses.dataclass
class Sample:
    """Images and their features; of real ones also classes from 0 up, and what these are called.

    Args:
        images: `(n, height, width, channels)`.
        features: `(n, d)`.
        classes: The class of each image `(n,)`, or None.
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
    """One number that a metric gives, before its provenance is known."""

    value: float
    error: float | None = None
    floor: float | None = None
    remark: str = ""
    details: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Metric:
    """How a metric is computed in `evaluate`.

    Args:
        prepare: A callable `(real, seed)` of a `Sample`; what it returns is called with another
            `Sample` and gives `{name: Score}`.
        better: "lower", "higher" or "baseline", for each name.
        parameters: What its provenance says, a callable of the number of samples.
        cheap: Whether it takes about a second for 2,000 samples, so that `fit` can afford it.
        labels: Whether it needs labels of the real images.
        pixels: Whether it looks at the images themselves, not at their features.
    """

    prepare: Callable
    better: dict
    parameters: Callable = lambda n: ""
    cheap: bool = False
    labels: bool = False
    pixels: bool = False


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
        remark = "no duplicate: at least so many" if found.at_least else ""
        details = {"pairs": found.pairs, "at_least": found.at_least}
        return {"support_size": Score(found.size, remark=remark, details=details)}

    return score


def _ms_ssim(real, seed):
    return lambda other: {"ms_ssim": Score(*ms_ssim.mean_ms_ssim(other.images, seed=seed))}


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
    "frechet_distance": Metric(_frechet, {"frechet_distance": "lower"}, cheap=True),
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
    "classes": Metric(
        _classes,
        {"classes_covered": "higher", "class_kl": "lower"},
        lambda n: "nearest 5 real images",
        labels=True,
    ),
}
# What `Evaluator` computes if it is not told.
DEFAULT = tuple(name for name in METRICS if name != "coverage")  # `prdc` has it.
CHEAP = tuple(name for name, metric in METRICS.items() if metric.cheap)


class Evaluator:
    """Real images, prepared once, against which any number of generators is scored.

    Two disjoint random sets of real images are taken: the generated images are compared with the
    first, and so is the second, which gives every score its baseline.

    Args:
        data: A `kerasgan.data.ImageDataset`, or images as an array.
        labels: Labels beside an array, or None.
        metrics: Names from `METRICS`; by default all of them, `classes` only with labels. A metric
            that is named here and that these images do not allow raises; of the default ones it
            is NaN, and its remark says why.
        samples: Generated images, and real ones in each set; half of the real images if those are
            fewer.
        extractor: An `extractors.Extractor`; by default `default_extractor` chooses one.
        seed: Seed of the choice of real images, of the samples and of the metrics.
        name: What the data are called; by default the data set's name.
        cache_dir: As in `kerasgan.data.load`, for the features of the real images.
        progress: Optional callable `(what, done, total)`.

    Raises:
        MetricError: If the images or labels are no such arrays, or fewer than 200.
        ValueError: If another argument is out of range or not known.
    """

    def __init__(
        self,
        data,
        labels=None,
        metrics=None,
        samples=10_000,
        extractor=None,
        seed=0,
        name=None,
        cache_dir=None,
        progress=None,
    ):
        validation.positive_integer("samples", samples)
        if seed != 0:
            validation.positive_integer("seed", seed)
        images, labels = _real_arrays(data, labels)
        self.name = name or getattr(data, "name", "images")
        self.strict = metrics is not None
        chosen = [m for m in DEFAULT if labels is not None or not METRICS[m].labels]
        self.metrics = list(metrics) if self.strict else chosen
        for metric in self.metrics:
            validation.choice("metrics", metric, METRICS)
            if METRICS[metric].labels and labels is None:
                raise checks.MetricError(f"`labels` are needed for {metric}. Received: none")
        if len(images) < 200:
            raise checks.MetricError(
                "there must be at least 200 real images, half of them to compare with and half "
                f"for the baseline. Received: {len(images)}"
            )
        self.samples = min(samples, len(images) // 2)
        if self.samples < 100:
            raise checks.MetricError(f"`samples` must be at least 100. Received: {samples}")
        self.extractor = extractor or default_extractor(tuple(images.shape[1:]))
        self.seed = seed
        self.progress = progress or (lambda what, done, total: None)
        classes = None if labels is None else np.unique(labels, return_inverse=True)
        order = np.random.default_rng(seed).permutation(len(images))
        self.real, self.held_out = (
            self._real(images, classes, np.sort(order[part]), cache_dir)
            for part in (slice(self.samples), slice(self.samples, 2 * self.samples))
        )
        # Bytes and the floats that were made of them are the same data.
        self.data_hash = content_hash(_as_bytes(self.real.images))
        if labels is not None:
            self.labels_hash = content_hash(self.real.classes)
        self._prepared = {}  # By metric: what scores against the real images, and the baseline.

    def _real(self, images, named_classes, rows, cache_dir):
        chosen = np.asarray(images[rows])
        features = cached_features(
            self.extractor, chosen, cache_dir, functools.partial(self.progress, "real images")
        )
        if named_classes is None:
            return Sample(chosen, features)
        names, classes = named_classes
        shares = np.bincount(classes) / len(classes)
        return Sample(chosen, features, classes[rows], tuple(map(str, names.tolist())), shares)

    def __call__(self, source, batch_size=256):
        """Return the scores of a generator, a list of `Result`.

        Args:
            source: A model with `sample(n, seed)`, or as many images as `samples` says.
            batch_size: Images that the model computes at a time.
        """
        if hasattr(source, "sample"):
            self.progress("sampling", 0, self.samples)
            images = source.sample(self.samples, seed=self.seed, batch_size=batch_size)
        else:
            images = checks.images("generated", source)
            if len(images) < self.samples:
                raise checks.MetricError(
                    f"there must be {self.samples} generated images, as many as real ones in "
                    f"each set. Received: {len(images)}"
                )
            images = images[: self.samples]
        if images.shape[1:] != self.real.images.shape[1:]:
            raise checks.MetricError(
                f"generated images must have the shape of the real ones, "
                f"{self.real.images.shape[1:]}. Received: {images.shape[1:]}"
            )
        features = self.extractor(images, functools.partial(self.progress, "generated images"))
        generated = Sample(images, features)
        results = []
        for i, name in enumerate(self.metrics):
            self.progress(name, i, len(self.metrics))
            results += self._results(name, generated)
        self.progress("done", len(self.metrics), len(self.metrics))
        return results

    def baseline(self, name):
        """Return what the second set of real images scores in a metric, `{name: Score}`.

        Raises:
            MetricError: If these images do not allow the metric.
        """
        return self._scorer(name)[1]

    def _scorer(self, name):
        if name not in self._prepared:
            score = METRICS[name].prepare(self.real, self.seed)
            self._prepared[name] = score, score(self.held_out)
        return self._prepared[name]

    def _results(self, name, generated):
        metric = METRICS[name]
        try:
            score, baseline = self._scorer(name)
            found = score(generated)
        except checks.MetricError as error:
            if self.strict:
                raise
            nan = float("nan")
            return [
                Result(
                    key, nan, self._provenance(key, metric), better, baseline=nan, remark=str(error)
                )
                for key, better in metric.better.items()
            ]
        return [
            Result(
                name=key,
                value=score.value,
                provenance=self._provenance(key, metric),
                better=metric.better[key],
                error=score.error,
                baseline=baseline[key].value,
                floor=score.floor,
                remark=score.remark,
                details={
                    **score.details,
                    **{f"real {k}": v for k, v in baseline[key].details.items()},
                },
            )
            for key, score in found.items()
        ]

    def _provenance(self, key, metric):
        parameters = metric.parameters(self.samples)
        return Provenance(
            metric=f"{key} ({parameters})" if parameters else key,
            data=f"{self.data_hash}-{self.labels_hash}" if metric.labels else self.data_hash,
            extractor="pixels" if metric.pixels else self.extractor.name,
            resize="none" if metric.pixels else self.extractor.resize,
            samples=self.samples,
            real_samples=self.samples,
            seed=self.seed,
            data_name=self.name,
        )


def evaluate(source, data, **arguments):
    """Return the scores of one generator; see `Evaluator` for the arguments."""
    return Evaluator(data, **arguments)(source)


def _real_arrays(data, labels):
    """Return images and labels, or None, as arrays that were checked.

    Raises:
        MetricError: If they are anything else.
    """
    images, labels = getattr(data, "images", data), getattr(data, "labels", labels)
    if not hasattr(images, "shape") and not isinstance(images, (list, tuple)):
        raise checks.MetricError(
            "real images must be an array or a kerasgan.data.ImageDataset. Received: a "
            f"{type(images).__name__}"
        )
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise checks.MetricError(
            "real images must have the shape (n, height, width, 1 or 3). "
            f"Received: shape {images.shape}"
        )
    if labels is not None:
        labels = np.asarray(labels)
        if labels.shape != images.shape[:1]:
            raise checks.MetricError(
                f"`labels` must have one entry for each of the {len(images)} images. "
                f"Received: shape {labels.shape}"
            )
    return images, labels


def _as_bytes(images):
    return images if images.dtype == np.uint8 else to_uint8(checks.images("real images", images))


def nearest_classes(real, classes, other, k=5):
    """Return the commonest class among each sample's k nearest real ones, `(m,)`.

    Args:
        real: Matrix `(n, d)`.
        classes: From 0 up, `(n,)`.
        other: Matrix `(m, d)`.
        k: Neighbours; of classes equally common the lowest is taken.
    """
    x, y = distances.points(real, other)
    found = np.empty(len(y), "int64")
    for part, block in y.to(x):
        near = classes[np.argpartition(block, k - 1, axis=1)[:, :k]]
        votes = (near[..., None] == np.arange(classes.max() + 1)).sum(axis=1)
        found[part] = votes.argmax(axis=1)
    return found
