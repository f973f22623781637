"""ADA: augmentation whose strength follows the critic's overfitting."""

import math
import numbers

import keras
from keras import ops

from kerasgan import backend, validation
from kerasgan.augment import corruptions, pixels, resampled

_CORRUPTIONS = {
    "filter": corruptions.filtered,
    "noise": corruptions.noisy,
    "cutout": corruptions.cut,
}
PARTS = ("blit", "geometry", "color", *_CORRUPTIONS)


@keras.saving.register_keras_serializable(package="kerasgan")
class ADA(keras.layers.Layer):
    """Adaptive discriminator augmentation: its strength follows the critic's overfitting.

    Each change is applied to each image with the probability `self.probability`, a weight that
    starts at 0. `observe` adjusts it so that r_t stays near `target`. r_t is the mean sign of the
    critic's scores of the real images in its training batches. The sign means "real" only if the
    critic is trained to classify (logistic or hinge loss), not with a Wasserstein or relativistic
    loss.

    - "blit": horizontal flip; rotation by a multiple of 90 degrees; translation by whole pixels,
      up to an eighth of each side.
    - "geometry": isotropic scaling; rotation; anisotropic scaling; rotation again; translation by
      fractions of a pixel.
    - "color": brightness; contrast; luma flip; hue rotation (red, green and blue only); saturation
      (colour images only). Of four channels the last is transparency, which is left as it is.

    - "filter": each of four bands of frequencies is amplified or weakened; the power of an image as
      it is expected stays the same.
    - "noise": noise on the colours.
    - "cutout": a rectangle of half of each side is set to zero.

    These are the 18 transformations of the authors' code, with its ranges. The first three groups
    are its default policy "bgc".

    Departures: without `antialias`, all geometric changes are one bilinear interpolation of the
    image, reflected at its borders; the authors' code filters against aliasing at twice the
    resolution and reflects once. The authors do not bound the probability from above.

    Args:
        target: The value at which r_t is held, in (0, 1).
        speed: Number of images in which the probability can rise from 0 to 1.
        interval: Critic steps between two adjustments of the probability.
        max_probability: Upper bound of the probability, in (0, 1]. At 1 every image is augmented,
            and the generator may learn the augmentations; the paper calls 0.8 safe.
        policy: The groups to use, separated by commas; their order does not matter. "blit" and
            "geometry" rotate by up to half a turn, which may not suit digits.
        fixed: A probability in [0, 1] that no overfitting moves, for losses whose scores have no
            zero too; None for the adaptive one.
        multipliers: Of groups in `policy` that happen more rarely than the others, what the
            probability is multiplied by, in [0, 1], as `{"color": 0.5}`.
        antialias: Whether geometric changes are computed as in the authors' code, which takes many
            times as long.
        rise: Critic steps in which the fixed probability rises from 0, along half a cosine, as in
            R3GAN; 0 for the whole of it at once.
        **kwargs: As for `keras.layers.Layer`.

    Attributes:
        probability: The current probability, a non-trainable weight.
        overfitting: r_t of the last full interval, a non-trainable weight.

    Raises:
        ValueError: If an argument is out of range.

    Reference: Karras et al. 2020, https://arxiv.org/abs/2006.06676. The authors' code is
    NVlabs/stylegan2-ada-pytorch on GitHub: training/augment.py, training/training_loop.py, and
    the policies in train.py.
    """

    def __init__(
        self,
        target=0.6,
        speed=500_000,
        interval=4,
        max_probability=0.8,
        policy="blit,geometry,color",
        fixed=None,
        rise=0,
        multipliers=None,
        antialias=False,
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
        if fixed is not None and not (isinstance(fixed, numbers.Real) and 0 <= fixed <= 1):
            raise ValueError(f"`fixed` must be in [0, 1] or None. Received: fixed={fixed!r}")
        if rise:
            validation.positive_integer("rise", rise)
            if fixed is None:
                raise ValueError(
                    f"`rise` goes with a probability that is `fixed`. Received: rise={rise}"
                )
        super().__init__(**kwargs)
        self.parts = pixels.parts(policy, PARTS)
        self.target = target
        self.speed = speed
        self.interval = interval
        self.max_probability = max_probability
        self.policy = policy
        self.fixed = fixed
        self.rise = rise
        self.antialias = bool(antialias)
        self.multipliers = _multipliers(multipliers, self.parts)
        first = 0.0 if fixed is None or rise else float(fixed)
        self.probability = self._weight("probability", initializer=first)
        self.overfitting = self._weight("overfitting")
        self.steps = self._weight("steps")
        # The sum of the signs and the number of scores: over the interval, and of one step.
        self.sums = self._weight("sums", (2,))
        # Under tf.distribute the values that the replicas assign are added up, and every replica
        # reads the sums over all of them.
        self.step_sums = self._weight("step_sums", (2,), aggregation="sum")
        self.built = True

    @property
    def moves(self):
        """Whether the probability changes in a training."""
        return self.fixed is None or bool(self.rise)

    def _weight(self, name, shape=(), initializer=0.0, **kwargs):
        initializer = keras.initializers.Constant(initializer)
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype="float32",
            trainable=False,
            name=name,
            **kwargs,
        )

    @property
    def adaptive(self):
        """Whether the critic's scores move the probability."""
        return self.fixed is None

    def transform(self, images, noise):
        """Return augmented images, in the shapes and ranges of `DiffAugment.transform`."""
        images = pixels.checked(images)
        whole = ops.convert_to_tensor(self.probability)
        p = {part: whole * self.multipliers.get(part, 1.0) for part in self.parts}
        if "blit" in self.parts or "geometry" in self.parts:
            grid, read = pixels.grid, pixels.interpolate
            if self.antialias:
                grid, read = resampled.grid, resampled.sample
            x, y = grid(images)
            if "geometry" in self.parts:
                x, y = _geometry(x, y, images.shape, noise, p["geometry"])
            if "blit" in self.parts:
                x, y = _blit(x, y, images.shape, noise, p["blit"])
            images = read(images, x, y)
        if "color" in self.parts:
            images = _ada_color(images, noise, p["color"])
        for part, change in _CORRUPTIONS.items():
            if part in self.parts:
                images = change(images, noise, p[part])
        return images

    def observe(self, real_scores, parts=1):
        """Count one critic step, or a part of it; adjust the probability after each interval.

        It may be called inside the loss that is differentiated, and inside a compiled step.

        Args:
            real_scores: The critic's scores of the augmented real images of the batch, one for each
                image, positive for "real".
            parts: In how many parts the batch is taken.
        """
        if not self.adaptive:
            if self.rise:
                steps = ops.convert_to_tensor(self.steps) + 1.0 / parts
                share = 0.5 - 0.5 * ops.cos(math.pi * ops.minimum(steps / self.rise, 1.0))
                backend.assign([self.steps, self.probability], [steps, self.fixed * share])
            return
        scores = ops.cast(ops.stop_gradient(real_scores), "float32")
        count = ops.cast(ops.size(scores), "float32")
        found = ops.stack([ops.sum(ops.sign(scores)), count])
        self.step_sums.assign(backend.sum_over_processes(found))
        state = [self.probability, self.overfitting, self.steps, self.sums]
        p, r, steps, sums = before = [ops.convert_to_tensor(v) for v in state]
        steps, sums = steps + 1.0 / parts, sums + ops.convert_to_tensor(self.step_sums)
        signs, images = ops.unstack(sums, 2)
        r = signs / ops.maximum(images, 1.0)
        p = ops.clip(p + ops.sign(r - self.target) * images / self.speed, 0.0, self.max_probability)
        full = steps >= self.interval - 0.5 / parts  # Parts add up to a step but for rounding.
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
            "fixed": self.fixed,
            "rise": self.rise,
            "antialias": self.antialias,
            "multipliers": self.multipliers or None,
        }


