"""What a `Survey` of images advises to train with."""

import dataclasses

import numpy as np

from kerasgan.data.survey import ENOUGH, SIZES

FEW, MANY = 500, 20_000  # Images of which there are too few, and enough.
OBLONG = 1.25  # How much longer one side is than the other, where a crop takes much away.


@dataclasses.dataclass(frozen=True)
class Advice:
    """An option of `kerasgan train`, and why it may be wanted.

    Args:
        option: The option as the shell has it, or "" where there is none.
        why: A sentence.
        clear: Whether it goes without saying, and not a question of what is wanted.
    """

    option: str
    why: str
    clear: bool = False


def advice(found):
    """Return a list of `Advice` for a `Survey`."""
    given = [_about_size(found), *_about_shape(found), *_about_transparency(found)]
    count = found.count
    if count < FEW:
        given.append(Advice("--augment ada", few_images(count), True))
    elif count < MANY:
        given.append(Advice("--augment diffaugment", "The critic learns so many images by heart "
                            "in a long training; augmentation delays it.", True))  # fmt: skip
    if count < MANY:
        given.append(Advice("--mirror", "It shows each image mirrored half of the time, which is "
                            "as good as more images where left and right mean nothing, as in "
                            "faces, and wrong for letters and digits."))  # fmt: skip
    doubled = len(found.copies)
    if doubled:
        given.append(Advice("", f"Remove the {doubled:,} exact copies: the networks see these "
                            "images more often than the others."))  # fmt: skip
    return [one for one in given if one is not None] + _about_classes(found)


def few_images(count):
    """Return what to expect of few images, as sentences."""
    return (
        f"With {count:,} images the critic soon knows each by heart. Expect images close to these "
        "rather than new ones; from a thousand on it gets better."
    )


def _about_size(found):
    size, sides = found.advised_size, [min(h.width, h.height) for h in found.headers]
    if not sides:
        return None if size == found.image_size else Advice(f"--image-size {size}",
            "The convolutional networks have this size.", True)  # fmt: skip
    smaller = sum(side < size for side in sides)
    larger = [s for s in SIZES if s > size and np.mean(np.array(sides) >= s) >= ENOUGH]
    why = f"{_share(len(sides) - smaller, len(sides))} of the images have it."
    if smaller:
        why += f" --upscale enlarges the {smaller:,} that are smaller."
    if larger:
        why += f" {larger[0]} is possible, at {(larger[0] / size) ** 2:.2g} times the time."
    return Advice(f"--image-size {size}", why, True)


def _about_shape(found):
    sides = [(h.width, h.height) for h in found.headers]
    oblong = sum(max(pair) > OBLONG * min(pair) for pair in sides)
    if oblong * 4 < len(sides) or not sides:
        return []
    lost = 1 - np.mean([min(pair) / max(pair) for pair in sides])
    return [Advice("--fit pad", f"A crop takes {lost:.0%} of the pictures away in the mean; this "
                   "keeps all and fills up with --background.")]  # fmt: skip


def _about_transparency(found):
    if not found.transparent[1] or found.decoded.images.shape[-1] == 4:
        return []
    return [Advice("--channels 4", "It keeps the transparency. Otherwise the images lie over "
                   "white, or over --background.")]  # fmt: skip


def _about_classes(found):
    classes = found.classes
    if not classes or len(classes) < 2:
        return []
    name, least = min(classes.items(), key=lambda pair: pair[1])
    why = f"It trains one generator for all {len(classes)} classes, which makes any of them."
    if least < FEW:
        why += f" The smallest, {name}, has {least:,} images."
    return [Advice("--conditional", why)]


def _share(part, whole):
    return "All" if part == whole else f"{part / whole:.0%}"
