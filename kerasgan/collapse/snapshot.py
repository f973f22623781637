"""The whole state of a training at one moment, to go back to."""

import contextlib
import dataclasses
import zipfile

import numpy as np
from keras import ops

from kerasgan.collapse.detector import level
from kerasgan.files import atomic

_SCHEDULE = ("generator_steps", "critic_steps_this_round")


@dataclasses.dataclass(frozen=True, eq=False)
class Snapshot:
    """What `take` found.

    Args:
        values: Every variable of the networks, the moving average, the seeds and both optimizers.
        schedule: Where the critic's and the generator's turns stood.
        step: The model's critic steps at that moment.
        diversity: What the look before it found.
        level: The detector's `level` of that look, by which the best one is known.
    """

    values: list
    schedule: tuple
    step: int
    diversity: float
    level: float

    @property
    def finite(self):
        """Whether all values are."""
        return all(np.isfinite(value).all() for value in self.values)

    def write(self, file):
        """Write to an open file; `read` takes it back."""
        arrays = {f"value_{i}": value for i, value in enumerate(self.values)}
        scores = np.array([self.diversity, self.level])
        np.savez(file, about=np.array([*self.schedule, self.step]), scores=scores, **arrays)

    @classmethod
    def read(cls, path):
        """Return the snapshot in a file.

        Raises:
            ValueError, OSError, KeyError: If it holds none.
        """
        with np.load(path, allow_pickle=False) as stored:
            values = [stored[f"value_{i}"] for i in range(len(stored.files) - 2)]
            *schedule, step = (int(value) for value in stored["about"])
            return cls(values, tuple(schedule), step, *map(float, stored["scores"]))


def take(model, look):
    """Return a `Snapshot` of a compiled adversarial model at a look; nothing of it is shared."""
    model.synchronize()
    return Snapshot(
        values=[np.array(ops.convert_to_numpy(v)) for v in _variables(model)],
        schedule=tuple(getattr(model, name) for name in _SCHEDULE),
        step=model.critic_steps,
        diversity=look.diversity,
        level=level(look),
    )


def fits(snapshot, model):
    """Return whether a snapshot is one of this model: as many variables, of the same shapes."""
    variables = _variables(model)
    return len(variables) == len(snapshot.values) and all(
        tuple(v.shape) == x.shape for v, x in zip(variables, snapshot.values, strict=True)
    )


def put_back(snapshot, model):
    """Give a model the state of a snapshot.

    The count of critic steps goes on: it is the place in the data, so that the images that come
    next are new ones, epochs keep their numbers, and curves stay whole.
    """
    model.synchronize()
    for variable, value in zip(_variables(model), snapshot.values, strict=True):
        variable.assign(value)
    for name, value in zip(_SCHEDULE, snapshot.schedule, strict=True):
        setattr(model, name, value)
    model.reset_metrics()
    model.put_back_at = model.critic_steps


def _variables(model):
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,  # Seeds and moving averages included.
        *model.optimizer.variables,
    ]


class Shelf:
    """The few snapshots that are kept: the best one, and the newest two.

    Args:
        folder: Where they are written too, one file each; None for memory alone.
    """

    def __init__(self, folder=None):
        self.folder = folder
        self.snapshots = []  # The oldest first.

    def add(self, found):
        """Keep a snapshot and drop what is one too many.

        Raises:
            OSError: If it cannot be written; it is kept in memory all the same.
        """
        self.snapshots.append(found)
        best = max(self.snapshots, key=lambda s: (s.level, s.step))
        keep = {id(s) for s in (*self.snapshots[-2:], best)}
        dropped = [s for s in self.snapshots if id(s) not in keep]
        self.snapshots = [s for s in self.snapshots if id(s) in keep]
        if self.folder is not None:
            for old in dropped:
                self._file(old.step).unlink(missing_ok=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic(self._file(found.step)) as temporary, open(temporary, "wb") as file:
                found.write(file)

    def load(self, model):
        """Take back those in the folder that are whole, fit the model and are of its past.

        The other files are removed.
        """
        for path in sorted(self.folder.glob("snapshot-*.npz")):
            with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                found = Snapshot.read(path)
                if fits(found, model) and found.step <= model.critic_steps:
                    self.snapshots.append(found)
                    continue
            path.unlink()

    def best(self, model):
        """Return the one of the highest level that fits the model, or None."""
        fitting = [s for s in self.snapshots if fits(s, model)]
        return max(fitting, key=lambda s: (s.level, s.step), default=None)

    def choose(self, attempt, model):
        """Return the one to go back to: the last but one, and in later attempts the best.

        The last one shows a moving average that was healthy; the networks behind it may have been
        on their way already.
        """
        fitting = [s for s in self.snapshots if fits(s, model)]
        if attempt > 1 or not fitting:
            return self.best(model)
        return fitting[-2:][0]

    def _file(self, step):
        return self.folder / f"snapshot-{step:09d}.npz"
