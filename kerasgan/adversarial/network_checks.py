"""Whether a generator and a critic fit, and what shapes they work on."""

import dataclasses

import keras

from kerasgan import validation


@dataclasses.dataclass(frozen=True)
class Shapes:
    """What two networks that fit work on.

    Args:
        latent: The shape of one latent vector, `(latent_dim,)` or with more axes.
        image: `(height, width, channels)`.
        num_classes: Of conditional networks, else None.
    """

    latent: tuple
    image: tuple
    num_classes: int | None


def shapes(generator, critic, packing, num_classes, inputs=None):
    """Check that two networks fit and return their `Shapes`.

    Args:
        generator: The generator.
        critic: The critic.
        packing: Images that the critic scores together.
        num_classes: Classes of conditional networks, where they do not say so themselves.
        inputs: A callable from latent vectors and labels to what the generator takes; None where
            that is `z`, or `[z, labels]`.

    Raises:
        ValueError: With the shapes that were found, if they do not fit.
    """
    for name, network in (("generator", generator), ("critic", critic)):
        if not isinstance(network, keras.Model):
            raise ValueError(
                f"`{name}` must be a keras.Model. Received: {network!r} of type "
                f"{type(network).__name__}"
            )
        if not network.built:
            raise ValueError(
                f"`{name}` must be built: give its first layer an input shape, call it once, or "
                f"use `{name}.build(input_shape)`. Received: {network.name!r}, which has no "
                "weights yet"
            )
    latent_shape, *labels = input_shapes(generator, "generator", several=inputs is not None)
    if None in latent_shape[1:] or len(latent_shape) < 2:
        raise ValueError(
            "`generator` must take latent vectors of a known shape, (batch_size, latent_dim). "
            f"Received: a generator with input shape {latent_shape}"
        )
    scored = input_shapes(critic, "critic")[1:]
    classes = _classes(generator, critic, packing, num_classes, bool(labels), bool(scored))
    z = keras.KerasTensor(latent_shape)
    given = None if classes is None else keras.KerasTensor((None,), dtype="int32")
    taken = (inputs or generator_inputs)(z, given)
    image_shape = _output(generator, "generator", taken)
    if len(image_shape) != 4 or None in image_shape[1:]:
        raise ValueError(
            "`generator` must turn latent vectors into images of a fixed shape, (batch_size, "
            f"height, width, channels). Received: output shape {image_shape}"
        )
    _check_critic(critic, image_shape, packing, given)
    return Shapes(latent_shape[1:], image_shape[1:], classes)


def generator_inputs(z, labels=None):
    """Return what an ordinary generator takes: `z`, or `[z, labels]`."""
    return z if labels is None else [z, labels]


def _check_critic(critic, image_shape, packing, labels):
    packed = (*image_shape[:-1], packing * image_shape[-1])
    origin = "the generator's output shape" + (
        "" if packing == 1 else f", with packing={packing} times its channels"
    )
    expected = input_shapes(critic, "critic")[0]
    fits = len(expected) == len(packed) and all(
        a is None or b is None or a == b for a, b in zip(expected[1:], packed[1:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"`critic` does not fit: it takes {tuple(expected)}. Received: {packed} ({origin})"
        )
    scores = _output(critic, "critic", generator_inputs(keras.KerasTensor(packed), labels))
    if scores[1:] != (1,):
        raise ValueError(
            "`critic` must return one score for each image, shape (batch_size, 1). Received: "
            f"output shape {scores}"
        )


def _output(network, name, inputs):
    output = network(inputs, training=False)
    if not hasattr(output, "shape"):
        raise ValueError(f"`{name}` must return one tensor. Received: {output}")
    return tuple(output.shape)


def _classes(generator, critic, packing, num_classes, generated, scored):
    if generated != scored:
        raise ValueError(
            "`generator` and `critic` must both take labels, or neither. Received: "
            f"{'a conditional' if generated else 'an unconditional'} generator and "
            f"{'a conditional' if scored else 'an unconditional'} critic"
        )
    known = [getattr(network, "num_classes", None) for network in (generator, critic)]
    found = {n for n in (*known, num_classes) if n is not None}
    if not generated:
        if num_classes is not None:
            raise ValueError(
                "`num_classes` is for conditional networks, which take labels beside their input. "
                f"Received: num_classes={num_classes} and networks of one input"
            )
        return None
    if packing > 1:
        raise ValueError(
            "`packing` must be 1 with conditional networks: images of different classes have no "
            f"label in common. Received: packing={packing}"
        )
    if len(found) != 1:
        raise ValueError(
            "`num_classes` must be given for conditional networks and be one number. Received: "
            f"{sorted(found) or None}"
        )
    (classes,) = found
    validation.positive_integer("num_classes", classes)
    return classes


def input_shapes(network, name, several=False):
    """Return the shapes that a network takes, each `(None, ...)`: its input's and its labels'.

    Those of a subclassed model are what it was built for. What a generator takes beside these is
    left out.

    Args:
        network: A Keras model.
        name: What an error calls it.
        several: Whether it may take more, or a dictionary with the keys "z" and "labels".
    """
    try:
        shape = network.input_shape
    except AttributeError:
        shape = (network.get_build_config() or {}).get("input_shape")
    if isinstance(shape, dict) and several:
        return [(None, *shape[key][1:]) for key in ("z", "labels") if key in shape]
    if not isinstance(shape, (list, tuple)) or not shape:
        found = []
    elif isinstance(shape[0], (list, tuple)):
        found = list(shape)
    else:
        found = [shape]
    if several and found:
        labels = [s for s in found[1:2] if len(s) == 1]
        return [(None, *s[1:]) for s in (found[0], *labels)]
    if not 0 < len(found) < 3 or (len(found) == 2 and len(found[1]) != 1):
        more = (
            " A generator that takes more needs a variant that overrides `generator_inputs`."
            if name == "generator"
            else ""
        )
        raise ValueError(
            f"`{name}` must take one tensor of a known shape, or two, the second being labels of "
            f"shape (batch_size,); a subclassed model knows it once it was called.{more} "
            f"Received: {network.name!r} with input shape {shape}"
        )
    return [(None, *s[1:]) for s in found]
