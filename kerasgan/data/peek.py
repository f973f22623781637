"""Some of the images of a training, for every form of data that `fit` takes."""

import keras
import numpy as np

from kerasgan.data.dataset import ImageDataset
from kerasgan.data.pixels import DataError

ENOUGH = 6000
ENOUGH_BYTES = 2**29


def some_images(data, enough=ENOUGH):
    """Return real images, `(n, height, width, channels)`.

    Args:
        data: An `ImageDataset` or an array, all of whose images are returned; or batches as a
            `PyDataset`, tf.data dataset or torch `DataLoader`, of which the first batches are read,
            up to 512 MiB. If they shuffle, reading them advances their random state.
        enough: Number of images after which no more batches are read.

    Raises:
        DataError: If the data hold no images, or can be read only once, as a generator.
    """
    if isinstance(data, ImageDataset):
        return data.images
    if hasattr(data, "shape") and hasattr(data, "__getitem__"):
        return data if isinstance(data, np.ndarray) else keras.ops.convert_to_numpy(data)
    if isinstance(data, keras.utils.PyDataset):
        batches = (data[i] for i in range(len(data)))
    elif hasattr(data, "__iter__") and iter(data) is not data:
        batches = iter(data)
    else:
        raise DataError(
            "`data` must be real images that can be read twice: an array, an ImageDataset, a "
            f"PyDataset, a tf.data dataset or a DataLoader. Received: a {type(data).__name__}"
        )
    parts = []
    for batch in batches:
        images = batch[0] if isinstance(batch, (tuple, list)) else batch
        parts.append(np.array(keras.ops.convert_to_numpy(images)))
        if sum(map(len, parts)) >= enough or sum(p.nbytes for p in parts) >= ENOUGH_BYTES:
            break
    if not parts:
        raise DataError("`data` must hold images. Received: no batch")
    return np.concatenate(parts)
