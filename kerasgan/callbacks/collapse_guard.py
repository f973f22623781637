"""CollapseGuard: notice a collapse while it happens, and put the model back."""

import contextlib
import math
import sys
from pathlib import Path

import keras
import numpy as np

from kerasgan import report, validation
from kerasgan.collapse import (
    BROKEN,
    Decision,
    Detector,
    Entry,
    Gauge,
    Journal,
    Verdict,
    lost,
    remedies,
    snapshot,
)
from kerasgan.collapse.detector import DIP, FAINT, level
from kerasgan.data import DataError, some_images

POLICIES = ("rescue", "stop", "warn")
CHECK_EVERY = 100  # Steps from one look at the losses to the next.
FEWEST_STEPS = 200  # Between two looks, unless `every` says otherwise.
PATIENCE = 5  # Looks after which a generator that has learned little is spoken of.


class CollapseGuard(keras.callbacks.Callback):
    """Looks at the generator as training goes on, and acts when it loses what it had.

    After each epoch (of short ones after some, see `every`) it draws images from the moving average
    of the generator, compares them with real ones (see `kerasgan.collapse.Gauge`), and adds
    `diversity` to the logs: 1 is as diverse as held-out real images. Put it before the callbacks
    that look at the logs.

    A `kerasgan.collapse.Detector` reads the history of these looks. When it says collapsed, or a
    loss is NaN or infinite, the guard follows its policy:

    - "warn" says so;
    - "stop" puts the best state back and stops;
    - "rescue" puts the last healthy state back whole (networks, optimizers, moving average,
      schedule), changes something (see `kerasgan.collapse.remedies`), and goes on; three times at
      most, then it does what "stop" does. A training that was rescued ends with the best state
      that the guard saw, if that is not the last one.

    A generator that has learned nothing has nothing to lose. If training ends so, after five looks
    or more, the guard says that.

    Nothing that goes wrong in the guard itself ends the training: it warns, and goes blind if it
    must.

    Args:
        policy: "rescue", "stop" or "warn".
        data: Real images, an `ImageDataset` or an array; by default those that `fit` is given. Of
            batches in another form the first are read, see `kerasgan.data.some_images`.
        every: Critic steps from one look to the next; by default an epoch, or after the first as
            many epochs as make 200 steps. The end of training is looked at in any case.
        samples: Images in a look.
        folder: Where its journal and the snapshots go, so that a resumed training finds them; None
            keeps them in memory.
        seed: Seed of the latent vectors and of the choice of real images.
        stream: Where messages go; by default they are printed.
        epochs: Epochs of the whole training, where `fit` is called for a part of it: then only
            their end is the end. By default every `fit` is a training.

    Attributes:
        verdict: What the detector said last, or None.
        journal: The `kerasgan.collapse.Journal` of looks and decisions.
        collapsed: After training, one sentence if it ended collapsed or diverged, or None.
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
        self.collapsed = None
        self._training_data = None
        self._detector = Detector()
        self._complaints = set()
        self._forget()

    def _forget(self):
        """Know nothing of any model."""
        self.gauge = None
        self.verdict = None
        self._seen = None  # What it said of the last look, an end that is not noted included.
        self.journal = Journal()
        self.shelf = snapshot.Shelf(self.folder and self.folder / "guard")
        self._watched = None  # The model that all this is about.
        self._labels = None  # Of a conditional model, as the real images have them.
        self._diversity = float("nan")
        self._level = 0.0  # Of the state that the model was in after
        self._known = None  # so many critic steps.
        self._looked = 0  # The step of the last look.
        self._warned = False
        self._kept = None  # The snapshot that training ends with.

    def see_training_data(self, data):
        """Take note of what `fit` trains on; it calls this."""
        self._training_data = data

    def on_train_begin(self, logs=None):
        if self.model is not self._watched:
            self._forget()
            self._watched = self.model
        self._epoch = 1
        self.collapsed = self._kept = None
        with self._safely("begin"):
            if self.gauge is None:
                self._prepare()

    def _prepare(self):
        data = self._training_data if self.data is None else self.data
        try:
            images = some_images(data)
        except DataError as error:
            raise DataError(f"{error}. Pass real images: CollapseGuard(data=...)") from None
        gauge = Gauge(images, self.samples, seed=self.seed)
        labels = getattr(data, "labels", None)
        if self.model.num_classes is not None and labels is not None:
            self._labels = np.random.default_rng(self.seed).choice(labels, gauge.samples)
        self.gauge = gauge
        if self.folder is not None:
            (self.folder / "guard").mkdir(parents=True, exist_ok=True)
            self._resume()
            lost.write_exemplars(self.folder / "guard", gauge)

    def _resume(self):
        """Take back what an earlier part of this training saw; what came later is forgotten."""
        if self._journal_file.exists():
            self.journal = Journal.read(self._journal_file)
            self.journal.go_back(self.model.critic_steps)
        self.shelf.load(self.model)
        if not self.journal.entries:
            return
        last = self.journal.entries[-1]
        self._looked, self._diversity = last.step, last.look.diversity
        self._level, self._known = level(last.look), last.step
        decision = self.journal.decisions[-1] if self.journal.decisions else None
        if decision is None or decision.back_to is None or decision.step < last.step:
            self.verdict = Verdict(last.state, last.sentence, 0.0)
        else:  # What that look saw was put right.
            self._known = None
            for found in self.shelf.snapshots:
                if found.step == decision.back_to:
                    self._diversity = found.diversity

    @property
    def _journal_file(self):
        return self.folder / "guard" / "journal.json"

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch + 1

    def on_train_batch_begin(self, batch, logs=None):
        # Before a step and not after it: a hook after each step would make JAX wait for its logs.
        if self._kept is not None:
            return
        if self.every is not None and self._due():
            with self._safely("look"):
                self._look()
        elif batch and batch % CHECK_EVERY == 0:
            with self._safely("read the losses"):
                self.model.synchronize()
                self._check(self.model.get_metrics_result())

    def on_epoch_end(self, epoch, logs=None):
        if self._kept is not None:
            # One more step was taken on the state that was put back.
            with self._safely("put the best state back"):
                snapshot.put_back(self._kept, self.model)
        elif self.collapsed is None:
            with self._safely("look"):
                broken = self._check(logs or {})
                # An epoch that was cut short is looked at when it is whole.
                whole = not self.model.stop_training
                last = self._epoch >= max(self.epochs or 0, self.params["epochs"])
                if whole and not broken:
                    if self._due():
                        self._look()
                    elif last and self.gauge and self.model.critic_steps != self._looked:
                        self._look(at_the_end=True)
                if last and whole:
                    self._keep_the_best()
        if logs is not None:
            logs["diversity"] = self._diversity

    def on_train_end(self, logs=None):
        # What stopped a training of so many epochs may be someone who goes on with it later.
        if self._kept is None and self.epochs is None:
            with self._safely("put the best state back"):
                self._keep_the_best()
        if self.verdict is not None and self.verdict.bad and self.collapsed is None:
            self.collapsed = self.verdict.sentence
        if self.epochs is None or self._epoch >= self.epochs:
            self._say_what_is_missing()
        self._report()

    def _due(self):
        # Nothing but steps decides, so that a resumed training looks where a straight one does.
        since = self.model.critic_steps - self._looked
        fewest = FEWEST_STEPS if self.journal.entries else 1
        return self.gauge is not None and since >= (self.every or fewest)

    def _check(self, logs):
        """Act if a loss of the training is not finite; return whether there was one."""
        for name in self.model.trackers:
            if name in logs and not math.isfinite(float(logs[name])):
                self._diverged(f"{name} became {float(logs[name])}")
                return True
        return False

    def _look(self, at_the_end=False):
        images, look = self._measured()
        self._seen = verdict = self._detector([*self.journal.current, look])
        # A training that is resumed later has not seen an end: nothing is noted but a collapse.
        if verdict.bad or not at_the_end:
            self._follow(verdict, look, images)

    def _measured(self):
        """Return images of the generator as it is and their look; its level is known then."""
        images = self.model.sample(self.gauge.samples, seed=self.seed, labels=self._labels)
        look = self.gauge.measure(images)
        self._level, self._known = level(look), self.model.critic_steps
        return images, look

    def _diverged(self, sentence):
        self._follow(self._detector.diverged(sentence), BROKEN, None)

    def _follow(self, verdict, look, images):
        self._looked = self.model.critic_steps
        self._diversity = look.diversity
        before, self.verdict = self.verdict, verdict
        peaks = self.journal.peaks
        entry = Entry(self._epoch, self._looked, look, verdict.state, verdict.sentence)
        self.journal.add(entry)
        with self._safely("keep pictures of a look"):
            if self.folder is not None and look.shares:
                folder = self.folder / "guard"
                lost.write_look(folder, self.gauge, entry, look, images, peaks, verdict.bad)
        if verdict.bad:
            self._act(verdict)
        elif verdict.state == "collapsing":
            if before is None or before.state != "collapsing":
                self._say(f"collapsing? {verdict.sentence}")
        else:
            self._warned = False
            found = snapshot.take(self.model, look)
            if not found.finite:  # The moving average is the last to see it.
                self._diverged("a weight became NaN or infinite")
                return
            best = self.shelf.best(self.model)
            with self._safely("keep a snapshot"):
                if best is None or found.level >= (1 - DIP) * best.level:
                    self.shelf.add(found)
        with self._safely("write its journal"):
            if self.folder is not None:
                self.journal.write(self._journal_file)

    def _act(self, verdict):
        attempt = self.journal.rescues + 1
        if self.policy == "warn":
            if not self._warned:  # Once for each collapse.
                self._decide("warn", verdict.sentence)
            self._warned = True
        elif self.policy == "stop" or attempt > remedies.ATTEMPTS:
            self._stop(verdict)
        else:
            self._rescue(verdict, attempt)

    def _rescue(self, verdict, attempt):
        back_to = self.shelf.choose(attempt, self.model)
        if back_to is None:
            self._stop(verdict)
            return
        rates = remedies.rates(self.model)
        # Counted before it is tried: what fails in it must not be tried for ever.
        self._decide("rescue", verdict.sentence, back_to)
        self.verdict = None
        self._put_back(back_to)
        changes = remedies.apply(self.model, attempt, rates)
        self.journal.amend(changes)
        self._say(f"changed {', '.join(changes)}")
        self._report()

    def _stop(self, verdict):
        best = self._kept = self.shelf.best(self.model)
        self.collapsed = verdict.sentence
        self.model.stop_training = True
        if best is None:
            self._decide("stop", f"{verdict.sentence}; there is no healthy state to go back to")
            return
        self._decide("stop", verdict.sentence, best)
        self._put_back(best)

    def _put_back(self, state):
        self._diversity = state.diversity
        self._level, self._known = state.level, self.model.critic_steps
        snapshot.put_back(state, self.model)

    def _keep_the_best(self):
        """End a training that was rescued with the best state that was seen."""
        best = self.shelf.best(self.model)
        if self.policy != "rescue" or not self.journal.rescues or best is None:
            return
        if self.model.critic_steps != self._known:
            self._measured()
        if self.collapsed is not None or self._level >= best.level:
            return
        self._kept = best
        seen = f"it shows more of the data ({best.level:.2f}) than the last ({self._level:.2f})"
        self._decide("keep", f"training ends with its best state: {seen}", best)
        self._put_back(best)

    def _say_what_is_missing(self):
        """Speak of a generator that had time and has learned nothing: it has nothing to lose."""
        learning = self._seen is not None and self._seen.state == "learning"
        if learning and self._level <= FAINT and len(self.journal.entries) >= PATIENCE:
            self._say(
                f"not learned: {self._seen.sentence}. Train longer, or where the diversity stands "
                "still with higher learning rates, larger networks or another loss"
            )

    def _decide(self, action, sentence, back_to=None):
        step = None if back_to is None else back_to.step
        decision = Decision(self._epoch, self.model.critic_steps, action, sentence, (), step)
        self.journal.decide(decision)
        self._say(str(decision))
        self._report()

    def _report(self):
        with self._safely("write the report"):
            if self.folder is not None:
                self.journal.write(self._journal_file)
                report.write(self.folder)

    def _say(self, text):
        with contextlib.suppress(OSError):  # Whoever read the output may have gone.
            print(f"guard: {text}", file=self.stream or sys.stdout, flush=True)

    @contextlib.contextmanager
    def _safely(self, what):
        """Keep what goes wrong in here away from the training; say so, once for each kind."""
        try:
            yield
        except Exception as error:
            complaint = f"could not {what}: {type(error).__name__}: {error}"
            if complaint not in self._complaints:
                self._complaints.add(complaint)
                self._say(f"{complaint}. The training goes on")
