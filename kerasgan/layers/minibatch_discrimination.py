"""Minibatch discrimination: features that measure how close a sample is to the others."""

import math
import random

import keras
import numpy as np
from keras import ops

from kerasgan import validation


@keras.saving.register_keras_serializable(package="kerasgan")
class MinibatchDiscrimination(keras.layers.Layer):
    """Append to each sample's features its closeness to the other samples of the batch.

    With the matrices `M_i = f(x_i) T`, of shape `(kernels, kernel_dim)`, the closeness in kernel b
    is `o_b(x_i) = sum over j != i of exp(-||M_i,b - M_j,b||_1)`, computed in float32. Real and
    generated images must be in separate batches. Memory and time grow with
    `batch_size**2 * kernels * kernel_dim`.

    The score of a sample then depends on the rest of its batch. Gradient penalties assume that it
    does not.

    Departures: this is the layer of the paper. That of the authors' code also divides each column
    of T by its norm, multiplies it by a learned scale and adds a learned bias, at first -1, to the
    closeness; scales and biases are set from a first batch. Their code for ImageNet averages the
    exponentials, and its batches hold both real and generated images.

    Args:
        kernels: Number of appended features, B in the paper.
        kernel_dim: Length of the rows that are compared, C in the paper.
        seed: Seed of T, drawn from N(0, 1 / features); by default drawn from Python's generator.
        **kwargs: Arguments of `keras.layers.Layer`.

    Input shape: `(batch_size, features)`. Output shape: `(batch_size, features + kernels)`.

    Reference: Salimans et al. 2016, https://arxiv.org/abs/1606.03498, section 3.2. The authors'
    code is openai/improved-gan on GitHub: MinibatchLayer in mnist_svhn_cifar10/nn.py, and
    imagenet/discriminator.py.
    """

    def __init__(self, kernels=100, kernel_dim=5, seed=None, **kwargs):
        validation.positive_integer("kernels", kernels)
        validation.positive_integer("kernel_dim", kernel_dim)
        super().__init__(**kwargs)
        self.kernels = kernels
        self.kernel_dim = kernel_dim
        self.seed = random.randrange(2**32) if seed is None else seed
        self.input_spec = keras.layers.InputSpec(ndim=2)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.kernels * self.kernel_dim),
            initializer=self._draw,
        )

    def call(self, inputs):
        matrices = ops.cast(ops.matmul(inputs, self.kernel), "float32")
        matrices = ops.reshape(matrices, (-1, self.kernels, self.kernel_dim))
        # A sum of kernel_dim tensors (batch, batch, kernels), not one tensor with another axis: its
        # gradient is up to ten times as fast where a compiler fuses it.
        apart = 0.0
        for i in range(self.kernel_dim):
            apart += ops.abs(matrices[:, None, :, i] - matrices[None, :, :, i])
        closeness = ops.sum(ops.exp(-apart), axis=1) - 1.0  # A sample's own term is 1.
        return ops.concatenate([inputs, ops.cast(closeness, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.kernels)

    def get_config(self):
        own = {"kernels": self.kernels, "kernel_dim": self.kernel_dim, "seed": self.seed}
        return {**super().get_config(), **own}

    def _draw(self, shape, dtype=None):
        draw = np.random.default_rng(self.seed).standard_normal(tuple(shape))
        return ops.convert_to_tensor(draw / math.sqrt(shape[0]), dtype=dtype)