def _multipliers(given, parts):
    """Return what the probability of each group is multiplied by, where that is not 1."""
    if given is not None and not isinstance(given, dict):
        raise ValueError(
            "`multipliers` must be a dictionary, as {'color': 0.5}. Received: multipliers="
            f"{given!r}"
        )
    found = dict(given or {})
    for part, value in found.items():
        validation.choice("multipliers", part, parts)
        if not isinstance(value, numbers.Real) or not 0 <= value <= 1:
            raise ValueError(f"`multipliers` must be in [0, 1]. Received: multipliers={given!r}")
    return found


# The functions below return the positions from which pixels are taken. The authors compose inverse
# transformations, so the order here is the reverse of theirs.


def _chance(noise, p, uniforms, normals=0):
    """Return iterators over uniform and normal numbers for each image, and a function `maybe`.

    `maybe(value, neutral)` is `value` with the probability `p`, and `neutral` otherwise.
    """
    u = iter(ops.unstack(noise("uniform", uniforms), uniforms, axis=1))
    z = iter(ops.unstack(noise("normal", normals), normals, axis=1) if normals else ())

    def maybe(value, neutral, p=p):
        return ops.where(next(u) < p, value, neutral)

    return u, z, maybe


def _geometry(x, y, shape, noise, p):
    _, height, width, _ = shape
    u, z, maybe = _chance(noise, p, uniforms=7, normals=4)
    either = 1.0 - ops.sqrt(1.0 - p)  # At least one of the two rotations happens with p.
    scale = maybe(2.0 ** (0.2 * next(z)), 1.0)
    before = maybe(math.pi * (2.0 * next(u) - 1.0), 0.0, either)
    stretch = maybe(2.0 ** (0.2 * next(z)), 1.0)
    after = maybe(math.pi * (2.0 * next(u) - 1.0), 0.0, either)
    happens = maybe(1.0, 0.0)
    x = x - pixels.each(happens * 0.125 * width * next(z), 3)
    y = y - pixels.each(happens * 0.125 * height * next(z), 3)
    x, y = pixels.rotate(x, y, ops.cos(after), ops.sin(after))
    x, y = x / pixels.each(stretch, 3), y * pixels.each(stretch, 3)
    x, y = pixels.rotate(x, y, ops.cos(before), ops.sin(before))
    return x / pixels.each(scale, 3), y / pixels.each(scale, 3)


