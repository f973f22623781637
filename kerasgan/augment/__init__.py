"""Changes of images, differentiable in the images.

`DiffAugment` and `ADA` are for a model's `augment`: its critic sees only augmented images, real and
generated alike, and the generator's gradient passes through them. `Distortion` is for the views of
an InfoGAN. All offer `transform(images, noise)`, and hold no seeds: `noise(kind, *shape)` returns
float32 random numbers of shape `(batch_size, *shape)`, uniform in [0, 1) for `kind` "uniform" and
from N(0, 1) for "normal".
"""

from kerasgan.augment.ada import ADA
from kerasgan.augment.diff_augment import DiffAugment
from kerasgan.augment.distortion import Distortion

__all__ = ["ADA", "DiffAugment", "Distortion"]
