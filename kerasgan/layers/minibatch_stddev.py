"""Minibatch standard deviation: the diversity of the batch as a feature map of the critic."""

import keras
from keras import ops

from kerasgan import validation


@keras.saving.register_keras_serializable(package="kerasgan")
class MinibatchStddev(keras.layers.Layer):
    """Append feature maps that hold the standard deviation within groups of the batch.

    In each group the layer computes the standard deviation over the samples, for each feature at
    each place. It averages these over places and features, to one number for each appended map. As
    in the authors' code the groups are interleaved: with m groups, sample i is in group i modulo m.

    A batch smaller than `group_size` is one group.

    Departure: the authors' code needs a batch size that `group_size` divides. Here the number of
    groups is otherwise rounded down, and some groups are larger than `group_size`. So no sample is
    alone in its group unless the batch is one sample.

    The score of a sample then depends on the rest of its batch. Gradient penalties assume that it
    does not; the authors combine the two all the same.

    Args:
        group_size: Least number of samples in a group; see above. The authors' code has 4.
        channels: Number of feature maps to append; each averages over its share of the features.
        data_format: "channels_last", "channels_first" or None for Keras' default.
        **kwargs: Arguments of `keras.layers.Layer`.

    Input shape: `(batch_size, height, width, features)` or `(batch_size, features, height, width)`.
    Output shape: the same with `channels` more features.

    Reference: Karras et al. 2018, https://arxiv.org/abs/1710.10196, section 3. The authors' code
    is minibatch_stddev_layer in networks.py of tkarras/progressive_growing_of_gans on GitHub.
    """

    def __init__(self, group_size=4, channels=1, data_format=None, **kwargs):
        validation.positive_integer("group_size", group_size)
        validation.positive_integer("channels", channels)
        data_format = keras.config.image_data_format() if data_format is None else data_format
        validation.choice("data_format", data_format, ("channels_last", "channels_first"))
        super().__init__(**kwargs)
        self.group_size = group_size
        self.channels = channels
        self.data_format = data_format
        self.axis = -1 if data_format == "channels_last" else 1
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        if input_shape[self.axis] % self.channels:
            raise ValueError(
                "`channels` must divide the number of features. "
                f"Received: channels={self.channels}, features={input_shape[self.axis]}"
            )

    def call(self, inputs):
        batch = ops.shape(inputs)[0]
        x = ops.cast(inputs, "float32")
        x = ops.transpose(x, (0, 3, 1, 2)) if self.axis == -1 else x
        x = ops.reshape(x, (batch, -1))  # Features first, then places.
        mean_over_group = self._mean_over_group(batch)
        variance = ops.matmul(mean_over_group, ops.square(x - ops.matmul(mean_over_group, x)))
        stddev = ops.sqrt(variance + 1e-8)  # The gradient of the root is infinite at zero.
        stddev = ops.mean(ops.reshape(stddev, (batch, self.channels, -1)), axis=-1)
        stddev = ops.cast(stddev, inputs.dtype)
        shape = ops.shape(inputs)
        if self.axis == -1:
            maps = ops.broadcast_to(stddev[:, None, None], (*shape[:-1], self.channels))
        else:
            maps = ops.broadcast_to(stddev[:, :, None, None], (batch, self.channels, *shape[2:]))
        return ops.concatenate([inputs, maps], axis=self.axis)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        shape[self.axis] += self.channels
        return tuple(shape)

    def get_config(self):
        own = {
            "group_size": self.group_size,
            "channels": self.channels,
            "data_format": self.data_format,
        }
        return {**super().get_config(), **own}

    def _mean_over_group(self, batch):
        """Return the matrix that replaces each sample by the mean of its group."""
        groups = ops.maximum(batch // self.group_size, 1)
        group = ops.arange(batch) % groups
        same = ops.cast(ops.equal(group[:, None], group[None]), "float32")
        return same / ops.sum(same, axis=1, keepdims=True)
