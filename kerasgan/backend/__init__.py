"""The backend room: the only code that knows which backend runs.

Each file here offers the same few names. Everything outside this folder is written once, in
`keras.ops`, and calls these.

- `Trainer`: the mixin that owns `train_step` and `test_step` and hands the batch to the
  variant's own `play` and `judge`.
- `value_and_grad(loss_fn, variables)`: a loss and its gradients with respect to Keras variables.
- `value_and_gradient(fn, x)`: fn(x) and d sum(fn(x)) / dx, both differentiable; `x` is a tensor
  or a list of them. `gradient(fn, x)` is the second alone.
- `substituted(variables, values)`: a context in which the variables have these values.
- `no_gradients()`: a context in which nothing is recorded for differentiation.
- `assign(variables, values)`: several assignments, also inside a distributed replica.
- `lay_out(variables)`: give kernels the memory order that the backend reads fastest.
- `quicken(optimizer)`: let a built Keras optimizer step as fast as the backend's own.
- `draw(fn, batch_size)`: the rows of a random draw that belong to this replica.
- `forward(model, x)`: the forward pass of a network in inference mode, outside `fit`.
- `resolve_jit(jit_compile)`: what "auto" means on this backend and machine.
- `make_deterministic()`: ask the backend for reproducible kernels.
- `Conv2D`, `Conv2DTranspose`, `BatchNormalization`: Keras' layers as fast as the backend's own.
- `PREFERRED_DATA_FORMAT`: the convolution layout that the backend runs fastest.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from kerasgan.backend import tensorflow as _room
elif keras.backend.backend() == "jax":
    from kerasgan.backend import jax as _room
elif keras.backend.backend() == "torch":
    from kerasgan.backend import torch as _room
else:
    raise ImportError(
        "kerasgan trains on the Keras backends tensorflow, jax and torch: set KERAS_BACKEND to "
        f"one of them before Keras is imported. Received: {keras.backend.backend()!r}"
    )

Trainer = _room.Trainer
value_and_grad = _room.value_and_grad
value_and_gradient = _room.value_and_gradient
substituted = _room.substituted
no_gradients = _room.no_gradients
assign = _room.assign
lay_out = _room.lay_out
quicken = _room.quicken
draw = _room.draw
forward = _room.forward
resolve_jit = _room.resolve_jit
make_deterministic = _room.make_deterministic
PREFERRED_DATA_FORMAT = _room.PREFERRED_DATA_FORMAT
Conv2D = _room.Conv2D
Conv2DTranspose = _room.Conv2DTranspose
BatchNormalization = _room.BatchNormalization


def gradient(fn, x):
    """Return d sum(fn(x)) / dx, differentiable again; `x` may be a list."""
    return value_and_gradient(fn, x)[1]
