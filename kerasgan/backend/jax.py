"""The JAX file of the backend package."""

import contextlib
import functools
import itertools
import os

import jax
import keras
import numpy as np

from kerasgan.backend import generic, private
from kerasgan.backend.jax_group import JaxGroup

GROUP = JaxGroup()
WARM_UP = 0
LONGEST_PRODUCT = 0
MEANS_IN_STEPS = True  # Between two steps of `fit`, variables hold what they held before.
PREFERRED_DATA_FORMAT = "channels_last"
Conv2D = keras.layers.Conv2D
Conv2DTranspose = keras.layers.Conv2DTranspose
BatchNormalization = keras.layers.BatchNormalization


_GROUPS = ("trainable", "non_trainable", "optimizer", "metrics")  # Of a state's variables.


class Scope(keras.StatelessScope):
    """A stateless scope that reads through to the scope around it and remembers what it wrote.

    It lets stateful Keras code run inside a pure function: variables read their value here, or
    in the scope around, and `written` lists the variables that were assigned.
    """

    def __init__(self, state_mapping=()):
        super().__init__(state_mapping=state_mapping)
        self.written = {}

    def add_update(self, update):
        super().add_update(update)
        variable, _ = update
        self.written[id(variable)] = variable

    def get_current_value(self, variable):
        value = super().get_current_value(variable)
        if value is None and self.original_scope is not None:
            return self.original_scope.get_current_value(variable)
        return value


class Trainer:
    """Hands each batch to `_train_on` and `_evaluate_on` inside a scope over all of the state."""

    def __setattr__(self, name, value):
        if name == private.JAX_STATE:  # Keras would look at each array of it in each step.
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def train_step(self, state, data):
        return self._stateless(lambda: self._train_on(data, generator_turn=True), state)

    def test_step(self, state, data):
        trainable, non_trainable, metrics = state
        logs, (trainable, non_trainable, _, metrics) = self._stateless(
            lambda: self._evaluate_on(data), (trainable, non_trainable, None, metrics)
        )
        return logs, (trainable, non_trainable, metrics)

    def _stateless(self, step, state):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables if state[2] is not None else (),
            self.metrics_variables,
        )
        pairs = [
            pair
            for variables, values in zip(groups, state, strict=True)
            for pair in zip(variables, values or (), strict=True)
        ]
        with Scope(pairs) as scope:
            logs = step()
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)

    def _compile_step(self, step):
        """Return Keras' train function around `step(data) -> logs`.

        `jax.jit` caches by the function it is given, and equal bound methods are one function to
        it: two steps of one model would share a trace. Each call here wraps a new function.
        """
        return self._compile(lambda state, data: self._stateless(lambda: step(data), state))

    def _compile(self, train_step):
        """Return Keras' train function around `train_step(state, data) -> (logs, state)`."""
        function = self._made(train_step)
        if GROUP.size() > 1:
            if keras.distribution.distribution() is not None:
                raise ValueError(
                    "no distribution of Keras may be set where several processes train together: "
                    "`fit` brings their devices together in each step. Received: "
                    f"{keras.distribution.distribution()}"
                )
            together = GROUP.with_all(self._made(GROUP.over_all(train_step)))
            function = GROUP.alone_or_together(function, together)
        return self._giving_back(function, _GROUPS)

    def _made(self, train_step):
        present, self.train_step = self.train_function, train_step
        try:
            with self._singly():
                super().make_train_function(force=True)
            return self.train_function
        finally:
            del self.train_step
            self.train_function = present

    def _fetched(self, state, iterator):
        """Return the arguments of a step with its batch read."""
        return state, iter([next(iterator)])

    def _compile_several(self, steps):
        """Return a function that takes several steps in one program; see `Programs`.

        The program is a loop, whose steps choose among those kinds that there are in it.
        """

        @functools.cache
        def program(chosen):
            def one(number):
                return lambda state, data: self._stateless(lambda: steps[number](data), state)[1]

            branches = [one(number) for number in chosen]

            def all_of_them(state, data):
                places, batches = data
                batches = jax.tree.map(lambda *parts: jax.numpy.stack(parts), *batches)

                def body(state, now):
                    place, data = now
                    if len(branches) == 1:
                        return branches[0](state, data), None
                    return jax.lax.switch(place, branches, state, data), None

                state, _ = jax.lax.scan(body, state, (places, batches))
                return self._stateless(self._means, state)

            return self._compile(all_of_them)

        def several(numbers, state, batches):
            chosen = tuple(sorted(set(numbers)))
            places = np.array([chosen.index(number) for number in numbers], "int32")
            return program(chosen)(state, iter([(places, tuple(batches))]))

        return several

    def _next_batches(self, state, iterator):
        """Return the number of batches that the next steps have, and the state with those."""
        batches = list(itertools.islice(iterator, self.steps_per_execution))
        if not batches:
            raise StopIteration
        return len(batches), (state, batches)

    def _one_by_one(self, step, state, iterator):
        """Take a step on each of the next batches."""
        logs, state = step(state, iterator)
        with contextlib.suppress(StopIteration):
            for _ in range(self.steps_per_execution - 1):
                logs, state = step(state, iterator)
        return logs, state

    def make_test_function(self, force=False):
        """Return the function that measures the losses on a batch."""
        super().make_test_function(force)
        groups = [name for name in _GROUPS if name != "optimizer"]
        self.test_function = self._giving_back(self.test_function, groups)

    def _giving_back(self, function, groups):
        """Return a function on a state and batches that gives the state back if it fails."""

        def giving_back(state, iterator):
            try:
                return function(state, iterator)
            except StopIteration:
                raise
            except BaseException:
                private.give_back_jax_state(self, dict(zip(groups, state, strict=True)))
                raise

        return giving_back

    def synchronize(self):
        """Make the variables hold the present state; in the middle of an epoch they do not."""
        self.jax_state_sync()


