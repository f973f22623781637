"""The TensorFlow file of the backend package."""

import contextlib

import keras
import tensorflow as tf

from kerasgan.backend import generic, private
from kerasgan.backend.tensorflow_group import TensorflowGroup

private.leave_own_pipelines_untuned()
GROUP = TensorflowGroup()
WARM_UP = 0
LONGEST_PRODUCT = 256
MEANS_IN_STEPS = True  # Keras needs something that a step returns.
PREFERRED_DATA_FORMAT = "channels_last"
Conv2D = keras.layers.Conv2D
Conv2DTranspose = keras.layers.Conv2DTranspose
BatchNormalization = keras.layers.BatchNormalization


class Trainer:
    """Hands each batch to `_train_on` and `_evaluate_on`; the schedule stays on the host."""

    def train_step(self, data):
        return self._train_on(data, generator_turn=True)

    def test_step(self, data):
        return self._evaluate_on(data)

    def _compile_step(self, step):
        """Return Keras' train function around `step(data) -> logs`."""
        function = self._made(step)
        if GROUP.size() > 1:
            if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
                raise ValueError(
                    "a model must be made outside of the scope of a strategy where several "
                    "processes train together. Received: one that was made in that of a "
                    "`MultiWorkerMirroredStrategy`"
                )
            jit, self.jit_compile = self.jit_compile, False  # Nothing is added inside of XLA.
            function = GROUP.alone_or_together(function, self._made(step))
            self.jit_compile = jit
        if self.steps_per_execution == 1:
            return function

        def one(iterator):  # Keras' function reads the number when it is called first.
            with self._singly():
                return function(iterator)

        return one

    def _made(self, step):
        self.train_step = step
        try:
            super().make_train_function(force=True)
        finally:
            del self.train_step
        return self.train_function

    def _fetched(self, iterator):
        """Return the arguments of a step with its batch read."""
        return ([next(iterator)],)

    def _compile_several(self, steps):
        """Return a function that takes several steps in one program; see `Programs`.

        The program is a loop, each of whose steps is chosen by its number.
        """
        strategy = self.distribute_strategy

        def compiled(step):
            def one(data):
                strategy.run(lambda data: step(data) and None, args=(data,))

            return one if self.run_eagerly else tf.function(one, jit_compile=self.jit_compile)

        programs = [compiled(step) for step in steps]

        def several(numbers, iterator):
            def body(i):
                data = iterator.get_next()

                def branch(program):
                    def taken():
                        program(data)
                        return i + 1

                    return taken

                return [tf.switch_case(numbers[i], [branch(program) for program in programs])]

            tf.while_loop(lambda i: i < tf.size(numbers), body, [0], parallel_iterations=1)
            return self._means()

        if not self.run_eagerly:
            several = tf.function(several, reduce_retracing=True)
        return lambda numbers, iterator: several(tf.constant(numbers, tf.int32), iterator)

    def _next_batches(self, iterator):
        """Return the number of batches that the next steps have, and their iterator."""
        left = self._steps_left
        if left is None:
            raise ValueError(
                "`steps_per_execution` above 1 needs data whose number of batches is known, or "
                f"`steps_per_epoch`. Received: steps_per_execution={self.steps_per_execution}"
            )
        return min(self.steps_per_execution, left), (iterator,)

    def _one_by_one(self, step, iterator):
        """Take a step on each of the next batches."""
        logs = step(iterator)
        for _ in range(min(self.steps_per_execution, self._steps_left or 1) - 1):
            logs = step(iterator)
        return logs

    def synchronize(self):
        """Make the variables hold the present state, which they always do here."""


