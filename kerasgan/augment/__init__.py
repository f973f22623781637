"""Augmentations: random changes of images, differentiable in the images.

`DiffAugment` and `ADA` are for a model's argument `augment`. The critic then sees only augmented
images, real and generated alike, and the generator's gradient passes through the augmentation.
`Distortion` is for the views of an InfoGAN.

All have the method `transform(images, noise)` and hold no seeds. `noise(kind, *shape)` returns
float32 random numbers of shape `(batch_size, *shape)`: uniform in [0, 1) if `kind` is "uniform",
and from N(0, 1) if it is "normal".
"""

from kerasgan.augment.ada import ADA
from kerasgan.augment.diff_augment import DiffAugment
from kerasgan.augment.distortion import Distortion

__all__ = ["ADA", "DiffAugment", "Distortion"]
