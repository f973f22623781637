"""What must hold before anything trains, and the errors that say what does not."""

import keras
from keras import ops


def networks(generator, critic, allow_batch_norm, variant):
    """Check that the two networks fit and return `(latent_dim, image_shape)`.

    Raises:
        ValueError: With the shapes that were found, if they do not.
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
    latent_shape = input_shape(generator, "generator")
    if len(latent_shape) != 2 or not latent_shape[1]:
        raise ValueError(
            "`generator` must take latent vectors of shape (batch_size, latent_dim). "
            f"Received: a generator with input shape {latent_shape}"
        )
    image_shape = _apply(generator, "generator", latent_shape)
    if None in image_shape[1:]:
        raise ValueError(
            f"`generator` must return images of a fixed shape. Received: output shape {image_shape}"
        )
    scores = _apply(critic, "critic", image_shape, " (the generator's output shape)")
    if tuple(scores[1:]) != (1,):
        raise ValueError(
            "`critic` must return one score for each image, shape (batch_size, 1). Received: "
            f"output shape {scores}"
        )
    if not allow_batch_norm:
        _refuse_batch_norm(critic, variant)
    return latent_shape[1], tuple(image_shape[1:])


def input_shape(network, name):
    """Return the shape that a network takes, `(None, ...)`; of a subclass what it was built for."""
    try:
        shape = network.input_shape
    except AttributeError:
        shape = (network.get_build_config() or {}).get("input_shape")
    if not isinstance(shape, (list, tuple)) or any(isinstance(n, (list, tuple)) for n in shape):
        raise ValueError(
            f"`{name}` must take one tensor of a known shape; a subclassed model knows it once "
            f"it was called on one. Received: {network.name!r} with input shape {shape}"
        )
    return (None, *shape[1:])


def _apply(network, name, shape, origin=""):
    expected = input_shape(network, name)
    fits = len(expected) == len(shape) and all(
        a is None or b is None or a == b for a, b in zip(expected[1:], shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"`{name}` does not fit: it takes {tuple(expected)}. Received: {tuple(shape)}{origin}"
        )
    output = network(keras.KerasTensor(shape))
    if not hasattr(output, "shape"):
        raise ValueError(f"`{name}` must return one tensor. Received: {output}")
    return tuple(output.shape)


def _refuse_batch_norm(critic, variant):
    found = [
        layer.name
        for layer in critic._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    if found:
        raise ValueError(
            f"`critic` must not hold batch normalisation in a {variant}: its penalty is on the "
            "gradient of each sample's own score, and batch normalisation mixes the samples "
            "(LayerNormalization may stand in for it). "
            f"Received: the layers {', '.join(found)}"
        )


def precision(model):
    """Raise ValueError under `mixed_float16`, whose loss scaling Keras does not give to pairs."""
    networks = (model.generator, model.critic)
    names = {layer.dtype_policy.name for net in networks for layer in net._flatten_layers()}
    if "mixed_float16" in names:
        raise ValueError(
            "`mixed_float16` needs loss scaling, which a pair of optimizers does not get, and it "
            'cripples GAN training: use keras.config.set_dtype_policy("mixed_bfloat16"). '
            "Received: networks built under mixed_float16"
        )


def batch(data, image_shape):
    """Return the real images of one batch, labels left out; checked where shapes are static."""
    real = keras.utils.unpack_x_y_sample_weight(data)[0]
    shape("x", real.shape, image_shape)
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(real.dtype)):
        raise ValueError(
            "`x` must hold floats in [-1, 1]; `kerasgan.data.from_uint8` makes them. Received: "
            f"dtype {real.dtype}"
        )
    return ops.cast(real, "float32")


def shape(name, shape, image_shape):
    """Raise ValueError unless `shape` is a batch of `image_shape`; say what may be wrong."""
    rest = tuple(shape[1:])
    fits = len(rest) == len(image_shape) and all(
        a is None or a == b for a, b in zip(rest, image_shape, strict=True)
    )
    if fits:
        return
    expected = ", ".join(map(str, image_shape))
    hint = ""
    if len(image_shape) == 3 and rest == (image_shape[2], *image_shape[:2]):
        hint = " Channels come last: transpose with (0, 2, 3, 1)."
    elif len(image_shape) == 3 and rest == image_shape[:2]:
        hint = " Grey images need a channel axis: x[..., None]."
    raise ValueError(
        f"`{name}` must have the shape (n, {expected}) that the networks work on.{hint} "
        f"Received: shape {tuple(shape)}"
    )
