"""What is looked at in a model's files before anything in them is used."""

import math
import re

from kerasgan.files import check_unpacked

# Classes that would run or fetch code when a configuration is deserialized. Keras refuses them too,
# but not after `keras.config.enable_unsafe_deserialization()`.
UNSAFE = {"__lambda__", "TorchModuleWrapper", "TFSMLayer"}


def unsafe_classes(config):
    """Return the names of classes in a configuration that would run or fetch code."""
    found, left = set(), [config]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            full = (str(value.get(key)) for key in ("class_name", "registered_name"))
            found.update(re.split("[.>]", name)[-1] for name in full)
            left += value.values()
        elif isinstance(value, list):
            left += value
    return found & UNSAFE


def check_arrays(file, size):
    """Check an HDF5 file before an array in it is read.

    A small file may declare arrays of many gigabytes, and may refer to other files.

    Args:
        file: Its path, or an open binary file.
        size: How many bytes the file has.

    Raises:
        ValueError: If the arrays are far larger than the file, or are in another file.
    """
    import h5py

    unpacked = 0

    def look(name, link):
        nonlocal unpacked
        if not isinstance(link, h5py.HardLink):
            return f"{name} refers to another place"
        item = stored[name]
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                return f"{name} refers to another file"
            if item.dtype.kind not in "biufc":  # Text may have any length.
                return f"{name} holds no numbers"
            unpacked += math.prod(item.shape or ()) * item.dtype.itemsize
        return None

    with h5py.File(file, "r") as stored:
        fault = stored.visititems_links(look)  # It ends at the first fault that `look` returns.
    if fault is not None:
        raise ValueError(fault)
    check_unpacked(unpacked, size)
