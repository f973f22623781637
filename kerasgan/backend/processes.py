"""Several processes that train one model.

The process of rank 0 leads. It alone runs `fit`, with its callbacks, and tells the others what to
do. They follow: they take the same steps, each on its rows of the batch, and in each step the
gradients of all are averaged. The weights thus stay the same everywhere. When something else has
changed the leader's model since the last step, as a guard that puts a state back, the followers are
sent the values that are other ones, or all of it where it has other parts than before.

How processes reach each other is the `Group` of a backend.
"""

import contextlib
import json

import keras
import numpy as np

from kerasgan.backend.group import ProcessLost, state

# What the leader may say: its `fit` begins, ends, or failed; a step; a model; what it stands at;
# the last word.
BEGIN, END, FAILED, STEP, MODEL, VALUES, LEAVE = range(7)
COUNTERS = ("critic_steps", "generator_steps", "critic_steps_this_round")  # Of a model.


def _say(group, operation, *numbers):
    group.tell([operation, *numbers, *[0] * (3 - len(numbers))])


@contextlib.contextmanager
def leading(group, model, batches):
    """Return a context with a `Leader`, or with None where there is one process."""
    if group.size() == 1:
        yield None
        return
    if model.steps_per_execution > 1:
        raise ValueError(
            "`steps_per_execution` must be 1 where several processes train together. Received: "
            f"{model.steps_per_execution}"
        )
    with _together(group):
        _say(group, BEGIN)
        _check(group, batches)
        # It may have been traced for one process, and the others trace it in each `fit`.
        model.make_train_function(force=True)
        leader = Leader(group, model, batches)
        try:
            yield leader
        except BaseException as error:
            if not _without_others(group, error):
                with contextlib.suppress(Exception):
                    _say(group, FAILED)
            raise
        leader.end()


@contextlib.contextmanager
def _together(group):
    """Part from the others after an error; raise ProcessLost for what a backend says of one."""
    try:
        yield
    except BaseException as error:
        group.leave(_without_others(group, error))
        if group.is_lost(error):
            raise ProcessLost from error
        raise


def _without_others(group, error):
    """Return whether no other process hears this one after an error."""
    return group.broken or group.is_lost(error)


def dismiss(group):
    """Let the others leave, where this process will lead no other `fit`."""
    if group.size() > 1:
        _say(group, LEAVE)


def _check(group, batches):
    """Raise ValueError in all processes if they do not read the same batches."""
    for name, count in getattr(batches, "batch_sizes", {}).items():
        if count % group.parts():
            raise ValueError(
                f"`{name}` must be divisible by {group.parts()}, the parts in which several "
                f"processes train together. Received: {count}"
            )
    own = str(getattr(batches, "identity", "batches of its own"))
    for number, other in enumerate(group.from_all(own)):
        if other != own:
            raise ValueError(
                "`x` must be the same images in all processes. Received: "
                f"{own} in process {group.rank()}, {other} in process {number}"
            )


class Leader:
    """Has the other processes take the steps of a model's `fit`.

    Args:
        group: The `Group` of all processes.
        model: An adversarial model.
        batches: Its batches; where they have `positions`, the others read the same ones.
    """

    def __init__(self, group, model, batches):
        self._group = group
        self._model = model
        self._batches = batches
        self._sent = None  # What describes the model that the others have.
        self._seen = None  # What told that they have its state.
        self._signs = []  # Those of its values.

    def step(self, take, arguments):
        """Return what `take(*arguments)` returns, a step that the others take too.

        The batch among the arguments was the next one that was read.
        """
        values = self._group.values(self._model, arguments)
        signs = self._group.signs(values)
        if self._seen != self._steps() or self._signs != signs:
            with self._group.readable(self._model, arguments):
                self._send_state(values, signs)
        positions = getattr(self._batches, "positions", None)
        _say(self._group, STEP, *(positions.popleft() if positions else ()))
        with self._group.step():
            result = take(*arguments)
        returned = result[1:] if isinstance(result, tuple) else ()
        self._signs = self._group.signs(self._group.values(self._model, returned))
        self._seen = self._steps()
        return result

    def _steps(self):
        """Return what changes whenever the steps are other ones, but for the values they read."""
        model = self._model
        frozen = [not variable.trainable for variable in state(model)]
        return _counters(model), id(model.train_function), _numbers(model), frozen

    def _send_state(self, values, signs):
        model = self._model
        if {id(v) for v in model.trainable_variables} != model._optimized:
            raise ValueError(
                "layers must be frozen before `compile` where several processes train together. "
                "Received: layers that were frozen after it"
            )
        config = json.dumps(keras.saving.serialize_keras_object(model), sort_keys=True)
        # What was traced goes on as it was until it is traced anew.
        described = None if self._group.traces else _without_rates(config)
        if self._sent != (described, model.train_function):
            self._send(MODEL, config)
            self._sent = described, model.train_function
            self._signs = []
        known = self._signs if len(self._signs) == len(signs) else [None] * len(signs)
        changed = [i for i, pair in enumerate(zip(signs, known, strict=True)) if pair[0] != pair[1]]
        told = {"counters": _counters(model), "numbers": _numbers(model), "changed": changed}
        self._send(VALUES, json.dumps(told))
        _share(self._group, [values[i] for i in changed])

    def _send(self, operation, text):
        content = np.frombuffer(text.encode(), np.uint8)
        _say(self._group, operation, len(content))
        self._group.from_leader([content])

    def end(self):
        """Give the others the last state, and let them return from `follow`."""
        if self._sent is not None:
            values = self._group.values(self._model)
            self._send_state(values, self._group.signs(values))
        _say(self._group, END)
        for number, complaint in enumerate(self._group.from_all("")):
            if complaint:
                raise ValueError(f"{complaint} (in process {number})")


