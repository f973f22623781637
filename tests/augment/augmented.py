"""What the tests of the augmentations share: images, noise, and layers that run compiled."""

import keras
import numpy as np
from keras import ops

from kerasgan.augment import ADA

RNG = np.random.default_rng(0)
COLOR = RNG.uniform(-1, 1, (5, 8, 10, 3)).astype("float32")
GREY = COLOR[..., :1]
WEIGHTS = RNG.standard_normal((2, 4, 4, 3)).astype("float32")
SMALL = RNG.uniform(-1, 1, (2, 4, 4, 3)).astype("float32")


def numpy(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


def compiled(fn):
    """Return `fn` as one program, where that is faster than its many small ones."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(fn)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(fn)
    return fn


def augmented(layer, images, noise):
    """Return the augmented images; compiled, the values of `noise` are constants."""
    return numpy(compiled(lambda x: layer.transform(x, noise))(ops.convert_to_tensor(images)))


class Noise:
    """Draws by NumPy; the same seed gives the same numbers on every backend."""

    def __init__(self, rows, seed=0, repeat=1):
        self.rows = rows
        self.repeat = repeat
        self.generator = np.random.default_rng(seed)

    def array(self, kind, *shape):
        draw = {"uniform": self.generator.random, "normal": self.generator.standard_normal}[kind]
        return np.repeat(draw((self.rows, *shape), dtype="float32"), self.repeat, axis=0)

    def __call__(self, kind, *shape):
        return ops.convert_to_tensor(self.array(kind, *shape))


def ada(probability, **arguments):
    layer = ADA(max_probability=1.0, **arguments)
    layer.probability.assign(probability)
    return layer
