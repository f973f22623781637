"""CollapseGuard: notice a mode collapse during training, and restore the model."""

import math
from pathlib import Path

from kerasgan import validation
from kerasgan.adversarial.each_step import EachStep
from kerasgan.adversarial.state import not_finite
from kerasgan.callbacks.guard_records import GuardRecords, described
from kerasgan.callbacks.real_images import metric_of
from kerasgan.callbacks.steps import comes_round
from kerasgan.collapse import BROKEN, Detector, Entry, Verdict, remedies, snapshot
from kerasgan.collapse.detector import DIP
from kerasgan.data import DataError
from kerasgan.metrics import MetricError

POLICIES = ("rescue", "stop", "warn")
LOSSES_EVERY = 100  # Steps between two checks of the losses within an epoch.
FEWEST_STEPS = 150  # Critic steps between two checks, unless `every` is given.
NOISE = 0.02  # Share of a level that two checks of one state may differ by.


class CollapseGuard(EachStep):
    """Watches for mode collapse during `fit`, and restores a healthy state if it happens.

    The guard checks the generator after each epoch, or after as many short ones as make 150 critic
    steps. A check generates images with the moving average of the generator's weights and measures
    them (see `kerasgan.collapse.Measurement`). It adds `diversity` to the logs of that epoch; 1 is
    that of held-out real images. Place the guard before the callbacks that read the logs.

    A `kerasgan.collapse.Detector` compares each check with the checks before it. When the generator
    has lost much of what it had, or a loss or a weight is NaN or infinite, the guard follows its
    policy:

    - "warn" prints a message.
    - "stop" restores the best state and stops the training.
    - "rescue" restores an earlier healthy state (networks, optimizers, moving average, schedule).
      It changes the training so that it does not collapse in the same way again (see
      `kerasgan.collapse.remedies`), and the training continues. After three rescues the guard
      does what "stop" does. A training with a rescue ends with the best state that was measured.

    If a training ends after five checks or more and has learned little, the guard says so.

    No error in the guard ends the training; the guard prints it:

    - A rescue that raises an error counts as one of the three. The journal lists it as "failed",
      and the verdict stays "collapsed" or "diverged" until a later check is healthy.
    - If a check raises an error, the verdict is "unknown" until a later check succeeds.

    Args:
        policy: "rescue", "stop" or "warn".
        data: Real images to compare with, an `ImageDataset` or an array. By default they are
            those that `fit` is given (see `kerasgan.data.some_images`).
        every: Critic steps between two checks, if they are not to follow the epochs. The guard also
            checks at the end of the training.
        samples: Number of images that a check generates.
        folder: Run folder for the journal, the snapshots and `report.html`. A training that is
            resumed with the same folder continues with them. None keeps everything in memory.
        seed: Seed of the latent vectors and of the choice of real images.
        stream: Where to print messages; by default `sys.stdout`.
        epochs: Number of epochs of the whole training, if a call of `fit` is a part of it.
        on_collapse: A callable that is given each `kerasgan.collapse.Decision` on a collapse, or a
            command of the shell; see `kerasgan.collapse.message.send`.

    Attributes:
        verdict: The last `kerasgan.collapse.Verdict`. It is None before the first check, and from a
            rescue to the next check.
        collapsed: After training, one sentence if it ended collapsed or diverged, or None.
        metric: The `kerasgan.collapse.DiversityMetric`, or None if the real images cannot be used;
            then the guard checks nothing but the losses and the weights.
        store: The `kerasgan.collapse.snapshot.SnapshotStore`.

    Example:
    ```python
    guard = kerasgan.callbacks.CollapseGuard("rescue", folder="runs/mine")
    gan.fit(images, epochs=20, callbacks=[guard])
    print(guard.verdict, guard.collapsed)
    ```
    """

    def __init__(
        self,
        policy="rescue",
        data=None,
        every=None,
        samples=1000,
        folder=None,
        seed=0,
        stream=None,
        epochs=None,
        on_collapse=None,
    ):
        super().__init__()
        validation.choice("policy", policy, POLICIES)
        if every is not None:
            validation.positive_integer("every", every)
        if epochs is not None:
            validation.positive_integer("epochs", epochs)
        validation.positive_integer("samples", samples)
        self.policy = policy
        self.data = data
        self.every = every
        self.samples = samples
        self.folder = None if folder is None else Path(folder)
        self.seed = seed
        self.stream = stream
        self.epochs = epochs
        self.on_collapse = on_collapse
        self.collapsed = None
        self._training_data = None
        self._detector = Detector()
        self._epoch = 1
        self._forget()

    def _forget(self):
        """Reset everything that belongs to one model."""
        self._records = GuardRecords(self.folder, self.stream, self._now, self.on_collapse)
        self.store = snapshot.SnapshotStore(self._records.subfolder)
        self.metric = None
        self.verdict = None
        self._seen = None  # The last verdict of the detector, noted in the journal or not.
        self._watched = None  # The model.
        self._labels = None  # Labels for a conditional model, in the proportions of the data.
        self._diversity = float("nan")
        self._fresh = False  # Whether it was measured, or failed to be, since the last epoch.
        self._checked = 0  # The critic step of the last check.
        self._warned = False
        self._kept = None  # The snapshot that the training ends with.

    @property
    def journal(self):
        """The `kerasgan.collapse.Journal` of all checks and decisions."""
        return self._records.journal

    def _now(self):
        return self._epoch, self.model.critic_steps

    def see_training_data(self, data):
        """Remember what `fit` trains on; `fit` calls this."""
        self._training_data = data

    # When to check.

    def on_train_begin(self, logs=None):
        if self.model is not self._watched:
            self._forget()
            self._watched = self.model
            self._records.resume(self.model, self.store)
            if self.journal.entries:
                self._resume()
        self._epoch = self.journal.epoch
        self.collapsed = self._kept = None
        expected = (DataError, MetricError, OSError)
        with self._records.surviving("start", *expected, on_fault=self._set_unknown):
            if self.metric is None:
                self._prepare()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch + 1
        # A training that resumes within an epoch may have checked in its first part.
        self._fresh = any(entry.epoch == self._epoch for entry in self.journal.entries[-1:])

    def on_train_batch_begin(self, batch, logs=None):
        # Before a step and not after it: a hook after each step would make JAX wait for its logs.
        if self._kept is not None:
            return
        if self.every is not None and self._due():
            with self._checking():
                self._check()
        elif comes_round(batch, LOSSES_EVERY, self.unsynced):
            with self._checking("read the losses"):
                self.model.synchronize()
                self._check_losses(self.model.get_metrics_result())

    def on_epoch_end(self, epoch, logs=None):
        if self._kept is not None:
            # Keras took one more step after the state was restored.
            self._put_kept_back()
        elif self.collapsed is None:
            with self._checking():
                self._check_epoch(logs or {})
        if logs is not None and self._fresh:
            logs["diversity"] = self._diversity
        self._fresh = False
        self._records.mark(self.store)

    def before_checkpoint(self, epoch):
        """Note the state within an epoch, for a training that resumes from there."""
        self._records.mark(self.store)

    def _check_epoch(self, logs):
        broken = self._check_losses(logs) or self._check_weights()
        if self.model.stop_training:  # An epoch that was cut short is checked when it is whole.
            return
        last = self._epoch >= max(self.epochs or 0, self.params["epochs"])
        if not broken:
            if self._due():
                self._check()
            elif last and self.metric and self.model.critic_steps != self._checked:
                self._check(at_the_end=True)
        if last and not self.model.stop_training:
            self._keep_the_best()

    def on_train_end(self, logs=None):
        # A training of a given number of `epochs` may have been stopped to be continued later.
        if self._kept is None and self.epochs is None:
            with self._checking("keep the best state"):
                self._keep_the_best()
        ended = self.epochs is None or self._epoch >= self.epochs
        if self.collapsed is None and self.journal.stopped_at == self.model.critic_steps:
            self.collapsed = self.journal.decisions[-1].sentence
        if self.verdict is not None and self.collapsed is None:
            # Where a rescue failed, the rest of the training may still succeed.
            if self.verdict.bad and (ended or self.policy != "rescue"):
                self.collapsed = self.verdict.sentence
            elif self.verdict.state == "unknown":
                self._records.say("unknown: the last check failed, so the training ends unchecked")
        if ended and self.collapsed is None:
            self._records.say_how_far(self._seen)
        self._records.write_report()

    def _due(self):
        # It counts steps alone, so that a resumed training checks where an uninterrupted one does.
        since = self.unsynced.critic_steps - self._checked
        fewest = FEWEST_STEPS if self.journal.entries else 1
        return self.metric is not None and since >= (self.every or fewest)

    # Before the first check.

    def _prepare(self):
        data = self._training_data if self.data is None else self.data
        conditional = self.model.num_classes is not None
        metric, self._labels = metric_of(
            data, conditional, self.samples, self.seed, self._records.say
        )
        self._detector = Detector(getattr(data, "class_names", None))
        self.metric = metric
        self._records.write_exemplars(metric)

    def _resume(self):
        """Continue from the records of an earlier part of this training."""
        last = self.journal.entries[-1]
        self._checked, self._diversity = last.step, last.measurement.diversity
        self.verdict = Verdict(last.state, last.sentence, 0.0, last.evidence)
        self._warned = self.journal.warned
        decision = self.journal.put_back
        if decision is not None:
            steps = {found.step: found for found in self.store.snapshots}
            if decision.back_to in steps:
                self._diversity = steps[decision.back_to].diversity
            failed = decision.action == "failed"
            self.verdict = Verdict(last.state, decision.sentence, 0.0) if failed else None

    # A check.

    def _checking(self, what="check the generator"):
        return self._records.surviving(what, on_fault=self._set_unknown)

    def _set_unknown(self, sentence):
        """Let the verdict be "unknown" after a check that failed; a bad verdict stays."""
        self._diversity, self._fresh = float("nan"), True
        if self.verdict is None or not self.verdict.bad:
            self.verdict = Verdict("unknown", sentence, float("nan"))

    def _check_losses(self, logs):
        """Act if a loss of the training is not finite; return whether there was one."""
        for name in self.model.trackers:
            if name in logs and not math.isfinite(float(logs[name])):
                self._diverged(f"{name} became {float(logs[name])}")
                return True
        return False

    def _check_weights(self):
        """Act if a weight or an image is not finite; return whether there was one."""
        found = not_finite(self.model)
        if found:
            self._diverged(f"{found} was no longer finite")
        return bool(found)

    def _check(self, at_the_end=False):
        images, measurement = self._measure()
        self._seen = verdict = self._detector([*self.journal.current, measurement])
        # An uninterrupted training has no check here, so a resumed one must not know of it either.
        if verdict.bad or not at_the_end:
            self._follow(verdict, measurement, images)

    def _measure(self):
        """Return images of the generator in its present state, and their `Measurement`."""
        images = self.model.sample(self.metric.samples, seed=self.seed, labels=self._labels)
        return images, self.metric.measure(images, self._labels)

    def _diverged(self, sentence):
        self._follow(self._detector.diverged(sentence), BROKEN, None)

    def _follow(self, verdict, measurement, images):
        """Record a check, and act on its verdict."""
        self._checked = self.model.critic_steps
        self._diversity, self._fresh = measurement.diversity, True
        before, self.verdict = self.verdict, verdict
        said = verdict.state, verdict.sentence, verdict.evidence
        entry = Entry(self._epoch, self._checked, measurement, *said)
        self._records.add(entry, self.metric, images, verdict.bad)
        if verdict.bad:
            self._act(verdict)
        elif not self._keep(measurement, falling := verdict.state == "collapsing"):
            self._diverged("a weight became NaN or infinite")
            return
        elif falling and (before is None or before.state != "collapsing"):
            self._records.say(f"collapsing? {verdict.sentence}")
        self._warned &= verdict.bad or falling
        self._records.write_journal()

    def _keep(self, measurement, falling):
        """Store a state if it is worth going back to, and return whether it is finite."""
        best = self.store.best(self.model)
        found = snapshot.take(self.model, measurement)
        worth = found.level >= (1 if falling else 1 - DIP) * best.level if best else not falling
        if found.finite and worth:
            with self._records.surviving("write a snapshot", OSError):
                self.store.add(found)
        return found.finite  # Weights break before the moving average of them does.

    # What to do about it.

    def _act(self, verdict):
        attempt = self.journal.attempts + 1
        if self.policy == "warn":
            if not self._warned:  # Once for each collapse.
                self._records.decide("warn", verdict.sentence)
            self._warned = True
        elif self.policy == "stop" or attempt > remedies.ATTEMPTS:
            self._stop(verdict)
        else:
            self._rescue(verdict, attempt)

    def _rescue(self, verdict, attempt):
        state = self.store.choose(attempt, self.model)
        if state is None:
            self._stop(verdict)
            return
        back_to = None
        try:
            rates = remedies.rates(self.model)
            self._put_back(state)
            back_to = state.step
            changes = remedies.apply(self.model, attempt, rates, verdict.evidence)
        except Exception as error:
            sentence = f"{verdict.sentence}; the rescue raised {described(error)}"
            self.verdict = Verdict(verdict.state, sentence, verdict.score)
            self._records.decide("failed", sentence, back_to)
        else:
            self.verdict = None
            self._records.decide("rescue", verdict.sentence, back_to, changes)

    def _stop(self, verdict):
        self._kept = self.store.best(self.model)
        self.collapsed = verdict.sentence
        self.model.stop_training = True
        if self._kept is None:
            self._records.decide(
                "stop", f"{verdict.sentence}; there is no healthy state to go back to"
            )
            return
        back_to = self._kept.step
        self._records.decide("stop", verdict.sentence, back_to if self._put_kept_back() else None)

    def _keep_the_best(self):
        """End a training with rescues with the best state that was measured."""
        best = self.store.best(self.model)
        if best is None or self.policy != "rescue" or not self.journal.attempts:
            return
        if self.collapsed is not None:
            return
        level = self._measure()[1].level
        if level >= (1 - NOISE) * best.level:
            return
        seen = f"its level is {best.level:.2f}, and that of the last {level:.2f}"
        self._kept = best
        if self._put_kept_back():
            self._records.decide("keep", f"training ends with its best state: {seen}", best.step)

    def _put_kept_back(self):
        """Restore the state that the training ends with, and return whether that worked."""
        try:
            self._put_back(self._kept)
        except Exception as error:
            self._kept = None
            failure = f"the best state could not be put back: {described(error)}"
            self.collapsed = f"{self.collapsed}; {failure}" if self.collapsed else failure
            self._records.decide("failed", failure)
            return False
        return True

    def _put_back(self, state):
        snapshot.put_back(state, self.model)
        self._diversity = state.diversity
