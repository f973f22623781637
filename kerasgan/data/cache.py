"""A cache of decoded images on disk, so that each set is decoded once.

A set is a folder of `images.npy`, `labels.npy` (if it has labels) and `about.json`. It is written
under a temporary name and then renamed, so a set that exists is complete.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path

import numpy as np

from kerasgan.data import labels as forms
from kerasgan.files import expanded, read_json, regular, sweep, temporary_beside

CODE_VERSION = 1  # Raise it when decoding changes: sets of older code are then not used.


@dataclasses.dataclass
class Decoded:
    """A decoded set: uint8 (or float32) images, labels or None, and facts about them by name."""

    images: np.ndarray
    labels: np.ndarray | None = None
    about: dict = dataclasses.field(default_factory=dict)


def cache_folder(cache_dir=None):
    """Return the cache folder: the argument, $KERASGAN_CACHE, or one in the user's cache folder."""
    if cache_dir is None:
        cache_dir = os.environ.get("KERASGAN_CACHE")
    if cache_dir:
        return expanded(cache_dir)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kerasgan"
    except RuntimeError:  # Nobody's home: a folder that cannot be made, so nothing is kept.
        return Path(os.devnull) / "kerasgan"


def entry_name(source, identity):
    """Return the folder name of a set: its source and a hash of everything that determines it."""
    text = json.dumps([CODE_VERSION, source, identity], sort_keys=True)
    return f"{source}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def cached(folder, source, identity, decode):
    """Return the set from the cache, or decode it and store it there.

    Args:
        folder: The cache folder.
        source: The source's key in `kerasgan.data.sources.SOURCES`.
        identity: A JSON-serializable value of everything that determines the images.
        decode: A callable `decode(writer)` for a set that is not in the cache. It adds the images
            to an `ImageWriter` and returns `(labels, about)`.

    Returns:
        A `Decoded` set. Its images are a read-only memory map, or an array if they could not be
        written to the disk.
    """
    entry = folder / entry_name(source, identity)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return _read(entry)
    with ImageWriter(folder, entry.name) as writer:
        labels, about = decode(writer)
        return writer.finish(labels, about)


def _read(entry):
    """Return a stored set; any exception means that it is missing or damaged."""
    about = read_json(entry / "about.json")
    images = np.load(regular(entry / "images.npy"), mmap_mode="r", allow_pickle=False)
    if [list(images.shape), images.dtype.str] != [about["shape"], "|u1"]:
        raise ValueError("damaged")
    labels = None
    if about["labels"]:
        labels = np.load(regular(entry / "labels.npy"), allow_pickle=False)
        if labels.shape != images.shape[:1] or labels.dtype.kind not in "iuf":
            raise ValueError("damaged")
    return Decoded(images, labels, about)


class ImageWriter:
    """Write images one by one to `images.npy`, or keep them in memory if that fails.

    Args:
        folder: The cache folder, made if it is missing.
        name: The name of the set inside it.
    """

    def __init__(self, folder, name):
        self.entry = folder / name
        self.shape = None  # The shape of one image.
        self.count = 0
        self._memory = []
        self._file = self._temporary = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)
            self._temporary = temporary_beside(folder / name)
            self._temporary.mkdir()
            # Unbuffered: an image is either on the disk or was refused, never partly written.
            self._file = open(self._temporary / "images.npy", "w+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            self._fall_back(error)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._discard()

    def add(self, image):
        """Append a uint8 image; every image must have the shape of the first."""
        if self.shape is None:
            self.shape = image.shape
            self._try(self._write_header)
        if image.shape != self.shape:
            raise ValueError(f"image of shape {image.shape} after {self.shape}")
        if self._file is None or not self._try(self._write, np.ascontiguousarray(image).data):
            self._memory.append(image)
        self.count += 1

    def make_grey(self):
        """Keep only the first channel of the images added so far."""
        images = self._memory if self._file is None else self._written()
        self.shape = (*self.shape[:2], 1)
        if self._file is None:
            self._memory = [image[..., :1] for image in images]
            return
        self._file.seek(0)
        self._write_header()
        for image in images:  # In place: the writing position stays behind the reading position.
            self._file.write(np.ascontiguousarray(image[..., :1]).data)
        self._file.truncate()

    def finish(self, labels, about):
        """Move the set to its final name and return it as `Decoded`.

        Raises:
            DataError: If the labels are not one number for each image; nothing is kept then.
        """
        labels = None if labels is None else forms.checked(labels, self.count)
        about = {**about, "shape": [self.count, *self.shape], "labels": labels is not None}
        if self._file is not None and self._try(self._publish, labels, about):
            return _read(self.entry)
        return Decoded(np.stack(self._memory), labels, about)

    def _publish(self, labels, about):
        self._file.seek(0)
        self._write_header()
        os.fsync(self._file.fileno())
        if labels is not None:
            np.save(self._temporary / "labels.npy", labels)
        (self._temporary / "about.json").write_text(json.dumps(about, indent=1))
        if self.entry.exists():  # Damaged, or just written by another process.
            shutil.rmtree(self.entry)
        os.rename(self._temporary, self.entry)
        self._file.close()
        self._file = self._temporary = None

    def _write_header(self):
        # NumPy pads a header so that the number of rows can be filled in later.
        shape = (self.count, *self.shape)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def _write(self, data):
        start = self._file.tell()
        if self._file.write(data) != data.nbytes:  # A full disk shows as a short write.
            self._file.truncate(start)
            raise OSError(28, "No space left on device")

    def _try(self, function, *args):
        """Call a function that writes; if it fails, continue in memory and return False."""
        if self._file is None:
            return False
        try:
            function(*args)
        except OSError as error:
            self._fall_back(error)
            return False
        return True

    def _fall_back(self, error):
        warnings.warn(
            f"The decoded images are kept in memory, not in the cache: {error}. Set cache_dir or "
            f"$KERASGAN_CACHE to a folder with space. Received: {self.entry.parent}",
            stacklevel=2,
        )
        self._memory = list(self._written()) if self.count else []
        self._discard()

    def _written(self):
        """Return a memory map of the images in the file; it outlives the file's name."""
        self._file.seek(0)
        np.lib.format.read_magic(self._file)
        np.lib.format.read_array_header_1_0(self._file)
        start = self._file.tell()
        return np.memmap(self._file, np.uint8, "r", start, (self.count, *self.shape))

    def _discard(self):
        if self._file is not None:
            self._file.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
        self._file = self._temporary = None
