"""Several processes of PyTorch that train one model.

The process of rank 0 leads. It alone runs `fit`, with its callbacks, and tells the others what to
do. They follow: they take the same steps, each on its rows of the batch, and in each step the
gradients of all are averaged. The weights thus stay the same everywhere. When something else has
changed the leader's model since the last step, as a guard that puts a state back, the followers are
sent its new values, or all of it where it has other parts than before.

What the leader says travels on the CPU, by gloo. Gradients travel by the device's own way.
"""

import contextlib
import json
import os
import tempfile

import keras
import numpy as np
import torch
from torch import distributed

from kerasgan.backend import private

END, STEP, VALUES, MODEL = range(4)
_in_step = False


def size():
    """Return how many processes train together."""
    there = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if there else 1


def rank():
    """Return the number of this process, 0 for the one that leads."""
    return distributed.get_rank() if size() > 1 else 0


@contextlib.contextmanager
def joined(number, count, place="env://"):
    """Join a group of processes, for the time of the block.

    Args:
        number: The rank of this process.
        count: How many there are.
        place: Where they meet, a URL of `torch.distributed`.
    """
    kinds = "cpu:gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", number)) % torch.cuda.device_count())
        kinds += ",cuda:nccl"
    distributed.init_process_group(kinds, init_method=place, rank=number, world_size=count)
    try:
        yield
    finally:
        distributed.destroy_process_group()


class ProcessLost(RuntimeError):
    """Another process of this training has ended."""


def _collective(operation, *args):
    try:
        operation(*args)
    except RuntimeError as error:
        raise ProcessLost(
            "another process of this training has ended, or cannot be reached"
        ) from error


def _from_leader(tensor):
    """Have the leader's values in a tensor."""
    _collective(distributed.broadcast, tensor, 0)


# What a step does in each process.


@contextlib.contextmanager
def _step():
    global _in_step
    _in_step = True
    try:
        yield
    finally:
        _in_step = False


def mean(tensors):
    """Return the means over all processes of some tensors, inside a step; else the tensors."""
    if not _in_step:
        return tensors
    with torch.no_grad():
        flat = torch.cat([t.reshape(-1) for t in tensors])
        _collective(distributed.all_reduce, flat)
        parts = (flat / size()).split([t.numel() for t in tensors])
        return [part.view(t.shape) for part, t in zip(parts, tensors, strict=True)]


def total(tensor):
    """Return the sum over all processes of a tensor, inside a step; else the tensor."""
    return mean([tensor])[0] * size() if _in_step else tensor


def own_rows(array):
    """Return the rows of a batch that this process trains on."""
    count = len(array) // size()
    return array if size() == 1 else array[rank() * count : (rank() + 1) * count]


def drawn(fn, rows):
    """Return this process's rows of `fn(n)`, with which all draw what one process would."""
    if not _in_step:
        return fn(rows)
    return fn(rows * size())[rank() * rows : (rank() + 1) * rows]


# What the leader says, and what the others do.


def _say(operation, *numbers):
    numbers = [*numbers, *[0] * (3 - len(numbers))]
    _from_leader(torch.tensor([operation, *numbers]))


@contextlib.contextmanager
def leading(model, batches):
    """Return a context with a `Leader`, or with None where there is one process."""
    if size() == 1:
        yield None
        return
    if model.steps_per_execution > 1:
        raise ValueError(
            "`steps_per_execution` must be 1 where several processes train together. Received: "
            f"{model.steps_per_execution}"
        )
    _check(batches)
    leader = Leader(model, batches)
    try:
        yield leader
    finally:
        leader.end()


def _check(batches):
    """Raise ValueError in all processes if they do not read the same batches."""
    count = getattr(batches, "batch_size", None)
    if isinstance(count, int) and count % size():
        raise ValueError(
            f"`batch_size` must be divisible by {size()}, the processes that train together. "
            f"Received: {count}"
        )
    own = str(getattr(batches, "identity", "batches of its own"))
    content = own.encode()[:256].ljust(256)
    found = [torch.empty(256, dtype=torch.uint8) for _ in range(size())]
    _collective(
        distributed.all_gather, found, torch.frombuffer(bytearray(content), dtype=torch.uint8)
    )
    for number, other in enumerate(found):
        said = bytes(other.tolist()).decode(errors="replace").rstrip()
        if said != content.decode(errors="replace").rstrip():
            raise ValueError(
                "`x` must be the same images in all processes. Received: "
                f"{own} in process {rank()}, {said} in process {number}"
            )


class Leader:
    """Has the other processes take the steps of a model's `fit`.

    Args:
        model: An adversarial model.
        batches: Its batches; where they have a `position`, the others read the same ones.
    """

    def __init__(self, model, batches):
        self._model = model
        self._batches = batches
        self._config = None  # Of the model that the others have.
        self._versions = None  # Of the values that they have.

    def step(self, take):
        """Return what `take()` returns, a step that the others take too."""
        if self._versions != _versions(self._model):
            self._send_state()
        _say(STEP, *getattr(self._batches, "position", ()))
        with _step():
            result = take()
        self._versions = _versions(self._model)
        return result

    def _send_state(self):
        config = self._model.get_config(), self._model.get_compile_config()
        config = json.dumps(config, sort_keys=True, default=repr)
        if config == self._config:
            _say(VALUES, *_counters(self._model))
            for variable in _state(self._model):
                _broadcast(variable.value)
            return
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.keras")
            self._model.save(path)
            content = np.fromfile(path, np.uint8)
        _say(MODEL, len(content))
        _from_leader(torch.from_numpy(content))
        self._config = config

    def end(self):
        """Let the others return from `follow`."""
        with contextlib.suppress(ProcessLost):  # The error that is on its way says so.
            _say(END)


def follow(batches):
    """Do what the leader says until its `fit` ends.

    Args:
        batches: The batches of this process: an `Ahead` of the leader's data set, or an iterable or
            a `PyDataset` of its own part.
    """
    _check(batches)
    model, own = None, None
    while True:
        said = torch.zeros(4, dtype=torch.int64)
        _from_leader(said)
        operation, *numbers = said.tolist()
        if operation == END:
            return
        if operation == MODEL:
            model = _received(numbers[0])
            model.make_train_function()
        elif operation == VALUES:
            model.critic_steps, model.generator_steps, model.critic_steps_this_round = numbers
            for variable in _state(model):
                _broadcast(variable.value)
        else:
            if hasattr(batches, "at"):
                batch = batches.at(*numbers)
            else:
                own = own or _endless(batches)
                batch = next(own)
            batch = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
            with _step():
                model.train_function([batch])


def _received(count):
    content = torch.empty(count, dtype=torch.uint8)
    _from_leader(content)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        content.numpy().tofile(path)
        return keras.saving.load_model(path)


def _endless(batches):
    while True:
        if hasattr(batches, "__getitem__") and hasattr(batches, "__len__"):
            yield from (batches[i] for i in range(len(batches)))
        else:
            yield from batches


def _counters(model):
    return model.critic_steps, model.generator_steps, model.critic_steps_this_round


def _state(model):
    """Return what a step reads: all variables but the means that are logged."""
    return [*model.variables, *model.optimizer.variables]


def _versions(model):
    """Return what changes whenever the steps, or a value that they read, are other ones."""
    values = private.torch_versions([v.value for v in _state(model)])
    return _counters(model), id(model.train_function), values


def _broadcast(tensor):
    """Give all processes the leader's values, whatever the order of a tensor in memory."""
    values = tensor.detach().contiguous()
    _from_leader(values)
    with torch.no_grad():
        tensor.copy_(values)
