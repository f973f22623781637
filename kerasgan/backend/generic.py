"""What JAX and TensorFlow do alike."""

from keras import ops


def moved(variables, values, share):
    """Return variables of floats with a share of the way to other values added."""
    pairs = zip(variables, values, strict=True)
    return [old + ops.cast(share, old.dtype) * ops.subtract(new, old) for old, new in pairs]
