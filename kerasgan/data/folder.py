"""Folders of images, which may be nested and hold mixed formats and sizes."""

import contextlib
import functools
import os
import stat
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan.data import content, pixels
from kerasgan.data import labels as forms
from kerasgan.data.cache import Decoded, cached
from kerasgan.data.picture_files import open_picture
from kerasgan.data.pixels import DataError
from kerasgan.text import listed, printable, short

ROOM = pixels.Room(32_000_000)
REPEATED = "a link to a folder that is read already"
_DROPPINGS = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"}
_LISTED = 5


def load_folder(root, folder, options, progress=None, *, max_bad=0.1):
    """Return the `Decoded` images of a folder; see `kerasgan.data.sources`.

    Its own option `max_bad` is the greatest share of files that may be unusable.
    """
    if isinstance(max_bad, bool) or not isinstance(max_bad, (int, float)) or not 0 <= max_bad <= 1:
        raise DataError(f"`max_bad` must be a number from 0 to 1. Received: {max_bad!r}")
    root = Path(root)
    files, repeated = list_files(root)
    if not files:
        raise DataError(f"`name_or_path` must be a folder with images. Received: {root} (no files)")
    identity = {"root": str(root.resolve()), "files": files, **options}

    def decode(writer):
        return _decode(root, files, writer, options, max_bad, progress)

    decoded = cached(folder, "folder", identity, decode)
    # The images may come from the cache, where they were stored under another `max_bad`.
    skipped, tried = decoded.about["skipped"], decoded.about["tried"]
    _check_share(root, skipped, tried, max_bad)
    pixels.warn_if_dark(decoded.about.get("largest"), options.get("bit_depth"), root)
    unusable = {path for path, _ in skipped}
    used = [file for file in files[:tried] if file[0] not in unusable]
    labels, names = forms.in_order(decoded.labels, decoded.about["class_names"])
    about = {
        **decoded.about,
        "class_names": names,
        "skipped": [*skipped, *([path, REPEATED] for path in repeated)],
        "content": content.of_folder(root, used),
        "unlabelled": None if names else _why_unlabelled([path for path, _, _ in used]),
    }
    return Decoded(decoded.images, labels, about)


def list_files(root):
    """Return the files in a folder, those behind links to other folders included.

    Returns:
        `[path below root, size, mtime]` of every file that is not hidden, sorted by path, and the
        sorted paths of the links that were not followed, because they lead to a folder that is
        read already.
    """
    found, repeated, seen = [], [], set()
    links = [os.fspath(root)]
    while links:  # Folders come before links to them, whose files would be read twice.
        later = []
        for path in sorted(links):
            if _identity(path) in seen:
                repeated.append(os.path.relpath(path, root))
            else:
                _walk(path, root, seen, found, later, repeated)
        links = later
    return sorted(found), sorted(repeated)


def _walk(top, root, seen, found, links, repeated):
    """Add the files below a folder to `found`, and the links to folders there to `links`."""

    def unreadable(error):
        found.append([os.path.relpath(error.filename, root), -1, 0])

    seen.add(_identity(top))
    for parent, folders, names in os.walk(top, onerror=unreadable):
        kept = []
        for name in sorted(name for name in folders if not _ignored(name)):
            path = os.path.join(parent, name)
            identity = _identity(path)
            if os.path.islink(path):
                links.append(path)
            elif identity in seen:
                repeated.append(os.path.relpath(path, root))
            else:
                seen.add(identity)
                kept.append(name)
        folders[:] = kept
        for name in names:
            path = os.path.join(parent, name)
            if _ignored(name):
                continue
            size = modified = 0
            try:
                status = os.stat(path)
                # Opening a pipe would wait for ever: anything but a regular file gets size -1.
                size = status.st_size if stat.S_ISREG(status.st_mode) else -1
                modified = status.st_mtime_ns
            except OSError:
                size = -1
            found.append([os.path.relpath(path, root), size, modified])


def _identity(path):
    """Return what tells a folder from others, whatever path leads to it."""
    with contextlib.suppress(OSError):
        status = os.stat(path)
        if status.st_ino:
            return status.st_dev, status.st_ino
    return os.path.realpath(path)


def _ignored(name):
    return name.startswith(".") or name.lower() in _DROPPINGS or name == "__MACOSX"


def _decode(root, files, writer, options, max_bad, progress):
    largest = []
    read = functools.partial(read_image, root, options=options, largest=largest)
    kept, skipped, tried, all_grey = [], [], 0, options["channels"] is None
    limit = options["limit"] or len(files)
    with warnings.catch_warnings():  # PIL warns of broken metadata and of sizes checked here.
        warnings.filterwarnings("ignore", module="PIL")
        for (path, _, _), image in zip(files, pixels.in_threads(read, files), strict=True):
            tried += 1
            if isinstance(image, str):
                skipped.append([path, image])
            else:
                _check_same_size(path, image, writer)
                all_grey = all_grey and _is_grey(image)
                writer.add(image)
                kept.append(path)
            if progress is not None:
                progress(*(len(kept), limit) if options["limit"] else (tried, len(files)))
            if len(kept) == limit:
                break
    _check_share(root, skipped, tried, max_bad)
    if all_grey:
        writer.make_grey()
    labels, class_names = _classes(kept)
    about = {"skipped": skipped, "tried": tried, "class_names": class_names}
    return labels, {**about, "largest": pixels.usual_largest(largest)}


