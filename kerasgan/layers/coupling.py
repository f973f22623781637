"""Invertible layers: couplings, a diagonal scaling, and the squeeze of multi-scale flows.

`call` runs from the latent space to the data and `inverse` from the data to the latent space, the
direction in which the papers write their equations. Both return `(output, log_determinant)`: the
logarithm of the absolute Jacobian determinant of the map just taken, one number for each sample.

They compute in float32 under every global policy, because the likelihood of a flow needs an exact
inverse.
"""

import keras
import numpy as np
from keras import ops

from kerasgan import validation

MASKS = ("checkerboard", "channel")


class Invertible(keras.layers.Layer):
    """A layer with an inverse; a subclass implements `call(x, inverse=False)`.

    Args:
        dtype: The dtype policy; the global one is not used.
        **kwargs: As in `keras.layers.Layer`.
    """

    def __init__(self, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)

    def inverse(self, y):
        """Return `(x, log_determinant)` with `call(x)[0]` equal to `y`."""
        # Through __call__, which casts inputs and variables to this layer's own dtype.
        return self(y, inverse=True)


class Coupling(Invertible):
    """A layer that changes one part of each sample as a function of the other part.

    Args:
        network: A Keras model or layer. Its input is a batch of samples whose changed part is set
            to zero. Its output has `outputs` values for each entry of a sample, on the last axis.
            It need not be invertible; it should compute in float32.
        mask: The part that is kept. "checkerboard" keeps the even entries of vectors and the even
            fields of images; "channel" keeps the first half of the last axis.
        flip: Whether the kept and the changed part swap.
        **kwargs: As in `keras.layers.Layer`; the dtype is float32 by default.

    Raises:
        ValueError: If `mask` is unknown or does not fit the samples, or `network` returns another
            shape.
    """

    outputs = 1  # Values that the network returns for each entry.

    def __init__(self, network, mask="checkerboard", flip=False, **kwargs):
        super().__init__(**kwargs)
        validation.choice("mask", mask, MASKS)
        self.network = network
        self.mask = mask
        self.flip = bool(flip)

    def build(self, input_shape):
        self._changed = _changed(tuple(input_shape[1:]), self.mask, self.flip)
        if not self.network.built:
            self.network.build(input_shape)
        expected = (*input_shape[1:-1], self.outputs * input_shape[-1])
        received = tuple(self.network.compute_output_shape(input_shape))[1:]
        if received != expected:
            raise ValueError(
                f"`network` must return the shape {(None, *expected)} for samples of shape "
                f"{(None, *input_shape[1:])}. Received: {(None, *received)}"
            )

    def get_config(self):
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network, "mask": self.mask, "flip": self.flip}

    @classmethod
    def from_config(cls, config):
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})

    def _split(self, x):
        """Return the mask of the changed entries, and the network's output for the kept ones."""
        changed = ops.convert_to_tensor(self._changed, dtype=x.dtype)
        return changed, self.network(x * (1.0 - changed))


@keras.saving.register_keras_serializable(package="kerasgan")
class AdditiveCoupling(Coupling):
    """Shift one part by a function of the other; volumes do not change.

    From the data to the latent space: `changed + network(kept)`. See `Coupling` for the arguments.

    Reference: Dinh et al. 2014, NICE, https://arxiv.org/abs/1410.8516, section 3.2.
    """

    def call(self, x, inverse=False):
        changed, shift = self._split(x)
        y = x + changed * shift if inverse else x - changed * shift
        return y, _for_each_sample(0.0, x)


