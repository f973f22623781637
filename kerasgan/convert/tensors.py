"""Tensors of a file as values of our weights."""

import numpy as np

from kerasgan.convert.pickles import ConversionError


def assign(variable, value):
    """Give a weight the values of an array.

    Raises:
        ConversionError: If the array has another shape.
    """
    value = np.asarray(value, "float32")
    if tuple(variable.shape) != value.shape:
        raise ConversionError(
            f"a tensor must have the shape {tuple(variable.shape)} of {variable.path}. Received: "
            f"shape {value.shape}"
        )
    variable.assign(value)
