"""Pictures as a program writes them during a training that collapses."""

import numpy as np

from kerasgan import pictures

SIZE = 8


def patterns(n, seed, kinds=12):
    """Return images of `kinds` kinds, with noise."""
    shapes = np.random.default_rng(99).uniform(-0.9, 0.9, (12, SIZE, SIZE, 1))
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.05, (n, SIZE, SIZE, 1))
    return np.clip(shapes[rng.integers(kinds, size=n)] + noise, -1, 1).astype("float32")


def write_grids(folder, kinds, name="fakes{:06d}.png", n=64, first=0, gap=1):
    """Write a grid for each number of kinds that the generator knows."""
    folder.mkdir(exist_ok=True)
    for i, known in enumerate(kinds, first):
        images = patterns(n, seed=i, kinds=known)
        pictures.save_grid(folder / name.format(i), images, columns=8)


HEALTHY, COLLAPSING = [12] * 4, [12, 12, 12, 1, 1]
