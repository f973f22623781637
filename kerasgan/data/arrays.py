"""Images in an .npy or .npz file."""

import warnings
import zipfile
from pathlib import Path

import numpy as np

from kerasgan import sizes
from kerasgan.data import content, fitting, pixels
from kerasgan.data import labels as forms
from kerasgan.data.cache import Decoded, cached
from kerasgan.data.pixels import DataError, float_range
from kerasgan.files import check_archive, regular
from kerasgan.text import extent

OPAQUE = {1: 1, 2: 1, 3: 3, 4: 3}  # Channels without the one that is transparency.
SHRUNK = 200  # As many times its size may an archive of drawings have.
IMAGE_KEYS = ("images", "x", "x_train", "arr_0")
LABEL_KEYS = ("labels", "y", "y_train", "arr_1")


def load_array(path, folder, options, progress=None):
    """Return the `Decoded` images of an .npy or .npz file; see `kerasgan.data.sources`.

    Images that need no change are used as they are in the file; an .npy file is memory-mapped.
    Images that are resized or change their channels become uint8 and are kept in the cache.
    """
    path = Path(path)
    image_size, channels = options["image_size"], options["channels"]
    images, labels = _read(path)
    class_names = None
    images = _as_nhwc(images)
    if labels is not None:
        try:
            labels, class_names = forms.numbered(labels, len(images))
        except DataError as error:
            raise DataError(f"{error} in {path}") from None
        labels = labels[: options["limit"]]
    images = images[: options["limit"]]
    about = {
        "class_names": class_names,
        "content": content.of_arrays(images, labels),
        "unlabelled": f"the file has no array of labels, under one of {', '.join(LABEL_KEYS)}",
    }
    own_channels = OPAQUE[images.shape[3]]
    sized = {**options, "image_size": image_size or images.shape[1]}
    wanted = (*sizes.sides(sized["image_size"]), channels or own_channels)
    if image_size is None and images.shape[1] != images.shape[2]:
        raise DataError(
            "`image_size` must be given unless the images are square. "
            f"Received: image_size=None and images of shape {images.shape}"
        )
    images = _in_range(images, options.get("bit_depth"))
    if images.shape[1:] == wanted and channels != 4:
        return Decoded(images, labels, about)
    try:
        fitting.check(images.shape[2], images.shape[1], sized)
    except DataError as error:
        raise DataError(
            "`image_size` must not be larger than the images, unless upscale=True. "
            f"Received: {path}, {error}"
        ) from None

    def decode(writer):
        def resize(image):
            return fitting.fitted(fitting.as_image(pixels.to_uint8(image)), sized, wanted[2])

        for done, image in enumerate(pixels.in_threads(resize, images), 1):
            writer.add(image)
            if progress is not None:
                progress(done, len(images))
        return labels, {}

    status = path.stat()
    identity = [str(path.resolve()), status.st_size, status.st_mtime_ns, options]
    decoded = cached(folder, "array", identity, decode)
    # Labels that an earlier version stored may have another form.
    return Decoded(decoded.images, labels, {**decoded.about, **about})


def image_shape(path):
    """Return `(height, width, channels)` of the images in an .npy or .npz file."""
    return _as_nhwc(_read(path)[0]).shape[1:]


def _read(path):
    """Return the images and the labels, or None, unchanged from the file."""
    try:
        # An .npy file is memory-mapped; np.load ignores mmap_mode for .npz.
        if zipfile.is_zipfile(regular(path)):
            check_archive(path, ratio=SHRUNK)
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded, None
        with loaded:
            keys = loaded.files
            arrays = {key: loaded[key] for key in keys if key in IMAGE_KEYS + LABEL_KEYS}
            if not arrays.keys() & set(IMAGE_KEYS):
                arrays = {key: loaded[key] for key in keys}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError, MemoryError) as error:
        raise DataError(
            "`name_or_path` must be an .npy or .npz file of plain arrays (no pickles). "
            f"Received: {path} ({error})"
        ) from error
    image_key = next((key for key in IMAGE_KEYS if key in arrays), None)
    if image_key is None:
        ranks = [key for key, array in arrays.items() if array.ndim in (3, 4)]
        if len(ranks) != 1:
            raise DataError(
                f"`name_or_path` must hold its images under one of {', '.join(IMAGE_KEYS)}, or as "
                f"its only array of rank 3 or 4. Received: {path} with the keys {keys}"
            )
        image_key = ranks[0]
    label_key = next((key for key in LABEL_KEYS if key in arrays and key != image_key), None)
    return arrays[image_key], None if label_key is None else arrays[label_key]


def _as_nhwc(images):
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 2, 3, 4):
        raise DataError(
            "images must have the shape (num_examples, height, width) or (num_examples, height, "
            f"width, channels), channels last, 1 to 4 of them. Received: shape {images.shape}"
        )
    if 0 in images.shape:
        raise DataError(f"images must not be empty. Received: shape {images.shape}")
    return images


def _in_range(images, bit_depth=None):
    """Return uint8 images as they are, and floats as float32 in [-1, 1].

    Integers of `bit_depth` bits are scaled to uint8.
    """
    if bit_depth is not None:
        if images.dtype.kind not in "iu" or images.dtype == np.uint8:
            raise DataError(
                "`bit_depth` goes with integers wider than a byte. "
                f"Received: bit_depth={bit_depth} and images of dtype {images.dtype}"
            )
        try:
            return pixels.from_bits(images, bit_depth)
        except DataError as error:
            raise DataError(
                f"`bit_depth` must be the number of bits that the values use. Received: {error}"
            ) from None
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind in "iu":
        low, high = int(images.min()), int(images.max())
        if low < 0 or high > 255:
            wider = "; for the 16-bit values of a camera give `bit_depth`" if low >= 0 else ""
            raise DataError(
                f"integer images must be in 0..255{wider}. Received: values {extent(low, high)}"
            )
        return images.astype(np.uint8)
    if images.dtype.kind != "f":
        raise DataError(
            "images must be integers in 0..255 or floats in [-1, 1]. "
            f"Received: dtype {images.dtype}"
        )
    low, high = float_range(images)
    if low < -1 or high > 1:
        raise DataError(
            "float images must lie in [-1, 1] (or [0, 1]); store values in 0..255 as uint8. "
            f"Received: values {extent(low, high)}"
        )
    if low < 0:
        return images if images.dtype == np.float32 else images.astype(np.float32)
    warnings.warn(
        "The images are floats without a negative value: they are scaled from [0, 1] to [-1, 1]. "
        f"Received: values {extent(low, high)}",
        stacklevel=2,
    )
    images = images.astype(np.float32)  # In place from here on: a set of floats is large.
    images *= np.float32(2)
    images -= np.float32(1)
    return images
