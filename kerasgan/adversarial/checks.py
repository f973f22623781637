"""What must hold before anything trains, and the errors that say what does not."""

import math
import warnings
from numbers import Real

import keras
import numpy as np
from keras import ops

from kerasgan import catalogue, validation
from kerasgan.adversarial import network_checks
from kerasgan.augment import ADA
from kerasgan.backend import private
from kerasgan.penalties import Penalty
from kerasgan.text import extent, quoted


def one_critic(critic, discriminator):
    """Return the critic, which may be given as `critic` or as `discriminator`."""
    if (critic is None) == (discriminator is None):
        both = "neither" if critic is None else "both"
        raise ValueError(
            f"`critic`, or `discriminator`, its other name, must be given once. Received: {both}"
        )
    return discriminator if critic is None else critic


def numbers(positive=(), optional=(), non_negative=(), integers=()):
    """Raise ValueError for a number that is out of range, or above the catalogue's bound.

    Args:
        positive: Numbers above 0, by the name of their argument.
        optional: The same, or None.
        non_negative: Numbers of at least 0.
        integers: Integers of at least 1.
    """
    given = {name: value for name, value in dict(optional).items() if value is not None}
    for name, value in {**dict(positive), **given}.items():
        _bounded(name, value, "positive number")
        validation.positive(name, value)
    for name, value in dict(non_negative).items():
        _bounded(name, value, "non-negative number")
        validation.positive(name, value, zero=True)
    for name, value in dict(integers).items():
        _bounded(name, value, "positive integer")
        validation.positive_integer(name, value)


def _bounded(name, value, kind):
    """Raise ValueError for a number beyond what the catalogue allows any variant."""
    most = catalogue.bound(name)
    if isinstance(value, Real) and abs(value) > most:
        raise ValueError(
            f"`{name}` must be a {kind} of at most {most:,.0f}. Received: {name}={quoted(value)}"
        )


def compile_arguments(metrics, unknown):
    """Raise for arguments of `keras.Model.compile` that two networks cannot have."""
    if "optimizer" in unknown:
        raise ValueError(
            "`optimizer` is for models of one network: pass `generator_optimizer` and "
            "`critic_optimizer`, two instances, or nothing for the paper's. Received: "
            f"optimizer={unknown['optimizer']!r}"
        )
    if "loss" in unknown:
        raise ValueError(
            "`loss` is an argument of the constructor of variants that have a choice, as "
            f"GAN(loss='hinge'), and not of `compile`. Received: loss={unknown['loss']!r}"
        )
    if unknown:
        raise TypeError(f"compile() takes no argument {', '.join(map(repr, unknown))}.")
    if metrics is not None:
        raise ValueError(
            "`metrics` must be None: generated images have no targets. "
            "kerasgan.callbacks.Scores(images) measures them in each epoch. Received: "
            f"metrics={metrics!r}"
        )


def optimizer(player, given):
    """Return a player's optimizer from what `compile` was given."""
    try:
        return keras.optimizers.get(given)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"`{player}_optimizer` must be a Keras optimizer, its name, or 'auto'. The first two "
            "arguments of `compile` are the optimizers of the two networks; the loss is an "
            f"argument of the constructor. Received: {given!r}"
        ) from error


