"""Whether a generator and a critic fit, and what shapes they work on."""

import keras

from kerasgan import validation


def built(**networks):
    """Raise ValueError for a network, given by its name, that is no Keras model with weights."""
    for name, network in networks.items():
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


def latents_and_classes(generator, critic, packing, num_classes, more=False):
    """Return the shape of one latent vector, and how many classes conditional networks have.

    Args:
        generator: The generator.
        critic: The critic.
        packing: Images that the critic scores together.
        num_classes: Classes of conditional networks, where they do not say so themselves.
        more: Whether the generator may take more than latent vectors and labels. Then it is
            conditional if the critic is.

    Returns:
        A tuple, and an integer or None.

    Raises:
        ValueError: With the shapes that were found, if they do not fit.
    """
    scored = len(input_shapes(critic, "critic")) == 2
    if more:
        latent_shape, labelled = _first_input_shape(generator), scored
    else:
        shapes = input_shapes(generator, "generator")
        latent_shape, labelled = shapes[0], len(shapes) == 2
    if None in latent_shape[1:] or len(latent_shape) < 2:
        raise ValueError(
            "`generator` must take latent vectors of a known shape, (batch_size, latent_dim). "
            f"Received: a generator with input shape {latent_shape}"
        )
    classes = _classes(generator, critic, packing, num_classes, labelled, scored)
    return tuple(latent_shape[1:]), classes


def image_shape(model, inputs=None):
    """Return the shape of one image; raise ValueError unless the critic takes such images.

    Args:
        model: An adversarial model with networks, `latent_shape`, `num_classes` and `packing`.
        inputs: A callable from latent vectors and labels to what the generator takes; None where
            that is `z`, or `[z, labels]`. It is called for a subclassed generator alone: others
            know the shape of their output.
    """
    generator = model.generator
    labels = None if model.num_classes is None else keras.KerasTensor((None,), dtype="int32")
    known = None if inputs is None else getattr(generator, "output_shape", None)
    if known is None:
        z = keras.KerasTensor((None, *model.latent_shape))
        known = _output(generator, "generator", (inputs or generator_inputs)(z, labels))
    if not isinstance(known, tuple) or len(known) != 4 or None in known[1:]:
        raise ValueError(
            "`generator` must turn latent vectors into images of a fixed shape, (batch_size, "
            f"height, width, channels). Received: output shape {known}"
        )
    _check_critic(model, known, labels)
    return known[1:]


def generator_inputs(z, labels=None):
    """Return what an ordinary generator takes: `z`, or `[z, labels]`."""
    return z if labels is None else [z, labels]


def _check_critic(model, image_shape, labels):
    critic, packing = model.critic, model.packing
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
    if scores[1:] != (1,) and not (model.several_scores and len(scores) == 2):
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


def input_shapes(network, name):
    """Return the shapes that a network takes, each `(None, ...)`: its input's and its labels'.

    A subclassed model takes what it was built for.

    Args:
        network: A Keras model.
        name: What an error calls it.
    """
    shape = _input_shape(network)
    if not isinstance(shape, (list, tuple)) or not shape:
        found = []
    elif isinstance(shape[0], (list, tuple)):
        found = list(shape)
    else:
        found = [shape]
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


def _input_shape(network):
    try:
        # `input_shape` is a list where `input` is a dictionary.
        return keras.tree.map_structure(lambda x: x.shape, network.input)
    except (AttributeError, ValueError):  # A subclassed model has no symbolic input.
        return (network.get_build_config() or {}).get("input_shape")


def _first_input_shape(generator):
    """Return the shape of a generator's latent vectors, its first input or that named "z"."""
    shape = _input_shape(generator)
    if isinstance(shape, dict) and "z" in shape:
        return shape["z"]
    while isinstance(shape, (list, tuple)) and shape and isinstance(shape[0], (list, tuple)):
        shape = shape[0]
    if not isinstance(shape, (list, tuple)) or not shape:
        raise ValueError(
            "`generator` must take latent vectors of a known shape as its first input, or as "
            f"that with the key 'z'. Received: {generator.name!r} with input shape {shape}"
        )
    return (None, *shape[1:])
