"""`survey`: what is in a folder, a zip archive or an array file, before anything is trained."""

import dataclasses
import warnings

import numpy as np
from PIL import Image

from kerasgan import sizes
from kerasgan.data import arrays, copies, folder, pixels
from kerasgan.data.cache import Decoded
from kerasgan.data.folder_files import FolderFiles
from kerasgan.data.picture_files import open_picture
from kerasgan.data.pixels import DataError
from kerasgan.data.sources import decoded, find
from kerasgan.data.zip_files import ZipFiles

LOOKED_AT = 100  # Images with a transparency channel that are searched for transparent pixels.


@dataclasses.dataclass
class Header:
    """What a picture file says of itself.

    Args:
        path: Its path below the folder.
        width: In pixels, as it is shown.
        height: In pixels.
        mode: Pillow's mode, such as RGB.
        format: Pillow's name of the format, such as PNG.
        alpha: Whether pixels may be transparent.
    """

    path: str
    width: int
    height: int
    mode: str
    format: str
    alpha: bool


@dataclasses.dataclass
class Survey:
    """What is in the data, as `survey` finds it.

    Attributes:
        name: The name or the path.
        source: A key of `kerasgan.catalogue.SOURCES`.
        image_size: The side that the images were decoded with, in pixels, or height and width.
        fit: How they became square; see `kerasgan.data.load`.
        advised_size: The side that is advised, in pixels.
        decoded: The images as the networks see them, a `Decoded` set.
        headers: A `Header` for each picture file that can be opened; empty for other sources.
        shape: `(height, width, channels)` of the images in an array file; else None.
        transparent: Of the images with a transparency channel that were looked at, how many there
            are and how many have transparent pixels.
        firsts: What `copies.equal` says of the images, or None for too many.
        nearly: What `copies.near` says, or None.
    """

    name: str
    source: str
    image_size: int
    fit: str
    advised_size: int
    decoded: Decoded
    headers: list
    shape: tuple | None
    transparent: tuple
    firsts: np.ndarray | None
    nearly: np.ndarray | None

    @property
    def count(self):
        """Number of images that can be used."""
        return len(self.decoded.images)

    @property
    def skipped(self):
        """Pairs of a path and the reason why it is not used."""
        return [tuple(pair) for pair in self.decoded.about.get("skipped", ())]

    @property
    def sides(self):
        """Of each picture file the side that `image_size` must not exceed, in pixels."""
        return counted_sides([(h.width, h.height) for h in self.headers], self.fit)

    @property
    def classes(self):
        """The number of images of each class by its name, or None."""
        if self.decoded.labels is None:
            return None
        names, labels = self.decoded.about.get("class_names"), self.decoded.labels
        values, counts = np.unique(labels, return_counts=True)
        found = zip(values.tolist(), counts.tolist(), strict=True)
        return {str(names[value] if names else value): count for value, count in found}

    @property
    def copies(self):
        """Pairs of indices: an image, and the first one that is equal to it."""
        return [] if self.firsts is None else copies.pairs(self.firsts)

    @property
    def near_copies(self):
        """Pairs of indices: an image, and the first one that is nearly, but not quite, equal."""
        if self.nearly is None:
            return []
        own = self.firsts == np.arange(self.count)
        return [pair for pair in copies.pairs(self.nearly) if own[pair[0]]]

    def label(self, index):
        """Return what an image is called: its path, or its number."""
        paths = self.decoded.about.get("paths")
        return paths[index] if paths else f"image {index}"


