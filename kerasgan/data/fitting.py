"""A single image made as large as the networks take it, with the channels that they take."""

import numpy as np
from PIL import Image, ImageOps

from kerasgan import validation
from kerasgan.data import pixels
from kerasgan.data.pixels import DataError

FITS = ("crop", "pad", "stretch")
CHANNELS = (1, 3, 4)
HUGE = 16_000_000  # Pixels of an image that is shrunk before anything else is done to it,
BYTES = {"L", "LA", "RGB", "RGBA"}  # if its values are bytes.
MODES = {1: "L", 3: "RGB"}


def fitted(image, options, channels, largest=None, wide=False):
    """Return a PIL image as uint8 `(image_size, image_size, channels)`.

    Args:
        image: A PIL image.
        options: A dictionary of `image_size` and `upscale`, and of `bit_depth`, `fit` and
            `background` where they are given; see `kerasgan.data.load`.
        channels: 1, 3, 4, or None to keep grey as grey and colour as colour.
        largest: As in `pixels.eight_bit`.
        wide: As in `pixels.eight_bit`.

    Raises:
        DataError: If the image cannot be used.
    """
    background = options.get("background", "white")
    depth, alpha = options.get("bit_depth"), channels == 4
    image = without_excess(image, options["image_size"])
    image = pixels.eight_bit(image, depth, largest, wide, background, alpha)
    image = square(image, options["image_size"], options["upscale"], _fit(options), background)
    if channels in MODES:
        image = image.convert(MODES[channels])
    array = np.asarray(image)
    if alpha:
        return pixels.over_white(array)
    return array[..., None] if array.ndim == 2 else array


def as_image(array):
    """Return a uint8 array `(height, width, 1 to 4)` as a PIL image: L, LA, RGB or RGBA."""
    return Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)


def _fit(options):
    return options.get("fit", "crop")


def check(width, height, options):
    """Raise DataError for an image that is smaller than asked, unless it may be enlarged."""
    check_size(width, height, options["image_size"], options["upscale"], _fit(options))


def check_size(width, height, image_size, upscale, fit="crop"):
    """Raise DataError for an image smaller than `image_size` unless `upscale` is true.

    The shorter side counts, and of images that are padded the longer one.
    """
    side = max(width, height) if fit == "pad" else min(width, height)
    if side < image_size and not upscale:
        raise DataError(f"smaller than image_size={image_size} ({width}x{height})")


def square(image, image_size, upscale, fit="crop", background="white"):
    """Return the image as a square.

    Args:
        image: PIL image in mode L, RGB or RGBA.
        image_size: Side of the result in pixels; None keeps an image that is square already.
        upscale: Whether an image smaller than `image_size` is enlarged.
        fit: "crop" resizes the shorter side and keeps the middle of the longer one; "pad" resizes
            the longer side and fills up; "stretch" resizes each side by itself.
        background: Colour of what is filled up; in RGBA it is transparent white.

    Raises:
        DataError: If the image is too small, or not square when `image_size` is None.
    """
    width, height = image.size
    if image_size is None:
        if width != height:
            raise DataError(f"not square ({width}x{height}), and `image_size` is not given")
        return image
    check_size(width, height, image_size, upscale, fit)
    if width == height == image_size:
        return image
    size, box = (image_size, image_size), None
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
    elif fit == "pad":
        longer = max(width, height)
        size = tuple(max(1, round(side * image_size / longer)) for side in image.size)
    # LANCZOS widens its support when it shrinks, so nothing is aliased. reducing_gap first halves
    # huge images with a box filter; from 3 up the difference is not visible.
    image = image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return image if image.width == image.height else _padded(image, image_size, background)


def _padded(image, image_size, background):
    colour = validation.colour("background", background)
    fill = {"L": colour[0], "RGB": colour, "RGBA": (255, 255, 255, 0)}[image.mode]
    found = Image.new(image.mode, (image_size, image_size), fill)
    found.paste(image, ((image_size - image.width) // 2, (image_size - image.height) // 2))
    return found


def without_excess(image, image_size):
    """Return a huge image shrunk by a whole number, to at least four times the size needed.

    What follows makes copies of an image, each with four bytes a pixel.
    """
    if image_size is None or image.width * image.height <= HUGE or image.mode not in BYTES:
        return image
    factor = min(image.size) // (4 * image_size)
    return image.reduce(factor) if factor > 1 else image


def upright(image):
    """Return the image rotated or mirrored by its EXIF orientation."""
    return ImageOps.exif_transpose(image)
