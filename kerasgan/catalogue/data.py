"""Where images come from."""

import contextlib
import dataclasses
import os

from kerasgan.catalogue.avatars import NAME, is_avatars
from kerasgan.files import expanded


@dataclasses.dataclass(frozen=True)
class Source:
    """A source of images.

    Args:
        name: Its name; of a file or a folder, its kind.
        splits: Whether a part of it can be asked for, as "train" or "test[:1000]".
        named: Whether its name is what `--data` is given.
        path: Whether `--data` is given a path.
    """

    name: str
    splits: bool = False
    named: bool = False
    path: bool = False


SOURCES = {
    entry.name: entry
    for entry in (
        Source(NAME, named=True),
        Source("stacked_mnist", splits=True, named=True),
        Source("folder", path=True),
        Source("zip", path=True),
        Source("array", path=True),
        Source("tfds", splits=True),
    )
}
_SUFFIXES = {".npz", ".npy", ".zip", ".tar", ".gz", ".png", ".jpg", ".jpeg", ".h5", ".tfrecord"}


def source_of(name_or_path):
    """Return the key in `SOURCES` of a name or a path, or None for a path that does not exist.

    A file counts as an array unless its name ends in .zip, and any name that does not look like a
    path counts as a TFDS data set.
    """
    name = os.fspath(name_or_path)
    path = expanded(name)
    # A folder of that name is opened by ./name.
    if name_or_path in SOURCES and SOURCES[name_or_path].named:
        return name
    if is_avatars(name_or_path):
        return NAME
    with contextlib.suppress(OSError, ValueError):  # No possible file name.
        if path.is_dir():
            return "folder"
        if path.is_file():
            return "zip" if path.suffix.lower() == ".zip" else "array"
    looks_like_path = isinstance(name_or_path, os.PathLike) or name.startswith((".", "~", "/"))
    looks_like_path = looks_like_path or name.count("/") > 1  # TFDS: name/config:version
    if looks_like_path or "\\" in name or name.endswith("/") or path.suffix.lower() in _SUFFIXES:
        return None
    return "tfds"
