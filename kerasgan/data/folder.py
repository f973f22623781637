"""Folders and zip archives of images, which may be nested and hold mixed formats and sizes."""

import functools
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan import sizes
from kerasgan.data import content, dataset_json, fitting, pixels
from kerasgan.data import labels as forms
from kerasgan.data.cache import Decoded, cached
from kerasgan.data.folder_files import FolderFiles
from kerasgan.data.picture_files import open_picture
from kerasgan.data.pixels import DataError
from kerasgan.data.zip_files import ZipFiles
from kerasgan.text import listed, printable, short

ROOM = pixels.Room(32_000_000)
_LISTED = 5


def load_folder(root, folder, options, progress=None, *, max_bad=0.1):
    """Return the `Decoded` images of a folder; see `kerasgan.data.sources`.

    Its own option `max_bad` is the greatest share of files that may be unusable.
    """
    with FolderFiles(root) as source:
        return _load(source, root, folder, options, progress, max_bad)


def load_zip(path, folder, options, progress=None, *, max_bad=0.1):
    """Return the `Decoded` images of a zip archive, as `load_folder` does of a folder."""
    with ZipFiles(path) as source:
        return _load(source, path, folder, options, progress, max_bad)


def _load(source, name, folder, options, progress, max_bad):
    if isinstance(max_bad, bool) or not isinstance(max_bad, (int, float)) or not 0 <= max_bad <= 1:
        raise DataError(f"`max_bad` must be a number from 0 to 1. Received: {max_bad!r}")
    files, given = source.files, None
    if not files:
        what = {"folder": "a folder", "zip": "a zip file"}[source.kind]
        raise DataError(f"`name_or_path` must be {what} with images. Received: {name} (no files)")
    if source.has_labels:
        given = dataset_json.read(source.labels_text())

    def decode(writer):
        return None, _decode(source, name, writer, options, max_bad, progress)

    decoded = cached(folder, source.kind, {**source.identity(), **options}, decode)
    # The images may come from the cache, where they were stored under another `max_bad`.
    skipped, tried = decoded.about["skipped"], decoded.about["tried"]
    _check_share(name, skipped, tried, max_bad)
    pixels.warn_if_dark(decoded.about.get("largest"), options.get("bit_depth"), name)
    unusable = {path for path, _ in skipped}
    used = [file for file in files[:tried] if file[0] not in unusable]
    paths = [path for path, _, _ in used]
    if given is None:
        labels, names = _classes(paths)
        unlabelled = None if names else _why_unlabelled(paths)
    else:
        known = [path for path, _, _ in files]
        labels, names = dataset_json.of(given, paths, known) if given else None, None
        unlabelled = None if given else dataset_json.NONE
    about = {
        **decoded.about,
        "class_names": names,
        "skipped": [*skipped, *source.skipped],
        "content": content.of_files(source, used, labels if given else None),
        "unlabelled": unlabelled,
        "paths": paths,
    }
    return Decoded(decoded.images, labels, about)


def _decode(source, name, writer, options, max_bad, progress):
    files, largest = source.files, []
    read = functools.partial(read_image, source, options=options, largest=largest)
    skipped, tried, kept, all_grey = [], 0, 0, options["channels"] is None
    limit = options["limit"] or len(files)
    with warnings.catch_warnings():  # PIL warns of broken metadata and of sizes checked here.
        warnings.filterwarnings("ignore", module="PIL")
        for file, image in zip(files, pixels.in_threads(read, files), strict=True):
            tried += 1
            if isinstance(image, str):
                skipped.append([file[0], image])
            else:
                _check_same_size(file[0], image, writer)
                all_grey = all_grey and _is_grey(image)
                writer.add(image)
                kept += 1
            if progress is not None:
                progress(*(kept, limit) if options["limit"] else (tried, len(files)))
            if kept == limit:
                break
    _check_share(name, skipped, tried, max_bad)
    if all_grey:
        writer.make_grey()
    return {"skipped": skipped, "tried": tried, "largest": pixels.usual_largest(largest)}


def read_image(source, file, options, largest=None):
    """Return a file as uint8 `(height, width, channels)`, or why it cannot be used.

    Args:
        source: The `FolderFiles` or `ZipFiles` that the file is in.
        file: One of its `files`.
        options: A dictionary as in `fitting.fitted`, with `channels`; None there returns colour.
        largest: Optional list, to which the largest of 16-bit values is added.
    """
    refusal = source.refusal(file)
    if refusal is not None:
        return refusal
    image_size = options["image_size"]
    try:
        with source.opened(file[0]) as opened, open_picture(opened) as image:
            width, height = image.size
            if image_size is not None:
                sides = sizes.sides(image_size)
                if sides[0] == sides[1]:  # Otherwise it matters whether it lies on its side.
                    fitting.check(width, height, options)
                # For JPEG: decode at a fraction of the size, at least twice the size needed.
                image.draft(None, (2 * max(sides), 2 * max(sides)))
            wide = pixels.wide_colour(image)
            # A progressive JPEG is held whole by its decoder.
            whole = width * height if "progressive" in image.info else 0
            with ROOM.taken(max(whole, image.width * image.height)):
                channels = options["channels"] or 3
                return fitting.fitted(fitting.upright(image), options, channels, largest, wide)
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


def _check_share(name, skipped, tried, max_bad):
    if len(skipped) < tried and len(skipped) <= max_bad * tried:
        return
    named = [(printable(path), printable(reason)) for path, reason in skipped[:_LISTED]]
    listed = "".join(f"\n  {path}: {reason}" for path, reason in named)
    more = f"\n  and {len(skipped) - _LISTED} more" if len(skipped) > _LISTED else ""
    some = len(skipped) < tried
    remedies = ["remove or repair them" if some else "repair or replace these"]
    if any("`image_size` is not given" in reason for _, reason in skipped):
        remedies.append("give `image_size`")
    if any("smaller than image_size" in reason for _, reason in skipped):
        remedies.append("give a smaller `image_size` or set `upscale`")
    if some:
        remedies.append("raise `max_bad`")
    most = f"at most {max_bad:.0%} of bad files (`max_bad`)"
    raise DataError(
        f"`name_or_path` must hold {most if some else 'an image that can be used'}: "
        f"{' or '.join(remedies)}.{listed}{more}\n"
        f"Received: {name} with {len(skipped)} bad of {tried} files"
    )


def _classes(paths):
    """Return labels and class names from the first-level folders, if there are two or more."""
    firsts = _firsts(paths)
    names = sorted({name for name in firsts if name is not None})
    if None in firsts or len(names) < 2:
        return None, None
    index = {name: i for i, name in enumerate(names)}
    return forms.in_order(np.array([index[name] for name in firsts], np.int32), names)


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
