"""Augmentation of the images that a critic sees, differentiable in the images.

The critic sees only augmented images, real and generated alike, and the generator's gradient
passes through the augmentation. Both classes offer `transform(images, noise)`. They hold no
seeds: `noise(kind, *shape)` returns float32 random numbers of shape `(batch_size, *shape)`,
uniform in [0, 1) for `kind` "uniform" and from N(0, 1) for "normal".
"""

import math
import numbers

import keras
from keras import ops

from kerasgan import backend, validation


@keras.saving.register_keras_serializable(package="kerasgan")
class DiffAugment(keras.layers.Layer):
    """Colour, translation and cutout, applied to every image, each with its own random amounts.

    - "color": brightness shifted by U(-0.5, 0.5), then saturation scaled by U(0, 2) about each
      pixel's mean (colour images only), then contrast scaled by U(0.5, 1.5) about the image's
      mean.
    - "translation": a shift by whole pixels, up to an eighth of each side; zeros move in.
    - "cutout": a rectangle of half of each side, somewhere in the image, set to zero.

    Args:
        policy: Which of these, separated by commas; they are applied in this order.
        **kwargs: As for `keras.layers.Layer`.

    Raises:
        ValueError: If `policy` names none of these, another one, or one twice.

    Reference: Zhao et al. 2020, https://arxiv.org/abs/2006.10738, with the constants of
    https://github.com/mit-han-lab/data-efficient-gans.
    """

    def __init__(self, policy="color,translation,cutout", **kwargs):
        super().__init__(**kwargs)
        self.parts = _parts(policy, tuple(_DIFF_AUGMENT))
        self.policy = policy
        self.built = True

    def transform(self, images, noise):
        """Return augmented images.

        Args:
            images: Floats of shape `(batch_size, height, width, channels)` in [-1, 1].
            noise: The source of random numbers; see the module.

        Returns:
            Images of the same shape, float32. Their values may leave [-1, 1].
        """
        images = _images(images)
        for part in self.parts:
            images = _DIFF_AUGMENT[part](images, noise)
        return images

    def get_config(self):
        return {**super().get_config(), "policy": self.policy}


