"""Scores: metrics of the generated images during training, and the state with the best one."""

import math
import os
import time
import warnings
from pathlib import Path

from kerasgan import validation
from kerasgan.adversarial.state import not_finite
from kerasgan.callbacks.steps import Steps
from kerasgan.metrics import CHEAP, METRICS, Evaluator, MetricError
from kerasgan.metrics.result import ProvenanceError, read_record
from kerasgan.storage import save_model

SHARE = 0.03  # Of the time of the steps, which measuring takes where `every` is None.
FEW = 64  # Images that tell how long a measurement takes.


class Scores(Steps):
    """Adds metrics of the generated images to the logs of an epoch, and keeps the best state.

    Place it before the callbacks that read the logs:
    `[Scores(images), EarlyStopping("frechet_distance", mode="min", patience=5)]`.

    Images that cannot be measured because the training has diverged score NaN. An epoch that was
    cut short has no score.

    With `best`, the whole state with the best score so far is kept as a file, with the score and
    its provenance in it. A training that resumes goes on with the score in that file; one that
    begins replaces the file. A state that is not finite is not kept.

    Args:
        data: Real images, an `ImageDataset` or an array; preferably ones that are not trained on.
        metrics: Names from `kerasgan.metrics.METRICS`; by default the cheap ones.
        samples: Number of generated images, and of real images, in a score.
        every: Epochs between two measurements; the last epoch always has one. The logs of the
            others have none of these metrics. None chooses a number after the first epoch, with
            which measuring takes about 3 % of the time of the steps.
        best: A file that ends in `.keras`, which keeps the state with the best score; None keeps
            none.
        by: The name of the score that says which state is the best; by default the first one.
        epochs: Number of epochs of the whole training, if a call of `fit` is a part of it.
        **arguments: Arguments of `kerasgan.metrics.Evaluator`.

    Attributes:
        results: The last `Result`s. Each holds what real images score and how it was computed.
        record: The epoch of the best state, counted from 1, and its `Result`; None before there is
            one, and without `best`.

    Raises:
        MetricError: If a metric in `metrics` cannot be computed with these images. A metric of the
            default ones is left out with a warning instead.
        ValueError: If another argument is out of range, or `by` is a score whose best value is that
            of real images.
        ProvenanceError: When a training resumes, if the score in `best` cannot be compared with
            these.
    """

    def __init__(
        self,
        data,
        metrics=None,
        samples=2000,
        every=1,
        best=None,
        by=None,
        epochs=None,
        **arguments,
    ):
        super().__init__()
        if every is not None:
            validation.positive_integer("every", every)
        if epochs is not None:
            validation.positive_integer("epochs", epochs)
        self.every = every
        self.best = None if best is None else Path(best)
        self.epochs = epochs
        names = list(CHEAP if metrics is None else metrics)
        self.evaluator = Evaluator(data, metrics=names, samples=samples, **arguments)
        began = time.perf_counter()
        for name in names:
            try:
                self.evaluator.baseline(name)
            except MetricError as error:
                if metrics is not None:
                    raise
                warnings.warn(f"{name} is left out: {error}", stacklevel=2)
                self.evaluator.metrics.remove(name)
        self._comparing = time.perf_counter() - began  # The seconds without the features.
        better = {k: v for name in self.evaluator.metrics for k, v in METRICS[name].better.items()}
        self.scores = list(better)
        if by is not None or best is not None:
            directed = [name for name, which in better.items() if which != "baseline"]
            by = next(iter(better), None) if by is None else by
            if by not in directed:
                raise ValueError(
                    "`by` must be a score of `metrics` of which the lowest or the highest value is "
                    f"the best, one of {directed}. Received: {by!r}"
                )
        self.by = by
        self.results = []
        self.record = None
        self._timed = None  # A moment of this epoch, and how many steps came before it.

    def on_train_begin(self, logs=None):
        if self.best is not None:
            # One that begins has no best state yet, whatever another one left.
            self.record = self._read() if self.model.critic_steps else None

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._timed = time.perf_counter(), 0

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch, logs)
        if batch and not self._timed[1]:  # The first step compiles.
            self._timed = time.perf_counter(), batch

    def on_epoch_end(self, epoch, logs=None):
        if self.cut:
            return
        if self.every is None:
            self._choose_every(time.perf_counter())
        if not self._is_due(epoch):
            return
        try:
            self.results = self.evaluator(self.model)
        except MetricError:
            self.results = []
        if logs is not None:
            logs.update(dict.fromkeys(self.scores, float("nan")))
            logs.update({result.name: result.value for result in self.results})
        if self.best is not None:
            self._keep(epoch + 1)

    def _is_due(self, epoch):
        last = self.epochs or (self.params or {}).get("epochs")
        return epoch + 1 == last or (self.every is not None and (epoch + 1) % self.every == 0)

    def _choose_every(self, now):
        """Choose how often to measure, from the time of this epoch and of a few images."""
        since, before = self._timed
        epoch = (now - since) / max(self.steps - before, 1) * self.steps
        try:
            for _ in range(2):  # The first time may compile.
                began = time.perf_counter()
                self.evaluator.extractor(self.model.sample(FEW, seed=self.evaluator.seed))
        except MetricError:  # They are not finite; the next epoch may tell.
            return
        few = time.perf_counter() - began
        seconds = few * self.evaluator.samples / FEW + self._comparing
        self.every = max(1, math.ceil(seconds / (SHARE * max(epoch, 1e-3))))

    def _keep(self, epoch):
        """Keep the present state if its score is the best so far."""
        found = next((result for result in self.results if result.name == self.by), None)
        if found is None or not math.isfinite(found.value):
            return
        if self.record is not None and not found.better_than(self.record[1]):
            return
        if not_finite(self.model):  # The images are of the moving average, which breaks later.
            return
        save_model(self.model, self.best, {"epoch": epoch, "score": found.as_dict()})
        self.record = epoch, found

    def _read(self):
        """Return the record in the file, or None if there is none."""
        if not self.best.exists():
            return None
        try:
            record = read_record(self.best)
        except (OSError, ValueError) as error:
            kept = self.best.with_name(f"{self.best.name}.damaged")
            os.replace(self.best, kept)
            warnings.warn(
                f"{self.best} holds no score that can be read: {error}. It is kept as {kept.name}, "
                "and the search for the best state begins anew",
                stacklevel=2,
            )
            return None
        now = self.evaluator.provenance(self.by)
        if record[1].provenance != now:
            raise ProvenanceError(
                f"{self.best} must hold the best state by a score that the new ones can be "
                "compared with; move it away to begin anew. "
                f"Received: {record[1].provenance}; the new ones: {now}"
            )
        return record
