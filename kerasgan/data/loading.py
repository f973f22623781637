"""`load`: from a name or a path to an ImageDataset."""

import os
from pathlib import Path

from kerasgan.data import tfds_images
from kerasgan.data.arrays import load_array
from kerasgan.data.avatars import load_avatars
from kerasgan.data.cache import cache_folder
from kerasgan.data.dataset import ImageDataset, positive_int
from kerasgan.data.folder import load_folder
from kerasgan.data.pixels import DataError, UnknownDataError
from kerasgan.data.stacked import load_stacked

names = ["avatars", "stacked_mnist", *tfds_images.SUGGESTED]


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
):
    """Return an ImageDataset of the images that a name or a path stands for.

    Images are resized so that their shorter side is `image_size` and cropped to a centred square.
    Colour modes, 16 bits, transparency (over white), EXIF orientation and animations (first frame)
    are dealt with. The decoded images are cached on disk as uint8 and memory-mapped, so decoding
    happens once.

    Args:
        name_or_path: One of

            - the path of a folder of images, nested, of mixed formats and sizes; files that cannot
              be used are skipped and listed in `skipped`; if all lie in two or more first-level
              folders, those are the labels;
            - the path of an .npz or .npy file: `(N, H, W)` or `(N, H, W, C)`, integers in 0..255 or
              floats in [-1, 1]; floats without a negative value are taken as [0, 1], with a
              warning; .npz keys: images, x, x_train or arr_0, and labels, y, y_train or arr_1;
            - "avatars": 10,000 cartoon heads, drawn when first asked for;
            - "stacked_mnist": 128,000 images whose three channels are digits of MNIST; the labels
              are its 1,000 modes;
            - the name of any TFDS image data set, such as "mnist" or "celeb_a".
        image_size: Side of the images in pixels; None takes theirs, if all share one square size
            (64 for avatars).
        batch_size: Examples in a batch.
        channels: 1, 3, or None: 1 if every image is grey, else 3.
        split: For TFDS and stacked_mnist only: "train", "test", "train[:1000]", ...
        seed: Seed of the order of the examples.
        limit: Take only the first so many images.
        upscale: Whether images smaller than `image_size` are enlarged.
        max_bad: Greatest share of a folder's files that may be unusable.
        shuffle: Whether each epoch has its own order.
        drop_remainder: Whether the last, smaller batch is left out.
        cache_dir: Where decoded images are kept; by default $KERASGAN_CACHE, or `kerasgan` in
            $XDG_CACHE_HOME or ~/.cache.
        data_dir: Where TFDS keeps its files; by default $TFDS_DATA_DIR or ~/tensorflow_datasets.
        progress: Optional callable `(done, total)`, called while images are decoded.

    Raises:
        DataError: If the images cannot be had or used; the message says what to do.

    Example:
    ```python
    dataset = kerasgan.data.load("photos/", image_size=64)
    gan.fit(dataset, epochs=50, shuffle=False)
    ```
    """
    options = _options(image_size, channels, limit, upscale)
    if isinstance(max_bad, bool) or not isinstance(max_bad, (int, float)) or not 0 <= max_bad <= 1:
        raise DataError(f"`max_bad` must be a number from 0 to 1. Received: {max_bad!r}")
    folder = cache_folder(cache_dir)
    name, kind = _kind(name_or_path)
    if kind not in ("tfds", "stacked_mnist") and split != "train":
        raise DataError(
            f"`split` is for TFDS data sets and stacked_mnist only. Received: {split!r} for {name}"
        )
    if kind == "folder":
        decoded = load_folder(name, folder, options, max_bad, progress)
    elif kind == "array":
        decoded = load_array(name, folder, options, progress)
    elif kind == "avatars":
        decoded = load_avatars(folder, options, progress)
    elif kind == "stacked_mnist":
        decoded = load_stacked(folder, options, split, data_dir, progress)
    else:
        decoded = tfds_images.load_tfds(name, folder, options, split, data_dir, progress)
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
    )


def _options(image_size, channels, limit, upscale):
    """Return the checked arguments that determine the pixels, JSON-able for the cache."""
    if channels not in (None, 1, 3):
        raise DataError(f"`channels` must be 1, 3 or None. Received: {channels!r}")
    return {
        "image_size": None if image_size is None else positive_int("image_size", image_size),
        "channels": channels,
        "limit": None if limit is None else positive_int("limit", limit),
        "upscale": bool(upscale),
    }


def _kind(name_or_path):
    """Return the name or path as text, and which kind of source it is."""
    if not isinstance(name_or_path, (str, os.PathLike)) or not str(name_or_path):
        raise DataError(f"`name_or_path` must be a name or a path. Received: {name_or_path!r}")
    name = os.fspath(name_or_path)
    path = Path(name).expanduser()
    if name_or_path in ("avatars", "stacked_mnist"):  # a folder of that name is ./avatars
        return name, name
    if path.is_dir():
        return str(path), "folder"
    if path.is_file():
        if path.suffix.lower() not in {".npz", ".npy"}:
            raise DataError(
                f"`name_or_path` must be a folder, an .npz or an .npy file. Received: {path}"
            )
        return str(path), "array"
    looks_like_path = isinstance(name_or_path, os.PathLike) or name.startswith((".", "~", "/"))
    looks_like_path = looks_like_path or name.count("/") > 1  # TFDS: name/config:version
    if looks_like_path or "\\" in name or name.endswith("/") or path.suffix.lower() in _SUFFIXES:
        raise UnknownDataError(
            "`name_or_path` looks like a path and must exist; for a data set give its name, such "
            f"as 'avatars' or 'mnist'. Received: {name}"
        )
    return name, "tfds"


_SUFFIXES = {".npz", ".npy", ".zip", ".tar", ".gz", ".png", ".jpg", ".jpeg", ".h5", ".tfrecord"}