@keras.saving.register_keras_serializable(package="kerasgan")
class AffineCoupling(Coupling):
    """Scale and shift one part by functions of the other.

    From the data to the latent space: `changed * exp(s) + t`. The first half of the network's
    channels gives `s = scale * tanh(...)`, with one learned `scale` for each channel; the second
    half gives `t`. See `Coupling` for the arguments.

    Reference: Dinh et al. 2017, RealNVP, https://arxiv.org/abs/1605.08803, section 3.2.
    """

    outputs = 2

    def build(self, input_shape):
        super().build(input_shape)
        self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones", name="scale")

    def call(self, x, inverse=False):
        changed, y = self._split(x)
        channels = x.shape[-1]
        log_scale = changed * self.scale * ops.tanh(y[..., :channels])
        shift = changed * y[..., channels:]
        log_determinant = ops.sum(log_scale, axis=tuple(range(1, len(x.shape))))
        if inverse:
            return x * ops.exp(log_scale) + shift, log_determinant
        return (x - shift) * ops.exp(-log_scale), -log_determinant


@keras.saving.register_keras_serializable(package="kerasgan")
class DiagonalScaling(Invertible):
    """Scale each entry by a learned positive number, initially 1.

    From the data to the latent space: `y * exp(log_scale)`. It is the last layer of NICE, whose
    additive couplings cannot change volumes. The learned scales show which dimensions matter.

    Reference: Dinh et al. 2014, NICE, https://arxiv.org/abs/1410.8516, section 3.3.
    """

    def build(self, input_shape):
        self.log_scale = self.add_weight(
            shape=input_shape[1:], initializer="zeros", name="log_scale"
        )

    def call(self, x, inverse=False):
        log_scale = ops.convert_to_tensor(self.log_scale)
        log_scale = log_scale if inverse else -log_scale
        return x * ops.exp(log_scale), _for_each_sample(ops.sum(log_scale), x)


@keras.saving.register_keras_serializable(package="kerasgan")
class Unsqueeze(Invertible):
    """Turn groups of four channels into blocks of two by two pixels.

    From `(batch_size, height, width, 4 * channels)` to `(batch_size, 2 * height, 2 * width,
    channels)`; `inverse` is the papers' squeeze.

    Reference: Dinh et al. 2017, RealNVP, https://arxiv.org/abs/1605.08803, section 3.6.
    """

    def call(self, x, inverse=False):
        batch_size = ops.shape(x)[0]
        _, height, width, channels = x.shape
        if inverse:
            if height % 2 or width % 2:
                raise ValueError(
                    "`y` must have an even height and width. Received: shape "
                    f"{(None, height, width, channels)}"
                )
            y = ops.reshape(x, (batch_size, height // 2, 2, width // 2, 2, channels))
            y = ops.transpose(y, (0, 1, 3, 2, 4, 5))
            y = ops.reshape(y, (batch_size, height // 2, width // 2, 4 * channels))
        else:
            if channels % 4:
                raise ValueError(
                    "`x` must have a multiple of 4 channels. Received: shape "
                    f"{(None, height, width, channels)}"
                )
            y = ops.reshape(x, (batch_size, height, width, 2, 2, channels // 4))
            y = ops.transpose(y, (0, 1, 3, 2, 4, 5))
            y = ops.reshape(y, (batch_size, 2 * height, 2 * width, channels // 4))
        return y, _for_each_sample(0.0, x)


def _changed(shape, mask, flip):
    """Return 1 where an entry is changed and 0 where it is kept, broadcastable to `shape`."""
    if mask == "channel":
        if shape[-1] < 2:
            raise ValueError(
                '`mask` must be "checkerboard" for samples of a single channel. Received: '
                f"mask={mask!r} and samples of shape {(None, *shape)}"
            )
        changed = np.arange(shape[-1]) >= shape[-1] // 2
    elif len(shape) == 1:
        changed = np.arange(shape[0]) % 2
    else:
        changed = (np.indices((*shape[:-1], 1)).sum(axis=0)) % 2
    return np.not_equal(changed, flip).astype("float32")


def _for_each_sample(value, x):
    """Return `value` for each sample of `x`, shape `(batch_size,)`."""
    return ops.broadcast_to(ops.cast(value, x.dtype), ops.shape(x)[:1])