def _blit(x, y, shape, noise, p):
    _, height, width, _ = shape
    u, _, maybe = _chance(noise, p, uniforms=7)
    mirror = maybe(1.0 - 2.0 * ops.floor(2.0 * next(u)), 1.0)
    quarters = maybe(ops.floor(4.0 * next(u)), 0.0)
    happens = maybe(1.0, 0.0)
    x = x - pixels.each(happens * ops.round(0.125 * width * (2.0 * next(u) - 1.0)), 3)
    y = y - pixels.each(happens * ops.round(0.125 * height * (2.0 * next(u) - 1.0)), 3)
    # The exact cosine and sine of 0 to 3 quarters of a turn.
    x, y = pixels.rotate(x, y, ops.abs(quarters - 2.0) - 1.0, 1.0 - ops.abs(quarters - 1.0))
    return x * pixels.each(mirror, 3), y


def _ada_color(images, noise, p):
    """Apply the authors' 3x4 matrix, split into its parts along and across the grey axis."""
    images, alpha = pixels.colours(images)
    channels = images.shape[-1]
    u, z, maybe = _chance(noise, p, uniforms=7, normals=3)
    brightness = maybe(0.2 * next(z), 0.0)
    contrast = maybe(2.0 ** (0.5 * next(z)), 1.0)
    luma = contrast * maybe(1.0 - 2.0 * ops.floor(2.0 * next(u)), 1.0)
    hue = maybe(math.pi * (2.0 * next(u) - 1.0), 0.0)
    saturation = contrast * maybe(2.0 ** next(z), 1.0)
    luma, shift = pixels.each(luma), pixels.each(luma * brightness)
    if channels == 1:
        return luma * images + shift
    grey = ops.mean(images, axis=-1, keepdims=True)
    chroma = images - grey
    if channels == 3:
        # The cross product with the grey axis (1, 1, 1) / sqrt(3).
        cross = (ops.roll(chroma, 1, axis=-1) - ops.roll(chroma, -1, axis=-1)) / math.sqrt(3.0)
        chroma = pixels.each(ops.cos(hue)) * chroma + pixels.each(ops.sin(hue)) * cross
    return pixels.with_alpha(luma * grey + shift + pixels.each(saturation) * chroma, alpha)
