"""The moving average of a network's weights: a second network that follows the first."""

import keras
from keras import ops

from kerasgan import backend
from kerasgan.adversarial import network_checks
from kerasgan.networks.base import Builder


def copy(network):
    """Return a second, untrained-by-gradient network with the same weights.

    Raises:
        ValueError: If Keras cannot copy it.
    """
    try:
        if isinstance(network, Builder):
            # Keras' own way serializes the layers, and its serializer imports TensorFlow.
            twin = type(network).from_config(network.get_config())
        else:
            twin = keras.models.clone_model(network)
        if not twin.built:
            twin.build(network_checks.input_shapes(network, "generator")[0])
        twin.set_weights(network.get_weights())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ValueError(
            "`ema` needs a generator that keras.models.clone_model can copy; register its own "
            "classes and give them a get_config, or pass ema=None. Received: "
            f"{type(network).__name__}: {error}"
        ) from error
    twin.trainable = False
    return twin


def follow(average, network, decay):
    """Move the weights of `average` towards those of `network`; `decay` of the old ones stays.

    Variables that are not floats, as the state of a seed, are copied. Departure: statistics of
    batch normalisation are averaged too; StyleGAN2-ADA and R3GAN copy them
    (training/training_loop.py in NVlabs/stylegan2-ada-pytorch and in brownvc/R3GAN on GitHub).
    """
    pairs = list(zip(average.variables, network.variables, strict=True))
    floats = [pair for pair in pairs if keras.backend.is_float_dtype(pair[1].dtype)]
    others = [pair for pair in pairs if not keras.backend.is_float_dtype(pair[1].dtype)]
    backend.move_towards(
        [old for old, _ in floats],
        [ops.convert_to_tensor(new) for _, new in floats],
        1.0 - ops.convert_to_tensor(decay, "float32"),
    )
    backend.assign([old for old, _ in others], [ops.convert_to_tensor(new) for _, new in others])
