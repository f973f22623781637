"""What must hold before anything trains, and the errors that say what does not."""

import math
import warnings

import keras
import numpy as np
from keras import ops

from kerasgan import validation
from kerasgan.augment import ADA
from kerasgan.penalties import Penalty


def networks(generator, critic, packing, num_classes):
    """Check that the two networks fit and return `(latent_dim, image_shape, num_classes)`.

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
    latent_shape, *labels = input_shapes(generator, "generator")
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
    packed = (*image_shape[:-1], packing * image_shape[-1])
    origin = "the generator's output shape" + (
        "" if packing == 1 else f", with packing={packing} times its channels"
    )
    scores = _apply(critic, "critic", packed, f" ({origin})")
    if tuple(scores[1:]) != (1,):
        raise ValueError(
            "`critic` must return one score for each image, shape (batch_size, 1). Received: "
            f"output shape {scores}"
        )
    judged = input_shapes(critic, "critic")[1:]
    return latent_shape[1], tuple(image_shape[1:]), _classes(
        generator, critic, packing, num_classes, bool(labels), bool(judged)
    )  # fmt: skip


def _classes(generator, critic, packing, num_classes, drawn, judged):
    if drawn != judged:
        raise ValueError(
            "`generator` and `critic` must both take labels, or neither. Received: "
            f"{'a conditional' if drawn else 'an unconditional'} generator and "
            f"{'a conditional' if judged else 'an unconditional'} critic"
        )
    known = [getattr(network, "num_classes", None) for network in (generator, critic)]
    found = {n for n in (*known, num_classes) if n is not None}
    if not drawn:
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

    Those of a subclassed model are what it was built for.
    """
    try:
        shape = network.input_shape
    except AttributeError:
        shape = (network.get_build_config() or {}).get("input_shape")
    if not isinstance(shape, (list, tuple)) or not shape:
        shapes = []
    elif isinstance(shape[0], (list, tuple)):
        shapes = list(shape)
    else:
        shapes = [shape]
    if not 0 < len(shapes) < 3 or (len(shapes) == 2 and len(shapes[1]) != 1):
        raise ValueError(
            f"`{name}` must take one tensor of a known shape, or two, the second being labels of "
            "shape (batch_size,); a subclassed model knows it once it was called. "
            f"Received: {network.name!r} with input shape {shape}"
        )
    return [(None, *shape[1:]) for shape in shapes]


