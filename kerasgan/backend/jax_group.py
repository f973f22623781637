"""A group of processes of JAX, and what a step of training does in each of them.

A step is one program over the devices of all processes, which sees the whole batch. Outside of a
step each process has its state on a device of its own. The arrays that a step takes and returns are
the same memory under another name, so that sampling, saving and the guard know of no other process.

What the leader says travels through the service by which the processes met, where they may wait for
as long as they like.
"""

import atexit
import contextlib
import os

import jax
import numpy as np
from jax.experimental import multihost_utils

from kerasgan.backend import private
from kerasgan.backend.group import Group, ProcessLost, sigterm_kept

SECONDS = 30  # Without a sign of life, after which a process counts as dead.
PAUSE = 7 * 24 * 3600  # The longest one: a callback of the leader may take its time.
LOOK = 10  # Seconds after which a process that waits looks whether the others are there.
KEPT = 256  # What the leader has said last, before it waits for the others to have heard it.
# What JAX says of a process that it cannot reach.
LOST = ("UNAVAILABLE", "CANCELLED", "ABORTED", "DEADLINE_EXCEEDED", "Gloo", "heartbeat", "closed")


class JaxGroup(Group):
    """Processes that `jax.distributed.initialize` has brought together."""

    def __init__(self):
        self._said = 0  # How often the leader has spoken.
        self._known = {}  # The arrays of the last step by the `id` of this process's part of each.

    def size(self):
        return jax.process_count() if jax.distributed.is_initialized() else 1

    def rank(self):
        return jax.process_index() if self.size() > 1 else 0

    def parts(self):
        return jax.device_count()

    @contextlib.contextmanager
    def joined(self, number, count, place=None):
        place = place or f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        with sigterm_kept():
            jax.distributed.initialize(
                place,
                count,
                number,
                heartbeat_timeout_seconds=SECONDS,
                shutdown_timeout_seconds=SECONDS,
            )
        yield
        jax.distributed.shutdown()

    def summed(self, array):
        return multihost_utils.process_allgather(array).sum(0, dtype=array.dtype)

    def mean_in_step(self, tensors):
        return tensors  # Of the whole batch.

    def sum_over_processes(self, value):
        return value

    def drawn(self, fn, rows):
        return fn(rows)

    def is_lost(self, error):
        return isinstance(error, jax.errors.JaxRuntimeError) and any(w in str(error) for w in LOST)

    def leave(self, lost):
        if lost:
            private.abandon_jax_service()
        else:  # All part at once.
            with contextlib.suppress(jax.errors.JaxRuntimeError):
                jax.distributed.shutdown()

    def _last_word(self):
        """Say that there will be nothing more, for which JAX would let the others wait."""
        service = private.jax_service()
        if service is not None:
            service.key_value_set(self._key(), "")

    def _key(self):
        block, number = divmod(self._said, KEPT)
        return f"kerasgan/{block}/{number}"

    def tell(self, numbers=None):
        service = private.jax_service()
        block, number = divmod(self._said, KEPT)
        if block and not number:
            service.wait_at_barrier(f"kerasgan/{block}", PAUSE * 1000)
            if not self.follows():
                service.key_value_delete(f"kerasgan/{block - 1}/")
        key = self._key()
        self._said += 1
        if not self.follows():
            if self._said == 1:
                atexit.register(self._last_word)  # Before JAX's own.
            service.key_value_set(key, " ".join(map(str, numbers)))
            return numbers
        said = None
        while said is None:
            try:
                said = service.blocking_key_value_get(key, LOOK * 1000)
            except jax.errors.JaxRuntimeError as error:
                if "DEADLINE_EXCEEDED" not in str(error):
                    raise
        if not said:
            raise ProcessLost
        return list(map(int, said.split()))

    def values(self, model, arguments=()):
        if not arguments:
            return super().values(model)
        return [value for group in arguments[0][:3] for value in group]

    def signs(self, values):
        # An array is never written. It is kept, so that no other one can be taken for it.
        return [_Same(value) for value in values]

    @contextlib.contextmanager
    def readable(self, model, arguments):
        names = ("trainable", "non_trainable", "optimizer", "metrics")
        private.give_back_jax_state(model, dict(zip(names, arguments[0], strict=True)))
        yield
        private.hide_jax_state(model)

    def take_step(self, model, batch):
        groups = _groups(model)
        values = tuple([variable.value for variable in variables] for variables in groups)
        _, values = model.train_function(values, iter([batch]))
        for variables, new in zip(groups, values, strict=True):
            for variable, value in zip(variables, new, strict=True):
                variable.assign(value)

    # The programs of steps.

    def over_all(self, step):
        """Return a step whose results every device has whole."""
        whole = _sharding()

        def over_all(state, data):
            return jax.tree.map(
                lambda x: jax.lax.with_sharding_constraint(x, whole), step(state, data)
            )

        return over_all

    def with_all(self, function):
        """Return a train function of this process's arrays from one of all processes' arrays."""

        def with_all(state, iterator):
            batch = jax.tree.map(self._joined_rows, next(iterator))
            state = jax.tree.map(self._everywhere, state)
            logs, state = function(state, iter([batch]))
            self._known = {}
            return jax.tree.map(self._here, (logs, state))

        return with_all

    def _joined_rows(self, rows):
        return jax.make_array_from_process_local_data(_sharding("batch"), np.asarray(rows))

    def _everywhere(self, array):
        """Return an array that all processes have, from this one's."""
        here, everywhere = self._known.get(id(array), (None, None))
        if here is array:
            return everywhere
        devices = jax.local_devices()
        parts = [array] if len(devices) == 1 else [jax.device_put(array, d) for d in devices]
        return jax.make_array_from_single_device_arrays(array.shape, _sharding(), parts)

    def _here(self, array):
        here = array.addressable_data(0)
        self._known[id(here)] = here, array
        return here


class _Same:
    """Equal to what holds the same object alone."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, _Same) and self.value is other.value

    __hash__ = None


def _groups(model):
    """Return a model's variables as Keras' train function takes their values."""
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def _sharding(*axes):
    """Return how an array lies on the devices of all processes: whole on each, or by its rows."""
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))
