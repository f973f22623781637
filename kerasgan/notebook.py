"""What a notebook shows: pictures, and objects as a line of text above a grid of images."""

import base64
import html
import importlib
import io
import math
import sys

import numpy as np
from PIL import Image

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # Pillow's, by the number of channels.
SIDE = 640  # Pixels to which the longer side of a small picture is enlarged, at most.
LARGEST_SCALE = 16
MOST_PIXELS = 1_000_000  # Of all images that an object shows: a PNG of them takes a moment.


def running():
    """Return whether this is a notebook, as of Jupyter, Colab or VS Code; a terminal is none."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


def display(image):
    """Show a Pillow image, enlarged if it is small, in a notebook; elsewhere do nothing."""
    if running():
        image = enlarged(image, scale_of(image.height, image.width))
        importlib.import_module("IPython.display").display(image)


def tiled(tiles, columns=None, gap=1):
    """Return uint8 images `(n, height, width, channels)` side by side, with white between them.

    Args:
        tiles: The images.
        columns: Number of images in a row; by default the picture is about square.
        gap: Number of pixels between neighbours.
    """
    n, height, width, channels = tiles.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    canvas = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, channels), 255, "uint8"
    )
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def image_of(pixels):
    """Return a uint8 array `(height, width, 1 to 4)` as a Pillow image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def scale_of(height, width):
    """Return by which whole number a picture of that size is enlarged to be seen well."""
    return int(np.clip(SIDE // max(height, width), 1, LARGEST_SCALE))


def enlarged(image, scale):
    """Return a Pillow image in which a square of `scale` by `scale` pixels shows each pixel."""
    if scale == 1:
        return image
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def some(most, image_shape):
    """Return how many images of a shape an object shows, at most `most`; 0 if they are none."""
    height, width, channels = image_shape
    return min(most, max(1, MOST_PIXELS // (height * width))) if channels in MODES else 0


def html_of(text, draw, columns):
    """Return a line of text, and images below it where there are any, as HTML.

    Args:
        text: The line.
        draw: A callable that returns uint8 images `(n, height, width, 1 to 4)`, or None. Where it
            fails there is the line alone: nobody who looks at an object expects an error.
        columns: Number of images in a row.
    """
    line, file = f"<div>{html.escape(text)}</div>", io.BytesIO()
    try:
        tiles = draw()
        if tiles is None or not len(tiles):
            return line
        pixels = tiled(tiles, min(columns, len(tiles)))
        image_of(pixels).save(file, format="PNG")
    except Exception:
        return line
    width = pixels.shape[1] * scale_of(*pixels.shape[:2])
    return (
        f'{line}<img width="{width}" style="image-rendering: pixelated; max-width: 100%" '
        f'alt="{len(tiles)} images" '
        f'src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode("ascii")}">'
    )
