"""What a `Survey` of images advises to train with."""

import dataclasses
import math

import numpy as np

from kerasgan import catalogue
from kerasgan.sizes import ADVISED, ENOUGH, of_shape
from kerasgan.text import counted

FEW, MANY = 500, 20_000  # Images of which there are too few, and enough.
SAME_SHAPE = 0.1  # Difference of the logarithms of height by width, below which shapes are one.
CUT = 0.1  # Share of the pictures that a crop takes away, from which on it is worth a word.


@dataclasses.dataclass(frozen=True)
class Advice:
    """An option of `kerasgan train`, and why it may be wanted.

    Args:
        option: The option as the shell has it, or "" for something else to do.
        why: One or more sentences.
    """

    option: str
    why: str


def advice(found):
    """Return a list of `Advice` for a `Survey`."""
    parts = (_size, _shape, _transparency, _number, _copies, _classes)
    return [one for part in parts for one in part(found)]


def few_images(count):
    """Return what to expect of few images, as a sentence."""
    return (
        f"With {counted(count, 'image')} the critic soon knows each by heart, and "
        "what is generated stays close to them."
    )


def _size(found):
    size, sides = found.advised_size, found.sides
    if not sides:
        if size == found.image_size:
            return []
        return [Advice(f"--image-size {size}", "The convolutional networks have this size.")]
    smaller = sum(side < size for side in sides)
    larger = [s for s in ADVISED if s > size and np.mean(np.array(sides) >= s) >= ENOUGH]
    why = f"{_share(len(sides) - smaller, len(sides))} of the images are large enough."
    if smaller:
        why += f" --upscale enlarges {_many(smaller, 'the one that is', 'the {} that are')} not."
    half = [s for s in ADVISED if size < s and np.mean(np.array(sides) >= s) >= 0.5]
    if larger:
        times = (larger[0] / size) ** 2
        why += f" {larger[0]} is possible, at about {times:.2g} times the time."
    elif half:
        share = _share(sum(side >= half[-1] for side in sides), len(sides))
        why += f" {share} have {half[-1]} pixels: --upscale enlarges the others to it."
    return [Advice(f"--image-size {size}", why)]


def _shape(found):
    sides = np.array([(h.width, h.height) for h in found.headers]).reshape(-1, 2)
    lost = 1 - np.mean(sides.min(axis=1) / sides.max(axis=1)) if len(sides) else 0
    if found.fit != "crop" or lost < CUT:
        return []
    why = f"A crop takes away {lost:.0%} of the pictures in the mean. This keeps all, and fills up "
    return [*_own_shape(sides, found), Advice("--fit pad", f"{why}with --background.")]


def _own_shape(sides, found):
    """Return the advice to keep the shape of pictures nearly all of which have one."""
    shapes = np.log(sides[:, 1] / sides[:, 0])
    usual = float(np.median(shapes))
    size = of_shape(math.exp(usual), 1.0, found.advised_size)
    own = math.log(size[0] / size[1])
    fit = (np.abs(shapes - own) < SAME_SHAPE) & (sides[:, ::-1] >= size).all(axis=1)
    if size[0] == size[1] or fit.mean() < ENOUGH:
        return []
    share = _share(int(fit.sum()), len(fit))
    return [
        Advice(
            f"--image-size {size[0]}x{size[1]}", f"{share} of the pictures have nearly this shape."
        )
    ]


def _transparency(found):
    if not found.transparent[1] or found.decoded.images.shape[-1] == 4:
        return []
    why = "It keeps the transparency. Otherwise images lie over white, or over --background."
    return [Advice("--channels 4", why)]


def _number(found):
    if found.count >= MANY:
        return []
    why = "The critic learns so many images by heart in a long training; this delays it."
    augment = Advice("--augment diffaugment", why)
    if found.count < FEW:
        without = [
            name
            for name, entry in catalogue.VARIANTS.items()
            if not catalogue.LOSSES[entry.loss].has_zero
        ]
        why = f"{few_images(found.count)} All but {', '.join(without)} take --augment ada, too."
        augment = Advice("--augment diffaugment", why)
    why = "Where left and right mean nothing, as in faces, and not for letters or digits."
    return [augment, Advice("--mirror", why)]


def _copies(found):
    if not found.copies:
        return []
    count = _many(len(found.copies), "the exact copy", "the {} exact copies")
    return [Advice("", f"Remove {count}: what is there twice is learned twice as strongly.")]


def _classes(found):
    classes = found.classes
    if not classes or len(classes) < 2:
        return []
    name, least = min(classes.items(), key=lambda pair: pair[1])
    why = f"It trains one generator for all {len(classes)} classes, which makes any of them."
    if least < FEW:
        why += f" The smallest, {name}, has {counted(least, 'image')}."
    return [Advice("--conditional", why)]


def _share(part, whole):
    return "All" if part == whole else f"{100 * part // whole}%"


def _many(count, one, several):
    return one if count == 1 else several.format(f"{count:,}")
