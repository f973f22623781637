"""The values of pixels: their range, bits, colours and transparency."""

import contextlib
import itertools
import operator
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from kerasgan import validation
from kerasgan.text import extent

GREY_MODES = {"1", "L", "LA", "La", "I", "F"}
ALPHA_MODES = {"RGBA", "RGBa", "LA", "La", "PA"}
SCAN_VALUES = 1 << 24  # Floats checked at a time: a memory map is never in memory as a whole.
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


def positive_int(argument, value):
    """Return `value` as an integer of at least 1, or raise DataError naming the argument."""
    return _int_from(argument, value, 1)


def non_negative_int(argument, value):
    """Return `value` as an integer of at least 0, or raise DataError naming the argument."""
    return _int_from(argument, value, 0)


def _int_from(argument, value, least):
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise DataError(f"`{argument}` must be an integer of at least {least}. Received: {value!r}")
    return number


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
            of a broken training can still be written. What is uint8 already stays as it is.
    """
    if not isinstance(images, np.ndarray):
        import keras  # What only looks at images does without.

        images = keras.ops.convert_to_numpy(images)
    if images.dtype == np.uint8:
        return images
    values = np.nan_to_num(np.asarray(images, np.float32), nan=0.0)
    return np.clip(np.rint((values + 1) * 127.5), 0, 255).astype(np.uint8)


def wide_colour(image):
    """Return whether a PIL image that was only opened has 16 bits in each of several channels.

    Of these, Pillow reads the upper 8 bits.
    """
    return len(image.getbands()) > 1 and any(";16" in str(tile[-1]) for tile in image.tile)


def eight_bit(image, bit_depth=None, largest=None, wide=False, background="white", alpha=False):
    """Return a PIL image in mode L or RGB, or RGBA with `alpha`; 16 bits are scaled.

    Args:
        image: A PIL image.
        bit_depth: Number of bits that 16-bit values use; None for all of them.
        largest: Optional list, to which the largest of 16-bit values is added.
        wide: What `wide_colour` said of it.
        background: The colour that transparent pixels are laid over.
        alpha: Whether transparency is kept.

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
        image = Image.fromarray(from_bits(values, bit_depth))
    if image.mode == "F":
        raise DataError("floating-point pixels, whose range is not known")
    colour = validation.colour("background", background)
    grey = image.mode in GREY_MODES and len(set(colour)) == 1
    if has_alpha(image):
        # PIL has no direct way from La (premultiplied) to RGBA.
        image = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        if not alpha:
            image = Image.alpha_composite(Image.new("RGBA", image.size, colour), image)
    if alpha:
        return image.convert("RGBA")
    return image.convert("L" if grey else "RGB")


def has_alpha(image):
    """Return whether pixels of a PIL image may be transparent."""
    return "transparency" in image.info or image.mode in ALPHA_MODES


def over_white(pixels):
    """Return RGBA pixels in the form in which networks see them: the colours laid over white.

    The first three channels are the picture over white, the fourth is the transparency as it was.
    The colour of a pixel that cannot be seen is thus always white, whatever the file says.

    Args:
        pixels: uint8 `(..., 4)`, with colours that do not depend on the transparency, as in a PNG.
    """
    alpha = pixels[..., 3:].astype(np.uint16)
    laid = (pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return np.concatenate([laid.astype(np.uint8), pixels[..., 3:]], axis=-1)


def straight(pixels):
    """Return pixels of `over_white` as a PNG holds them; what cannot be seen is white.

    A network may make colours that no pixel over white has. They are clipped.

    Args:
        pixels: uint8 `(..., channels)`; the last of 2 or 4 channels is the transparency, and pixels
            of 1 or 3 are returned as they are.
    """
    if pixels.shape[-1] not in (2, 4):
        return pixels
    alpha = pixels[..., -1:].astype(np.int32)
    missing = (255 - pixels[..., :-1].astype(np.int32)) * 255
    seen = 255 - (missing + alpha // 2) // np.maximum(alpha, 1)
    colours = np.where(alpha > 0, np.clip(seen, 0, 255), 255)
    return np.concatenate([colours.astype(np.uint8), pixels[..., -1:]], axis=-1)


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


def float_range(images):
    """Return the least and the greatest value of an array of floats.

    Raises:
        DataError: If there is a NaN or an infinity; the message says how many, in how many images.
    """
    step = max(1, SCAN_VALUES // max(1, images[0].size))
    low, high, values, bad_images = np.inf, -np.inf, 0, 0
    for start in range(0, len(images), step):
        part = np.asarray(images[start : start + step])
        finite = np.isfinite(part)
        if finite.all():
            low, high = min(low, float(part.min())), max(high, float(part.max()))
        else:
            values += int(part.size - np.count_nonzero(finite))
            bad_images += int((~finite).reshape(len(part), -1).any(axis=1).sum())
    if values:
        raise DataError(
            "`images` must be finite; remove or repair the images that are not. "
            f"Received: {values} NaN or infinite values in {bad_images} of {len(images)} images"
        )
    return low, high


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


def in_threads(function, items, chunk=512):
    """Yield `function(item)` in order, computed in a few threads (PIL releases the GIL)."""
    items = iter(items)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        while batch := list(itertools.islice(items, chunk)):  # Bounds the results in memory.
            yield from pool.map(function, batch)
