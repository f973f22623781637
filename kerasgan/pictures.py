"""Writing images as pictures: grids, single files, animations."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan.data import to_uint8
from kerasgan.files import atomic

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # Pillow's, by the number of channels.


def grid(images, columns=None, gap=1):
    """Return images side by side as one picture.

    Args:
        images: `(n, height, width, channels)` in [-1, 1]; with 2 or 4 channels the last is
            alpha.
        columns: Number of images in a row; by default the picture is about square.
        gap: Number of white pixels between neighbours.

    Returns:
        A uint8 array of shape `(height, width, channels)` with a white background.
    """
    tiles = to_uint8(images)
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


def picture(pixels):
    """Return a uint8 array `(height, width, 1 to 4)` as a Pillow image.

    Two channels are grey and alpha, four are RGB and alpha.
    """
    if pixels.shape[-1] not in MODES:
        raise ValueError(
            f"`pixels` must have 1 to {max(MODES)} channels to be a picture. "
            f"Received: shape {pixels.shape}"
        )
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def opaque(image):
    """Return a Pillow image in RGB, with transparent pixels over white."""
    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def save_grid(path, images, columns=None, scale=1):
    """Write a grid of images as a PNG.

    Args:
        path: The file to write; it is replaced whole or not at all.
        images: Images `(n, height, width, channels)` in [-1, 1], with 1 to 4 channels.
        columns: Images in a row; by default about as many as rows.
        scale: Side in pixels of the square that shows one pixel.
    """
    image = picture(grid(images, columns))
    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    with atomic(path) as temporary:
        image.save(temporary, format="PNG")


def save_animation(path, frames, milliseconds=300):
    """Write picture files as one animation.

    Args:
        path: The file to write; its suffix, .gif or .webp, chooses the format.
        frames: Paths of the pictures, in order.
        milliseconds: Time for which each picture is shown; the last is shown five times as long.
    """
    images = [opaque(Image.open(frame)) for frame in frames]
    durations = [milliseconds] * (len(images) - 1) + [5 * milliseconds]
    with atomic(path) as temporary:
        images[0].save(
            temporary,
            format=Path(path).suffix[1:].upper(),
            save_all=True,
            append_images=images[1:],
            duration=durations,
            loop=0,
            **({"lossless": True} if Path(path).suffix == ".webp" else {}),
        )
