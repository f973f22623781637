"""The pictures that another program writes into a folder, as batches of generated images."""

import re
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan import pictures
from kerasgan.data import from_uint8
from kerasgan.data.labels import natural
from kerasgan.data.picture_files import open_picture
from kerasgan.data.pixels import eight_bit, over_white, wide_colour

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
# What Pillow raises for files that are damaged, half-written, or too large.
UNREADABLE = (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError)
TRIES = 5  # How often a picture that cannot be read is tried, before it is left out.
FEWEST = 32  # Generated images of a check.
SINGLES = 100  # Single images of a check.


class PicturesError(ValueError):
    """The pictures in a folder cannot be understood."""


class Pictures:
    """Reads what a program has written into a folder since it was last asked.

    A picture that is larger than one image is a grid and makes a check of its own. Single images
    make a check for every `samples` of them, in the order of their names, in which numbers count as
    numbers. Left out are hidden files, those whose names begin with "real", and those without a
    number in their path, such as `latest.png`, which are no part of a series.

    Args:
        folder: Where the program writes, with its subfolders.
        image_shape: `(height, width, channels)` of one generated image; channels are 1, 3 or 4.
        samples: Images in a check. By default all in a grid, or 100 single images.
        gap: Pixels between the images of a grid; by default they are found out.
        pattern: Which files to read, as for `pathlib.Path.match`.
        leave_out: A folder inside which nothing is read.

    Attributes:
        skipped: What could not be used: pairs of a path and a reason.
    """

    def __init__(self, folder, image_shape, samples=None, gap=None, pattern="*", leave_out=None):
        self.folder = Path(folder)
        self.image_shape = tuple(image_shape)
        self.samples = samples
        self.gap = gap
        self.pattern = pattern
        self.leave_out = None if leave_out is None else Path(leave_out).resolve()
        self.skipped = []
        self._done = set()
        self._failed = {}  # How often each picture could not be read.
        self._kinds = set()  # The kinds of names of those that fit: one.
        self._singles = []  # Single images that wait for others, and their paths.

    def new(self, last=False):
        """Yield the checks that the new pictures make.

        Args:
            last: Whether nothing more will be written, so that what cannot be read is left out at
                once.

        Yields:
            The path of the check's last picture, and images `(n, height, width, channels)` in
            [-1, 1].

        Raises:
            PicturesError: If the names are of several kinds, or a picture is no grid of such
                images.
        """
        for path in self._found():
            try:
                found = list(self._check(path, self._read(path)))
            except PicturesError as error:
                if not self._kinds:
                    raise
                self._skip(path, str(error))
                continue
            except UNREADABLE as error:
                self._failed[path] = self._failed.get(path, 0) + 1
                if isinstance(error, FileNotFoundError):
                    continue  # It has vanished; if it comes back, it is read.
                if last or self._failed[path] >= TRIES:
                    self._skip(path, f"cannot be read: {error}")
                    continue
                return  # Those after it wait: the order of the checks counts.
            self._done.add(path)
            self._kinds.add(self._kind(path))
            yield from found

    def _found(self):
        paths = [p for p in self.folder.rglob("*") if p not in self._done and self._wanted(p)]
        kinds = {self._kind(path): path.name for path in paths}
        if self._kinds:
            for path in paths:
                if self._kind(path) not in self._kinds:
                    self._skip(path, "has a name of another kind than those before it")
            paths = [path for path in paths if self._kind(path) in self._kinds]
        elif len(kinds) > 1:
            examples = ", ".join(sorted(kinds.values())[:4])
            raise PicturesError(
                "the pictures must be of one kind; `pattern` chooses some by their names. "
                f"Received: {examples}"
            )
        return sorted(paths, key=lambda path: [natural(p) for p in self._parts(path)])

    def _wanted(self, path):
        parts = self._parts(path)
        left_out = any(part.startswith(".") for part in parts)
        left_out |= path.name.lower().startswith("real")
        left_out |= not re.search(r"\d", "/".join(parts))
        fits = path.suffix.lower() in SUFFIXES and path.match(self.pattern)
        if left_out or not fits or not path.is_file():
            return False
        return self.leave_out is None or self.leave_out not in path.resolve().parents

    def _parts(self, path):
        return path.relative_to(self.folder).parts

    def _kind(self, path):
        return re.sub(r"\d+", "0", path.name)

    def _read(self, path):
        with warnings.catch_warnings(), open_picture(path) as opened:
            warnings.simplefilter("ignore")  # Pillow warns of sizes that were checked.
            wide = wide_colour(opened)
            opened.load()
            alpha = self.image_shape[-1] == 4
            image = eight_bit(opened, wide=wide, alpha=alpha)
        if image.mode == "L" and self.image_shape[-1] == 3:
            raise PicturesError(
                f"{path.name} is grey, and the real images are in colour; `channels` 1 compares "
                "both in grey"
            )
        if alpha:
            return over_white(np.asarray(image))
        pixels = np.asarray(image.convert("L" if self.image_shape[-1] == 1 else "RGB"))
        return pixels.reshape(*pixels.shape[:2], -1)

    def _check(self, path, pixels):
        if pixels.shape == self.image_shape:
            self._singles.append(pixels)
            self.samples = self.samples or SINGLES
            if len(self._singles) >= self.samples:
                images, self._singles = np.stack(self._singles), []
                yield path, from_uint8(images)
            return
        if self.gap is None:  # Found out once: a grid that has collapsed may have no lines to see.
            self.gap = pictures.gap_of(pixels, *self.image_shape[:2])
        images = pictures.tiles(pixels, *self.image_shape[:2], self.gap)
        if images is None:
            height, width = self.image_shape[:2]
            gaps = f"0 to {pictures.GAPS[-1]}" if self.gap is None else self.gap
            raise PicturesError(
                f"pictures must be images of {height}x{width} pixels, or grids of them with "
                f"{gaps} pixels between. Received: {path.name} of "
                f"{pixels.shape[0]}x{pixels.shape[1]}"
            )
        if len(images) < FEWEST:
            raise PicturesError(
                f"a grid must hold at least {FEWEST} images to tell a collapse from chance. "
                f"Received: {len(images)} in {path.name}"
            )
        self.samples = self.samples or len(images)
        if len(images) < self.samples:
            self._skip(path, f"holds {len(images)} images, fewer than {self.samples}")
        else:
            yield path, from_uint8(images[: self.samples])

    def _skip(self, path, reason):
        self._done.add(path)
        self.skipped.append((path, reason))
