"""The critic without its last layer, for losses that look at its features."""

import keras


class CriticBody:
    """What the critic computes on the way to its score.

    Not a Keras object, so that a model which holds it does not hold the critic's weights twice.

    Args:
        critic: A functional or sequential critic whose last layer takes one tensor of features,
            `(batch_size, n)`.

    Attributes:
        features: A network from what the critic takes to its features.
        width: Number of features.

    Raises:
        ValueError: If the features cannot be told from the critic.
    """

    def __init__(self, critic):
        try:
            features = critic.layers[-1].input
            inputs = critic.inputs
        except (AttributeError, IndexError, ValueError):
            features = None
        if not hasattr(features, "shape") or len(features.shape) != 2:
            raise ValueError(
                "`critic` must be a functional or sequential network whose last layer takes one "
                "tensor of features, (batch_size, n), since the loss looks at them. Received: "
                f"{type(critic).__name__} {critic.name!r}"
            )
        self.width = features.shape[1]
        # A list of one would be asked for as a list.
        self.features = keras.Model(inputs[0] if len(inputs) == 1 else inputs, features)
