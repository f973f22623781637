"""Distortion: the ways in which handwriting varies."""

import math

import keras
from keras import ops

from kerasgan import validation
from kerasgan.augment import pixels


@keras.saving.register_keras_serializable(package="kerasgan")
class Distortion(keras.layers.Layer):
    """Vary images as handwriting varies: rotate, shear, stretch, move, thicken or thin strokes.

    Every image is moved, stretched along both axes, rotated and sheared, by one bilinear
    interpolation of the image, reflected at its borders. Then its bright strokes are made thicker
    or thinner: each pixel moves part of the way to the largest or smallest value among itself and
    its eight neighbours. All amounts are uniform between a bound and its negative. The bounds are
    ours.

    This layer makes the views of `kerasgan.InfoGAN`. As the `augment` of a model it would let the
    generator learn the distortions, because the critic would see no undistorted images.

    Args:
        rotation: Bound of the angle, in degrees.
        shear: Bound of the sideways shift, in pixels for each row below the middle.
        scale: Bound of the logarithm of the factor by which a side is stretched.
        shift: Bound of the movement, as a share of the side.
        thickness: Bound of the share of the way to the largest or smallest neighbour, at most 1.
        **kwargs: As for `keras.layers.Layer`.

    Raises:
        ValueError: If an argument is negative, or `thickness` above 1.
    """

    def __init__(self, rotation=23.0, shear=0.4, scale=0.25, shift=0.1, thickness=1.0, **kwargs):
        amounts = {"rotation": rotation, "shear": shear, "scale": scale, "shift": shift}
        for name, value in {**amounts, "thickness": thickness}.items():
            validation.positive(name, value, zero=True)
        if thickness > 1:
            raise ValueError(f"`thickness` must be at most 1. Received: thickness={thickness!r}")
        super().__init__(**kwargs)
        self.rotation = rotation
        self.shear = shear
        self.scale = scale
        self.shift = shift
        self.thickness = thickness
        self.built = True

    def transform(self, images, noise):
        """Return distorted images, in the same range; see `DiffAugment.transform`."""
        images = pixels.checked(images)
        _, height, width, _ = images.shape
        u = iter(ops.unstack(2.0 * noise("uniform", 7) - 1.0, 7, axis=1))
        x, y = pixels.grid(images)
        x = x + pixels.each(self.shear * next(u), 3) * y
        angle = math.radians(self.rotation) * next(u)
        x, y = pixels.rotate(x, y, ops.cos(angle), ops.sin(angle))
        x = x * pixels.each(ops.exp(self.scale * next(u)), 3)
        y = y * pixels.each(ops.exp(self.scale * next(u)), 3)
        x = x + pixels.each(self.shift * width * next(u), 3)
        y = y + pixels.each(self.shift * height * next(u), 3)
        images = pixels.interpolate(images, x, y)
        way = pixels.each(self.thickness * next(u))
        thick = _largest_near(images)
        thin = -_largest_near(-images)
        return images + ops.abs(way) * (ops.where(way > 0, thick, thin) - images)

    def get_config(self):
        return {
            **super().get_config(),
            "rotation": self.rotation,
            "shear": self.shear,
            "scale": self.scale,
            "shift": self.shift,
            "thickness": self.thickness,
        }


def _largest_near(images):
    return ops.max_pool(images, 3, 1, "same", data_format="channels_last")