def read_image(root, file, options, largest=None):
    """Return a file as uint8 (image_size, image_size, channels), or why it cannot be used.

    Args:
        root: The folder of images.
        file: An entry of `list_files`.
        options: dict of image_size, channels and upscale, and bit_depth where it is given;
            channels None returns colour.
        largest: Optional list, to which the largest of 16-bit values is added.
    """
    path, size, _ = file
    if size == -1:
        return "cannot be read, or is not a regular file"
    if size == 0:
        return "empty file"
    image_size, upscale = options["image_size"], options["upscale"]
    try:
        with open_picture(root / path) as image:
            width, height = image.size
            if image_size is not None:
                pixels.check_size(width, height, image_size, upscale)
                # For JPEG: decode at a fraction of the size, at least twice the size needed.
                image.draft(None, (2 * image_size, 2 * image_size))
            wide, bits = pixels.wide_colour(image), options.get("bit_depth")
            # A progressive JPEG is held whole by its decoder.
            whole = width * height if "progressive" in image.info else 0
            with ROOM.taken(max(whole, image.width * image.height)):
                image = pixels.without_excess(pixels.upright(image), image_size)
                image = pixels.eight_bit(image, bits, largest, wide)
                image = pixels.square(image, image_size, upscale)
                return pixels.with_channels(image, options["channels"] or 3)
    except Image.UnidentifiedImageError:
        return "not an image"
    except (Image.DecompressionBombError, DataError) as error:
        return str(error)
    except MemoryError:
        return "needs too much memory"
    except Exception as error:  # PIL's decoders raise nearly anything on damaged files.
        return f"cannot be decoded: {short(error)}"


def _check_same_size(path, image, writer):
    if writer.shape not in (None, image.shape):
        raise DataError(
            "`image_size` must be given unless all images share one square size. Received: "
            f"image_size=None, {path} is {image.shape[1]}x{image.shape[0]}, others "
            f"{writer.shape[1]}x{writer.shape[0]}"
        )


def _is_grey(image):
    return np.array_equal(image[..., 0], image[..., 1]) and np.array_equal(
        image[..., 1], image[..., 2]
    )


def _check_share(root, skipped, tried, max_bad):
    if len(skipped) < tried and len(skipped) <= max_bad * tried:
        return
    named = [(printable(path), printable(reason)) for path, reason in skipped[:_LISTED]]
    listed = "".join(f"\n  {path}: {reason}" for path, reason in named)
    more = f"\n  and {len(skipped) - _LISTED} more" if len(skipped) > _LISTED else ""
    remedies = ["remove or repair them"]
    if any("`image_size` is not given" in reason for _, reason in skipped):
        remedies.append("give `image_size`")
    if any("smaller than image_size" in reason for _, reason in skipped):
        remedies.append("give a smaller `image_size` or upscale=True")
    if len(skipped) < tried:
        remedies.append("raise `max_bad`")
    raise DataError(
        f"`name_or_path` must hold at most max_bad={max_bad:.0%} of bad files: "
        f"{' or '.join(remedies)}.{listed}{more}\n"
        f"Received: {root} with {len(skipped)} bad of {tried} files"
    )


def _classes(paths):
    """Return labels and class names from the first-level folders, if there are two or more."""
    firsts = _firsts(paths)
    names = sorted({name for name in firsts if name is not None})
    if None in firsts or len(names) < 2:
        return None, None
    index = {name: i for i, name in enumerate(names)}
    return np.array([index[name] for name in firsts], np.int32), names


def _firsts(paths):
    """Return the first-level folder of each file, or None for a file beside the folders."""
    return [Path(path).parts[0] if len(Path(path).parts) > 1 else None for path in paths]


def _why_unlabelled(paths):
    """Return why files have no classes, as words that follow a colon."""
    firsts = _firsts(paths)
    names = sorted({name for name in firsts if name is not None}, key=forms.natural)
    strays = [path for path, first in zip(paths, firsts, strict=True) if first is None]
    if not names:
        return "the images of each class must lie in a folder of their own, and there is none"
    if not strays:
        return f"two folders or more make classes, and there is one, {names[0]}"
    verb = "lie" if len(strays) > 1 else "lies"
    return (
        f"{listed(strays, 3)} {verb} beside the folders {listed(names, 5)}; each image must lie in "
        "the folder of its class"
    )
