"""`Evaluator`: all metrics of a model, each with its baseline, its floor and its provenance."""

import functools
import warnings

import numpy as np

from kerasgan import validation
from kerasgan.data import to_uint8
from kerasgan.metrics import checks
from kerasgan.metrics.catalogue import DEFAULT, METRICS, Sample
from kerasgan.metrics.extractors import advice, default_extractor
from kerasgan.metrics.features import cached_features, content_hash
from kerasgan.metrics.result import Provenance, Result

SAMPLES = 10_000
FEWEST_REAL = 200


class Evaluator:
    """Score any number of generators against real images that are prepared once.

    Two disjoint random sets of real images are taken. Generated images are compared with the first
    set. The second set is also compared with the first. This gives each score its baseline.

    Args:
        data: A `kerasgan.data.ImageDataset`, or images as an array.
        labels: The labels of an array of images, or None.
        metrics: Names from `METRICS`; by default all of them, `classes` only with labels. If these
            images do not allow a metric that is named here, its error is raised. A default metric
            that they do not allow is NaN, and its remark gives the reason.
        samples: Number of generated images, and of real ones in each set; at most half of the real
            images.
        extractor: An `extractors.Extractor`; by default `default_extractor` chooses one.
        seed: Seed of the choice of real images, of the samples and of the metrics.
        name: Name of the data; by default that of the data set.
        cache_dir: Cache folder for the features of the real images; see `kerasgan.data.load`.
        progress: Optional callable `(what, done, total)`.

    Raises:
        MetricError: If the images or labels have the wrong form, or there are fewer than 200.
        ValueError: If another argument is out of range or not known.
    """

    def __init__(
        self,
        data,
        labels=None,
        metrics=None,
        samples=SAMPLES,
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
                why = getattr(data, "unlabelled", None)
                why = f" ({why})" if why else ""
                raise checks.MetricError(f"`labels` are needed for {metric}. Received: none{why}")
        if len(images) < FEWEST_REAL:
            raise checks.MetricError(
                f"there must be at least {FEWEST_REAL} real images, half of them to compare with "
                f"and half for the baseline. Received: {len(images)}"
            )
        self.samples = min(samples, len(images) // 2)
        if self.samples < 100:
            raise checks.MetricError(f"`samples` must be at least 100. Received: {samples}")
        if extractor is None:
            extractor = default_extractor(tuple(images.shape[1:]))
            if advice(extractor):
                warnings.warn(advice(extractor), stacklevel=2)
        self.extractor = extractor
        self.seed = seed
        self.progress = progress or (lambda what, done, total: None)
        classes = None if labels is None else np.unique(labels, return_inverse=True)
        order = np.random.default_rng(seed).permutation(len(images))
        self.real, self.held_out = (
            self._real(images, classes, np.sort(order[part]), cache_dir)
            for part in (slice(self.samples), slice(self.samples, 2 * self.samples))
        )
        # uint8 images and the floats made from them have the same hash.
        self.data_hash = content_hash(_as_bytes(self.real.images))
        if labels is not None:
            self.labels_hash = content_hash(self.real.classes)
        self._prepared = {}  # By metric: the function that scores a sample, and the baseline.

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
            source: A model with `sample(n, seed)`, or at least `samples` images.
            batch_size: Number of images that the model generates at a time.
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
        """Return the scores of the second set of real images in a metric, `{name: Score}`.

        Raises:
            MetricError: If these images do not allow the metric.
        """
        return self._scorer(name)[1]

    def provenance(self, key):
        """Return the `Provenance` of one of the scores, such as "recall" of the metric `prdc`."""
        name = next(name for name in self.metrics if key in METRICS[name].better)
        return self._provenance(key, METRICS[name])

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
    """Return the scores of one generator; see `Evaluator` for the arguments.

    Raises:
        MetricError: As of `Evaluator`, and before anything is computed where there are too few
            samples for a metric in `metrics`; see `check_samples`.
    """
    images, _ = _real_arrays(data, arguments.get("labels"))
    extractor = arguments.get("extractor") or default_extractor(tuple(images.shape[1:]))
    samples = arguments.get("samples", SAMPLES)
    check_samples(arguments.get("metrics") or (), samples, images.shape, extractor)
    return Evaluator(data, **arguments)(source)


def check_samples(metrics, samples, shape, extractor):
    """Raise MetricError if there are too few samples for a metric; nothing is read or computed.

    Args:
        metrics: Names from `METRICS`, or None for all.
        samples: Number of generated images, at most half of the real ones.
        shape: The shape of the real images, `(n, height, width, channels)`. Where their number is
            not known yet, n is None.
        extractor: An `extractors.Extractor`. One that does not know the number of its features
            passes.
    """
    count, *shape = shape
    width = extractor.width(tuple(shape))
    found = samples if count is None else min(samples, count // 2)
    if count is not None and count < FEWEST_REAL:
        return  # `Evaluator` says so before it computes anything.
    for name in DEFAULT if metrics is None else metrics:
        needed = 0 if width is None or name not in METRICS else METRICS[name].fewest(width)
        if found < needed:
            raise checks.MetricError(
                f"{name} needs at least {needed:,} samples, since {extractor.name} has {width:,} "
                f"features, and twice as many real images, {2 * needed:,}. Give more `samples`, an "
                f"`extractor` of fewer features (random_projection has 128), or `metrics` without "
                f"{name}. "
                f"Received: {samples:,} samples"
                + ("" if count is None else f" and {count:,} real images")
            )


def _real_arrays(data, labels):
    """Return the images and the labels, or None, as checked arrays.

    Raises:
        MetricError: If they have the wrong form.
    """
    images, labels = getattr(data, "images", data), getattr(data, "labels", labels)
    if not hasattr(images, "shape") and not isinstance(images, (list, tuple)):
        raise checks.MetricError(
            "real images must be an array or a kerasgan.data.ImageDataset. Received: a "
            f"{type(images).__name__}"
        )
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4):
        raise checks.MetricError(
            "real images must have the shape (n, height, width, 1, 3 or 4). "
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
