"""Features of images, kept on disk by the hash of their content."""

import hashlib

import numpy as np

from kerasgan.data.cache import cache_folder
from kerasgan.files import atomic
from kerasgan.metrics import checks


def content_hash(images):
    """Return twelve hexadecimal digits that stand for the values of an array."""
    images = np.asarray(images)
    found = hashlib.sha256(f"{images.dtype.str}{images.shape}".encode())
    for part in checks.blocks(images, 1024):
        found.update(np.ascontiguousarray(part))
    return found.hexdigest()[:12]


def cached_features(extractor, images, cache_dir=None, progress=None):
    """Return the features of images that do not change, computed once.

    Args:
        extractor: An `Extractor`.
        images: As the extractor takes them.
        cache_dir: As in `kerasgan.data.load`; features are kept in its folder `features`.
        progress: Optional callable `(done, total)`.
    """
    extractor.check()
    name = hashlib.sha256(f"{extractor.name}, {extractor.resize}".encode()).hexdigest()[:12]
    path = cache_folder(cache_dir) / "features" / f"{content_hash(images)}-{name}.npy"
    try:
        found = np.load(path)
        if found.ndim == 2 and len(found) == len(images):
            return found
    except (OSError, ValueError, EOFError):
        pass  # Not there, or damaged: computed anew.
    found = extractor(images, progress)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary, open(temporary, "wb") as file:
            np.save(file, found)
    except OSError:
        pass  # A cache that cannot be written costs time, not the result.
    return found
