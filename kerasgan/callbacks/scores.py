"""Scores: metrics of the generated images while training goes on."""

import warnings

import keras

from kerasgan import validation
from kerasgan.metrics import CHEAP, METRICS, Evaluator, MetricError


class Scores(keras.callbacks.Callback):
    """Adds scores to the logs of an epoch, where other callbacks and the history find them.

    Put it before the callbacks that look at them, as
    `[Scores(images), EarlyStopping("frechet_distance", mode="min", patience=5)]`. What real images
    score stands in `results`.

    What these images do not allow is found out before training: a metric that was named raises, one
    of the default ones is left out with a warning. Images that cannot be measured, since training
    has diverged, score NaN.

    Args:
        data: Real images, best held out: an `ImageDataset` or an array.
        metrics: Names from `kerasgan.metrics.METRICS`; by default the cheap ones.
        samples: Generated images, and real ones, in a score.
        every: Epochs from one measurement to the next; the logs hold the last one in between.
        **arguments: See `kerasgan.metrics.Evaluator`.

    Attributes:
        results: The last `Result`s, with baselines and provenance.
    """

    def __init__(self, data, metrics=None, samples=2000, every=1, **arguments):
        super().__init__()
        validation.positive_integer("every", every)
        self.every = every
        names = list(CHEAP if metrics is None else metrics)
        self.evaluator = Evaluator(data, metrics=names, samples=samples, **arguments)
        for name in names:
            try:
                self.evaluator.baseline(name)
            except MetricError as error:
                if metrics is not None:
                    raise
                warnings.warn(f"{name} is left out: {error}", stacklevel=2)
                self.evaluator.metrics.remove(name)
        self.results = []

    def on_epoch_end(self, epoch, logs=None):
        if epoch % self.every == 0 or not self.results:
            try:
                self.results = self.evaluator(self.model)
            except MetricError:
                self.results = []
        if logs is not None:
            names = [key for name in self.evaluator.metrics for key in METRICS[name].better]
            logs.update(dict.fromkeys(names, float("nan")))
            logs.update({result.name: result.value for result in self.results})
