"""Scores: metrics of the generated images during training."""

import warnings

import keras

from kerasgan import validation
from kerasgan.metrics import CHEAP, METRICS, Evaluator, MetricError


class Scores(keras.callbacks.Callback):
    """Adds metrics of the generated images to the logs of an epoch.

    Place it before the callbacks that read the logs:
    `[Scores(images), EarlyStopping("frechet_distance", mode="min", patience=5)]`.

    Images that cannot be measured because the training has diverged score NaN.

    Args:
        data: Real images, an `ImageDataset` or an array; preferably ones that are not trained on.
        metrics: Names from `kerasgan.metrics.METRICS`; by default the cheap ones.
        samples: Number of generated images, and of real images, in a score.
        every: Epochs between two measurements. The logs of the others have none of these metrics.
        **arguments: Arguments of `kerasgan.metrics.Evaluator`.

    Attributes:
        results: The last `Result`s. Each holds what real images score and how it was computed.

    Raises:
        MetricError: If a metric in `metrics` cannot be computed with these images. A metric of the
            default ones is left out with a warning instead.
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
        if epoch % self.every and self.results:
            return
        try:
            self.results = self.evaluator(self.model)
        except MetricError:
            self.results = []
        if logs is not None:
            names = [key for name in self.evaluator.metrics for key in METRICS[name].better]
            logs.update(dict.fromkeys(names, float("nan")))
            logs.update({result.name: result.value for result in self.results})
