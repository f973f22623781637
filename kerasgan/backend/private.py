"""Every private name of Keras and of the backends that the package uses.

Private names may go in any release, so each stands here once, with what it is for and what happens
without it. `kerasgan` pins Keras to the minor release with which these were tried, and a test calls
each function.
"""

import contextlib
import functools
import threading

from kerasgan.backend import counter_noise


def flat_layers(model):
    """Return all layers of a model, nested ones included, the model itself first.

    `Layer._flatten_layers`. Without it, batch normalisation in a user's critic is not found and
    spectral normalisation takes no power iterations.
    """
    return list(model._flatten_layers())


def loss_tracker(model):
    """Return the metric with which Keras tracks the loss of `compile(loss=...)`, or None.

    `Trainer._loss_tracker`, which `Model.metrics` lists. Without it, this unused metric is stored
    beside a subclass's own.
    """
    return getattr(model, "_loss_tracker", None)


def own_optimizer_variables(optimizer):
    """Return the variables of a `MultiOptimizer` itself, without those of the optimizers in it.

    `BaseOptimizer._variables`. Without it, a stored model holds the state of both optimizers twice.
    """
    return optimizer._variables


def learning_rate_setting(optimizer):
    """Return what an optimizer's learning rate was set to: a variable, a schedule or a callable.

    `Optimizer._learning_rate`; the public property returns the present value. Without it, a guard
    cannot tell a constant rate from a schedule and cannot lower it.
    """
    return optimizer._learning_rate


def adam_moments(optimizer, variable=None):
    """Return Adam's first and second moments: two lists, or those of one variable.

    `Adam._momentums`, `Adam._velocities` and `Optimizer._get_variable_index`. Without them,
    `BurnInAdam` and the unrolled steps of Adam cannot be computed.
    """
    groups = optimizer._momentums, optimizer._velocities
    if variable is None:
        return groups
    index = optimizer._get_variable_index(variable)
    return tuple(group[index] for group in groups)


def torch_update_step(optimizer):
    """Return the method with which an optimizer on PyTorch moves all variables, or None.

    `TorchParallelOptimizer._parallel_update_step`. Without it, Adam runs in Keras' own passes,
    about twelve for one kernel.
    """
    return getattr(optimizer, "_parallel_update_step", None)


def replace_torch_update_step(optimizer, step):
    """Let an optimizer on PyTorch move all variables by `step`; see `torch_update_step`."""
    object.__setattr__(optimizer, "_parallel_update_step", step)


def torch_fused_adam(*tensors, **options):
    """Run Adam's step on lists of tensors in one kernel.

    `torch._fused_adam_`, the function behind `torch.optim.Adam(fused=True)`. Without it, see
    `torch_update_step`.
    """
    import torch

    return torch._fused_adam_(*tensors, **options)


def _random():
    """Return the module through which `keras.random` and Keras' layers draw numbers.

    `keras.src.backend.random`. Without it, a generator whose layers draw noise at inference cannot
    be given the noise of a seed.
    """
    from keras.src.backend import random

    return random


_active = threading.local()  # In each thread the noise of the images that it generates.


@functools.cache
def _install():
    """Let Keras draw by `counter_noise` in a thread that is inside of `noise_of`."""
    module = _random()

    def replaced(name, draw):
        @functools.wraps(draw)
        def function(*args, **kwargs):
            stack = getattr(_active, "stack", ())
            if not stack:
                return draw(*args, **kwargs)
            if not hasattr(stack[-1], name):
                raise NotImplementedError(
                    f"a generator cannot draw by keras.random.{name} when it samples: the noise "
                    "of an image is computed from its seed, which is done for normal, "
                    "truncated_normal, uniform, randint, categorical and dropout."
                )
            return getattr(stack[-1], name)(*args, **kwargs)

        return function

    covered = ("normal", "truncated_normal", "uniform", "randint", "categorical", "dropout")
    for name in (*covered, "beta", "binomial", "gamma", "shuffle"):
        setattr(module, name, replaced(name, getattr(module, name)))


@contextlib.contextmanager
def noise_of(seeds, shared):
    """Return a context in which what layers draw depends on the seed of each image alone.

    It holds in this thread. What is drawn for one image does not depend on the backend, the size of
    the batch, or the image's place in it; see `counter_noise.CounterNoise`.

    Args:
        seeds: int32 of shape `(batch_size,)`.
        shared: The int32 seed of what is drawn for the batch as a whole.
    """
    _install()
    stack = _active.__dict__.setdefault("stack", [])
    stack.append(counter_noise.CounterNoise(seeds, shared))
    try:
        yield
    finally:
        stack.pop()
