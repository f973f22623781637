"""`load`: from a name or a path to an ImageDataset."""

from kerasgan.data.dataset import ImageDataset
from kerasgan.data.sources import decoded, named
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
    fit="crop",
    background="white",
    mirror=False,
    **options,
):
    """Return an ImageDataset of the images that a name or a path denotes.

    Images get the shape of `image_size`, by `fit`. Colour modes, 16-bit values, transparency (laid
    over `background`), EXIF orientation and animations (first frame) are handled. The decoded
    images are cached on disk as uint8 and memory-mapped, so each set is decoded once.

    Args:
        name_or_path: One of

            - the path of a folder of images, which may be nested and hold mixed formats and sizes.
              Files that cannot be used are skipped and listed in `skipped`. If all images lie in
              two or more first-level folders, these folders are the labels, in the order of the
              numbers in their names and of the alphabet. A file dataset.json gives other labels,
              as in StyleGAN's data sets. Links to folders are followed;
            - the path of a .zip file, which is read as the folder that it was made of, without
              being unpacked to the disk;
            - the path of an .npz or .npy file: `(N, H, W)` or `(N, H, W, C)`, integers in 0..255 or
              floats in [-1, 1]. Floats without a negative value are taken as [0, 1], with a
              warning. The keys of an .npz file are images, x, x_train or arr_0, and labels, y,
              y_train or arr_1. Labels are numbers, or names of classes as text;
            - "avatars": 10,000 cartoon heads, rendered on first use; "avatars:planets" in another
              of the styles in `kerasgan.catalogue.STYLES`, "avatars:moods,clay" in several in turn,
              which are the labels;
            - "stacked_mnist": 128,000 images whose three channels are digits of MNIST; the labels
              are its 1,000 modes;
            - the name of any TFDS image data set, such as "mnist" or "celeb_a".
        image_size: Side of the images in pixels, or `(height, width)`. None keeps their own size if
            all images share one square size; avatars are then 64 pixels.
        batch_size: Examples in a batch.
        channels: 1, 3, 4, or None: 1 if every image is grey, else 3. Of 4 channels the last is the
            transparency, 0 where nothing is seen, and the first three are the picture over white;
            see `kerasgan.data.pixels.over_white`.
        split: For TFDS data sets and stacked_mnist only: "train", "test", "train[:1000]", ...
        seed: Seed of the order of the examples.
        limit: Number of images to take, from the first; None takes all.
        upscale: Whether images smaller than `image_size` are enlarged.
        max_bad: For folders and zip files: the greatest share of files that may be unusable, from 0
            to 1.
        shuffle: Whether each epoch has its own order.
        drop_remainder: Whether a last batch that is smaller than `batch_size` is left out.
        cache_dir: The folder of the decoded images; by default $KERASGAN_CACHE, or `kerasgan` in
            $XDG_CACHE_HOME or ~/.cache.
        data_dir: The folder of TFDS' files; by default $TFDS_DATA_DIR or ~/tensorflow_datasets.
        progress: Optional callable `(done, total)`, called while images are decoded.
        bit_depth: Number of bits, 9 to 16, that values wider than a byte use, such as 12 for many
            cameras: `2**bit_depth - 1` is white. None takes images of 16 bits as they are, with a
            warning where their values use fewer.
        fit: How images of another shape get this one: "crop" keeps the middle of the side that is
            too long, "pad" fills up beside the one that is too short with `background` (transparent
            with 4 channels), and "stretch" resizes each side by itself.
        background: The colour that transparent pixels are laid over, "white", "black" or
            "#rrggbb". With 4 channels nothing is laid over it.
        mirror: Whether batches show each image mirrored or not, at random; see `ImageDataset`.
        **options: More options that the source takes; see `kerasgan.data.sources`.

    Raises:
        DataError: If the images cannot be found or used; the message says what to do.

    Example:
    ```python
    dataset = kerasgan.data.load("photos/", image_size=64)
    gan.fit(dataset, epochs=50, shuffle=False)
    ```
    """
    name, found = decoded(
        name_or_path,
        image_size=image_size,
        channels=channels,
        limit=limit,
        upscale=upscale,
        bit_depth=bit_depth,
        fit=fit,
        background=background,
        cache_dir=cache_dir,
        progress=progress,
        split=split,
        max_bad=max_bad,
        data_dir=data_dir,
        **options,
    )
    about = found.about
    return ImageDataset(
        found.images,
        found.labels,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        drop_remainder=drop_remainder,
        name=name,
        class_names=about.get("class_names"),
        skipped=about.get("skipped", ()),
        content=about.get("content"),
        unlabelled=about.get("unlabelled"),
        mirror=mirror,
    )
