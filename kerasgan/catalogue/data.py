"""Where images come from."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Source:
    """A source of images.

    Args:
        name: Its name; of a file or a folder, its kind.
        summary: What it is.
        splits: Whether a part of it can be asked for, as "train" or "test[:1000]".
        labels: Whether its images have labels, "yes", "no", or "some".
        named: Whether its name is what `--data` is given.
    """

    name: str
    summary: str
    splits: bool = False
    labels: str = "no"
    named: bool = False


SOURCES = {
    entry.name: entry
    for entry in (
        Source("avatars", "10,000 cartoon heads, rendered on your machine", named=True),
        Source(
            "stacked_mnist",
            "128,000 images whose channels are three digits of MNIST",
            splits=True,
            labels="yes",
            named=True,
        ),
        Source("folder", "a folder of images; first-level folders are labels", labels="some"),
        Source("array", "an .npz or .npy file", labels="some"),
        Source("tfds", "a TFDS image data set by its name", splits=True, labels="some"),
    )
}
