"""Writing images as pictures: grids, single files, animations."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan import notebook, validation
from kerasgan.data import to_uint8
from kerasgan.data.picture_files import open_picture
from kerasgan.data.pixels import straight, warn_without_dark
from kerasgan.files import atomic
from kerasgan.notebook import MODES

GAPS = range(9)  # Pixels between the images of a grid that `gap_of` tries.
NEAR = 24  # How far JPEG may move the colour of such a gap.
LARGEST = 640  # Side of an animation, in pixels,
MOST_PIXELS = 40_000_000  # and pixels of all its frames.


def grid(images, columns=None, gap=1):
    """Return images side by side as one picture.

    Args:
        images: `(n, height, width, channels)`, floats in [-1, 1] or uint8; with 2 or 4 channels
            the last is transparency, and the others are the picture over white, as
            `kerasgan.data.load` makes them.
        columns: Number of images in a row; by default the picture is about square.
        gap: Number of white pixels between neighbours.

    Returns:
        A uint8 array of shape `(height, width, channels)` with a white background.
    """
    return notebook.tiled(to_uint8(images), columns, gap)


def show(images, columns=None, most=100, scale=None):
    """Return images side by side as one picture, which a notebook shows below its cell.

    A notebook shows the value of the last line of a cell. Elsewhere in a cell,
    `IPython.display.display(show(images))` shows the picture. In a script nothing is shown; the
    picture is a Pillow image, which can be saved.

    Args:
        images: Images `(n, height, width, channels)`, an array or a backend's tensor, uint8 or
            floats in [-1, 1]; with 2 or 4 channels the last is alpha. Grey images may be `(n,
            height, width)`, and a single image may lack the first axis.
        columns: Number of images in a row; by default the picture is about square.
        most: How many images are shown, at most; the first ones.
        scale: Side in pixels of the square that shows one pixel; by default small pictures are
            enlarged up to 640 pixels.

    Raises:
        ValueError: If the array has another shape or type.

    Example:
    ```python
    kerasgan.pictures.show(gan.sample(64, seed=1))
    ```
    """
    validation.positive_integer("most", most)
    for name, value in (("columns", columns), ("scale", scale)):
        if value is not None:
            validation.positive_integer(name, value)
    shown = picture(notebook.tiled(_bytes_of(images, most), columns))
    return notebook.enlarged(shown, scale or notebook.scale_of(shown.height, shown.width))


def _bytes_of(images, most):
    """Return the first images of an array or a tensor of any form that `show` takes, as uint8."""
    if not isinstance(images, (np.ndarray, list, tuple)):  # Else nothing is computed.
        import keras

        if keras.ops.is_tensor(images):
            images = keras.ops.convert_to_numpy(images)
    images = np.asanyarray(images)  # A memory map is read no further than it is shown.
    shape = images.shape
    if images.ndim == 2 or (images.ndim == 3 and shape[-1] in MODES):
        images = images[None]
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or 0 in shape or images.shape[-1] not in MODES:
        raise ValueError(
            "`images` must have the shape (n, height, width, channels), with 1 to "
            f"{max(MODES)} channels. Received: shape {shape}"
        )
    images = images[:most]
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating) and images.dtype.name != "bfloat16":
        raise ValueError(
            "`images` must be uint8 (0 to 255) or floats in [-1, 1]. "
            f"Received: dtype {images.dtype}"
        )
    images = images.astype("float32", copy=False)
    if np.isfinite(images).any():
        finite = images[np.isfinite(images)]
        warn_without_dark("images", float(finite.min()), float(finite.max()))
    return to_uint8(images)


def tiles(pixels, height, width, gap=None):
    """Return the images of a grid, the opposite of `grid`.

    The grids of other programs may have a border as wide as the gap, as torchvision's have. Places
    at the end of the last row that hold nothing but the colour of the gap are no images.

    Args:
        pixels: A uint8 array `(height, width, channels)`.
        height: Height of one image.
        width: Width of one image.
        gap: Pixels between two images; by default what `gap_of` finds.

    Returns:
        A uint8 array `(n, height, width, channels)`, or None if the picture is no such grid.
    """
    gap = gap_of(pixels, height, width) if gap is None else gap
    found = [] if gap is None else _layouts(pixels, height, width, gap)
    if not found:
        return None
    tops, lefts, between = found[0]
    images = np.stack([pixels[y : y + height, x : x + width] for y in tops for x in lefts])
    empty = np.median(between, axis=0) if len(between) else np.inf
    full = len(images)
    for _ in lefts[1:]:
        full -= bool(np.abs(images[full - 1] - empty).max() <= NEAR)
    return images[:full]


def gap_of(pixels, height, width):
    """Return how many pixels lie between the images of a grid, 0 to 8, or None if it is none.

    Of the gaps that fit it is the widest whose lines have one colour.

    Args:
        pixels: A uint8 array `(height, width, channels)`.
        height: Height of one image.
        width: Width of one image.
    """
    plain = []
    for gap in GAPS:
        for _, _, between in _layouts(pixels, height, width, gap):
            if _spread(between) <= _spread(pixels) / 3:
                plain.append(gap)
    # A picture of one colour has such lines everywhere.
    return None if not plain else max(plain) if _spread(pixels) > 0 else min(plain)


def _layouts(pixels, height, width, gap):
    """Return where images may begin, from above and from the left, and the pixels between them."""
    found = []
    for border in sorted({0, gap}):
        tops = _starts(pixels.shape[0], height, gap, border)
        lefts = _starts(pixels.shape[1], width, gap, border)
        if tops and lefts:
            images = _inside(pixels.shape[0], tops, height)[:, None]
            images = images & _inside(pixels.shape[1], lefts, width)
            found.append((tops, lefts, pixels[~images]))
    return found


def _spread(pixels):
    """Return how far pixels lie from their median, in the mean."""
    pixels = pixels.reshape(-1, pixels.shape[-1]).astype("float32")
    return float(np.abs(pixels - np.median(pixels, axis=0)).mean()) if len(pixels) else 0.0


def _starts(side, size, space, border):
    """Return where the images begin along one side of a grid; an empty list if they do not fit."""
    count, rest = divmod(side - 2 * border + space, size + space)
    return [border + i * (size + space) for i in range(count)] if count > 0 and not rest else []


def _inside(side, starts, size):
    found = np.zeros(side, bool)
    for start in starts:
        found[start : start + size] = True
    return found


def picture(pixels):
    """Return a uint8 array `(height, width, 1 to 4)` as a Pillow image in mode L, LA, RGB or RGBA.

    The last of two or four channels is transparency, and the others are the picture over white.
    """
    if pixels.shape[-1] not in MODES:
        raise ValueError(
            f"`pixels` must have 1 to {max(MODES)} channels to be a picture. "
            f"Received: shape {pixels.shape}"
        )
    return notebook.image_of(straight(pixels))


def opaque(image):
    """Return a Pillow image in RGB, with transparent pixels over white."""
    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def opened(path):
    """Return a picture file as a Pillow image in RGB, or None if it cannot be read."""
    try:
        with warnings.catch_warnings(), open_picture(path) as image:
            warnings.simplefilter("ignore")  # Pillow warns of sizes that were checked.
            return opaque(image)
    except Exception:  # Pillow raises many kinds of errors for files that are damaged.
        return None


def save_grid(path, images, columns=None, scale=1):
    """Write a grid of images as a PNG.

    Args:
        path: The file to write; it is replaced whole or not at all.
        images: Images `(n, height, width, channels)`, floats in [-1, 1] or uint8, with 1 to 4
            channels.
        columns: Images in a row; by default about as many as rows.
        scale: Side in pixels of the square that shows one pixel.
    """
    image = notebook.enlarged(picture(grid(images, columns)), scale)
    with atomic(path) as temporary:
        image.save(temporary, format="PNG")


def save_animation(path, frames, milliseconds=300):
    """Write picture files as one animation.

    It has at most 40 million pixels: larger pictures are shrunk to a side of 640, and of too many
    some are taken, evenly, the last always. One picture at a time is in memory.

    Args:
        path: The file to write; its suffix, .gif or .webp, chooses the format.
        frames: Paths of the pictures, in order. The first gives the size; a picture that cannot be
            read shows the one before it.
        milliseconds: Time for which each picture is shown; the last is shown five times as long.

    Raises:
        OSError: If none of the pictures can be read, or the file cannot be written.
    """
    film = _film_of(list(frames))
    durations = [milliseconds] * (film.n_frames - 1) + [5 * milliseconds]
    with atomic(path) as temporary:
        film.save(
            temporary,
            format=Path(path).suffix[1:].upper(),
            save_all=True,
            duration=durations,
            loop=0,
            **({"lossless": True} if Path(path).suffix == ".webp" else {}),
        )


def _film_of(paths):
    """Return picture files as the frames of an animation."""
    first = next(filter(None, map(opened, paths)), None)
    if first is None:
        raise OSError(f"none of {len(paths)} pictures can be read")
    first.thumbnail((LARGEST, LARGEST))
    most = max(1, MOST_PIXELS // (first.width * first.height))
    if len(paths) > most:
        paths = [paths[round(i)] for i in np.linspace(len(paths) - 1, 0, most)][::-1]
    return Frames(len(paths), lambda place: opened(paths[place]), first)


class Frames(Image.Image):
    """Pictures as one image of several frames, each of which is made when it is its turn.

    Pillow saves such an image as an animation, and one picture at a time is in memory.

    Args:
        count: How many.
        picture: A callable that returns the Pillow image of a frame's number, or None, where the
            one before is shown again. An image of another size is resized.
        first: A Pillow image that gives the size; by default the first frame, which must be there.
    """

    def __init__(self, count, picture, first=None):
        super().__init__()
        self.n_frames = count
        self._picture, self._place = picture, None
        if first is None:
            first, self._place = picture(0), 0
        self._show(first)

    def _show(self, image):
        self.im, self._mode, self._size = image.im, image.mode, image.size

    def seek(self, frame):
        """Show a frame."""
        if frame >= self.n_frames:
            raise EOFError
        if frame != self._place:
            image = self._picture(frame)
            if image is not None:
                self._show(image if image.size == self.size else image.resize(self.size))
            self._place = frame

    def tell(self):
        """Return the number of the frame that is shown."""
        return self._place or 0
