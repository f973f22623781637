"""A single image made of the size that the networks take, with the channels that they take."""

from fractions import Fraction

import numpy as np
from PIL import Image, ImageOps

from kerasgan import sizes, validation
from kerasgan.data import pixels
from kerasgan.data.pixels import DataError

FITS = ("crop", "pad", "stretch")
CHANNELS = (1, 3, 4)
HUGE = 16_000_000  # Pixels of an image that is shrunk before anything else is done to it,
BYTES = {"L", "LA", "RGB", "RGBA"}  # if its values are bytes.
MODES = {1: "L", 3: "RGB"}


def fitted(image, options, channels, largest=None, wide=False):
    """Return a PIL image as uint8 `(height, width, channels)` of an `image_size`.

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
    image = shaped(image, options["image_size"], options["upscale"], _fit(options), background)
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

    Both sides count, and of images that are padded one.
    """
    high, wide = sizes.sides(image_size)
    small = (width < wide, height < high)
    if (all(small) if fit == "pad" else any(small)) and not upscale:
        asked = sizes.text(image_size)
        raise DataError(f"smaller than image_size={asked} ({width}x{height})")


def shaped(image, image_size, upscale, fit="crop", background="white"):
    """Return the image in a size.

    Args:
        image: PIL image in mode L, RGB or RGBA.
        image_size: Side of the result in pixels, or its height and width; None keeps an image that
            is square.
        upscale: Whether an image smaller than `image_size` is enlarged.
        fit: "crop" keeps the middle of the side that is too long for the shape; "pad" fills up
            beside the one that is too short; "stretch" resizes each side by itself.
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
    wanted = sizes.sides(image_size)[::-1]  # Pillow has the width first.
    if image.size == wanted:
        return image
    size, box = wanted, None
    wide, high = wanted
    if fit == "crop":
        across, down = min(width, height * wide / high), min(height, width * high / wide)
        left, top = (width - across) / 2, (height - down) / 2
        box = (left, top, left + across, top + down)
    elif fit == "pad":
        scale = Fraction(wide, width), Fraction(high, height)
        size = tuple(max(1, round(side * min(scale))) for side in image.size)
    # LANCZOS widens its support when it shrinks, so nothing is aliased. reducing_gap first halves
    # huge images with a box filter; from 3 up the difference is not visible.
    image = image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return image if image.size == wanted else _padded(image, wanted, background)


def _padded(image, size, background):
    colour = validation.colour("background", background)
    fill = {"L": colour[0], "RGB": colour, "RGBA": (255, 255, 255, 0)}[image.mode]
    found = Image.new(image.mode, size, fill)
    found.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return found


def without_excess(image, image_size):
    """Return a huge image shrunk by a whole number, to at least four times the size needed.

    What follows makes copies of an image, each with four bytes a pixel.
    """
    if image_size is None or image.width * image.height <= HUGE or image.mode not in BYTES:
        return image
    height, width = sizes.sides(image_size)
    factor = min(image.width // (4 * width), image.height // (4 * height))
    return image.reduce(factor) if factor > 1 else image


def upright(image):
    """Return the image rotated or mirrored by its EXIF orientation."""
    return ImageOps.exif_transpose(image)
