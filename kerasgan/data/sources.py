"""The sources of images: one loader for each.

A loader is a function `loader(name, folder, options, progress=None, *, ...)` that returns a
`Decoded` set:

- `name` is the name or the path that the user gave.
- `folder` is the cache folder; `kerasgan.data.cache.cached` keeps decoded images there.
- `options` is a checked dictionary of `image_size`, `channels`, `limit` and `upscale`, and of
  `bit_depth` where it is given, with the meaning that they have in `kerasgan.data.load`.
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

from kerasgan import catalogue
from kerasgan.data import tfds_images
from kerasgan.data.arrays import load_array
from kerasgan.data.avatars import load_avatars
from kerasgan.data.folder import load_folder
from kerasgan.data.pixels import DataError, UnknownDataError
from kerasgan.data.stacked import load_stacked
from kerasgan.files import expanded

SOURCES = {
    "folder": load_folder,
    "array": load_array,
    "tfds": tfds_images.load_tfds,
    "avatars": load_avatars,
    "stacked_mnist": load_stacked,
}
# The sources that `find` recognises by the path or name itself, and what an error calls them.
KINDS = {"folder": "folders", "array": "array files", "tfds": "TFDS data sets"}


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
        DataError: If it is neither a name nor the path of a folder or an array file.
    """
    if not isinstance(name_or_path, (str, os.PathLike)) or not str(name_or_path):
        raise DataError(f"`name_or_path` must be a name or a path. Received: {name_or_path!r}")
    name = os.fspath(name_or_path)
    source = name if name_or_path in named() else catalogue.source_of(name_or_path)
    if source is None:
        raise UnknownDataError(
            "`name_or_path` looks like a path and must exist; for a data set give its name, such "
            f"as 'avatars' or 'mnist'. Received: {name}"
        )
    path = expanded(name)
    if source == "array" and path.suffix.lower() not in {".npz", ".npy"}:
        raise DataError(
            f"`name_or_path` must be a folder, an .npz or an .npy file. Received: {path}"
        )
    return str(path) if source in ("folder", "array") else name, source


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
        f"existing folder of images, .npz or .npy file.{hints} Received: {name!r}"
    )