def no_weights(**given):
    """Raise ValueError for weights of samples or classes."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"`{name}` has no meaning in adversarial losses. Received: {name}={value!r}"
            )


def flow(generator):
    """Raise ValueError unless `generator` is a flow of as many latent numbers as an image has."""
    missing = [n for n in ("inverse", "log_prob", "prior") if not hasattr(generator, n)]
    if missing:
        raise ValueError(
            "`generator` must be a flow, as kerasgan.networks.flow builds it. Received: "
            f"{generator!r} without {', '.join(missing)}"
        )
    latent_shape = network_checks.input_shapes(generator, "generator")[0]
    image_shape = generator.output_shape[1:]
    if latent_shape[1:] != (math.prod(image_shape),):
        raise ValueError(
            "`generator` must take as many latent numbers as an image has values, "
            f"{math.prod(image_shape)} for {tuple(image_shape)}. Received: {latent_shape[1:]}"
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
    if isinstance(given, ADA) and given.adaptive and not loss.has_zero:
        raise ValueError(
            "`augment` must not be ADA with an adaptive probability under a loss whose zero is not "
            "the border between real and generated images, as wasserstein, relativistic and "
            "least_squares: it reads overfitting from the sign of the critic's scores. "
            "`ADA(fixed=0.3)` goes with any loss. Received: "
            f"loss={loss.name or type(loss).__name__!r}"
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
        for layer in private.flat_layers(critic)
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
    """Raise ValueError for dtype policies under which a training cannot go well."""
    networks = (model.generator, model.critic)
    names = {layer.dtype_policy.name for net in networks for layer in private.flat_layers(net)}
    for name in sorted(names & {"mixed_float16", "float16"}):
        raise ValueError(
            f"`{name}` needs loss scaling, which a pair of optimizers does not get: use "
            'keras.config.set_dtype_policy("mixed_bfloat16"). Received: networks built under '
            f"{name}"
        )
    if "float64" in names:
        raise ValueError(
            "`float64` is not supported: losses and penalties are computed in float32. Received: "
            "networks built under float64"
        )


def known_to_players(model):
    """Raise ValueError for weights that can be trained and that neither optimizer would move."""
    moved = {id(v) for v in (*model.critic_variables(), *model.generator_variables())}
    lost = [v.path for v in model.trainable_variables if id(v) not in moved]
    if lost:
        raise ValueError(
            "`critic_variables` and `generator_variables` must hold every weight that trains. "
            "Return it from one of them, or create it with add_weight(..., trainable=False). "
            f"Received: neither holds {', '.join(lost)}"
        )


def known_to_optimizers(model):
    """Raise ValueError if layers were unfrozen after `compile`."""
    new = [v.path for v in model.trainable_variables if id(v) not in model._optimized]
    if new:
        raise ValueError(
            "`compile` must be called again after layers are unfrozen, so that the optimizers know "
            f"their weights. Received: {len(new)} unknown weights, the first of which is {new[0]}"
        )


_BOUNDED = ("sigmoid", "hard_sigmoid", "softmax", "tanh", "relu", "relu6", "softplus")
_NOT_NEGATIVE = ("sigmoid", "hard_sigmoid", "softmax", "relu", "relu6", "softplus", "exponential")


def last_layers(generator, critic):
    """Warn about a critic whose scores are bounded, and a generator that makes no dark images."""
    for name, network, unfit, words in (
        ("critic", critic, _BOUNDED, "return scores without a bound, which the losses expect"),
        ("generator", generator, _NOT_NEGATIVE, "return images in [-1, 1], as tanh does"),
    ):
        layer = _last_layer(network)
        activation = getattr(layer, "activation", None)
        found = getattr(activation, "__name__", type(layer).__name__.lower())
        if found in unfit:
            warnings.warn(
                f"`{name}` should {words}. Received: its last layer, {layer.name!r}, ends in a "
                f"{found}",
                stacklevel=4,
            )


# They hand on the values of the layer before them, or the means of these.
_SHAPING = (
    "Reshape", "Flatten", "Permute", "Cropping2D", "ZeroPadding2D", "UpSampling2D",
    "GlobalAveragePooling2D", "AveragePooling2D", "Identity", "Dropout",
)  # fmt: skip


def _last_layer(network):
    """Return the last layer or operation that chooses the range of a network's values."""
    steps = getattr(network, "operations", None) or getattr(network, "layers", None) or []
    for step in reversed(steps):
        if type(step).__name__ not in _SHAPING:
            return _last_layer(step)
    return network


def shared_weights(generator, critic):
    """Raise ValueError if both networks hold a layer: each would move it against the other."""
    theirs = {id(v) for v in critic.variables}
    shared = [v.path for v in generator.variables if id(v) in theirs]
    if shared:
        raise ValueError(
            "`generator` and `critic` must not share weights: each would move them against the "
            f"other. Received: both hold {', '.join(shared)}"
        )


