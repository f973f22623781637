"""Stacked MNIST: three digits as the channels of a colour image, 1,000 modes.

There are 128,000 fixed images, as in VEEGAN and PacGAN. Departure: PacGAN's code stacks the digits
of MNIST's test set too.

Reference: Metz et al. 2017 (Unrolled GAN), https://arxiv.org/abs/1611.02163.
"""

import numpy as np

from kerasgan.data import tfds_images
from kerasgan.data.cache import Decoded, cached
from kerasgan.data.pixels import DataError

COUNT = 128_000
MODES = 1000


def stack(images, labels, n, seed):
    """Return `n` stacks of three digits drawn with replacement, and their modes.

    Args:
        images: uint8 digits `(m, height, width, 1)`.
        labels: Their classes `(m,)`, 0 to 9.
        n: Number of stacks.
        seed: Seed of the random choice, an int or a list of ints.

    Returns:
        The stacks, uint8 `(n, height, width, 3)`, and their modes, int32 `(n,)`, 0 to 999. The
        first channel's digit is the hundreds of the mode, the last one's its units.
    """
    chosen = np.random.default_rng(seed).integers(len(images), size=(n, 3))
    stacks = np.ascontiguousarray(np.moveaxis(images[chosen][..., 0], 1, -1))
    return stacks, (labels[chosen] @ np.array([100, 10, 1])).astype(np.int32)


def load_stacked(name, folder, options, progress=None, *, split="train", data_dir=None):
    """Return the `Decoded` stacks of digits of MNIST; see `kerasgan.data.sources`.

    Its own options are those of `load_tfds`; `split` names the digits that are stacked.
    """
    if options["channels"] not in (3, None):
        raise DataError(
            f"`channels` of stacked_mnist must be 3 or None. Received: {options['channels']}"
        )
    each = {**options, "channels": 1, "limit": None}
    digits = tfds_images.load_tfds("mnist", folder, each, split=split, data_dir=data_dir)
    count = min(options["limit"] or COUNT, COUNT)

    def decode(writer):
        labels = []
        for first in range(0, count, 1000):  # In blocks: a smaller set is the start of a larger.
            n = min(1000, count - first)
            stacks, modes = stack(digits.images, digits.labels, n, [0, first])
            labels.append(modes)
            for image in stacks:
                writer.add(image)
            if progress is not None:
                progress(first + n, count)
        return np.concatenate(labels), {"source": f"stacks of {digits.about['source']}"}

    version = digits.about["source"]
    decoded = cached(folder, name, [count, each["image_size"], split, version], decode)
    content = {"source": name, "version": version, "split": split}
    return Decoded(decoded.images, decoded.labels, {**decoded.about, "content": content})
