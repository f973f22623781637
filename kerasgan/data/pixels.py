"""Changes of a single image: value range, colour mode, size."""

import contextlib
import itertools
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from PIL import Image, ImageOps

from kerasgan.text import extent

GREY_MODES = {"1", "L", "LA", "La", "I", "F"}
HUGE = 16_000_000  # Pixels of an image that is shrunk before anything else is done to it,
BYTES = {"L", "LA", "RGB", "RGBA"}  # if its values are bytes.
DARK = 2**15  # 16-bit images whose largest value is below do not use all of their bits.


class DataError(ValueError):
    """Data that cannot be used; the message names the argument, the rule and what was received."""


class UnknownDataError(DataError):
    """A name that is neither a data set nor a path; the message lists the nearest names.

    Args:
        message: The message.
        known: Names that are known.
    """

    def __init__(self, message, known=()):
        super().__init__(message)
        self.known = tuple(known)


def from_uint8(images, out=None):
    """Return `images / 127.5 - 1` as float32 in [-1, 1].

    Args:
        images: uint8 array of any shape.
        out: Optional float32 array of the same shape that takes the result.

    Raises:
        DataError: If the array is not uint8.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise DataError(f"`images` must be uint8. Received: dtype {images.dtype}")
    # Twice as fast as a table of the 256 values (0.3 ms, not 0.8, for 64 images of 64x64x3) and
    # equal to it bit for bit.
    out = np.divide(images, np.float32(127.5), out=out, dtype=np.float32)
    out -= np.float32(1)
    return out


def to_uint8(images):
    """Return images in [-1, 1] as uint8, rounded and clipped; the inverse of `from_uint8`.

    Args:
        images: float array or backend tensor of any shape. NaN becomes mid-grey, so that pictures
            of a broken training can still be written.
    """
    if not isinstance(images, np.ndarray):
        images = keras.ops.convert_to_numpy(images)
    values = np.nan_to_num(np.asarray(images, np.float32), nan=0.0)
    return np.clip(np.rint((values + 1) * 127.5), 0, 255).astype(np.uint8)


def wide_colour(image):
    """Return whether a PIL image that was only opened has 16 bits in each of several channels.

    Of these, Pillow reads the upper 8 bits.
    """
    return len(image.getbands()) > 1 and any(";16" in str(tile[-1]) for tile in image.tile)


def eight_bit(image, bit_depth=None, largest=None, wide=False):
    """Return a PIL image in mode L or RGB: 16 bits scaled, transparency composited over white.

    Args:
        image: A PIL image.
        bit_depth: Number of bits that 16-bit values use; None for all of them.
        largest: Optional list, to which the largest of 16-bit values is added.
        wide: What `wide_colour` said of it.

    Raises:
        DataError: If the values have no known range (floating point, 32 bits), or use more bits.
    """
    if wide and bit_depth is not None:
        raise DataError(
            "16 bits in several channels, of which the upper 8 can be read; `bit_depth` is for "
            "grey images. Save it with 8 bits"
        )
    if wide and largest is not None:
        bands = image.getextrema()[: 3 if len(image.getbands()) > 2 else 1]
        largest.append(257 * max(high for _, high in bands))
    if image.mode.startswith("I"):  # I;16, I;16B, I: integers wider than a byte.
        values = np.asarray(image)
        if largest is not None:
            largest.append(int(values.max()))
        return Image.fromarray(from_bits(values, bit_depth))
    if image.mode == "F":
        raise DataError("floating-point pixels, whose range is not known")
    grey = image.mode in GREY_MODES
    if "transparency" in image.info or image.mode in {"RGBA", "RGBa", "LA", "La", "PA"}:
        # PIL has no direct way from La (premultiplied) to RGBA.
        image = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("L" if grey else "RGB")


def from_bits(values, bit_depth=None):
    """Return unsigned integers of `bit_depth` bits as uint8, rounded.

    Args:
        values: Integer array of any shape.
        bit_depth: From 9 to 16; None for 16.

    Raises:
        DataError: If a value has more bits, or is negative.
    """
    bits = bit_depth or 16
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= 2**bits:
        raise DataError(f"more than {bits} bits per channel (values {extent(low, high)})")
    found = np.empty(values.shape, np.uint8)
    for i in range(len(values)):  # Row by row or image by image: no wide copy of them all.
        wide = values[i].astype(np.uint32)
        found[i] = (wide * 255 + (2**bits - 1) // 2) // (2**bits - 1)
    return found


def usual_largest(largest):
    """Return what nine tenths of the largest values of 16-bit images do not exceed, or None."""
    return int(np.quantile(largest, 0.9, method="higher")) if largest else None


def warn_if_dark(largest, bit_depth, name):
    """Warn of 16-bit images that use few of their bits, and so become nearly black.

    Args:
        largest: What `usual_largest` says of them.
        bit_depth: What the user gave. A warning says so where it has no effect.
        name: Name of the data.
    """
    if largest is None and bit_depth is not None:
        warnings.warn(
            f"`bit_depth` has no effect: {name} has no images of 16 bits. Received: "
            f"bit_depth={bit_depth}",
            stacklevel=2,
        )
    if largest is None or bit_depth is not None or largest >= DARK:
        return
    bits = max(9, int(largest).bit_length())
    warnings.warn(
        f"the largest value in the 16-bit images of {name} is {largest:,} of 65,535 in nine "
        f"tenths of them, so they become dark. If the values have {bits} bits, set `bit_depth` to "
        f"{bits}.",
        stacklevel=2,
    )


def warn_without_dark(name, low, high):
    """Warn of floats of which none is dark, as of images in [0, 1]; return whether it was done."""
    if low < 0 or high == low:
        return False
    warnings.warn(
        f"`{name}` should hold images in [-1, 1], which is what generators make. Received: values "
        f"{extent(low, high)}; if 0 is black and 1 is white, use `2 * x - 1`",
        stacklevel=2,
    )
    return True


def square(image, image_size, upscale):
    """Return the image with its shorter side resized to `image_size`, cropped to a centred square.

    Args:
        image: PIL image in mode L or RGB.
        image_size: Side of the result in pixels; None keeps an image that is square already.
        upscale: Whether an image smaller than `image_size` is enlarged.

    Raises:
        DataError: If the image is too small, or not square when `image_size` is None.
    """
    width, height = image.size
    if image_size is None:
        if width != height:
            raise DataError(f"not square ({width}x{height}), and `image_size` is not given")
        return image
    check_size(width, height, image_size, upscale)
    if width == height == image_size:
        return image
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    # LANCZOS widens its support when it shrinks, so nothing is aliased. reducing_gap first halves
    # huge images with a box filter; from 3 up the difference is not visible.
    return image.resize(
        (image_size, image_size),
        Image.Resampling.LANCZOS,
        box=(left, top, left + side, top + side),
        reducing_gap=3.0,
    )


def without_excess(image, image_size):
    """Return a huge image shrunk by a whole number, to at least four times the size needed.

    What follows makes copies of an image, each with four bytes a pixel.
    """
    if image_size is None or image.width * image.height <= HUGE or image.mode not in BYTES:
        return image
    factor = min(image.size) // (4 * image_size)
    return image.reduce(factor) if factor > 1 else image


class Room:
    """Bounds how many pixels are decoded at a time, in all threads together.

    Args:
        pixels: That many. An image with more has all of the room for itself.
    """

    def __init__(self, pixels):
        self.pixels = pixels
        self._left = pixels
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, pixels):
        """Wait until there is room for so many pixels, and take it inside the block."""
        pixels = min(pixels, self.pixels)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= pixels)
            self._left -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._left += pixels
                self._changed.notify_all()


def check_size(width, height, image_size, upscale):
    """Raise DataError for an image smaller than `image_size` unless `upscale` is true."""
    if min(width, height) < image_size and not upscale:
        raise DataError(f"smaller than image_size={image_size} ({width}x{height})")


def upright(image):
    """Return the image rotated or mirrored by its EXIF orientation."""
    return ImageOps.exif_transpose(image)


def fit(array, image_size, channels, upscale):
    """Return one uint8 image of shape (height, width, channels) resized and recoloured.

    Args:
        array: uint8 array (height, width, 1 to 4): grey, grey with alpha, RGB or RGBA.
        image_size: As in `square`.
        channels: 1, 3, or None to keep grey as grey and colour as colour.
        upscale: As in `square`.
    """
    image = Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)
    image = square(eight_bit(image), image_size, upscale)
    return with_channels(image, channels)


def with_channels(image, channels):
    """Return a PIL image as uint8 (height, width, channels); None keeps its own channels."""
    if channels is not None:
        image = image.convert("L" if channels == 1 else "RGB")
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def in_threads(function, items, chunk=512):
    """Yield `function(item)` in order, computed in a few threads (PIL releases the GIL)."""
    items = iter(items)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        while batch := list(itertools.islice(items, chunk)):  # Bounds the results in memory.
            yield from pool.map(function, batch)
