"""Images that are there twice: equal ones, and ones that are nearly equal."""

import hashlib

import numpy as np

SIDE = 16  # Of the small versions that are compared.
NEAR = 4.0  # Of 255: root mean square of the differences between the small versions of two images.
MOST = 100_000  # Images that are compared with each other,
MOST_BYTES = 4 << 30  # and bytes of images that are read.
_BLOCK = 1024


def equal(images):
    """Return for each image the index of the first one with the same pixels, int64 `(n,)`.

    Args:
        images: Array or memory map `(n, height, width, channels)`.
    """
    firsts = {}
    found = np.empty(len(images), np.int64)
    for i, image in enumerate(images):
        digest = hashlib.blake2b(np.ascontiguousarray(image), digest_size=16).digest()
        found[i] = firsts.setdefault(digest, i)
    return found


def pairs(firsts):
    """Return pairs of an index and the first of its group, without those firsts themselves."""
    rest = np.flatnonzero(firsts != np.arange(len(firsts)))
    return list(zip(rest.tolist(), firsts[rest].tolist(), strict=True))


def few_enough(images):
    """Return whether so many images of such a size can be compared in seconds."""
    return len(images) <= MOST and images.nbytes <= MOST_BYTES


def near(images, firsts):
    """Return for each image the index of the first one that is nearly equal to it, or its own.

    Two images are nearly equal if their versions of 16x16 pixels differ by less than 4 of 255, in
    the root mean square. A picture that was saved again, or in another size, is nearly equal to
    itself; one that was cropped, mirrored or made brighter is not.

    Args:
        images: uint8 `(n, height, width, channels)`.
        firsts: What `equal` returned. Equal images are compared once.

    Returns:
        int64 `(n,)`. An image has the index of the first in its group, where the first image is
        nearly equal to each of the others.
    """
    rows = np.flatnonzero(firsts == np.arange(len(images)))
    small = _small(images, rows)
    # Images whose means differ by more are not nearly equal, so that few pairs are compared.
    means = small.mean(axis=1)
    order = np.argsort(means, kind="stable")
    rows, small, means = rows[order], small[order], means[order]
    squares = np.square(small).sum(axis=1)
    limit = NEAR**2 * small.shape[1]
    close = []
    for start in range(0, len(rows), _BLOCK):
        stop = min(start + _BLOCK, len(rows))
        end = int(np.searchsorted(means, means[stop - 1] + NEAR, "right"))
        for left in range(start, end, _BLOCK):
            right = min(left + _BLOCK, end)
            products = small[start:stop] @ small[left:right].T
            distances = squares[start:stop, None] + squares[None, left:right] - 2 * products
            a, b = np.nonzero(distances < limit)
            close.append(rows[np.stack([a + start, b + left])])
    return _groups(np.concatenate(close, axis=1), firsts)


def _groups(close, firsts):
    """Return the first of each image's group, given pairs of indices in a `(2, m)` array."""
    low, high = np.sort(close, axis=0)
    order = np.lexsort((high, low))
    found = np.arange(len(firsts))
    for a, b in zip(low[order], high[order], strict=True):
        if found[a] == a and found[b] == b:  # Only the first of a group takes others into it.
            found[b] = a
    return found[firsts]


def _small(images, rows):
    """Return small versions of some images, flat, float32."""
    down, across = (_edges(side) for side in images.shape[1:3])
    found = []
    for start in range(0, len(rows), _BLOCK):
        x = np.asarray(images[rows[start : start + _BLOCK]])
        x = np.add.reduceat(x, down[:-1], axis=1, dtype=np.float32)
        x = np.add.reduceat(x, across[:-1], axis=2)
        x /= np.diff(down)[:, None, None] * np.diff(across)[:, None].astype(np.float32)
        found.append(x.reshape(len(x), -1))
    return np.concatenate(found)


def _edges(side):
    parts = min(SIDE, side)
    return np.round(np.linspace(0, side, parts + 1)).astype(int)
