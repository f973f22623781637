"""The backend package: the only code that knows which backend runs.

The files `tensorflow.py`, `jax.py` and `torch.py` offer the same names. Everything outside this
folder is written once, in `keras.ops`, and calls these.

- `Trainer`: the mixin that owns `train_step` and `test_step` and hands a batch to the model's
  `_train_on` and `_evaluate_on`.
- `value_and_grad(loss_fn, variables)`: a loss and its gradients with respect to Keras variables.
- `value_and_gradient(fn, x)`: fn(x) and d sum(fn(x)) / dx, both differentiable; `x` is a tensor
  or a list of them. `gradient(fn, x)` is the second alone.
- `substituted(variables, values)`: a context in which the variables have these values.
- `no_gradients()`: a context in which nothing is recorded for differentiation.
- `independent_seeds()`: a context in which the noise of two seeds is independent.
- `assign(variables, values)`: several assignments, also inside a distributed replica.
- `move_towards(variables, values, share)`: a moving average's step.
- `track(average, mean, share, rows)`: the same with the mean of a batch, over all processes.
- `accelerated()`: whether the backend computes on something other than a CPU.
- `devices()`, `on_devices(count)`: how many there are, and a context in which models are made and
  trained on some of them.
- `send(batch)`: begin to copy the arrays of a batch to the device.
- `set_memory_layout(variables)`: give kernels the memory order that the backend reads fastest.
- `fuse_steps(optimizer)`: let a built Keras optimizer step as fast as the backend's own.
- `replica_rows(fn, batch_size)`: the rows of a random draw that belong to this replica.
- `summed(fn, count)`: the sums of what `fn(i)` returns, in the memory of one call.
- `compiled(fn, variables)`: a function of arrays and of these variables as one program, for
  inference outside `fit`.
- `resolve_jit(jit_compile)`: what "auto" means for Keras on this backend and machine.
- `GROUP`: the processes that train one model together; see `group.py`. Of it are
  `sum_over_processes(value)` and `mean_over_processes(value)`, over what each has in a step, and
  `follows()`, whether another process leads this training.
- `set_float32_precision(name)`: whether products of float32 may be made in "tf32".
- `make_deterministic()`: ask the backend for reproducible kernels.
- `Conv2D`, `Conv2DTranspose`, `BatchNormalization`: Keras' layers as fast as the backend's own.
- `MEANS_IN_STEPS`: whether every step returns the means of the epoch so far.
- `WARM_UP`: the steps that are taken before a step becomes a program; 0 where the first one does.
- `LONGEST_PRODUCT`: up to so many values along an axis, a filter is faster as a product with a
  matrix than as a sum of shifted values.
- `PREFERRED_DATA_FORMAT`: the convolution layout that the backend runs fastest.

`processes.py` trains by the group: `follow(batches, watch)` takes the steps of the process that
leads, `adopt(model, trained)` gives a model what came of them, `leading(model, batches)` is a
context with what leads the others, or None, and `dismiss()` lets the others leave.

`private.py` and `private_random.py` hold every private name of Keras and the backends.
"""

import contextlib
import functools

import keras

from kerasgan.backend import processes as _processes

if keras.backend.backend() == "tensorflow":
    from kerasgan.backend import tensorflow as _backend
elif keras.backend.backend() == "jax":
    from kerasgan.backend import jax as _backend
elif keras.backend.backend() == "torch":
    from kerasgan.backend import torch as _backend
else:
    raise ImportError(
        "kerasgan trains on the Keras backends tensorflow, jax and torch: set KERAS_BACKEND to "
        f"one of them before Keras is imported. Received: {keras.backend.backend()!r}"
    )

Trainer = _backend.Trainer
value_and_grad = _backend.value_and_grad
value_and_gradient = _backend.value_and_gradient
substituted = _backend.substituted
no_gradients = _backend.no_gradients
independent_seeds = _backend.independent_seeds
assign = _backend.assign
move_towards = _backend.move_towards
accelerated = _backend.accelerated
devices = _backend.devices
on_devices = _backend.on_devices
send = _backend.send
set_memory_layout = _backend.set_memory_layout
fuse_steps = _backend.fuse_steps
replica_rows = _backend.replica_rows
summed = _backend.summed
compiled = _backend.compiled
resolve_jit = _backend.resolve_jit
GROUP = _backend.GROUP
sum_over_processes = GROUP.sum_over_processes
mean_over_processes = GROUP.mean_over_processes
follows = GROUP.follows
leading = functools.partial(_processes.leading, GROUP)
follow = functools.partial(_processes.follow, GROUP)
dismiss = functools.partial(_processes.dismiss, GROUP)
adopt = _processes.adopt
set_float32_precision = _backend.set_float32_precision
make_deterministic = _backend.make_deterministic
MEANS_IN_STEPS = _backend.MEANS_IN_STEPS
WARM_UP = _backend.WARM_UP
LONGEST_PRODUCT = _backend.LONGEST_PRODUCT
PREFERRED_DATA_FORMAT = _backend.PREFERRED_DATA_FORMAT
Conv2D = _backend.Conv2D
Conv2DTranspose = _backend.Conv2DTranspose
BatchNormalization = _backend.BatchNormalization


def hide_from_tensorflow():
    """Hide accelerators from TensorFlow where it only reads images, beside another backend.

    It would reserve nearly all of their memory, from which that backend takes its own.
    """
    if keras.backend.backend() == "tensorflow":
        return
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):  # It runs already, and has what it took.
        tf.config.set_visible_devices(tf.config.list_physical_devices("CPU"))


def gradient(fn, x):
    """Return d sum(fn(x)) / dx, differentiable again; `x` may be a list."""
    return value_and_gradient(fn, x)[1]


def track(average, mean, share, rows):
    """Move a moving average, a variable, a share of the way to the mean of a batch.

    Args:
        average: The variable.
        mean: A mean over the rows of a batch, or of this process's part of it.
        share: How far, a number.
        rows: How many rows there are. A replica may have none: it keeps its average.
    """
    mean = mean_over_processes(keras.ops.stop_gradient(mean))
    if not isinstance(rows, int):  # The mean of none is NaN.
        mean = keras.ops.where(rows > 0, mean, keras.ops.convert_to_tensor(average))
    move_towards([average], [mean], keras.ops.convert_to_tensor(share))


def forward(model, x):
    """Return the forward pass of a network in inference mode, as one program.

    Args:
        model: A Keras model.
        x: What it takes, an array or a list of arrays.
    """
    if not hasattr(model, "_kerasgan_forward"):
        program = compiled(lambda x: model(x, training=False), model.variables)
        object.__setattr__(model, "_kerasgan_forward", program)
    return model._kerasgan_forward(x)
