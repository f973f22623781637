"""The first levels of a critic, whose weights stay as they are while the others are fine-tuned."""

from kerasgan import validation
from kerasgan.backend import private


def levels(critic):
    """Return the layers of a critic's levels: those that take maps of one size, the largest first.

    Args:
        critic: A functional or sequential network whose layers are each called once.

    Returns:
        A list of lists of layers that have weights.

    Raises:
        ValueError: If it is another network.
    """
    found, channels_first = {}, False
    for layer in getattr(critic, "layers", ()):
        channels_first = _channels_first(layer, channels_first)
        if not layer.weights:
            continue
        try:
            taken = layer.input
        except (AttributeError, ValueError):
            raise ValueError(
                "`freeze` needs a critic that is functional or sequential, each of whose layers is "
                f"called once. Received: {critic.name!r}, with the layer {layer.name!r}"
            ) from None
        shape = getattr(taken, "shape", ())
        if len(shape) == 4:
            sides = shape[2:] if channels_first else shape[1:3]
            found.setdefault(tuple(sides), []).append(layer)
    return [found[sides] for sides in sorted(found, reverse=True)]


def _channels_first(layer, before):
    """Return whether a layer's maps have their channels first; what does not say so inherits it."""
    layout = getattr(layer, "data_format", None)
    return before if layout is None else layout == "channels_first"


def freeze(critic, count):
    """Freeze the first levels of a critic, those with the largest maps.

    Args:
        critic: See `levels`.
        count: How many.

    Raises:
        ValueError: If it has not so many.

    Reference: FreezeD, Mo et al. 2020, https://arxiv.org/abs/2002.10964.
    """
    if count == 0 and not isinstance(count, bool):
        return
    validation.positive_integer("freeze", count)
    found = levels(critic)
    if count > len(found):
        has = f"maps of {len(found)} sizes" if found else "no feature maps"
        raise ValueError(
            f"`freeze` must be at most {len(found)}: the critic {critic.name!r} has {has}. "
            f"Received: freeze={count}"
        )
    for layer in [layer for level in found[:count] for layer in level]:
        layer.trainable = False


def unfreeze(network):
    """Make all layers of a network trainable.

    `network.trainable = True` does not do it on TensorFlow, where Keras leaves out an assignment of
    the value that is there: a network with some frozen layers is itself trainable.
    """
    for layer in private.flat_layers(network):
        layer.trainable = True
