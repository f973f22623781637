"""The base class of feature extractors, and changes of images that they share."""

import numpy as np

from kerasgan.metrics import checks


class Extractor:
    """A function from images to features, with a name that identifies it.

    A subclass sets `name` and implements `extract`; if it resizes images it sets `resize`.

    Attributes:
        name: Name and version; part of every score's provenance.
        resize: The method by which it resizes images, as text.
        batch_size: Greatest number of images in a call of `extract`.
    """

    name = None
    resize = "none"
    batch_size = 256

    def check(self):
        """Raise MetricError unless the extractor has a name."""
        if not self.name:
            raise checks.MetricError(
                "an extractor must have a `name` that says what its features depend on. "
                f"Received: {type(self).__name__} without one"
            )

    def width(self, image_shape):
        """Return the number of features of an image `(height, width, channels)`, or None.

        None says that it is not known before images are read.
        """
        return None

    def extract(self, images):
        """Return the features `(n, d)` of images `(n, height, width, channels)` in [-1, 1]."""
        raise NotImplementedError

    def __call__(self, images, progress=None):
        """Return the features of images as float32, `(n, d)`.

        Args:
            images: Integers in 0..255 or floats in [-1, 1], `(n, height, width, channels)` with 1,
                3 or 4 channels.
            progress: Optional callable `(done, total)`.

        Raises:
            MetricError: If the images have the wrong form, or features are not finite.
        """
        self.check()
        parts = []
        for part in checks.blocks(np.asarray(images), self.batch_size):
            parts.append(np.asarray(self.extract(checks.images("images", part)), "float32"))
            if progress is not None:
                progress(sum(map(len, parts)), len(images))
        if not parts:
            raise checks.MetricError("`images` must not be empty. Received: 0 images")
        return checks.features("features", np.concatenate(parts), at_least=1)


def resized(images, side):
    """Return images resized to `side` pixels, each channel by PIL's bicubic filter in float.

    The filter widens when it shrinks an image, so nothing is aliased. Values are not rounded to 8
    bits. This is the "clean" protocol of Parmar et al. 2022, https://arxiv.org/abs/2104.11222.
    """
    from PIL import Image

    if images.shape[1:3] == (side, side):
        return images
    found = np.empty((len(images), side, side, images.shape[-1]), "float32")
    for i, image in enumerate(images):
        for c in range(images.shape[-1]):
            plane = Image.fromarray(image[..., c])
            found[i, ..., c] = plane.resize((side, side), Image.Resampling.BICUBIC)
    return np.clip(found, -1, 1, out=found)


BICUBIC = "PIL bicubic, float, antialiased"


def as_grey(images):
    """Return colour images as grey ones, by the luma of ITU-R 601."""
    if images.shape[-1] == 1:
        return images
    return (as_rgb(images) @ np.array([0.299, 0.587, 0.114], "float32"))[..., None]


def as_rgb(images):
    """Return images in colour: grey ones repeated, and of transparent ones the picture over white.

    The latter is what the first three of four channels hold; see `kerasgan.data.load`.
    """
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images[..., :3]