def survey(name_or_path, image_size=None, channels=None, fit="crop", progress=None, **options):
    """Return the `Survey` of data; Keras is not needed.

    Args:
        name_or_path: As for `kerasgan.data.load`, as all arguments.
        image_size: By default the images' own, or of images of several sizes the one advised.
        channels: See `load`.
        fit: See `load`.
        progress: Optional callable `(what, done, total)`.
        **options: Other arguments of `load`, such as `upscale`.

    Raises:
        DataError: If there is nothing that can be used.
    """
    name, source = find(name_or_path)
    headers, transparent, shape = [], (0, 0), None

    def told(what):
        return progress and (lambda done, total: progress(what, done, total))

    if source in ("folder", "zip"):
        headers, transparent = _looked_at(name, source, told("opening images"))
        sides = [(header.width, header.height) for header in headers]
    elif source == "array":
        shape = arrays.image_shape(name)
        sides = [(shape[1], shape[0])]
    else:
        sides = []
    advised, enlarged = sizes.advised(counted_sides(sides, fit))
    own = sides[0] if len(set(sides)) == 1 else (0, 0)
    if image_size is None and sides and (own[0] != own[1] or not sizes.is_doubled(own[0])):
        image_size = advised
        if enlarged:
            options = {"upscale": True, **options}
    options = {"max_bad": 1.0, **options}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        _, found = decoded(name_or_path, image_size, channels, fit=fit,
                           progress=told("reading images"), **options)  # fmt: skip
    firsts = nearly = None
    if copies.few_enough(found.images):
        firsts = copies.equal(found.images)
        nearly = copies.near(pixels.to_uint8(found.images), firsts)
    size = sizes.shortest(*found.images.shape[1:3])
    if not sides:
        advised, _ = sizes.advised(counted_sides([found.images.shape[1:3]], fit))
    return Survey(name, source, size, fit, advised, found, headers, shape, transparent, firsts,
                  nearly)  # fmt: skip


def counted_sides(pairs, fit="crop"):
    """Return of each image the side that `image_size` must not exceed.

    Args:
        pairs: Of a width and a height.
        fit: As for `load`: the shorter side counts, and of images that are padded the longer one.
    """
    return [max(pair) if fit == "pad" else min(pair) for pair in pairs]


def some_sides(path, source, most, fit="crop"):
    """Return the sides of about `most` of the pictures; see `Survey.sides`.

    Args:
        path: A folder or a zip archive.
        source: "folder" or "zip".
        most: Number of files that are opened, at most.
        fit: As for `kerasgan.data.load`.
    """
    with _opened(path, source) as files, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        some = files.files[:: -(-len(files.files) // most) or 1]
        headers = filter(None, (_header(files, file) for file in some))
        return counted_sides([(header.width, header.height) for header in headers], fit)


def _opened(path, source):
    return FolderFiles(path) if source == "folder" else ZipFiles(path)


def _looked_at(name, source, progress):
    """Return the `Header` of each picture, and how many are transparent of those looked at."""
    headers = []
    with _opened(name, source) as files, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")

        def header(file):
            return _header(files, file)

        for done, found in enumerate(pixels.in_threads(header, files.files), 1):
            headers += [found] if found else []
            if progress is not None:
                progress(done, len(files.files))
        by_path = {file[0]: file for file in files.files}
        with_alpha = [by_path[h.path] for h in headers if h.alpha]
        chosen = with_alpha[:: -(-len(with_alpha) // LOOKED_AT) or 1]
        options = {"image_size": sizes.ADVISED[0], "channels": 4, "upscale": True, "fit": "stretch"}
        seen = [folder.read_image(files, file, options) for file in chosen]
    seen = [image for image in seen if not isinstance(image, str)]
    return headers, (len(seen), sum(bool((image[..., 3] < 255).any()) for image in seen))


def _header(files, file):
    if files.refusal(file):
        return None
    try:
        with files.opened(file[0]) as opened, open_picture(opened) as image:
            width, height = image.size
            if image.getexif().get(0x0112, 1) > 4:  # It lies on its side.
                width, height = height, width
            alpha = pixels.has_alpha(image)
            return Header(file[0], width, height, image.mode, image.format, alpha)
    except (DataError, Image.DecompressionBombError):
        return None
    except Exception:  # Pillow raises nearly anything on damaged files; decoding says which.
        return None
