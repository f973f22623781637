"""The sources of images: one loader for each.

A loader is a function `loader(name, folder, options, progress=None, *, ...)` that returns a
`Decoded` set:

- `name` is the name or the path that the user gave.
- `folder` is the cache folder; `kerasgan.data.cache.cached` keeps decoded images there.
- `options` is a checked dictionary of `image_size`, `channels`, `limit` and `upscale`, and of
  `bit_depth`, `fit` and `background` where they are given, with the meaning that they have in
  `kerasgan.data.load`.
- `progress` is a callable `(done, total)` or None.
- The keyword-only arguments are the source's own options, such as `split`. The user gives them to
  `kerasgan.data.load` by name.

A new source is a file with its loader and an entry in `SOURCES`, whose key is its name.
"""

import contextlib
import difflib
import inspect
import os
from pathlib import Path

from kerasgan import catalogue, sizes, validation
from kerasgan.data import tfds_images
from kerasgan.data.arrays import load_array
from kerasgan.data.avatars import load_avatars
from kerasgan.data.cache import cache_folder
from kerasgan.data.fitting import CHANNELS, FITS
from kerasgan.data.folder import load_folder, load_zip
from kerasgan.data.pixels import DataError, UnknownDataError, positive_int
from kerasgan.data.stacked import load_stacked
from kerasgan.files import expanded

SOURCES = {
    "folder": load_folder,
    "zip": load_zip,
    "array": load_array,
    "tfds": tfds_images.load_tfds,
    "avatars": load_avatars,
    "stacked_mnist": load_stacked,
}
# The sources that `find` recognises by the path or name itself, and what an error calls them.
KINDS = {
    "folder": "folders",
    "zip": "zip files",
    "array": "array files",
    "tfds": "TFDS data sets",
}


def named():
    """Return the keys of the sources that are chosen by name."""
    return [key for key in SOURCES if key not in KINDS]


def own_options(key):
    """Return the names of the options that a source takes beyond the common ones."""
    parameters = inspect.signature(SOURCES[key]).parameters.values()
    return [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def check_options(key, name, options):
    """Raise an error for an option that a source does not take.

    Args:
        key: The source's key in `SOURCES`.
        name: The name or path that the user gave.
        options: The options that the user gave, by name.

    Raises:
        TypeError: If no source takes the option.
        DataError: If other sources take it.
    """
    for option in sorted(options.keys() - set(own_options(key))):
        takers = [KINDS.get(other, other) for other in SOURCES if option in own_options(other)]
        if not takers:
            raise TypeError(f"load() got an unexpected keyword argument {option!r}")
        raise DataError(
            f"`{option}` is for {' and '.join(takers)} only. "
            f"Received: {options[option]!r} for {name}"
        )


def find(name_or_path):
    """Return the name or path as text, and the key of its source in `SOURCES`.

    Raises:
        DataError: If it is neither a name nor the path of a folder, a zip or an array file.
    """
    if not isinstance(name_or_path, (str, os.PathLike)) or not str(name_or_path):
        raise DataError(f"`name_or_path` must be a name or a path. Received: {name_or_path!r}")
    name = os.fspath(name_or_path)
    source = name if name_or_path in named() else catalogue.source_of(name_or_path)
    if catalogue.is_avatars(name_or_path):
        try:
            catalogue.styles(name_or_path)
        except ValueError as error:
            there = expanded(name).exists()
            hint = f" What is there under that name is opened by ./{name}." if there else ""
            raise UnknownDataError(f"{error}{hint}") from None
    if source is None:
        raise UnknownDataError(
            "`name_or_path` looks like a path and must exist; for a data set give its name, such "
            f"as 'avatars' or 'mnist'. Received: {name}"
        )
    path = expanded(name)
    if source == "array" and path.suffix.lower() not in {".npz", ".npy"}:
        raise DataError(
            f"`name_or_path` must be a folder, a .zip, an .npz or an .npy file. Received: {path}"
        )
    is_path = source in KINDS and catalogue.SOURCES[source].path
    return str(path) if is_path else name, source


def unknown(name, more=()):
    """Return the error for a name that is neither a data set nor a path, with the nearest names.

    Args:
        name: The name.
        more: Known names besides the named sources and the suggested data sets of TFDS.
    """
    known = [*named(), *tfds_images.SUGGESTED, *more]
    near = difflib.get_close_matches(name, dict.fromkeys(known), n=5, cutoff=0.5)
    near_paths = []
    with contextlib.suppress(OSError):
        siblings = [path.name for path in (Path(name).parent).iterdir()]
        near_paths = difflib.get_close_matches(Path(name).name, siblings, n=3)
    hints = f" Did you mean {', '.join(near)}?" if near else f" For example {', '.join(known[:6])}."
    if near_paths:
        hints += f" There are files named {', '.join(near_paths)}."
    own = " or ".join(map(repr, named()))
    return UnknownDataError(
        f"`name_or_path` must be {own}, the name of a TFDS image data set, or the path of an "
        f"existing folder of images, .zip, .npz or .npy file.{hints} Received: {name!r}"
    )


def decoded(
    name_or_path,
    image_size=None,
    channels=None,
    limit=None,
    upscale=False,
    bit_depth=None,
    fit="crop",
    background="white",
    cache_dir=None,
    progress=None,
    split="train",
    **options,
):
    """Return the name and the `Decoded` images of a name or a path, without Keras.

    `kerasgan.data.load` describes the arguments.

    Raises:
        DataError: If the images cannot be found or used; the message says what to do.
    """
    common = _common_options(image_size, channels, limit, upscale, bit_depth, fit, background)
    name, source = find(name_or_path)
    # A source that does not use these two ignores them, because neither chooses the images.
    ignored = {option: options.pop(option, None) for option in ("max_bad", "data_dir")}
    check_options(source, name, options if split == "train" else {"split": split, **options})
    given = {**{k: v for k, v in ignored.items() if v is not None}, "split": split, **options}
    own = {option: given[option] for option in own_options(source) if option in given}
    try:
        return name, SOURCES[source](name, cache_folder(cache_dir), common, progress, **own)
    except UnknownDataError as error:
        raise unknown(name, error.known) from None


def _size(image_size):
    try:
        return sizes.shortest(*sizes.sides(image_size))
    except ValueError as error:
        raise DataError(str(error)) from None


def _common_options(image_size, channels, limit, upscale, bit_depth, fit, background):
    """Return the checked arguments that determine the pixels, JSON-serializable for the cache."""
    if channels not in (None, *CHANNELS):
        raise DataError(f"`channels` must be 1, 3, 4 or None. Received: {channels!r}")
    common = {
        "image_size": None if image_size is None else _size(image_size),
        "channels": channels,
        "limit": None if limit is None else positive_int("limit", limit),
        "upscale": bool(upscale),
    }
    # What has its usual value is left out, so that images in the cache keep their names.
    if bit_depth is not None:
        if not 9 <= positive_int("bit_depth", bit_depth) <= 16:
            raise DataError(f"`bit_depth` must be an integer from 9 to 16. Received: {bit_depth!r}")
        common["bit_depth"] = int(bit_depth)
    try:
        validation.choice("fit", fit, FITS)
        colour = validation.colour("background", background)
    except ValueError as error:
        raise DataError(str(error)) from None
    if fit != "crop":
        common["fit"] = fit
    if colour != (255, 255, 255):
        if channels == 4:
            raise DataError(
                "`background` goes with 1 or 3 channels: 4 keep the transparency. Received: "
                f"background={background!r}"
            )
        common["background"] = background
    return common