def value_and_grad(loss_fn, variables):
    """Return the loss and its gradients; `tf.distribute` optimizers sum these over replicas."""
    values = [v.value for v in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss = loss_fn()
        share = loss / tf.cast(_replicas(), loss.dtype)
    gradients = tape.gradient(share, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    loss, *gradients = GROUP.mean([loss, *gradients])
    return loss, gradients


def value_and_gradient(fn, x):
    """Return fn(x) and d sum(fn(x)) / dx, differentiable again; `x` may be a list."""
    x = tf.nest.map_structure(tf.convert_to_tensor, x)
    with tf.GradientTape(watch_accessed_variables=False) as tape, private.exact_moments():
        tape.watch(x)
        y = fn(x)
    gradients = tape.gradient(y, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    # Those of embeddings come as slices, with which nothing can be computed.
    return y, tf.nest.map_structure(tf.convert_to_tensor, gradients)


def no_gradients():
    """Return a context: outside a tape nothing is recorded, so there is nothing to do."""
    return contextlib.nullcontext()


def independent_seeds():
    """Return a context: two seeds have nothing to do with each other here."""
    return contextlib.nullcontext()


def substituted(variables, values):
    """Return a context in which the variables have these values; what is written there is lost."""
    return keras.StatelessScope(zip(variables, values, strict=True))


def assign(variables, values):
    """Assign each value to its variable, in a replica by way of the cross-replica context."""
    targets = [v.value for v in variables]
    values = [tf.cast(value, v.dtype) for v, value in zip(targets, values, strict=True)]
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        for variable, value in zip(targets, values, strict=True):
            variable.assign(value)
        return

    def update(strategy, values):
        for variable, value in zip(targets, values, strict=True):
            strategy.extended.update(variable, lambda v, new: v.assign(new), (value,), group=False)

    context.merge_call(update, args=(values,))


def move_towards(variables, values, share):
    """Add a share of the way to other values, a tensor, to variables of floats."""
    assign(variables, generic.moved(variables, values, share))


def accelerated():
    """Return whether this backend computes on something other than a CPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def _logical_devices():
    return tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")


def devices():
    """Return how many devices of the fastest kind there are."""
    return len(_logical_devices())


def on_devices(count):
    """Return a context in which models are made, and trained, on so many devices."""
    if count == 1 or GROUP.size() > 1:  # Each process has one device.
        return contextlib.nullcontext()
    names = [device.name for device in _logical_devices()[:count]]
    return tf.distribute.MirroredStrategy(names).scope()


def send(batch):
    """Return this process's rows of a batch; Keras copies them while the last one trains."""
    return GROUP.own_rows(batch)


def summed(fn, count):
    """Return the sums of `fn(0)` to `fn(count - 1)`, lists of tensors, one call after the other."""
    total = [tf.convert_to_tensor(x) for x in fn(0)]

    def body(i, *total):
        return i + 1, *[a + b for a, b in zip(total, fn(i), strict=True)]

    # A replica, or a process, cannot meet the others inside a loop of the graph.
    if _replicas() > 1 or GROUP.in_step:
        for i in range(1, count):
            with tf.control_dependencies(total):
                _, *total = body(tf.constant(i), *total)
        return total
    loop = tf.while_loop(lambda i, *_: i < count, body, (1, *total), parallel_iterations=1)
    return list(loop[1:])


def set_memory_layout(variables):
    """Leave the memory order of kernels to the compiler."""


def fuse_steps(optimizer):
    """Let an optimizer take its steps as fast as the backend can; Keras' do here."""


def replica_rows(fn, batch_size):
    """Return this replica's rows of `fn(rows)`: replicas together draw what one device would."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return GROUP.drawn(fn, batch_size)
    first = context.replica_id_in_sync_group * batch_size
    return fn(context.num_replicas_in_sync * batch_size)[first : first + batch_size]


def compiled(fn, variables):
    """Return `fn` as one graph. Layer by layer it takes half as long again: nothing is fused."""
    return tf.function(fn, reduce_retracing=True)


def resolve_jit(jit_compile):
    """Return what "auto" stands for: XLA on an accelerator, tf.function alone on a CPU.

    XLA's convolutions on a CPU are several times slower than TensorFlow's own.
    """
    if jit_compile == "auto" and not accelerated():
        return False
    return jit_compile


def set_float32_precision(name):
    """Let products of float32 be "float32", or "tf32" on devices that have it."""
    tf.config.experimental.enable_tensor_float_32_execution(name == "tf32")


def make_deterministic():
    """Ask for reproducible kernels; must run before the first op."""
    tf.config.experimental.enable_op_determinism()


def _replicas():
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync
