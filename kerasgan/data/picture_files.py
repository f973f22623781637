"""Picture files of strangers, opened within bounds."""

import functools

from PIL import Image

from kerasgan.data.pixels import DataError
from kerasgan.files import regular

MOST = 50_000_000  # Pixels of a picture: four bytes each, and about five copies of them at a time.
MOST_OF_JPEG = 100_000_000  # They are decoded at a fraction of their size.


@functools.cache
def formats():
    """Return the formats to open. EPS is not among them: Pillow runs an interpreter for it."""
    Image.init()
    wanted = {"JPEG", "PNG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "TGA", "AVIF", "JPEG2000"}
    return tuple(sorted(wanted & Image.OPEN.keys()))


def open_picture(file):
    """Return a picture as a Pillow image, which is not decoded yet.

    Args:
        file: The path of a file, or an open one.

    Raises:
        OSError: If it is no regular file, or no picture.
        DataError: If it has too many pixels.
    """
    image = Image.open(file if hasattr(file, "read") else regular(file), formats=formats())
    width, height = image.size
    most = MOST_OF_JPEG if image.format == "JPEG" else MOST
    if width * height > most:
        image.close()
        raise DataError(f"more than {most} pixels ({width}x{height})")
    return image
