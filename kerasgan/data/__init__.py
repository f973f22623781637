"""Real images as batches: named data sets, folders, arrays and rendered faces.

Images are NHWC. On disk and in memory they are uint8; a batch is float32 in [-1, 1].
"""

from kerasgan.data.dataset import ImageDataset
from kerasgan.data.loading import load, names
from kerasgan.data.peek import some_images
from kerasgan.data.pixels import DataError, UnknownDataError, from_uint8, to_uint8
from kerasgan.data.sources import SOURCES

__all__ = [
    "SOURCES",
    "DataError",
    "ImageDataset",
    "UnknownDataError",
    "from_uint8",
    "load",
    "names",
    "some_images",
    "to_uint8",
]
