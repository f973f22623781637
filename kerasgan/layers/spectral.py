"""Spectral normalisation: kernels divided by an estimate of their largest singular value.

The layers store the kernel without normalisation and divide it in `call`, which writes no variable.
`iterate` updates the estimate by one power iteration. The model calls it once for each step of the
critic, so that the passes over real and over generated images use the same kernel. The first
estimates are too small; a few iterations correct them.

Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957, section 2.1 and algorithm 1.
"""

import random

import keras
import numpy as np
from keras import ops

from kerasgan import backend

# Avoids a division by zero for a kernel of zeros.
TINY = 1e-12


class Spectral:
    """The mixin of the three layers; it comes before the Keras layer among the base classes.

    The kernel is treated as the matrix W of shape (outputs, all else): its last axis is the first
    of W. The estimate is computed in float32 under every dtype policy.
    """

    def __init__(self, *args, seed=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.seed = random.randrange(2**32) if seed is None else seed

    def add_weight(self, *args, **kwargs):
        # In mixed precision Keras would otherwise round the kernel before the normalisation.
        return super().add_weight(*args, **{"autocast": False, **kwargs})

    def build(self, input_shape=None):
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(self._raw_kernel().shape[-1],),
            initializer=self._first_u,
            dtype="float32",
            trainable=False,
        )

    def sigma(self):
        """Return `u^T W v` with `v = W^T u / ||W^T u||`, a float32 scalar.

        Its gradient with respect to W is `u v^T`: u and v are treated as constants.
        """
        projected = ops.matmul(self._matrix(), ops.stop_gradient(ops.convert_to_tensor(self.u)))
        v = ops.stop_gradient(_unit(projected))
        return ops.maximum(ops.sum(v * projected), TINY)

    def iterate(self):
        """Update `u` by one power iteration towards the first left singular vector of W."""
        with backend.no_gradients():
            matrix = self._matrix()
            v = _unit(ops.matmul(matrix, ops.convert_to_tensor(self.u)))
            u = _unit(ops.matmul(ops.transpose(matrix), v))
        backend.assign([self.u], [u])

    def normalized_kernel(self):
        """Return `W / sigma` in the kernel's shape and the layer's compute dtype."""
        kernel = ops.convert_to_tensor(self._raw_kernel(), dtype="float32")
        return ops.cast(kernel / self.sigma(), self.compute_dtype)

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["u"] = self.u

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self.u.assign(store["u"])

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}

    def _raw_kernel(self):
        return self.kernel

    def _matrix(self):
        """Return the transpose of W, the order in which Keras stores kernels."""
        kernel = ops.convert_to_tensor(self._raw_kernel(), dtype="float32")
        return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def _first_u(self, shape, dtype=None):
        draw = np.random.default_rng(self.seed).standard_normal(tuple(shape))
        return ops.convert_to_tensor(draw / np.linalg.norm(draw), dtype=dtype)

    def _finish(self, outputs, bias_shape):
        if self.use_bias:
            outputs += ops.cast(ops.reshape(self.bias, bias_shape), self.compute_dtype)
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable(package="kerasgan")
class SpectralDense(Spectral, keras.layers.Dense):
    """`keras.layers.Dense` with a spectrally normalised kernel.

    Example:
    ```python
    layer = SpectralDense(16)
    scores = layer(x)  # Uses the kernel divided by its estimated spectral norm.
    layer.iterate()  # Once in each critic step.
    ```

    Args:
        *args: Arguments of `keras.layers.Dense`.
        seed: Seed of the first `u`; by default drawn from Python's generator, which
            `keras.utils.set_random_seed` sets.
        **kwargs: Keyword arguments of `keras.layers.Dense`.

    Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957.
    """

    def call(self, inputs, training=None):
        return self._finish(ops.matmul(inputs, self.normalized_kernel()), (self.units,))


@keras.saving.register_keras_serializable(package="kerasgan")
class SpectralConv2D(Spectral, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with a spectrally normalised kernel.

    The kernel is treated as the matrix (outputs, height x width x inputs), as in the authors' code
    (source/links/sn_convolution_2d.py in pfnet-research/sngan_projection on GitHub), and not as a
    linear operator on images.

    Args:
        *args: Arguments of `keras.layers.Conv2D`.
        seed: Seed of the first `u`, as in `SpectralDense`.
        **kwargs: Keyword arguments of `keras.layers.Conv2D`.

    Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957, section 2.1.
    """

    def call(self, inputs):
        outputs = self.convolution_op(inputs, self.normalized_kernel())
        last = self.data_format == "channels_last"
        return self._finish(outputs, (-1,) if last else (-1, 1, 1))


@keras.saving.register_keras_serializable(package="kerasgan")
class SpectralEmbedding(Spectral, keras.layers.Embedding):
    """`keras.layers.Embedding` with a spectrally normalised table.

    Args:
        *args: Arguments of `keras.layers.Embedding`, except `weights`.
        seed: Seed of the first `u`, as in `SpectralDense`.
        **kwargs: Keyword arguments of `keras.layers.Embedding`.

    Reference: Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637, whose projection critic
    normalises its label embeddings.
    """

    def call(self, inputs):
        return ops.take(self.normalized_kernel(), ops.cast(inputs, "int32"), axis=0)

    def _raw_kernel(self):
        return self.embeddings


def _unit(vector):
    return vector / (ops.sqrt(ops.sum(ops.square(vector))) + TINY)
