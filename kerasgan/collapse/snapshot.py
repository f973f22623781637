"""The whole state of a training at one moment, to go back to."""

import dataclasses
import zipfile

import numpy as np
from keras import ops

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
    """

    values: list
    schedule: tuple
    step: int
    diversity: float

    @property
    def finite(self):
        """Whether all values are."""
        return all(np.isfinite(value).all() for value in self.values)

    def write(self, file):
        """Write to an open file; `read` takes it back."""
        arrays = {f"value_{i}": value for i, value in enumerate(self.values)}
        np.savez(file, about=np.array([*self.schedule, self.step]), score=self.diversity, **arrays)

    @classmethod
    def read(cls, path):
        """Return the snapshot in a file.

        Raises:
            ValueError, OSError, KeyError: If it holds none.
        """
        with np.load(path, allow_pickle=False) as stored:
            values = [stored[f"value_{i}"] for i in range(len(stored.files) - 2)]
            *schedule, step = (int(value) for value in stored["about"])
            return cls(values, tuple(schedule), step, float(stored["score"]))


def take(model, diversity):
    """Return a `Snapshot` of a compiled adversarial model; nothing of it is shared."""
    model.synchronize()
    return Snapshot(
        values=[np.array(ops.convert_to_numpy(v)) for v in _variables(model)],
        schedule=tuple(getattr(model, name) for name in _SCHEDULE),
        step=model.critic_steps,
        diversity=diversity,
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


def _variables(model):
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,  # Seeds and moving averages included.
        *model.optimizer.variables,
    ]


class Shelf:
    """The few snapshots that are kept: the most diverse one, and the newest two.

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
        keep = {id(s) for s in (*self.snapshots[-2:], self.best())}
        dropped = [s for s in self.snapshots if id(s) not in keep]
        self.snapshots = [s for s in self.snapshots if id(s) in keep]
        if self.folder is not None:
            for old in dropped:
                self._file(old.step).unlink(missing_ok=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic(self._file(found.step)) as temporary, open(temporary, "wb") as file:
                found.write(file)

    def load(self, model):
        """Take back those in the folder that are whole and fit the model."""
        found = []
        for path in sorted(self.folder.glob("snapshot-*.npz")):
            try:
                snapshot = Snapshot.read(path)
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                continue
            if fits(snapshot, model):
                found.append(snapshot)
        self.snapshots = sorted(found, key=lambda s: s.step)

    def best(self):
        """Return the most diverse one, or None."""
        return max(self.snapshots, key=lambda s: (s.diversity, s.step), default=None)

    def choose(self, attempt):
        """Return the one to go back to: the last but one, and in later attempts the best.

        The last one shows a moving average that was healthy; the networks behind it may have been
        on their way already.
        """
        if not self.snapshots:
            return None
        return self.snapshots[-2:][0] if attempt == 1 else self.best()

    def _file(self, step):
        return self.folder / f"snapshot-{step:09d}.npz"