def _without_rates(config):
    """Return a model's description without the learning rates that are values of variables."""

    def plain(node):
        if isinstance(node, dict):
            return {
                key: plain(value)
                for key, value in node.items()
                if key != "learning_rate" or not isinstance(value, float)
            }
        return [plain(one) for one in node] if isinstance(node, list) else node

    return plain(json.loads(config))


def follow(group, batches, watch=None):
    """Do what the leader says until its `fit` ends.

    Args:
        group: The `Group` of all processes.
        batches: The batches of this process: an `Ahead` of the leader's data set, or an iterable or
            a `PyDataset` of its own part.
        watch: A `Watch` that looks at them, or None.

    Returns:
        Whether the leader may lead another `fit`, and the trained model, or None where no step was
        taken.

    Raises:
        ProcessLost: If the leader has ended, or its `fit` has failed.
    """
    with _together(group):
        return _follow(group, batches, watch)


def _follow(group, batches, watch):
    model, own, first = None, None, True
    while True:
        operation, *numbers = group.tell()
        if operation == BEGIN:
            _check(group, batches)
        elif operation in (END, LEAVE):
            if operation == END:
                _end(group, watch if model is not None else None)
            return operation == END, model
        elif operation == FAILED:
            raise ProcessLost("the training has failed in the process that leads")
        elif operation == MODEL:
            # It comes from this training.
            config = json.loads(_received(group, numbers[0]))
            model = keras.saving.deserialize_keras_object(config, safe_mode=False)
            model._watch = watch
            if watch is not None:
                watch.set_model(model)
            model.make_train_function()
        elif operation == VALUES:
            _receive_state(group, model, json.loads(_received(group, numbers[0])))
        else:
            own = own or _endless(batches)
            with group.step():
                batch = batches.at(*numbers) if hasattr(batches, "at") else next(own)
                batch = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
                group.take_step(model, batch)
            if first and watch is not None:
                watch.check()
            first = False


def _received(group, count):
    """Return a text of so many bytes."""
    (content,) = group.from_leader([np.zeros(count, np.uint8)])
    return content.tobytes().decode()


def _receive_state(group, model, told):
    _set_counters(model, told["counters"])
    model.n_critic, penalties = told["numbers"]
    for penalty, (weight, every) in zip(model.penalties, penalties, strict=True):
        if isinstance(weight, (int, float)):
            penalty.weight, penalty.every = weight, every
    variables = state(model)
    changed = [variables[i] for i in told["changed"]]
    values = _share(group, [variable.value for variable in changed])
    for variable, value in zip(changed, values, strict=True):
        variable.assign(value)


def _share(group, values):
    """Return the leader's values of some tensors, as arrays."""
    return group.from_leader([keras.ops.convert_to_numpy(value) for value in values])


def _end(group, watch):
    """Tell the leader whether the batches of this process were such as can be trained on."""
    try:
        if watch is not None:
            watch.check()
    except ValueError as error:
        group.from_all(str(error))
        raise
    group.from_all("")


def adopt(model, trained):
    """Give a model the state of the one that was trained, where both have the same variables."""
    mine, its = state(model), state(trained)
    if [v.shape for v in mine] != [v.shape for v in its]:
        return
    for variable, other in zip(mine, its, strict=True):
        variable.assign(other.value)
    _set_counters(model, _counters(trained))


def _numbers(model):
    """Return what of a model's steps may be changed at any time, and is no variable."""
    weights = [p.weight if isinstance(p.weight, (int, float)) else None for p in model.penalties]
    return [model.n_critic, [[w, p.every] for w, p in zip(weights, model.penalties, strict=True)]]


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
    return [getattr(model, name) for name in COUNTERS]


def _set_counters(model, values):
    for name, value in zip(COUNTERS, values, strict=True):
        setattr(model, name, value)