@keras.saving.register_keras_serializable(package="kerasgan")
class ADA(keras.layers.Layer):
    """Adaptive discriminator augmentation: as much of it as the critic's overfitting calls for.

    Each change happens to each image with the probability `self.probability`, a weight that
    starts at 0. `observe` moves it so that r_t, the mean sign of the critic's scores of the real
    images it trains on, stays near `target`. The sign means "real" only for a critic that is
    trained to classify (logistic or hinge loss), not for one of a Wasserstein or relativistic
    loss.

    - "blit": horizontal flip; rotation by a multiple of 90 degrees; translation by whole pixels,
      up to an eighth of each side.
    - "geometry": isotropic scaling; rotation; anisotropic scaling; rotation again; translation by
      fractions of a pixel.
    - "color": brightness; contrast; luma flip; hue rotation (three channels only); saturation
      (colour images only).

    These are the paper's pixel blitting, geometric and colour transformations ("bgc"), with its
    ranges. Left out are its image-space filtering and corruptions, which the paper found of little
    use. Differences: all movements are one bilinear look-up in the image reflected at its
    borders, where the authors' code filters against aliasing at twice the resolution and reflects
    once; the authors do not bound the probability from above.

    Args:
        target: What r_t is held at, in (0, 1).
        speed: Images after which the probability can have gone from 0 to 1.
        interval: Critic steps from one move of the probability to the next.
        max_probability: Upper bound of the probability, in (0, 1]. At 1 no image is seen as it is,
            and the generator may learn the augmentations; the paper calls 0.8 safe.
        policy: Which of the three groups, separated by commas; their order does not matter. "blit"
            and "geometry" rotate by up to half a turn, which may not suit digits.
        **kwargs: As for `keras.layers.Layer`.

    Attributes:
        probability: The probability now, a non-trainable weight.
        overfitting: r_t of the last full interval, a non-trainable weight.

    Raises:
        ValueError: If an argument is out of range.

    Reference: Karras et al. 2020, https://arxiv.org/abs/2006.06676, and
    https://github.com/NVlabs/stylegan2-ada-pytorch.
    """

    def __init__(
        self,
        target=0.6,
        speed=500_000,
        interval=4,
        max_probability=0.8,
        policy="blit,geometry,color",
        **kwargs,
    ):
        validation.fraction("target", target)
        validation.positive("speed", speed)
        validation.positive_integer("interval", interval)
        if not isinstance(max_probability, numbers.Real) or not 0 < max_probability <= 1:
            raise ValueError(
                "`max_probability` must be in (0, 1]. Received: "
                f"max_probability={max_probability!r}"
            )
        super().__init__(**kwargs)
        self.parts = _parts(policy, ("blit", "geometry", "color"))
        self.target = target
        self.speed = speed
        self.interval = interval
        self.max_probability = max_probability
        self.policy = policy
        self.probability = self._weight("probability")
        self.overfitting = self._weight("overfitting")
        self.steps = self._weight("steps")
        # Two sums each, of the signs and of how many: over the interval, and of one step.
        self.sums = self._weight("sums", (2,))
        # What the replicas of tf.distribute assign here is added up: every replica then reads
        # the sums over all of them.
        self.step_sums = self._weight("step_sums", (2,), aggregation="sum")
        self.built = True

    def _weight(self, name, shape=(), **kwargs):
        return self.add_weight(
            shape=shape, initializer="zeros", dtype="float32", trainable=False, name=name, **kwargs
        )

    def transform(self, images, noise):
        """Return augmented images, in the shapes and ranges of `DiffAugment.transform`."""
        images = _images(images)
        p = ops.convert_to_tensor(self.probability)
        if "blit" in self.parts or "geometry" in self.parts:
            x, y = _grid(images)
            if "geometry" in self.parts:
                x, y = _geometry(x, y, images.shape, noise, p)
            if "blit" in self.parts:
                x, y = _blit(x, y, images.shape, noise, p)
            images = _look_up(images, x, y)
        if "color" in self.parts:
            images = _ada_color(images, noise, p)
        return images

    def observe(self, real_scores):
        """Count one critic step, and move the probability when the interval is full.

        It may be called inside the loss that is differentiated, and inside a compiled step.

        Args:
            real_scores: The critic's scores of the augmented real images it trains on, one for
                each image, positive for "real".
        """
        scores = ops.cast(ops.stop_gradient(real_scores), "float32")
        count = ops.cast(ops.size(scores), "float32")
        self.step_sums.assign(ops.stack([ops.sum(ops.sign(scores)), count]))
        state = [self.probability, self.overfitting, self.steps, self.sums]
        p, r, steps, sums = before = [ops.convert_to_tensor(v) for v in state]
        steps, sums = steps + 1.0, sums + ops.convert_to_tensor(self.step_sums)
        signs, images = ops.unstack(sums, 2)
        r = signs / ops.maximum(images, 1.0)
        p = ops.clip(p + ops.sign(r - self.target) * images / self.speed, 0.0, self.max_probability)
        full = steps >= self.interval
        at_end = [p, r, ops.zeros_like(steps), ops.zeros_like(sums)]
        on_the_way = [*before[:2], steps, sums]
        pairs = zip(at_end, on_the_way, strict=True)
        backend.assign(state, [ops.where(full, *pair) for pair in pairs])

    def get_config(self):
        return {
            **super().get_config(),
            "target": self.target,
            "speed": self.speed,
            "interval": self.interval,
            "max_probability": self.max_probability,
            "policy": self.policy,
        }


# DiffAugment.


def _diff_color(images, noise):
    brightness, saturation, contrast = ops.unstack(noise("uniform", 3), 3, axis=1)
    images = images + _each(brightness - 0.5)
    if images.shape[-1] > 1:
        images = _spread(images, -1, _each(2.0 * saturation))
    return _spread(images, (1, 2, 3), _each(contrast + 0.5))


def _spread(images, axis, factor):
    """Return the images with their distance from their mean over `axis` scaled by `factor`."""
    mean = ops.mean(images, axis=axis, keepdims=True)
    return (images - mean) * factor + mean


