"""Features of images, cached on disk under a hash of the images."""

import hashlib

import numpy as np

from kerasgan.data.cache import cache_folder
from kerasgan.files import atomic, regular
from kerasgan.metrics import checks


def content_hash(images):
    """Return twelve hexadecimal digits of a hash of an array's values."""
    images = np.asarray(images)
    found = hashlib.sha256(f"{images.dtype.str}{images.shape}".encode())
    for part in checks.blocks(images, 1024):
        found.update(np.ascontiguousarray(part))
    return found.hexdigest()[:12]


def cached_features(extractor, images, cache_dir=None, progress=None):
    """Return the features of images, from the cache if they were computed before.

    Args:
        extractor: An `Extractor`.
        images: Images in a form that the extractor takes.
        cache_dir: The cache folder, as in `kerasgan.data.load`; its folder `features` is used.
        progress: Optional callable `(done, total)`.
    """
    extractor.check()
    name = hashlib.sha256(f"{extractor.name}, {extractor.resize}".encode()).hexdigest()[:12]
    path = cache_folder(cache_dir) / "features" / f"{content_hash(images)}-{name}.npy"
    try:
        found = np.load(regular(path))
        if found.ndim == 2 and len(found) == len(images):
            return found
    except (OSError, ValueError, EOFError):
        pass  # Missing or damaged: they are computed again.
    found = extractor(images, progress)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary, open(temporary, "wb") as file:
            np.save(file, found)
    except OSError:
        pass  # Without a cache the features are computed each time.
    return found
