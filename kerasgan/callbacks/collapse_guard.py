"""CollapseGuard: notice a collapse while it happens, and put the model back."""

import contextlib
import math
import sys
import time
from pathlib import Path

import keras

from kerasgan import report, validation
from kerasgan.collapse import Decision, Detector, Entry, Gauge, Journal, lost, remedies, snapshot
from kerasgan.data import DataError, some_images

POLICIES = ("rescue", "stop", "warn")
CHECK_EVERY = 100  # Steps from one look at the losses to the next.
FEWEST_STEPS = 200  # Between two looks, unless `every` says otherwise.


class CollapseGuard(keras.callbacks.Callback):
    """Looks at the generator as training goes on, and acts when it loses what it had.

    After each epoch it draws images from the moving average of the generator, compares them with
    real ones (see `kerasgan.collapse.Gauge`), and adds `diversity` to the logs: 1 is as diverse as
    held-out real images. Put it before the callbacks that look at the logs.

    A `kerasgan.collapse.Detector` reads the history of these looks. When it says collapsed, or a
    loss is NaN or infinite, the guard follows its policy:

    - "warn" says so;
    - "stop" puts the best state back and stops;
    - "rescue" puts the last healthy state back whole (networks, optimizers, moving average,
      schedule), changes something (see `kerasgan.collapse.remedies`), and goes on; three times at
      most, then it does what "stop" does.

    Nothing that goes wrong in the guard itself ends the training: it warns, and goes blind if it
    must.

    Args:
        policy: "rescue", "stop" or "warn".
        data: Real images, an `ImageDataset` or an array; by default those that `fit` is given.
        every: Critic steps from one look to the next; by default an epoch, or as many epochs as
            make 200 steps.
        samples: Images in a look.
        folder: Where its journal and the snapshots go, so that a resumed training finds them; None
            keeps them in memory.
        seed: Seed of the latent vectors and of the choice of real images.
        stream: Where messages go; by default they are printed.

    Attributes:
        verdict: What the detector said last, or None.
        journal: The `kerasgan.collapse.Journal` of looks and decisions.
        collapsed: After training, one sentence if it ended collapsed or diverged, or None.
    """

    def __init__(
        self, policy="rescue", data=None, every=None, samples=1000, folder=None, seed=0, stream=None
    ):
        super().__init__()
        validation.choice("policy", policy, POLICIES)
        if every is not None:
            validation.positive_integer("every", every)
        self.policy = policy
        self.data = data
        self.every = every
        self.samples = samples
        self.folder = None if folder is None else Path(folder)
        self.seed = seed
        self.stream = stream
        self.training_data = None  # `fit` fills it in.
        self.gauge = None
        self.verdict = None
        self.collapsed = None
        self.journal = Journal()
        self.shelf = snapshot.Shelf(self.folder and self.folder / "guard")
        self.seconds = 0.0
        self._detector = Detector()
        self._diversity = float("nan")
        self._looked = 0  # The step of the last look.
        self._warned = False
        self._complaints = set()

    def on_train_begin(self, logs=None):
        self._epoch = 1
        with self._safely("begin"):
            if self.gauge is None:
                self._prepare()

    def _prepare(self):
        try:
            images = some_images(self.training_data if self.data is None else self.data)
        except DataError as error:
            raise DataError(f"{error}. Pass real images: CollapseGuard(data=...)") from None
        self.gauge = Gauge(images, self.samples, seed=self.seed)
        if self.folder is not None:
            (self.folder / "guard").mkdir(parents=True, exist_ok=True)
            lost.write_exemplars(self.folder / "guard", self.gauge)
            if self._journal_file.exists():
                self.journal = Journal.read(self._journal_file)
                self.shelf.load(self.model)
                if self.journal.entries:
                    self._looked = self.journal.entries[-1].step
                    self._diversity = self.journal.entries[-1].look.diversity

    @property
    def _journal_file(self):
        return self.folder / "guard" / "journal.json"

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch + 1

    def on_train_batch_begin(self, batch, logs=None):
        # Before a step and not after it: a hook after each step would make JAX wait for its logs.
        if self.every is not None and self._due():
            with self._safely("look"):
                self._look()
        elif batch and batch % CHECK_EVERY == 0:
            with self._safely("read the losses"):
                self._check_losses()

    def _due(self, last=False):
        since = self.model.critic_steps - self._looked
        return self.gauge is not None and since >= (1 if last else self.every or FEWEST_STEPS)

    def on_epoch_end(self, epoch, logs=None):
        with self._safely("look"):
            broken = [k for k, v in (logs or {}).items() if not math.isfinite(float(v))]
            if "diversity" not in broken and broken:
                self._diverged(f"{broken[0]} became {float(logs[broken[0]])}")
            elif self._due(last=epoch + 1 == self.params.get("epochs")):
                self._look()
        if logs is not None:
            logs["diversity"] = self._diversity

    def on_train_end(self, logs=None):
        if self.verdict is not None and self.verdict.bad and self.collapsed is None:
            self.collapsed = self.verdict.sentence
        with self._safely("write the report"):
            self._report()

    def _check_losses(self):
        self.model.synchronize()
        for name, value in self.model.get_metrics_result().items():
            if not math.isfinite(float(value)):
                self._diverged(f"{name} became {float(value)}")
                return

    def _look(self):
        began = time.perf_counter()
        self._looked = self.model.critic_steps
        images = self.model.sample(self.gauge.samples, seed=self.seed)
        look = self.gauge.measure(images)
        verdict = self._detector([*self.journal.current, look])
        self.journal.add(
            Entry(self._epoch, self.model.critic_steps, look, verdict.state, verdict.sentence)
        )
        self._diversity = look.diversity
        self._follow(verdict, images)
        self.seconds += time.perf_counter() - began

    def _diverged(self, sentence):
        self._looked = self.model.critic_steps
        self._follow(self._detector.diverged(sentence), None)

    def _follow(self, verdict, images):
        before, self.verdict = self.verdict, verdict
        if verdict.bad:
            self._act(verdict)
        else:
            self._warned = False
            if verdict.state != "collapsing":
                found = snapshot.take(self.model, self._diversity)
                if not found.finite:  # The moving average follows later.
                    self._diverged("a weight became NaN or infinite")
                    return
                self.shelf.add(found)
            elif before is None or before.state != "collapsing":
                self._say(f"collapsing? {verdict.sentence}")
        if self.folder is not None:
            if images is not None:
                folder, entry = self.folder / "guard", self.journal.entries[-1]
                lost.write_look(folder, self.gauge, entry, images, alarm=verdict.bad)
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
        back_to = self.shelf.choose(attempt)
        if back_to is None:
            self._stop(verdict)
            return
        rates = remedies.rates(self.model)
        snapshot.put_back(back_to, self.model)
        changes = remedies.apply(self.model, attempt, rates)
        self._diversity = back_to.diversity
        self._decide("rescue", verdict.sentence, changes, back_to)
        self.verdict = None

    def _stop(self, verdict):
        best = self.shelf.best()
        self.collapsed = verdict.sentence
        self.model.stop_training = True
        if best is None:
            self._decide("stop", f"{verdict.sentence}; there is no healthy state to go back to")
            return
        snapshot.put_back(best, self.model)
        self._diversity = best.diversity
        self._decide("stop", verdict.sentence, (), best)

    def _decide(self, action, sentence, changes=(), back_to=None):
        step = None if back_to is None else back_to.step
        decision = Decision(
            self._epoch, self.model.critic_steps, action, sentence, tuple(changes), step
        )
        self.journal.decide(decision)
        self._say(str(decision))
        self._report()

    def _report(self):
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
