"""What turns images into the features that metrics compare."""

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
    """Return what suits images of this shape, `(height, width, channels)`.

    Grey images of at most 32 pixels go to the network that comes with the package; others to
    EfficientNet-Lite0 where it is installed, else to a random projection. Its name, which says
    what was taken, is part of every score.
    """
    height, width, channels = image_shape
    if channels == 1 and max(height, width) <= 32:
        return GarmentsAndDigits()
    if EfficientNetLite0.installed():
        return EfficientNetLite0()
    return RandomProjection()
