"""What to train on images of one's own, where nobody says otherwise.

The figures of `SIZES` are R3GAN's with the networks of a DCGAN on the drawn heads of
`kerasgan.data`, and go with the square of the side elsewhere, as in the paper's own settings for 64
and 256 pixels (https://arxiv.org/abs/2501.05441, appendix). This module needs no Keras.
"""

import dataclasses
import math

from kerasgan import sizes

VARIANT = "r3gan"
SECONDS = 1800  # Of a training whose length nobody gives.
FEW_IMAGES = 5000  # Below it, the critic is shown changed images.
BATCH = 64
SMALL_BATCH = 32  # Where there is time for few steps alone, more of them are worth more.
# Widths from the thinnest networks that are worth training to the widest.
WIDTHS = (16, 24, 32, 48, 64)


@dataclasses.dataclass(frozen=True)
class Size:
    """What goes with a side of images.

    Args:
        gamma: Weight of R1 and R2 at the start; a tenth of it after the burn-in.
        fewest: Critic steps that a training should have at least before networks are wider.
    """

    gamma: float
    fewest: int


SIZES = {
    28: Size(0.25, 4000),
    32: Size(0.25, 4000),
    48: Size(0.5, 4000),
    64: Size(1.0, 4000),
    96: Size(2.0, 8000),
    128: Size(4.0, 10_000),
    192: Size(9.0, 20_000),
    256: Size(16.0, 20_000),
}


def options(side, count, network=None):
    """Return options of a training, as the shell has them, but its width and its length.

    Args:
        side: Side of the images in pixels, or height and width.
        count: Number of images.
        network: The architecture, if somebody has chosen it.
    """
    size = _nearest(side)
    found = {
        "batch_size": min(BATCH, 1 << (count.bit_length() - 1)),  # Several devices can share it.
        "learning_rate": 1e-3,
        "gamma": size.gamma,
        "final_gamma": size.gamma / 10,
        "burn_in": {"share": 0.9},
        "ema": 0.995,
        "network": network or ("dcgan" if sizes.is_doubled(side) else "mlp"),
    }
    if found["network"] == "dcgan":
        found["upsampling"] = "nearest"
    if count < FEW_IMAGES:
        found["augment"] = "diffaugment"
    return found


def width(side, steps):
    """Return the greatest width with which there are steps enough, or the least one.

    Args:
        side: Side of the images in pixels, or height and width.
        steps: A callable from a width to the critic steps that there is time for.
    """
    fewest = fewest_steps(side)
    return next((w for w in reversed(WIDTHS) if steps(w) >= fewest), WIDTHS[0])


def batch_size(side, batch, steps):
    """Return the images of a critic step: `batch`, or fewer where that leaves too few steps.

    Args:
        side: Side of the images in pixels, or height and width.
        batch: How many they are where there is time enough.
        steps: The critic steps that there is time for.
    """
    return batch if steps >= fewest_steps(side) else min(batch, SMALL_BATCH)


def fewest_steps(side):
    """Return how many critic steps a training of images of this side should have at least."""
    return _nearest(side).fewest


def _nearest(side):
    side = math.sqrt(math.prod(sizes.sides(side)))
    return SIZES[min(SIZES, key=lambda known: abs(known - side))]
