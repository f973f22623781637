"""DiffAugment: colour, translation and cutout."""

import keras
from keras import ops

from kerasgan.augment import pixels


@keras.saving.register_keras_serializable(package="kerasgan")
class DiffAugment(keras.layers.Layer):
    """Colour, translation and cutout, applied to every image with its own random amounts.

    - "color": brightness shifted by U(-0.5, 0.5), then saturation scaled by U(0, 2) about each
      pixel's mean (colour images only), then contrast scaled by U(0.5, 1.5) about the image's
      mean.
    - "translation": a shift by whole pixels, up to an eighth of each side; zeros move in.
    - "cutout": a rectangle of half of each side, somewhere in the image, set to zero.

    Of four channels the last is transparency: it is moved and cut out with the rest, and "color"
    leaves it as it is. "The image's mean" is then that of the colours.

    Departure: half of an odd side is rounded down, and up in the authors' code.

    Args:
        policy: The changes to apply, separated by commas, in this order.
        **kwargs: As for `keras.layers.Layer`.

    Raises:
        ValueError: If `policy` is empty, names a change twice, or names an unknown one.

    Reference: Zhao et al. 2020, https://arxiv.org/abs/2006.10738, with the constants of the
    authors' code, DiffAugment_pytorch.py in mit-han-lab/data-efficient-gans on GitHub.
    """

    def __init__(self, policy="color,translation,cutout", **kwargs):
        super().__init__(**kwargs)
        self.parts = pixels.parts(policy, tuple(_DIFF_AUGMENT))
        self.policy = policy
        self.built = True

    def transform(self, images, noise):
        """Return augmented images.

        Args:
            images: Floats of shape `(batch_size, height, width, channels)` in [-1, 1].
            noise: A function that returns random numbers; see `kerasgan.augment`.

        Returns:
            Images of the same shape, float32. Their values may lie outside [-1, 1].
        """
        images = pixels.checked(images)
        for part in self.parts:
            images = _DIFF_AUGMENT[part](images, noise)
        return images

    def get_config(self):
        return {**super().get_config(), "policy": self.policy}


def _diff_color(images, noise):
    brightness, saturation, contrast = ops.unstack(noise("uniform", 3), 3, axis=1)
    images, alpha = pixels.colours(images)
    images = images + pixels.each(brightness - 0.5)
    if images.shape[-1] > 1:
        images = _scaled(images, -1, pixels.each(2.0 * saturation))
    return pixels.with_alpha(_scaled(images, (1, 2, 3), pixels.each(contrast + 0.5)), alpha)


def _scaled(images, axis, factor):
    """Return the images with their distance from their mean over `axis` scaled by `factor`."""
    mean = ops.mean(images, axis=axis, keepdims=True)
    return (images - mean) * factor + mean


def _translation(images, noise):
    _, height, width, _ = images.shape
    far, wide = (int(side * 0.125 + 0.5) for side in (height, width))
    down, across = ops.unstack(noise("uniform", 2), 2, axis=1)
    images = _moved_rows(images, pixels.integer(down, -far, far))
    turned = ops.transpose(images, (0, 2, 1, 3))
    return ops.transpose(_moved_rows(turned, pixels.integer(across, -wide, wide)), (0, 2, 1, 3))


def _moved_rows(images, far):
    """Return images whose row `i` is row `i + far` of before, of zeros where there is none.

    As a product its gradient is one too, which is faster than scattering.
    """
    _, height, width, channels = images.shape
    lines = pixels.line(height)
    taken = ops.cast(lines[:, None] + pixels.each(far, 3) == lines, "float32")
    moved = ops.matmul(taken, ops.reshape(images, (-1, height, width * channels)))
    return ops.reshape(moved, (-1, height, width, channels))


def _cutout(images, noise):
    _, height, width, _ = images.shape
    down, across = ops.unstack(noise("uniform", 2), 2, axis=1)
    rows = _within(height, down)[:, :, None, None]
    columns = _within(width, across)[:, None, :, None]
    return images * ops.cast(~(rows & columns), "float32")


def _within(side, u):
    """Return, for each image, which of `side` pixels a random interval of half of them covers.

    The middle of the interval is anywhere in the image, so part of it may be outside.
    """
    size = side // 2
    first = pixels.integer(u, 0, side - size % 2)[:, None] - size // 2
    return (pixels.line(side) >= first) & (pixels.line(side) < first + size)


_DIFF_AUGMENT = {"color": _diff_color, "translation": _translation, "cutout": _cutout}
