"""Sizes of images: one number, or height and width; and of the maps that become them by doubling.

This module needs no Keras.
"""

import math
import numbers

BASES = (3, 4, 5, 6, 7)  # Sides of the smallest maps, in pixels.
LARGEST = 4096  # The largest side, in pixels.
# Sides to train at that are advised, up to the first limit, and up to the last on an accelerator:
# twice the side takes four times as long.
ADVISED, FIRST_LIMIT, TINIEST = (28, 32, 48, 64, 96, 128, 192, 256), 64, 8
ENOUGH = 0.9  # Share of the images that must have the side that is advised.
DOUBLED = (
    "`image_size` must be b x 2^k pixels with a b of 3 to 7, height and width with the same k, as "
    "48, 64, 96, 128, 192, 256, or 192 by 320"
)


def sides(image_size):
    """Return height and width of a size that is one number or both.

    Raises:
        ValueError: If it is neither, or out of range.
    """
    both = tuple(image_size) if hasattr(image_size, "__len__") else (image_size, image_size)
    whole = [
        isinstance(side, numbers.Integral) and not isinstance(side, bool) and 1 <= side <= LARGEST
        for side in both
    ]
    if len(both) != 2 or not all(whole):
        raise ValueError(
            f"`image_size` must be one number or (height, width), each from 1 to {LARGEST:,} "
            f"pixels. Received: image_size={image_size!r}"
        )
    return int(both[0]), int(both[1])


def shortest(height, width):
    """Return a size in its shortest form, which recipes and files have: one number of squares."""
    return height if height == width else [height, width]


def text(image_size):
    """Return a size as the shell has it: `64`, or `192x320`, height before width."""
    height, width = sides(image_size)
    return str(height) if height == width else f"{height}x{width}"


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


def is_doubled(image_size):
    """Return whether a size is one that `pyramid` takes."""
    try:
        pyramid(image_size)
    except ValueError:
        return False
    return True


def of_shape(height, width, side):
    """Return height and width of about the area of a square, in the nearest shape to another one.

    Args:
        height: Of the shape that is wanted.
        width: Of it.
        side: Of the square.
    """

    def far(size):
        shape = math.log(size[0] / size[1]) - math.log(height / width)
        return round(abs(shape), 3), abs(math.log(math.prod(size) / side**2))

    pairs = ((b << k, c << k) for k in range(1, 9) for b in BASES for c in BASES)
    return min((p for p in pairs if 0.35 <= math.prod(p) / side**2 <= 1.7), key=far)


def advised(sides, accelerated=False):
    """Return the side in pixels to train at, and whether smaller images are enlarged for it.

    It is the largest of `ADVISED` that nine tenths of the images have. Where that is none, but half
    of them have the smallest, the others are enlarged; and where all are smaller, as icons are, it
    is the largest that networks make.

    Args:
        sides: Of each image, or of some, the side that counts.
        accelerated: Whether there is an accelerator.
    """
    sides = sorted(sides)
    if not sides:
        return FIRST_LIMIT, False
    usual = sides[len(sides) - math.ceil(ENOUGH * len(sides))]
    most = max(ADVISED) if accelerated else FIRST_LIMIT
    found = max((size for size in ADVISED if size <= min(usual, most)), default=None)
    if found is not None:
        return found, False
    if sides[len(sides) // 2] >= min(ADVISED):
        return min(ADVISED), True
    known = [side for side in range(min(ADVISED)) if side <= usual and is_doubled(side)]
    return (known[-1], False) if known else (TINIEST, True)


def _doublings(height, width):
    """Return how often maps are doubled until they are images."""
    for k in range(1, 16):
        smallest = [side / 2**k for side in (height, width)]
        if all(b in BASES for b in smallest) and min(smallest) < 6:
            return k
    for k in range(15, 0, -1):
        if all(side / 2**k in BASES for side in (height, width)):
            return k
    raise ValueError(f"{DOUBLED}. Received: image_size={text((height, width))}")
