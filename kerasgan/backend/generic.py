"""What JAX and TensorFlow do alike.

They distribute a model by themselves, so that nothing is to be done for what `torch_ranks` does.
"""

import contextlib

from keras import ops


def moved(variables, values, share):
    """Return variables of floats with a share of the way to other values added."""
    pairs = zip(variables, values, strict=True)
    return [old + ops.cast(share, old.dtype) * ops.subtract(new, old) for old, new in pairs]


def sum_over_processes(value):
    """Return `value`: a program sees the whole batch."""
    return value


def mean_over_processes(value):
    """Return `value`: a program sees the whole batch."""
    return value


def follows():
    """Return False: no process leads another."""
    return False


def follow(batches, watch=None):
    """Follow nobody; see `follows`."""


def adopt(model, trained):
    """Adopt nothing; see `follows`."""


def leading(model, batches):
    """Return a context with None, since no process leads another."""
    return contextlib.nullcontext()
