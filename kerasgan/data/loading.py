"""`load`: from a name or a path to an ImageDataset."""

from kerasgan.data.cache import cache_folder
from kerasgan.data.dataset import ImageDataset, positive_int
from kerasgan.data.pixels import DataError, UnknownDataError
from kerasgan.data.sources import SOURCES, check_options, find, named, own_options, unknown
from kerasgan.data.tfds_images import SUGGESTED

names = [*named(), *SUGGESTED]


def load(
    name_or_path,
    image_size=None,
    batch_size=64,
    channels=None,
    split="train",
    seed=0,
    limit=None,
    upscale=False,
    max_bad=0.1,
    shuffle=True,
    drop_remainder=True,
    cache_dir=None,
    data_dir=None,
    progress=None,
    bit_depth=None,
    **options,
):
    """Return an ImageDataset of the images that a name or a path denotes.

    Images are resized so that their shorter side is `image_size`, and cropped to a centred square.
    Colour modes, 16-bit values, transparency (composited over white), EXIF orientation and
    animations (first frame) are handled. The decoded images are cached on disk as uint8 and
    memory-mapped, so each set is decoded once.

    Args:
        name_or_path: One of

            - the path of a folder of images, which may be nested and hold mixed formats and sizes.
              Files that cannot be used are skipped and listed in `skipped`. If all images lie in
              two or more first-level folders, these folders are the labels, in the order of the
              numbers in their names and of the alphabet. Links to folders are followed;
            - the path of an .npz or .npy file: `(N, H, W)` or `(N, H, W, C)`, integers in 0..255 or
              floats in [-1, 1]. Floats without a negative value are taken as [0, 1], with a
              warning. The keys of an .npz file are images, x, x_train or arr_0, and labels, y,
              y_train or arr_1. Labels are numbers, or names of classes as text;
            - "avatars": 10,000 cartoon heads, rendered on first use;
            - "stacked_mnist": 128,000 images whose three channels are digits of MNIST; the labels
              are its 1,000 modes;
            - the name of any TFDS image data set, such as "mnist" or "celeb_a".
        image_size: Side of the images in pixels. None keeps their own size if all images share
            one square size; avatars are then 64 pixels.
        batch_size: Examples in a batch.
        channels: 1, 3, or None: 1 if every image is grey, else 3.
        split: For TFDS data sets and stacked_mnist only: "train", "test", "train[:1000]", ...
        seed: Seed of the order of the examples.
        limit: Number of images to take, from the first; None takes all.
        upscale: Whether images smaller than `image_size` are enlarged.
        max_bad: For folders: the greatest share of files that may be unusable, from 0 to 1.
        shuffle: Whether each epoch has its own order.
        drop_remainder: Whether a last batch that is smaller than `batch_size` is left out.
        cache_dir: The folder of the decoded images; by default $KERASGAN_CACHE, or `kerasgan` in
            $XDG_CACHE_HOME or ~/.cache.
        data_dir: The folder of TFDS' files; by default $TFDS_DATA_DIR or ~/tensorflow_datasets.
        progress: Optional callable `(done, total)`, called while images are decoded.
        bit_depth: Number of bits, 9 to 16, that values wider than a byte use, such as 12 for many
            cameras: `2**bit_depth - 1` is white. None takes images of 16 bits as they are, with a
            warning where their values use fewer.
        **options: More options that the source takes; see `kerasgan.data.sources`.

    Raises:
        DataError: If the images cannot be found or used; the message says what to do.

    Example:
    ```python
    dataset = kerasgan.data.load("photos/", image_size=64)
    gan.fit(dataset, epochs=50, shuffle=False)
    ```
    """
    common = _common_options(image_size, channels, limit, upscale, bit_depth)
    name, source = find(name_or_path)
    check_options(source, name, options if split == "train" else {"split": split, **options})
    # A source that does not use these two ignores them, because neither chooses the images.
    options = {"split": split, "max_bad": max_bad, "data_dir": data_dir, **options}
    own = {option: options[option] for option in own_options(source) if option in options}
    try:
        decoded = SOURCES[source](name, cache_folder(cache_dir), common, progress, **own)
    except UnknownDataError as error:
        raise unknown(name, error.known) from None
    return ImageDataset(
        decoded.images,
        decoded.labels,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        drop_remainder=drop_remainder,
        name=name,
        class_names=decoded.about.get("class_names"),
        skipped=decoded.about.get("skipped", ()),
        content=decoded.about.get("content"),
        unlabelled=decoded.about.get("unlabelled"),
    )


def _common_options(image_size, channels, limit, upscale, bit_depth):
    """Return the checked arguments that determine the pixels, JSON-serializable for the cache."""
    if channels not in (None, 1, 3):
        raise DataError(f"`channels` must be 1, 3 or None. Received: {channels!r}")
    common = {
        "image_size": None if image_size is None else positive_int("image_size", image_size),
        "channels": channels,
        "limit": None if limit is None else positive_int("limit", limit),
        "upscale": bool(upscale),
    }
    if bit_depth is None:  # Left out, so that images in the cache keep their names.
        return common
    if not 9 <= positive_int("bit_depth", bit_depth) <= 16:
        raise DataError(f"`bit_depth` must be an integer from 9 to 16. Received: {bit_depth!r}")
    return {**common, "bit_depth": int(bit_depth)}