def _translation(images, noise):
    _, height, width, _ = images.shape
    far, wide = (int(side * 0.125 + 0.5) for side in (height, width))
    down, across = ops.unstack(noise("uniform", 2), 2, axis=1)
    rows = _line(height)[:, None] + _each(_integer(down, -far, far), 3)
    columns = _line(width)[None, :] + _each(_integer(across, -wide, wide), 3)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    moved = _take(images, ops.clip(rows, 0, height - 1), ops.clip(columns, 0, width - 1))
    return moved * ops.cast(inside, "float32")[..., None]


def _cutout(images, noise):
    _, height, width, _ = images.shape
    down, across = ops.unstack(noise("uniform", 2), 2, axis=1)
    rows = _within(height, down)[:, :, None, None]
    columns = _within(width, across)[:, None, :, None]
    return images * ops.cast(~(rows & columns), "float32")


def _within(side, u):
    """Return which of `side` pixels a random stretch of half of them covers, for each image.

    The stretch's middle lies anywhere in the image, so that part of it may lie outside.
    """
    size = side // 2
    first = _integer(u, 0, side - size % 2)[:, None] - size // 2
    return (_line(side) >= first) & (_line(side) < first + size)


_DIFF_AUGMENT = {"color": _diff_color, "translation": _translation, "cutout": _cutout}


# ADA. Where a pixel comes from: `x` points right and `y` down, from the middle of the image. The
# authors compose inverse transformations, so the last one in their order comes first here.


def _chance(noise, p, uniforms, normals=0):
    """Return iterators over random numbers for each image, and `maybe`.

    `maybe(value, neutral)` is `value` with the probability `p` and `neutral` otherwise.
    """
    u = iter(ops.unstack(noise("uniform", uniforms), uniforms, axis=1))
    z = iter(ops.unstack(noise("normal", normals), normals, axis=1) if normals else ())

    def maybe(value, neutral, p=p):
        return ops.where(next(u) < p, value, neutral)

    return u, z, maybe


def _geometry(x, y, shape, noise, p):
    _, height, width, _ = shape
    u, z, maybe = _chance(noise, p, uniforms=7, normals=4)
    either = 1.0 - ops.sqrt(1.0 - p)  # Of two independent rotations at least one happens with p.
    scale = maybe(2.0 ** (0.2 * next(z)), 1.0)
    before = maybe(math.pi * (2.0 * next(u) - 1.0), 0.0, either)
    stretch = maybe(2.0 ** (0.2 * next(z)), 1.0)
    after = maybe(math.pi * (2.0 * next(u) - 1.0), 0.0, either)
    happens = maybe(1.0, 0.0)
    x = x - _each(happens * 0.125 * width * next(z), 3)
    y = y - _each(happens * 0.125 * height * next(z), 3)
    x, y = _turn(x, y, ops.cos(after), ops.sin(after))
    x, y = x / _each(stretch, 3), y * _each(stretch, 3)
    x, y = _turn(x, y, ops.cos(before), ops.sin(before))
    return x / _each(scale, 3), y / _each(scale, 3)


def _blit(x, y, shape, noise, p):
    _, height, width, _ = shape
    u, _, maybe = _chance(noise, p, uniforms=7)
    mirror = maybe(1.0 - 2.0 * ops.floor(2.0 * next(u)), 1.0)
    quarters = maybe(ops.floor(4.0 * next(u)), 0.0)
    happens = maybe(1.0, 0.0)
    x = x - _each(happens * ops.round(0.125 * width * (2.0 * next(u) - 1.0)), 3)
    y = y - _each(happens * ops.round(0.125 * height * (2.0 * next(u) - 1.0)), 3)
    # The exact cosine and sine of 0 to 3 quarters of a turn.
    x, y = _turn(x, y, ops.abs(quarters - 2.0) - 1.0, 1.0 - ops.abs(quarters - 1.0))
    return x * _each(mirror, 3), y


def _turn(x, y, cosine, sine):
    cosine, sine = _each(cosine, 3), _each(sine, 3)
    return cosine * x - sine * y, sine * x + cosine * y


