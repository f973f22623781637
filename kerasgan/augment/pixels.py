"""Helpers of the augmentations: policies, and the positions of pixels.

A position is `(x, y)` in pixels: `x` points right and `y` down from the middle of the image.
"""

from keras import ops


def parts(policy, known):
    """Return the names in `policy`; raise ValueError if one is not in `known` or comes twice."""
    parts = tuple(policy.split(",")) if isinstance(policy, str) else ()
    if not parts or not set(parts) <= set(known) or len(set(parts)) < len(parts):
        names = ", ".join(f"'{name}'" for name in known)
        raise ValueError(
            f"`policy` must be one or more of {names}, each once, separated by commas. "
            f"Received: policy={policy!r}"
        )
    return parts


def checked(images):
    """Return images as float32; raise ValueError if their shape is not that of images."""
    images = ops.cast(images, "float32")
    if len(images.shape) != 4 or None in tuple(images.shape[1:]):
        raise ValueError(
            "`images` must have the shape (batch_size, height, width, channels), where only "
            f"the first may be unknown. Received: shape {tuple(images.shape)}"
        )
    return images


def colours(images):
    """Return the colours of images, and their transparency `(..., 1)` or None.

    Images of four channels have it last; see `kerasgan.data.load`.
    """
    return (images[..., :3], images[..., 3:]) if images.shape[-1] == 4 else (images, None)


def with_alpha(images, alpha):
    """Return colours and transparency as `colours` was given them."""
    return images if alpha is None else ops.concatenate([images, alpha], axis=-1)


def each(values, rank=4):
    """Return `values`, one for each image, with `rank` axes, so that they broadcast."""
    return ops.reshape(values, (-1,) + (1,) * (rank - 1))


def integer(u, low, high):
    """Return integers from `low` to `high`, both included, from `u` uniform in [0, 1)."""
    return ops.cast(ops.floor(u * (high - low + 1)), "int32") + low


def line(side):
    """Return the indices of the pixels along a side."""
    return ops.arange(side, dtype="int32")


def take(images, rows, columns):
    """Return the pixels at `rows` and `columns`, `(batch_size, height, width)`, of each image."""
    _, height, width, channels = images.shape
    first = each(ops.arange(ops.shape(images)[0], dtype="int32") * (height * width), 3)
    return ops.take(ops.reshape(images, (-1, channels)), first + rows * width + columns, axis=0)


def grid(images):
    """Return the x and y of every pixel, of shapes `(1, 1, width)` and `(1, height, 1)`."""
    _, height, width, _ = images.shape
    x = ops.arange(width, dtype="float32") - (width - 1) / 2
    y = ops.arange(height, dtype="float32") - (height - 1) / 2
    return x[None, None, :], y[None, :, None]


def rotate(x, y, cosine, sine):
    """Return positions rotated about the middle, by one angle for each image."""
    cosine, sine = each(cosine, 3), each(sine, 3)
    return cosine * x - sine * y, sine * x + cosine * y


def interpolate(images, x, y):
    """Return the images at positions `(batch_size, height, width)`, bilinear between pixels."""
    _, height, width, _ = images.shape
    left, right, across = _neighbours(x, width)
    top, bottom, down = _neighbours(y, height)
    across, down = across[..., None], down[..., None]
    upper = (1.0 - across) * take(images, top, left) + across * take(images, top, right)
    lower = (1.0 - across) * take(images, bottom, left) + across * take(images, bottom, right)
    return (1.0 - down) * upper + down * lower


def _neighbours(place, side):
    """Return the pixels before and after a position, and its distance from the first, in [0, 1].

    Beyond the borders the image is reflected, without repeating the border pixel.
    """
    period = max(2.0 * (side - 1), 1.0)
    place = ops.mod(ops.abs(place + (side - 1) / 2), period)
    place = ops.clip(ops.minimum(place, period - place), 0.0, side - 1.0)
    before = ops.floor(place)
    after = ops.minimum(before + 1.0, side - 1.0)
    return ops.cast(before, "int32"), ops.cast(after, "int32"), place - before
