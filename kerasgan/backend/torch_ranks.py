"""Several processes of PyTorch that train one model.

The process of rank 0 leads. It alone runs `fit`, with its callbacks, and tells the others what to
do. They follow: they take the same steps, each on its rows of the batch, and in each step the
gradients of all are averaged. The weights thus stay the same everywhere. When something else has
changed the leader's model since the last step, as a guard that puts a state back, the followers are
sent its new values, or all of it where it has other parts than before.
"""

import contextlib
import json
import os
import tempfile

import keras
import numpy as np
import torch
from torch import distributed

from kerasgan.backend import private, torch_group

# What the leader may say: its `fit` begins, ends, or failed; a step; the state; the last word.
BEGIN, END, FAILED, STEP, VALUES, MODEL, NUMBERS, LEAVE = range(8)
COUNTERS = ("critic_steps", "generator_steps", "critic_steps_this_round")  # Of a model.

follows = torch_group.follows
mean_over_processes = torch_group.mean_over_processes
sum_over_processes = torch_group.sum_over_processes


def _say(operation, *numbers):
    numbers = [*numbers, *[0] * (3 - len(numbers))]
    torch_group.from_leader(torch.tensor([operation, *numbers], device="cpu"))


@contextlib.contextmanager
def leading(model, batches):
    """Return a context with a `Leader`, or with None where there is one process."""
    if torch_group.size() == 1:
        yield None
        return
    if model.steps_per_execution > 1:
        raise ValueError(
            "`steps_per_execution` must be 1 where several processes train together. Received: "
            f"{model.steps_per_execution}"
        )
    _say(BEGIN)
    _check(batches)
    model.make_train_function(force=True)  # It may have been traced for one process.
    leader = Leader(model, batches)
    try:
        yield leader
    except BaseException:
        if not leader.in_step:  # Otherwise the others wait inside a step, for this process to end.
            with contextlib.suppress(torch_group.ProcessLost):
                _say(FAILED)
        raise
    leader.end()


def dismiss():
    """Let the others leave, where this process will lead no other `fit`."""
    if torch_group.size() > 1:
        _say(LEAVE)


def _check(batches):
    """Raise ValueError in all processes if they do not read the same batches."""
    for name, count in getattr(batches, "batch_sizes", {}).items():
        if count % torch_group.size():
            raise ValueError(
                f"`{name}` must be divisible by {torch_group.size()}, the processes that train "
                f"together. Received: {count}"
            )
    own = str(getattr(batches, "identity", "batches of its own"))
    for number, other in enumerate(_from_all(own)):
        if other != own:
            raise ValueError(
                "`x` must be the same images in all processes. Received: "
                f"{own} in process {torch_group.rank()}, {other} in process {number}"
            )


def _from_all(text, most=256):
    """Return what each process says, in the order of their numbers, up to so many bytes."""
    own = torch.frombuffer(bytearray(text.encode()[:most].ljust(most)), dtype=torch.uint8)
    found = [torch.empty(most, dtype=torch.uint8, device="cpu") for _ in range(torch_group.size())]
    torch_group.collective(distributed.all_gather, found, own)
    return [bytes(other.tolist()).decode(errors="replace").rstrip() for other in found]


class Leader:
    """Has the other processes take the steps of a model's `fit`.

    Args:
        model: An adversarial model.
        batches: Its batches; where they have a `position`, the others read the same ones.
    """

    def __init__(self, model, batches):
        self.in_step = False  # Whether a step has begun and has not ended.
        self._model = model
        self._batches = batches
        self._config = None  # Of the model that the others have.
        self._seen = None  # What told that they have its state.

    def step(self, take):
        """Return what `take()` returns, a step that the others take too."""
        if self._seen != _signs(self._model):
            self._send_state()
        _say(STEP, *getattr(self._batches, "position", ()))
        self.in_step = True
        with torch_group.step():
            result = take()
        self.in_step = False
        self._seen = _signs(self._model)
        return result

    def _send_state(self):
        model = self._model
        if {id(v) for v in model.trainable_variables} != model._optimized:
            raise ValueError(
                "layers must be frozen before `compile` where several processes train together. "
                "Received: layers that were frozen after it"
            )
        config = json.dumps(
            (model.get_config(), model.get_compile_config()), sort_keys=True, default=repr
        )
        if config != self._config:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.keras")
                model.save(path)
                content = np.fromfile(path, np.uint8)
            _send(MODEL, content)
            self._config = config
        numbers = json.dumps(_numbers(model), default=repr).encode()
        _send(NUMBERS, np.frombuffer(numbers, np.uint8).copy())
        _say(VALUES, *_counters(model))
        _share_values(model)

    def end(self):
        """Give the others the last state, and let them return from `follow`."""
        if self._config is not None:
            self._send_state()
        _say(END)
        for number, complaint in enumerate(_from_all("")):
            if complaint:
                raise ValueError(f"{complaint} (in process {number})")


