"""Squared Euclidean distances between many points, a block of rows at a time."""

import numpy as np

BLOCK_BYTES = 64 * 2**20  # Of one block of distances.


class Points:
    """Points whose squared distances to other points are computed block by block.

    Both sets of points must have the same `centre`. Near the origin, expanding the square loses the
    fewest digits in single precision.

    Args:
        x: Matrix `(n, d)`.
        centre: Vector `(d,)`, subtracted from each row.
    """

    def __init__(self, x, centre):
        self.x = np.empty(x.shape, "float32")
        for start in range(0, len(x), 4096):  # In parts: no second array in double precision.
            part = slice(start, start + 4096)
            self.x[part] = x[part] - centre
        self.squares = np.einsum("nd,nd->n", self.x, self.x)

    def __len__(self):
        return len(self.x)

    def to(self, other):
        """Yield `(rows, distances)`: a slice of these points, and their distances to `other`.

        The matrix of shape `(rows, len(other))` is overwritten in the next iteration.
        """
        widest = max(len(other), self.x.shape[1])
        rows = max(1, min(len(self), BLOCK_BYTES // (4 * widest)))
        buffer = np.empty((rows, len(other)), "float32")
        for start in range(0, len(self), rows):
            part = slice(start, min(start + rows, len(self)))
            block = np.matmul(-2.0 * self.x[part], other.x.T, out=buffer[: part.stop - start])
            block += other.squares
            block += self.squares[part, None]
            yield part, np.maximum(block, 0.0, out=block)


def points(*sets):
    """Return `Points` of each set, around the mean of the first."""
    centre = sets[0].mean(axis=0, dtype="float64")
    return [Points(x, centre) for x in sets]


def rounding(*sets):
    """Return the greatest squared distance between equal points that is due to rounding."""
    return 1e-6 * max(float(x.squares.mean()) for x in sets)


def nearest(x, k=1):
    """Return each point's squared distance to its k-th nearest neighbour, `(n,)`.

    Args:
        x: More than `k` `Points`.
        k: Number of the neighbour, from 1.
    """
    found = np.empty(len(x), "float32")
    for part, block in x.to(x):
        rows = np.arange(part.stop - part.start)
        block[rows, part.start + rows] = np.inf  # A point is not its own neighbour.
        if k == 1:
            found[part] = block.min(axis=1)
        else:
            found[part] = np.partition(block, k - 1, axis=1)[:, k - 1]
    return found
