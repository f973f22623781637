"""What a group of processes that train one model offers, whatever the backend.

`torch_group.py`, `jax_group.py` and `tensorflow_group.py` fill it in. `processes.py` trains by it.
"""

import contextlib
import os
import signal

import keras
import numpy as np


class ProcessLost(RuntimeError):
    """Another process of this training has ended."""

    def __init__(self, what="another process of this training has ended, or cannot be reached"):
        super().__init__(what)


@contextlib.contextmanager
def sigterm_kept():
    """Return a context after which SIGTERM does what it did before.

    TensorFlow and JAX take it over where processes meet, and one that is told to end would go on.
    """
    before = signal.getsignal(signal.SIGTERM)
    yield
    with contextlib.suppress(ValueError):  # A thread cannot give it back.
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


class Group:
    """The processes that train one model; by themselves, the methods here are those of one alone.

    Attributes:
        in_step: Whether all processes take a step together now. Outside, each computes alone.
        broken: Whether a step has failed in this process, in which the others still wait.
        traces: Whether a step is traced, and goes on with what it read then.
    """

    in_step = False
    broken = False
    traces = True

    # What each backend says.

    def size(self):
        """Return how many processes train together."""
        return 1

    def rank(self):
        """Return the number of this process, 0 for the one that leads."""
        return 0

    def parts(self):
        """Return in how many parts a batch is divided, at least one for each process."""
        return self.size()

    def launched(self):
        """Return the rank and the number of processes that the environment names, or (0, 1)."""
        try:
            return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        except (KeyError, ValueError):
            return 0, 1

    def joined(self, number, count, place=None):
        """Join a group of processes, for the time of the block.

        Args:
            number: The rank of this process.
            count: How many there are.
            place: Where they meet; None for what the environment names.
        """
        raise NotImplementedError

    def summed(self, array):
        """Return the sum over all processes of an int32 array, which each passes."""
        raise NotImplementedError

    def mean_in_step(self, tensors):
        """Return the means over all processes of some tensors, inside a step."""
        raise NotImplementedError

    def is_lost(self, error):
        """Return whether an exception of the backend says that another process has ended."""
        return False

    def leave(self, lost):
        """Part from the others after an error.

        Args:
            lost: Whether one of them is gone, or waits in a step that this one does not take.
        """

    def values(self, model, arguments=()):
        """Return what a step reads, in the order of `state`.

        Args:
            model: An adversarial model.
            arguments: What its train function is called with, or returned after the logs.
        """
        return [variable.value for variable in state(model)]

    def signs(self, values):
        """Return something for each value that differs once it is another one."""
        raise NotImplementedError

    def readable(self, model, arguments):
        """Return a context in which the variables hold their values, in the middle of an epoch."""
        return contextlib.nullcontext()

    def take_step(self, model, batch):
        """Take the next step of a model that follows another."""
        model.train_function([batch])

    # What follows from it.

    def follows(self):
        """Return whether another process leads the training, so that this one follows it."""
        return self.rank() > 0

    @contextlib.contextmanager
    def step(self):
        """Return a context in which the processes take a step together."""
        self.in_step = True
        try:
            yield
        except BaseException:
            self.broken = True
            raise
        finally:
            self.in_step = False

    def alone_or_together(self, alone, together):
        """Return a function that is one of two, which may have been traced: see `in_step`."""
        return lambda *args: (together if self.in_step else alone)(*args)

    def mean(self, tensors):
        """Return the means over all processes of some tensors, inside a step; else the tensors."""
        return self.mean_in_step(tensors) if self.in_step else tensors

    def mean_over_processes(self, value):
        """Return the mean over all processes of what each has in a step; outside, the value."""
        return self.mean([value])[0]

    def sum_over_processes(self, value):
        """Return the sum over all processes of what each has in a step; outside, the value."""
        return self.mean_over_processes(value) * self.size() if self.in_step else value

    def own_rows(self, batch):
        """Return the rows of a batch, or of its arrays, that this process trains on."""
        if self.size() == 1:
            return batch

        def own(array):
            count = len(array) // self.size()
            return array[self.rank() * count :][:count]

        return keras.tree.map_structure(own, batch)

    def drawn(self, fn, rows):
        """Return this process's rows of `fn(n)`, with which all draw what one process would."""
        if not self.in_step:
            return fn(rows)
        first = self.rank() * rows
        return fn(rows * self.size())[first : first + rows]

    def tell(self, numbers=None):
        """Return four numbers of the leader's; it alone passes them."""
        own = np.zeros(4, np.int64) if self.follows() else np.array(numbers, np.int64)
        return self.summed(own.view(np.int32)).view(np.int64).tolist()

    def from_leader(self, arrays):
        """Return the leader's values of some arrays, of which each process passes the like."""
        arrays = [np.asarray(array, order="C") for array in arrays]
        content = b"".join(array.tobytes() for array in arrays)
        if not content:
            return arrays
        packed = np.frombuffer(content + b"\0" * (-len(content) % 4), np.int32)
        content = self.summed(np.zeros_like(packed) if self.follows() else packed).tobytes()
        found, start = [], 0
        for array in arrays:
            part = content[start : start + array.nbytes]
            found.append(np.frombuffer(part, array.dtype).reshape(array.shape))
            start += array.nbytes
        return found

    def from_all(self, text, most=256):
        """Return what each process says, in the order of their numbers, up to so many bytes."""
        said = np.zeros((self.size(), most), np.uint8)
        said[self.rank()] = np.frombuffer(text.encode()[:most].ljust(most), np.uint8)
        found = self.summed(said.view(np.int32).ravel()).view(np.uint8).reshape(said.shape)
        return [bytes(line).decode(errors="replace").rstrip() for line in found]


def state(model):
    """Return the variables that a step reads: all but the means that are logged."""
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *model.optimizer.variables,
    ]