def batch(data, model):
    """Return the real images of one batch and their labels, or None; checked where static."""
    real, given, _ = keras.utils.unpack_x_y_sample_weight(data)
    if not hasattr(real, "shape"):
        keys = f" with the keys {', '.join(map(repr, real))}" if isinstance(real, dict) else ""
        raise ValueError(
            "`x` must bring batches of images, or (images, labels): map the dataset to them, as "
            "dataset.map(lambda d: (d['image'], d['label'])). Received: batches that are a "
            f"{type(real).__name__}{keys}"
        )
    shape("x", real.shape, model.image_shape)
    dtype = keras.backend.standardize_dtype(real.dtype)
    if dtype != "uint8" and not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            f"`x` must hold uint8 (0 to 255) or floats in [-1, 1]. Received: dtype {real.dtype}"
        )
    divisible("batch_size", real.shape[0], model.packing)
    real = ops.cast(real, "float32")
    if dtype == "uint8":  # As `kerasgan.data.from_uint8`, up to a compiler's rounding.
        real = real / 127.5 - 1.0
    if model.num_classes is None:
        return real, None
    if given is None:
        raise ValueError(
            "`y` must be given: conditional networks need the label of each image. Received: none"
        )
    if len(given.shape) == 2 and given.shape[-1] == 1:
        given = ops.reshape(given, (-1,))
    if len(given.shape) != 1:
        raise ValueError(
            "`y` must have one class number for each image, shape (n,); argmax over the last axis "
            f"makes numbers of one-hot labels. Received: shape {tuple(given.shape)}"
        )
    if keras.backend.is_float_dtype(keras.backend.standardize_dtype(given.dtype)):
        raise ValueError(f"`y` must hold integers, class numbers. Received: dtype {given.dtype}")
    return real, ops.cast(given, "int32")


def divisible(name, size, packing, parts=1):
    """Raise ValueError if a batch whose size is known cannot be packed, in each of its parts."""
    if size is None or size % (packing * parts) == 0:
        return
    why = f"packing={packing}, the images that the critic scores together"
    if parts > 1:
        why = f"accumulate={parts}, the parts in which it is taken" + (
            f", and each part by {why}" if packing > 1 else ""
        )
    raise ValueError(f"`{name}` must be divisible by {why}. Received: {size}")


def labels(given, n, num_classes):
    """Return labels as an int32 array `(n,)`; one number stands for all.

    Raises:
        ValueError: If they are no class numbers below `num_classes`, or if that is None.
    """
    if num_classes is None:
        raise ValueError("`labels` are for conditional networks. Received: labels")
    found = np.asarray(given)
    if found.ndim == 0:
        found = np.full(n, found)
    if found.shape == (n, 1):
        found = found[:, 0]
    if found.shape != (n,) or found.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be one integer or {n} of them; numpy.unique(names, "
            "return_inverse=True) makes numbers of names, and argmax(axis=1) of one-hot labels. "
            f"Received: dtype {found.dtype}, shape {found.shape}"
        )
    if n and not 0 <= found.min() <= found.max() < num_classes:
        raise ValueError(
            f"`labels` must lie in 0..{num_classes - 1}. Received: labels "
            f"{extent(found.min(), found.max())}"
        )
    return found.astype("int32")


def shape(name, shape, image_shape):
    """Raise ValueError unless `shape` is a batch of `image_shape`; say what may be wrong."""
    known = getattr(shape, "rank", 0) is not None
    rest = tuple(shape[1:]) if known else ()
    fits = len(rest) == len(image_shape) and all(
        a is None or a == b for a, b in zip(rest, image_shape, strict=True)
    )
    if fits:
        return
    expected = ", ".join(map(str, image_shape))
    if not known:
        raise ValueError(
            f"`{name}` must have the shape (n, {expected}) that the networks work on. Received: "
            "batches of an unknown shape; tf.ensure_shape in the dataset's map gives them one"
        )
    hint = ""
    if len(image_shape) == 3 and rest == (image_shape[2], *image_shape[:2]):
        hint = " Channels come last: transpose with (0, 2, 3, 1)."
    elif len(image_shape) == 3 and rest == image_shape[:2]:
        hint = " Grey images need a channel axis: x[..., None]."
    raise ValueError(
        f"`{name}` must have the shape (n, {expected}) that the networks work on.{hint} "
        f"Received: shape {tuple(shape)}"
    )