def _grid(images):
    """Return each pixel's place, of shapes `(1, 1, width)` and `(1, height, 1)`."""
    _, height, width, _ = images.shape
    x = ops.arange(width, dtype="float32") - (width - 1) / 2
    y = ops.arange(height, dtype="float32") - (height - 1) / 2
    return x[None, None, :], y[None, :, None]


def _look_up(images, x, y):
    """Return the images at places `(batch_size, height, width)`, bilinear between pixels."""
    _, height, width, _ = images.shape
    left, right, across = _neighbours(x, width)
    top, bottom, down = _neighbours(y, height)
    across, down = across[..., None], down[..., None]
    upper = (1.0 - across) * _take(images, top, left) + across * _take(images, top, right)
    lower = (1.0 - across) * _take(images, bottom, left) + across * _take(images, bottom, right)
    return (1.0 - down) * upper + down * lower


def _neighbours(place, side):
    """Return the pixels before and after a place, and how far it is between them, in [0, 1].

    Beyond the borders the image goes on as its reflection, without repeating the border pixel.
    """
    period = max(2.0 * (side - 1), 1.0)
    place = ops.mod(ops.abs(place + (side - 1) / 2), period)
    place = ops.clip(ops.minimum(place, period - place), 0.0, side - 1.0)
    before = ops.floor(place)
    after = ops.minimum(before + 1.0, side - 1.0)
    return ops.cast(before, "int32"), ops.cast(after, "int32"), place - before


def _ada_color(images, noise, p):
    """The authors' 3x4 matrix, in its parts along the grey axis and across it."""
    channels = images.shape[-1]
    u, z, maybe = _chance(noise, p, uniforms=7, normals=3)
    brightness = maybe(0.2 * next(z), 0.0)
    contrast = maybe(2.0 ** (0.5 * next(z)), 1.0)
    luma = contrast * maybe(1.0 - 2.0 * ops.floor(2.0 * next(u)), 1.0)
    hue = maybe(math.pi * (2.0 * next(u) - 1.0), 0.0)
    saturation = contrast * maybe(2.0 ** next(z), 1.0)
    luma, shift = _each(luma), _each(luma * brightness)
    if channels == 1:
        return luma * images + shift
    grey = ops.mean(images, axis=-1, keepdims=True)
    chroma = images - grey
    if channels == 3:
        # The cross product with the grey axis (1, 1, 1) / sqrt(3).
        cross = (ops.roll(chroma, 1, axis=-1) - ops.roll(chroma, -1, axis=-1)) / math.sqrt(3.0)
        chroma = _each(ops.cos(hue)) * chroma + _each(ops.sin(hue)) * cross
    return luma * grey + shift + _each(saturation) * chroma


# What both use.


def _parts(policy, known):
    """Return the names in `policy`; raise ValueError unless they are `known`, each once."""
    parts = tuple(policy.split(",")) if isinstance(policy, str) else ()
    if not parts or not set(parts) <= set(known) or len(set(parts)) < len(parts):
        names = ", ".join(f"'{name}'" for name in known)
        raise ValueError(
            f"`policy` must be one or more of {names}, each once, separated by commas. "
            f"Received: policy={policy!r}"
        )
    return parts


def _images(images):
    images = ops.cast(images, "float32")
    if len(images.shape) != 4 or None in tuple(images.shape[1:]):
        raise ValueError(
            "`images` must have the shape (batch_size, height, width, channels), where only "
            f"batch_size may be unknown. Received: shape {tuple(images.shape)}"
        )
    return images


def _each(values, rank=4):
    """Return `values`, one for each image, with `rank` axes: the others broadcast."""
    return ops.reshape(values, (-1,) + (1,) * (rank - 1))


def _integer(u, low, high):
    """Return integers from `low` to `high`, both included, from `u` uniform in [0, 1)."""
    return ops.cast(ops.floor(u * (high - low + 1)), "int32") + low


def _line(side):
    return ops.arange(side, dtype="int32")


def _take(images, rows, columns):
    """Return the pixels at `rows` and `columns`, `(batch_size, height, width)`, of each image."""
    _, height, width, channels = images.shape
    first = _each(ops.arange(ops.shape(images)[0], dtype="int32") * (height * width), 3)
    return ops.take(ops.reshape(images, (-1, channels)), first + rows * width + columns, axis=0)
