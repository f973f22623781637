"""Real images as batches: named data sets, folders, zip files, arrays and rendered faces.

Images are NHWC. On disk and in memory they are uint8; a batch is float32 in [-1, 1]. What makes
batches is loaded when it is first used: the rest needs no Keras.
"""

import importlib
import typing

from kerasgan.data.pixels import DataError, UnknownDataError, from_uint8, to_uint8
from kerasgan.data.sources import SOURCES

if typing.TYPE_CHECKING:  # For editors, and for the reference in the documentation.
    from kerasgan.data.dataset import ImageDataset
    from kerasgan.data.loading import load, names
    from kerasgan.data.peek import some_images

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
_WITH_KERAS = {
    "ImageDataset": "dataset",
    "load": "loading",
    "names": "loading",
    "some_images": "peek",
}


def __getattr__(name):
    if name not in _WITH_KERAS:
        raise AttributeError(f"module 'kerasgan.data' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"kerasgan.data.{_WITH_KERAS[name]}"), name)
    globals()[name] = value
    return value