def _apply(network, name, shape, origin=""):
    expected, *labels = input_shapes(network, name)
    fits = len(expected) == len(shape) and all(
        a is None or b is None or a == b for a, b in zip(expected[1:], shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"`{name}` does not fit: it takes {tuple(expected)}. Received: {tuple(shape)}{origin}"
        )
    inputs = keras.KerasTensor(shape)
    output = network([inputs, keras.KerasTensor((None,), dtype="int32")] if labels else inputs)
    if not hasattr(output, "shape"):
        raise ValueError(f"`{name}` must return one tensor. Received: {output}")
    return tuple(output.shape)


def flow(generator):
    """Raise ValueError unless `generator` is a flow of as many latent numbers as an image has."""
    missing = [n for n in ("inverse", "log_prob", "prior") if not hasattr(generator, n)]
    if missing:
        raise ValueError(
            "`generator` must be a flow, as kerasgan.networks.flow builds it. Received: "
            f"{generator!r} without {', '.join(missing)}"
        )
    latent_shape, image_shape = input_shapes(generator, "generator")[0], generator.output_shape[1:]
    if latent_shape[1] != math.prod(image_shape):
        raise ValueError(
            "`generator` must take as many latent numbers as an image has values, "
            f"{math.prod(image_shape)} for {tuple(image_shape)}. Received: {latent_shape[1]}"
        )


def augment(given, loss):
    """Raise ValueError for what is no augmentation, or is steered by scores that have no zero."""
    if given is None:
        return
    if not hasattr(given, "transform"):
        raise ValueError(
            "`augment` must be a layer of kerasgan.augment, as DiffAugment(), or None. Received: "
            f"{given!r}"
        )
    if isinstance(given, ADA) and loss in ("wasserstein", "relativistic", "least_squares"):
        raise ValueError(
            "`augment` must not be ADA with the losses wasserstein, relativistic and "
            "least_squares: it reads overfitting from the sign of the critic's scores, whose zero "
            "is not the border there. "
            f"Received: loss={loss!r}"
        )


def views(given, weight, categorical):
    """Raise ValueError for views that cannot be made, or of which nothing could be read."""
    if not hasattr(given, "transform") or isinstance(given, ADA):
        raise ValueError(
            "`views` must be a layer of kerasgan.augment that changes every image, as "
            f"Distortion(). Received: {given!r}"
        )
    if not weight:
        raise ValueError(
            f"`views` are used with a `view_weight` above 0. Received: view_weight={weight}"
        )
    if not categorical:
        raise ValueError(
            f"`view_weight` needs a categorical code. Received: categorical={categorical}"
        )


def penalties(given):
    """Return the penalties as a tuple; raise ValueError for anything else."""
    found = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    for penalty in found:
        if not isinstance(penalty, Penalty):
            raise ValueError(
                "`penalties` must be a list of kerasgan.penalties.Penalty objects, as R1(10.0). "
                f"Received: {penalty!r}"
            )
    return found


def batch_norms(critic):
    """Return the names of a critic's layers of batch normalisation."""
    return [
        layer.name
        for layer in critic._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def batch_norm(critic, penalty, variant):
    """Refuse or warn about batch normalisation in a critic under a penalty."""
    found = batch_norms(critic)
    if not found or penalty.batch_norm == "allowed":
        return
    message = (
        f"with {penalty.name} in a {variant}: the penalty is on the gradient of each sample's own "
        "score, and batch normalisation mixes the samples (LayerNormalization may stand in for "
        f"it). Received: the layers {', '.join(found)}"
    )
    if penalty.batch_norm == "refused":
        raise ValueError(f"`critic` must not hold batch normalisation {message}")
    warnings.warn(f"`critic` should not hold batch normalisation {message}", stacklevel=4)


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


def batch(data, model):
    """Return the real images of one batch and their labels, or None; checked where static."""
    real, given, _ = keras.utils.unpack_x_y_sample_weight(data)
    shape("x", real.shape, model.image_shape)
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(real.dtype)):
        raise ValueError(
            "`x` must hold floats in [-1, 1]; `kerasgan.data.from_uint8` makes them. Received: "
            f"dtype {real.dtype}"
        )
    divisible("batch_size", real.shape[0], model.packing)
    real = ops.cast(real, "float32")
    if model.num_classes is None:
        return real, None
    if given is None:
        raise ValueError(
            "`y` must be given: conditional networks need the label of each image. Received: none"
        )
    if len(given.shape) != 1:
        raise ValueError(
            f"`y` must have one class number for each image, shape (n,). Received: {given.shape}"
        )
    if keras.backend.is_float_dtype(keras.backend.standardize_dtype(given.dtype)):
        raise ValueError(f"`y` must hold integers, class numbers. Received: dtype {given.dtype}")
    return real, ops.cast(given, "int32")


def divisible(name, size, packing):
    """Raise ValueError if `packing` does not divide a batch whose size is known."""
    if size is not None and size % packing:
        raise ValueError(
            f"`{name}` must be divisible by packing={packing}, the images that the critic judges "
            f"together. Received: {size}"
        )


def labels(given, n, num_classes):
    """Return labels as an int32 array `(n,)`; one number stands for all.

    Raises:
        ValueError: If they are no class numbers below `num_classes`.
    """
    found = np.asarray(given)
    if found.ndim == 0:
        found = np.full(n, found)
    if found.shape != (n,) or found.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be one integer or {n} of them. Received: dtype {found.dtype}, shape "
            f"{found.shape}"
        )
    if n and not 0 <= found.min() <= found.max() < num_classes:
        raise ValueError(
            f"`labels` must lie in 0..{num_classes - 1}. Received: {found.min()} to {found.max()}"
        )
    return found.astype("int32")


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