def follow(batches, watch=None):
    """Do what the leader says until its `fit` ends.

    Args:
        batches: The batches of this process: an `Ahead` of the leader's data set, or an iterable or
            a `PyDataset` of its own part.
        watch: A `Watch` that looks at them, or None.

    Returns:
        Whether the leader may lead another `fit`, and the trained model, or None where no step was
        taken.

    Raises:
        ProcessLost: If the leader has ended, or its `fit` has failed.
    """
    model, own, first = None, None, True
    while True:
        said = torch.zeros(4, dtype=torch.int64, device="cpu")
        torch_group.from_leader(said)
        operation, *numbers = said.tolist()
        if operation == BEGIN:
            _check(batches)
        elif operation in (END, LEAVE):
            if operation == END:
                _end(watch if model is not None else None)
            return operation == END, model
        elif operation == FAILED:
            raise torch_group.ProcessLost("the training has failed in the process that leads")
        elif operation == MODEL:
            model = _loaded(_received(numbers[0]))
            model._watch = watch
            if watch is not None:
                watch.set_model(model)
            model.make_train_function()
        elif operation == NUMBERS:
            model.n_critic, penalties = json.loads(_received(numbers[0]).tobytes())
            for penalty, (weight, every) in zip(model.penalties, penalties, strict=True):
                if isinstance(weight, (int, float)):
                    penalty.weight, penalty.every = weight, every
        elif operation == VALUES:
            _set_counters(model, numbers)
            _share_values(model)
        else:
            if hasattr(batches, "at"):
                batch = batches.at(*numbers)
            else:
                own = own or _endless(batches)
                batch = next(own)
            batch = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
            with torch_group.step():
                model.train_function([batch])
            if first and watch is not None:
                watch.check()
            first = False


def _end(watch):
    """Tell the leader whether the batches of this process were such as can be trained on."""
    try:
        if watch is not None:
            watch.check()
    except ValueError as error:
        _from_all(str(error))
        raise
    _from_all("")


def adopt(model, trained):
    """Give a model the state of the one that was trained, where both have the same variables."""
    mine, its = _state(model), _state(trained)
    if [v.shape for v in mine] != [v.shape for v in its]:
        return
    with torch.no_grad():
        for variable, other in zip(mine, its, strict=True):
            variable.value.copy_(other.value)
    _set_counters(model, _counters(trained))


def _send(operation, content):
    _say(operation, len(content))
    torch_group.from_leader(torch.from_numpy(content))


def _received(count):
    content = torch.empty(count, dtype=torch.uint8, device="cpu")
    torch_group.from_leader(content)
    return content.numpy()


def _loaded(content):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        content.tofile(path)
        return keras.saving.load_model(path, safe_mode=False)  # It comes from this training.


def _numbers(model):
    """Return what of a model's steps may be changed at any time, and is no variable."""
    return [model.n_critic, [(p.weight, p.every) for p in model.penalties]]


def _endless(batches):
    while True:
        empty = True
        indexed = hasattr(batches, "__getitem__") and hasattr(batches, "__len__")
        for batch in (batches[i] for i in range(len(batches))) if indexed else batches:
            empty = False
            yield batch
        if empty:
            raise ValueError("`x` must bring its batches in each epoch. Received: no more batches")


def _counters(model):
    return tuple(getattr(model, name) for name in COUNTERS)


def _set_counters(model, values):
    for name, value in zip(COUNTERS, values, strict=True):
        setattr(model, name, value)


def _state(model):
    """Return what a step reads: all variables but the means that are logged."""
    return [*model.variables, *model.optimizer.variables]


def _signs(model):
    """Return what changes whenever the steps, or what they read, are other ones."""
    state = _state(model)
    return (
        _counters(model),
        id(model.train_function),
        _numbers(model),
        [v.trainable for v in state],
        private.torch_versions([v.value for v in state]),
    )


def _share_values(model):
    """Give all processes the leader's values of the state."""
    for variable in _state(model):
        _broadcast(variable.value)


def _broadcast(tensor):
    """Give all processes the leader's values, whatever the order of a tensor in memory."""
    values = tensor.detach().contiguous()
    torch_group.from_leader(values)
    with torch.no_grad():
        tensor.copy_(values)
