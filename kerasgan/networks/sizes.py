"""Sizes of images, and of the maps that become them by doubling."""

import numpy as np

from kerasgan.networks import base

BASES = (3, 4, 5, 6, 7)  # Sides of the smallest maps, in pixels.


def sides(image_size):
    """Return height and width of a size that is one number or both.

    Raises:
        ValueError: If it is neither.
    """
    both = (image_size, image_size) if np.ndim(image_size) == 0 else tuple(image_size)
    if len(both) != 2:
        raise ValueError(
            f"`image_size` must be one number or (height, width). Received: {image_size!r}"
        )
    for side in both:
        base.check(image_size=side)
    return both


def pyramid(image_size):
    """Return height and width of all maps from the smallest ones to the image.

    Args:
        image_size: The side of the images, or `(height, width)`: b x 2^k pixels, with one k and
            a b of 3 to 7 for each. If two k are possible, it is that whose smaller b is below 6.

    Raises:
        ValueError: If it is no such size.
    """
    height, width = sides(image_size)
    doublings = _doublings(height, width)
    return [(height >> k, width >> k) for k in range(doublings, -1, -1)]


def _doublings(height, width):
    """Return how often maps are doubled until they are images."""
    for k in range(1, 16):
        smallest = [side / 2**k for side in (height, width)]
        if all(b in BASES for b in smallest) and min(smallest) < 6:
            return k
    for k in range(15, 0, -1):
        if all(side / 2**k in BASES for side in (height, width)):
            return k
    raise ValueError(
        "`image_size` must be b x 2^k pixels with a b of 3 to 7, height and width with the same k, "
        f"as 48, 64, 96, 128, 192, 256 or (192, 320). Received: {height}x{width}"
    )
