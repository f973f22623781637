"""The base class, the initializer and the parts that the network builders share."""

import inspect

import keras
from keras import ops

from kerasgan import catalogue, sizes, validation
from kerasgan.backend import PREFERRED_DATA_FORMAT, BatchNormalization
from kerasgan.layers import MinibatchDiscrimination, SpectralDense, SpectralEmbedding
from kerasgan.layers.normal import Normal

NORMS = (None, "batch", "spectral")
CONDITIONINGS = ("projection", "concat")
MINIBATCHES = (None, "discrimination", "stddev")
UPSAMPLINGS = ("transposed", "nearest")


_BOUNDS = {
    option.name: option
    for options in (catalogue.LOADING, *(a.options for a in catalogue.ARCHITECTURES.values()))
    for option in options
    if option.kind == "integer"
}
_BOUNDS |= {  # What the catalogue leaves to the data.
    "channels": catalogue.option.integer("channels", "channels of an image", maximum=4096),
    "num_classes": catalogue.option.integer("num_classes", "classes", maximum=2**16),
}


class Builder(keras.Model):
    """A functional network whose configuration is the arguments of its builder.

    Images are channels-last at the inputs and outputs. The convolutions inside use the data format
    that the backend runs fastest. The weights are the same in both formats, so weights that were
    written on one backend load on another.

    Args:
        inputs: Symbolic input.
        outputs: Symbolic output.
        arguments: The arguments of the constructor, which `get_config` returns.
        name: Name of the network.
    """

    def __init__(self, inputs, outputs, arguments, name):
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.arguments = arguments
        self.num_classes = arguments.get("num_classes")

    def get_config(self):
        return {**self.arguments, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


_CHOICES = {
    "norm": NORMS,
    "conditioning": CONDITIONINGS,
    "minibatch": MINIBATCHES,
    "upsampling": UPSAMPLINGS,
}


def arguments(scope):
    """Return the arguments of a constructor, given its `locals()`, without `name`."""
    return {k: v for k, v in scope.items() if k not in ("self", "name", "__class__")}


def pair(generator, critic, scope):
    """Return both networks, given the builder's `locals()`; each gets the arguments that it takes.

    The builder's `critic_norm` is the critic's `norm`.
    """
    given = {"norm" if name == "critic_norm" else name: value for name, value in scope.items()}

    def made(network):
        taken = inspect.signature(network).parameters
        return network(**{name: value for name, value in given.items() if name in taken})

    return made(generator), made(critic)


def check(num_classes=None, image_size=None, **numbers_and_choices):
    """Raise ValueError for a number that is no positive integer or has no sense, or a wrong choice.

    The catalogue has the bounds of numbers. A preset of somebody else may ask for 100,000 layers.
    """
    if num_classes is not None:
        numbers_and_choices["num_classes"] = num_classes
    if image_size is not None:
        sizes.sides(image_size)
    for name, value in numbers_and_choices.items():
        if name in _CHOICES:
            validation.choice(name, value, _CHOICES[name])
        else:
            validation.positive_integer(name, value)
            _BOUNDS[name].check(value)


def latent_inputs(latent_dim, num_classes):
    """Return a generator's inputs and its first vector: z, joined with the one-hot class."""
    z = keras.Input((latent_dim,))
    if num_classes is None:
        return z, z
    labels = keras.Input((), dtype="int32", name="labels")
    return [z, labels], keras.layers.Concatenate()([z, ops.one_hot(labels, num_classes)])


def image_inputs(shape, num_classes, conditioning, packing):
    """Return a critic's inputs, the images for its first layer, and its labels or None.

    With the conditioning "concat" the images have one more channel for each class.
    """
    height, width, channels = shape
    images = keras.Input((height, width, packing * channels))
    if num_classes is None:
        return images, images, None
    labels = keras.Input((), dtype="int32", name="labels")
    x = images
    if conditioning == "concat":
        maps = ops.reshape(ops.one_hot(labels, num_classes), (-1, 1, 1, num_classes))
        x = keras.layers.Concatenate()([images, ops.ones_like(images[..., :1]) * maps])
    return [images, labels], x, labels


def score(features, labels, num_classes, conditioning, norm=None, minibatch=None, stddev=0.02):
    """Return the critic's score of flat features: its last layer.

    The conditioning "projection" adds the inner product of the features with a vector of the class.

    Reference: Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637.
    """
    if minibatch == "discrimination":
        features = MinibatchDiscrimination()(features)
    dense, embedding = keras.layers.Dense, keras.layers.Embedding
    if norm == "spectral":
        dense, embedding = SpectralDense, SpectralEmbedding
    x = dense(1, kernel_initializer=Normal(0.0, stddev), dtype="float32")(features)
    if labels is None or conditioning == "concat":
        return x
    vectors = embedding(
        num_classes, features.shape[-1], embeddings_initializer=Normal(0.0, stddev), dtype="float32"
    )(labels)
    inner = ops.sum(vectors * ops.cast(features, "float32"), axis=-1, keepdims=True)
    return keras.layers.Add(dtype="float32")([x, inner])


def batch_norm(x):
    """Return maps that are normalised over the batch, as DCGAN has it."""
    # Epsilon and momentum are Torch's defaults, which DCGAN's authors leave (main.lua in
    # soumith/dcgan.torch); Torch's momentum is one minus ours.
    return BatchNormalization(
        axis=channel_axis(), momentum=0.9, epsilon=1e-5, gamma_initializer=Normal(1.0, 0.02)
    )(x)


def channel_axis():
    """Return the axis of the channels in the data format of the convolutions."""
    return 1 if PREFERRED_DATA_FORMAT == "channels_first" else -1


def to_inside(x):
    """Return channels-last images in the data format of the convolutions."""
    return keras.layers.Permute((3, 1, 2))(x) if channel_axis() == 1 else x


def to_outside(x):
    """Return maps in the data format of the convolutions as channels-last maps."""
    return keras.layers.Permute((2, 3, 1))(x) if channel_axis() == 1 else x
