"""The whole state of a training at one moment, which a rescue can restore."""

import contextlib
import dataclasses
import zipfile

import numpy as np
from keras import ops

from kerasgan.adversarial import state
from kerasgan.files import atomic, check_archive

LEVEL = 2  # The number of the definition of `Measurement.level`.
_SCHEDULE = ("generator_steps", "critic_steps_this_round")


@dataclasses.dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a model that `take` copied.

    Args:
        values: Every variable of the networks, the moving average, the seeds, the model's own
            weights and both optimizers.
        schedule: The counters that decide when the generator's next step comes.
        step: The model's critic steps at that moment.
        diversity: The diversity that was measured.
        level: The `level` of that measurement. The best snapshot has the highest.
        metrics: The variables of the metrics that a subclass of the model has of its own.
        trainable: Which of the networks' weights were trained, since this decides the order of
            `values`; None if it is not known.
    """

    values: list
    schedule: tuple
    step: int
    diversity: float
    level: float
    metrics: list = dataclasses.field(default_factory=list)
    trainable: list | None = None

    @property
    def finite(self):
        """Whether all values are finite; a metric may start at infinity, so they are left out."""
        return all(np.isfinite(value).all() for value in self.values)

    def write(self, file):
        """Write to an open binary file, from which `read` reads it."""
        arrays = {f"value_{i}": value for i, value in enumerate(self.values)}
        arrays |= {f"metric_{i}": value for i, value in enumerate(self.metrics)}
        scores = np.array([self.diversity, self.level, LEVEL])
        if self.trainable is not None:
            arrays["trainable"] = np.array(self.trainable)
        np.savez(file, about=np.array([*self.schedule, self.step]), scores=scores, **arrays)

    @classmethod
    def read(cls, path):
        """Return the snapshot in a file.

        Raises:
            ValueError, OSError, KeyError: If the file cannot be read or holds no snapshot.
        """
        with np.load(check_archive(path), allow_pickle=False) as stored:
            *schedule, step = (int(value) for value in stored["about"])
            scores = list(map(float, stored["scores"]))
            # Levels of earlier versions meant something else, so no other snapshot is worse.
            scores = [scores[0], scores[1] if scores[2:] == [LEVEL] else 0.0]
            values, metrics = (_numbered(stored, kind) for kind in ("value", "metric"))
            trainable = stored["trainable"].tolist() if "trainable" in stored else None
            return cls(values, tuple(schedule), step, *scores, metrics, trainable)


def _numbered(stored, kind):
    count = sum(name.startswith(kind) for name in stored.files)
    return [stored[f"{kind}_{i}"] for i in range(count)]


def take(model, measurement):
    """Return a `Snapshot` of a compiled adversarial model, which shares no memory with it.

    Args:
        model: The model.
        measurement: The `Measurement` of its images at this moment.
    """
    model.synchronize()
    return Snapshot(
        values=_copies(_variables(model)),
        schedule=tuple(getattr(model, name) for name in _SCHEDULE),
        step=model.critic_steps,
        diversity=measurement.diversity,
        level=measurement.level,
        metrics=_copies(_metric_variables(model)),
        trainable=_trainable(model),
    )


def fits(snapshot, model):
    """Return whether a snapshot has the variables of the model, of the same shapes.

    Those of an augmentation may be missing, since a rescue may have added it after the snapshot.
    """
    if snapshot.trainable not in (None, _trainable(model)):
        return False
    pairs = (
        (_held(snapshot, model), snapshot.values),
        (_metric_variables(model), snapshot.metrics),
    )
    return all([tuple(v.shape) for v in own] == [x.shape for x in stored] for own, stored in pairs)


def put_back(snapshot, model):
    """Give a model the state of a snapshot.

    Only the count of critic steps is kept. It is the position in the data, so the next images are
    new ones and epochs keep their numbers. An augmentation that was added after the snapshot keeps
    its state too.
    """
    model.synchronize()
    for variable, value in zip(_held(snapshot, model), snapshot.values, strict=True):
        variable.assign(value)
    for name, value in zip(_SCHEDULE, snapshot.schedule, strict=True):
        setattr(model, name, value)
    model.reset_metrics()  # The means of this epoch belong to the earlier state.
    for variable, value in zip(_metric_variables(model), snapshot.metrics, strict=True):
        variable.assign(value)
    model._put_back_at = model.critic_steps


def _variables(model):
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,  # Seeds and moving averages included.
        *model.optimizer.variables,
    ]


def _held(snapshot, model):
    """Return the variables whose values a snapshot holds."""
    variables = _variables(model)
    if len(snapshot.values) < len(variables):
        added = {id(v) for v in getattr(model.augment, "variables", ())}
        variables = [v for v in variables if id(v) not in added]
    return variables


def _trainable(model):
    return [v.trainable for network in (model.generator, model.critic) for v in network.weights]


def _metric_variables(model):
    """Return the variables of the metrics that a subclass of the model has of its own."""
    return [v for metric in state.own_metrics(model) for v in metric.variables]


def _copies(variables):
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


class SnapshotStore:
    """Keeps the best snapshot and the newest two.

    Args:
        folder: Where to write them as well, one file each; None keeps them in memory only.

    Attributes:
        snapshots: The snapshots, the oldest first.
    """

    def __init__(self, folder=None):
        self.folder = folder
        self.snapshots = []

    def add(self, found):
        """Add a snapshot, and drop the one that is neither the best nor among the newest two.

        Its file stays until `sweep`.

        Raises:
            OSError: If the file cannot be written. The snapshot is kept in memory in any case.
        """
        self.snapshots.append(found)
        best = max(self.snapshots, key=lambda s: (s.level, s.step))
        keep = {id(s) for s in (*self.snapshots[-2:], best)}
        self.snapshots = [s for s in self.snapshots if id(s) in keep]
        if self.folder is not None:
            self.folder.mkdir(exist_ok=True)
            with atomic(self._file(found.step)) as temporary, open(temporary, "wb") as file:
                found.write(file)

    @property
    def steps(self):
        """The critic step of each snapshot."""
        return [found.step for found in self.snapshots]

    def sweep(self, steps):
        """Remove the files of all snapshots but those of the given critic steps."""
        wanted = {self._file(step).name for step in steps}
        for path in self.folder.glob("snapshot-*.npz"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)

    def load(self, model, steps=None):
        """Read the snapshots in the folder that fit the model and are not newer than it.

        Other files of snapshots, and damaged ones, are removed.

        Args:
            model: The model.
            steps: The critic steps of the snapshots to read, or None for all.
        """
        for path in sorted(self.folder.glob("snapshot-*.npz")):
            with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                found = Snapshot.read(path)
                if fits(found, model) and found.step <= model.critic_steps:
                    if steps is None or found.step in steps:
                        self.snapshots.append(found)
                    continue
            path.unlink()

    def best(self, model):
        """Return the snapshot of the highest level that fits the model, or None."""
        fitting = [s for s in self.snapshots if fits(s, model)]
        return max(fitting, key=lambda s: (s.level, s.step), default=None)

    def choose(self, attempt, model):
        """Return the snapshot that a rescue goes back to, or None.

        The first attempt takes the last but one, later attempts the best. The last one is not
        used: the moving average was healthy then, but the networks themselves may have begun to
        collapse.

        Args:
            attempt: Number of the rescue, from 1.
            model: The model that the snapshot must fit.
        """
        fitting = [s for s in self.snapshots if fits(s, model)]
        if attempt > 1 or not fitting:
            return self.best(model)
        return fitting[-2:][0]

    def _file(self, step):
        return self.folder / f"snapshot-{step:09d}.npz"
