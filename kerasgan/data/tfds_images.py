"""Image data sets of TensorFlow Datasets, by name."""

import os
import re
import socket
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np

from kerasgan.data import fitting, pixels
from kerasgan.data.arrays import OPAQUE
from kerasgan.data.cache import Decoded, cached
from kerasgan.data.pixels import DataError, UnknownDataError
from kerasgan.files import expanded
from kerasgan.text import short

SUGGESTED = [
    "mnist",
    "fashion_mnist",
    "kmnist",
    "emnist/letters",
    "cifar10",
    "cifar100",
    "svhn_cropped",
    "celeb_a",
    "stl10",
    "oxford_flowers102",
    "oxford_iiit_pet",
    "stanford_dogs",
    "cats_vs_dogs",
]
_NAME = re.compile(r"[A-Za-z_]\w*(:\w+)?(/[\w.+-]+)*(:[\d.*]+)?")


def load_tfds(name, folder, options, progress=None, *, split="train", data_dir=None):
    """Return the `Decoded` images of a TFDS data set; see `kerasgan.data.sources`.

    The name is one of TFDS: "mnist", "emnist/letters", "mnist:3.0.1". The own options are `split`
    ("train", "test", "train[:1000]") and `data_dir`, the folder where TFDS keeps its files; None
    takes $TFDS_DATA_DIR or the default of TFDS. If the images are in the cache, neither TFDS nor
    TensorFlow is imported.
    """
    if not _NAME.fullmatch(name):
        raise UnknownDataError(f"`name_or_path` must be a name of TFDS. Received: {name!r}")
    where = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    where = str(where) if "://" in str(where) else str(expanded(where).resolve())

    def decode(writer):
        builder = _builder(name, where)
        info = _prepare(builder, name, split, where)
        return _decode(builder, info, split, writer, options, progress)

    decoded = cached(folder, "tfds", [name, split, where, options], decode)
    pixels.warn_if_dark(decoded.about.get("largest"), options.get("bit_depth"), name)
    about = {
        **decoded.about,
        "content": {"source": "tfds", "version": decoded.about["source"], "split": split},
        "unlabelled": "the data set has no classes",
    }
    return Decoded(decoded.images, decoded.labels, about)


def _builder(name, data_dir):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow_datasets as tfds

        from kerasgan import backend

        backend.hide_from_tensorflow()
    except ModuleNotFoundError as error:
        raise UnknownDataError(
            "`name_or_path` must be a path that exists, or a name of TFDS, which is not installed "
            f"(pip install tensorflow-datasets tensorflow). Received: {name!r}"
        ) from error

    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError:
        known = tfds.list_builders(with_community_datasets=False)
        message = f"`name_or_path` must be a name of TFDS. Received: {name!r}"
        raise UnknownDataError(message, known) from None
    except Exception as error:  # A data set's builder may raise anything.
        raise DataError(
            "`name_or_path` is a TFDS data set that cannot be opened (is the configuration or the "
            f"version wrong?). Received: {name!r}, {short(error)}"
        ) from error


def _prepare(builder, name, split, data_dir):
    """Return the information about the split; download and prepare the data set if need be."""
    import tensorflow_datasets as tfds

    features = _features(builder)
    image = features.get("image")
    if not isinstance(image, tfds.features.Image):
        raise DataError(
            "`name_or_path` must be a data set with an 'image' feature. "
            f"Received: {name!r} with {', '.join(features or ['no features'])}"
        )
    if np.dtype(image.np_dtype) not in (np.uint8, np.uint16):
        raise DataError(
            "`name_or_path` must be a data set of 8 or 16-bit images. "
            f"Received: {name!r} with {np.dtype(image.np_dtype)}"
        )
    if not builder.is_prepared():
        _check_network(builder, name, data_dir)
        try:
            builder.download_and_prepare()
        except Exception as error:  # Network, TFDS, checksum and disk raise various classes.
            raise _not_downloaded(name, builder, short(error)) from error
    try:
        return builder.info.splits[split]
    except Exception as error:
        raise DataError(
            f"`split` must be one of {', '.join(builder.info.splits)} or a slice such as "
            f"'train[:1000]'. Received: {split!r}"
        ) from error


def _features(builder):
    """Return the features of the examples as a dict; empty where an example is not a dict."""
    return dict(getattr(builder.info.features, "items", dict)())


def _check_network(builder, name, data_dir):
    """Raise at once if the download's host has no address; TFDS would retry for minutes."""
    downloads = Path(data_dir) / "downloads"
    finished = [*downloads.glob("*.INFO"), *downloads.glob(f"{builder.name}/*.INFO")]
    if finished or urllib.request.getproxies():
        return
    hosts = {urllib.parse.urlparse(url).hostname for url in builder.url_infos or ()}
    for host in sorted(hosts - {None}):
        try:
            socket.getaddrinfo(host, 443)
        except OSError as error:
            raise _not_downloaded(name, builder, f"no address for {host} ({error})") from error


def _not_downloaded(name, builder, reason):
    return DataError(
        f"`name_or_path` names a data set that is not on this machine and could not be downloaded. "
        f"Connect to the network and try again; or prepare it elsewhere, copy its folder and give "
        f"data_dir (TFDS looked in {builder.data_path}); or use 'avatars', a folder or an .npz, "
        f"which need no network. Received: {name!r}, {reason}"
    )


def _decode(builder, split_info, split, writer, options, progress):
    import tensorflow_datasets as tfds

    label = _features(builder).get("label")
    labelled = isinstance(label, tfds.features.ClassLabel)
    total = min(split_info.num_examples, options["limit"] or split_info.num_examples)
    if not total:
        raise DataError(f"`split` must not be empty. Received: {split!r} of {builder.name}")
    # Only the features in use are decoded: others may be large.
    wanted = {"image": True, "label": True} if labelled else {"image": True}
    examples = builder.as_dataset(
        split=split,
        shuffle_files=False,
        read_config=tfds.ReadConfig(try_autocache=False),
        decoders=tfds.decode.PartialDecoding(wanted),
    ).take(total)
    labels = np.zeros(total, np.int32)
    largest = []

    def fit(numbered):
        number, example = numbered
        if labelled:
            labels[number] = example["label"]
        return _fit(example["image"], number, options, largest)

    for done, image in enumerate(pixels.in_threads(fit, enumerate(tfds.as_numpy(examples))), 1):
        if writer.shape not in (None, image.shape):
            raise _sizes_differ(image.shape, writer.shape)
        writer.add(image)
        if progress is not None:
            progress(done, total)
    about = {"source": builder.info.full_name, "class_names": label.names if labelled else None}
    about["largest"] = pixels.usual_largest(largest)
    return labels if labelled else None, about


def _fit(image, number, options, largest):
    if image.dtype == np.uint16:
        largest.append(int(image.max()))
        try:
            image = pixels.from_bits(image, options.get("bit_depth"))
        except DataError as error:
            raise DataError(
                "`bit_depth` must be the number of bits that the values use. "
                f"Received: image {number} with {error}"
            ) from None
    channels = options["channels"] or OPAQUE[image.shape[-1]]
    try:
        return fitting.fitted(fitting.as_image(image), options, channels)
    except DataError as error:
        raise DataError(
            "`image_size` must be given unless all images share one square size, and not be larger "
            "than the images, unless upscale=True. "
            f"Received: image_size={options['image_size']}, image {number} is {error}"
        ) from None


def _sizes_differ(one, other):
    return DataError(
        "`image_size` must be given unless all images share one square size. Received: "
        f"image_size=None, images of {one[1]}x{one[0]} and {other[1]}x{other[0]}"
    )