def _pure(fn, variables=()):
    """Return `f(values, *args) -> (fn(*args), updates)` and the variables of those updates."""
    written = []

    def pure(values, *args):
        with Scope(zip(variables, values, strict=True)) as scope:
            result = fn(*args)
            written[:] = scope.written.values()
            updates = [scope.get_current_value(v) for v in written]
        return result, updates

    return pure, written


def value_and_grad(loss_fn, variables):
    """Return the loss and its gradients; state that the loss wrote is kept."""
    pure, written = _pure(loss_fn, variables)
    values = [v.value for v in variables]
    (loss, updates), gradients = jax.value_and_grad(pure, has_aux=True)(values)
    assign(written, updates)
    return loss, gradients


def value_and_gradient(fn, x):
    """Return fn(x) and d sum(fn(x)) / dx, differentiable again; `x` may be a list."""
    pure, written = _pure(fn)

    def total(x):
        value, updates = pure((), x)
        return keras.ops.sum(value), (value, updates)

    gradient, (value, updates) = jax.grad(total, has_aux=True)(x)
    assign(written, updates)
    return value, gradient


def no_gradients():
    """Return a context: JAX records nothing that it is not asked for."""
    return contextlib.nullcontext()


def independent_seeds():
    """Return a context: two seeds have nothing to do with each other here."""
    return contextlib.nullcontext()


def substituted(variables, values):
    """Return a context in which the variables have these values; what is written there is lost."""
    return Scope(zip(variables, values, strict=True))


def assign(variables, values):
    """Assign each value to its variable."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def move_towards(variables, values, share):
    """Add a share of the way to other values, a tensor, to variables of floats."""
    assign(variables, generic.moved(variables, values, share))


def accelerated():
    """Return whether this backend computes on something other than a CPU."""
    return jax.default_backend() != "cpu"


def devices():
    """Return how many devices of the fastest kind there are."""
    return jax.device_count()


@contextlib.contextmanager
def on_devices(count):
    """Return a context in which models are made, and trained, on so many devices."""
    if count == 1 or GROUP.size() > 1:  # Several processes bring their devices together in a step.
        yield
        return
    before = keras.distribution.distribution()
    chosen = keras.distribution.list_devices()[:count]
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=chosen))
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def send(batch):
    """Return this process's rows of a batch; Keras copies them while the last one trains."""
    return GROUP.own_rows(batch)


def summed(fn, count):
    """Return the sums of `fn(0)` to `fn(count - 1)`, lists of arrays, one call after the other.

    XLA would run calls that do not depend on each other at once, and need the memory of all.
    """
    pure, written = _pure(fn)
    total, values = pure((), 0)
    variables = list(written)

    def body(carry, i):
        total, values = carry
        with Scope(zip(variables, values, strict=True)) as scope:
            total = [a + b for a, b in zip(total, fn(i), strict=True)]
        return (total, [scope.get_current_value(v) for v in variables]), None

    (total, values), _ = jax.lax.scan(body, (total, values), jax.numpy.arange(1, count))
    assign(variables, values)
    return total


def set_memory_layout(variables):
    """Leave the memory order of kernels to the compiler."""


def fuse_steps(optimizer):
    """Let an optimizer take its steps as fast as the backend can; Keras' do here."""


def replica_rows(fn, batch_size):
    """Return `fn(batch_size)`: JAX programs see the whole batch, however it is sharded."""
    return fn(batch_size)


def compiled(fn, variables):
    """Return `fn` as one program; the variables are read anew in each call."""
    variables = list(variables)

    @jax.jit
    def program(values, *args):
        with Scope(zip(variables, values, strict=True)):
            return fn(*args)

    return lambda *args: program([v.value for v in variables], *args)


def resolve_jit(jit_compile):
    """Return `jit_compile`: "auto" compiles on JAX wherever the layers allow it."""
    return jit_compile


def set_float32_precision(name):
    """Let products of float32 be "float32", or "tf32" on devices that have it."""
    precision = "tensorfloat32" if name == "tf32" else "float32"
    jax.config.update("jax_default_matmul_precision", precision)


def make_deterministic():
    """Ask XLA for reproducible kernels; must run before the first computation."""
    flag = "--xla_gpu_deterministic_ops=true"
    if flag not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
