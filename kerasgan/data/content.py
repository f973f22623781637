"""What identifies the images of a training, so that a run is resumed on the same ones.

The content of a data set is a small dictionary of JSON values, made from

- of a folder: the number of the files that are used and their size together, a hash of their names
  and sizes, and a hash of the first 64 KiB of at most 100 of them, evenly spaced; and a hash of the
  labels that a file dataset.json gives. A zip archive of a folder has that folder's content;
- of an array: its shape, its type, a hash of all its labels, and a hash of at most 100 of its
  images, evenly spaced;
- of a data set with a name: the name, the version and the split.

Where a folder lies and when its files were changed is no part of it. A change of a single image
may go unnoticed where its size stays the same.
"""

import contextlib
import hashlib
from pathlib import Path

import numpy as np

SAMPLE = 100  # Files or images whose contents are read.
READ = 2**16  # Bytes of each file.

# What each entry is called in a message.
WORDS = {
    "source": "the data are of the kind {}",
    "files": "the number of files is {}",
    "bytes": "the files have {} bytes together",
    "names": "the names and sizes of the files have the hash {}",
    "sample": "the contents have the hash {}",
    "shape": "the images have the shape {}",
    "dtype": "the images are {}",
    "labels": "the labels have the hash {}",
    "name": "the data set is {}",
    "version": "the version is {}",
    "split": "the split is {}",
}


def of_files(source, files, labels=None):
    """Return the content of a folder, or of a zip archive of one.

    Args:
        source: A `FolderFiles` or `ZipFiles`.
        files: Those of its `files` that are used.
        labels: Labels that dataset.json gives, or None.
    """
    names = hashlib.sha256()
    for path, size, _ in files:
        names.update(f"{Path(path).as_posix()}\0{size}\0".encode(errors="surrogateescape"))
    sample = hashlib.sha256()
    for i in _spaced(len(files)):
        # Images in the cache can be used though a file cannot be opened now.
        with contextlib.suppress(OSError):
            sample.update(source.head(files[i][0], READ))
    found = {
        "source": "folder",
        "files": len(files),
        "bytes": sum(size for _, size, _ in files),
        "names": _short(names),
        "sample": _short(sample),
    }
    if labels is not None:
        found["labels"] = _short(hashlib.sha256(np.ascontiguousarray(labels)))
    return found


def of_arrays(images, labels):
    """Return the content of images and labels, or None, as a file holds them."""
    sample = hashlib.sha256()
    for i in _spaced(len(images)):
        sample.update(np.ascontiguousarray(images[i]))
    found = {
        "source": "array",
        "shape": list(images.shape),
        "dtype": str(images.dtype),
        "sample": _short(sample),
    }
    if labels is not None:
        found["labels"] = _short(hashlib.sha256(np.ascontiguousarray(labels)))
    return found


def differences(then, now):
    """Return what differs between two contents, a list of sentences without a full stop."""
    found = []
    for key in dict.fromkeys([*then, *now]):
        before, after = then.get(key), now.get(key)
        if before != after:
            words = WORDS.get(key, f"{key} is {{}}").format(_text(after))
            found.append(f"{words}, not {_text(before)}")
    return found


def _text(value):
    if isinstance(value, list):
        return "x".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _spaced(count):
    return sorted({round(i) for i in np.linspace(0, count - 1, min(SAMPLE, count))})


def _short(found):
    return found.hexdigest()[:16]
