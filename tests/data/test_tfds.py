import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kerasgan.data import DataError, load, stacked, tfds_images

pytestmark = [pytest.mark.numpy, pytest.mark.xdist_group("tfds")]  # `data_dir` is made once.

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = REPOSITORY.parent / "shared" / "data"
NAMES = ["mnist", "fashion_mnist"]

offline_files = pytest.mark.skipif(
    not all((FILES / name).is_dir() for name in NAMES),
    reason=f"needs the MNIST and Fashion-MNIST files in {FILES}",
)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """The real builders, prepared without a network; a thousand examples a split."""
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("tfds")
    for name in NAMES:
        config = tfds.download.DownloadConfig(manual_dir=FILES / name, max_examples_per_split=1000)
        # Apart: what is extracted is kept by its file's name, and the names are the same.
        tfds.builder(name, data_dir=folder).download_and_prepare(
            download_dir=folder / "downloads" / name, download_config=config
        )
    return folder


@offline_files
@pytest.mark.parametrize("name", NAMES)
def test_images_and_labels_are_those_of_tfds(name, data_dir):
    import tensorflow_datasets as tfds

    dataset = load(name, split="train[:500]", data_dir=data_dir, batch_size=100, shuffle=False)
    assert (dataset.num_examples, dataset.image_shape) == (500, (28, 28, 1))
    examples = list(tfds.as_numpy(tfds.load(name, split="train[:500]", data_dir=data_dir)))
    np.testing.assert_array_equal(dataset.images, [example["image"] for example in examples])
    np.testing.assert_array_equal(dataset.labels, [example["label"] for example in examples])
    assert len(dataset.class_names) == 10
    images, labels = dataset[4]
    np.testing.assert_allclose(images, dataset.images[400:] / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(labels, dataset.labels[400:])


@offline_files
def test_options(data_dir):
    dataset = load(
        "mnist", data_dir=data_dir, image_size=32, upscale=True, channels=3, limit=70, split="test"
    )
    assert (dataset.num_examples, dataset.image_shape) == (70, (32, 32, 3))
    small = load("mnist", data_dir=data_dir, image_size=14, limit=70, split="test")
    assert small.image_shape == (14, 14, 1)


@offline_files
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 64}, r"upscale=True.*image_size=64 \(28x28\)"),
        ({"split": "valid"}, "`split` must be one of train, test.*Received: 'valid'"),
        ({"split": "train[:x]"}, "`split`.*Received"),
        ({"split": "train[:0]"}, "`split` must not be empty"),
    ],
)
def test_bad_options_are_named(data_dir, options, message):
    with pytest.raises(DataError, match=message):
        load("mnist", data_dir=data_dir, **options)


CHILD = """
import json, sys
from kerasgan import data
dataset = data.load("mnist", split="train[:500]", data_dir=sys.argv[1], cache_dir=sys.argv[2])
print(json.dumps({
    "tensorflow": [name for name in sys.modules if name.startswith("tensorflow")],
    "sum": int(dataset.images.sum()),
}))
"""


@offline_files
def test_a_cache_hit_imports_no_tensorflow(data_dir, cache):
    # Decoding itself runs on each backend, as the whole suite does.
    backend = next((name for name in ("jax", "torch") if importlib.util.find_spec(name)), None)
    if backend is None:
        pytest.skip("needs jax or torch: Keras on TensorFlow imports TensorFlow")
    dataset = load("mnist", split="train[:500]", data_dir=data_dir)
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(REPOSITORY)}
    output = subprocess.run(
        [sys.executable, "-c", CHILD, data_dir, cache],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    child = json.loads(output.splitlines()[-1])
    assert child == {"tensorflow": [], "sum": int(dataset.images.sum())}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fashion_mnits", "Did you mean fashion_mnist.*Received: 'fashion_mnits'"),
        ("avatar", "Did you mean avatars"),
        ("zzqq", "For example avatars, stacked_mnist, mnist"),
        (
            "a b",
            "must be 'avatars' or 'stacked_mnist', the name of a TFDS image data set, or the path",
        ),
        ("mnist/nope", "configuration or the version.*nope"),
        ("wikipedia", "'image' feature. Received: 'wikipedia' with"),
    ],
)
def test_unknown_names_list_the_nearest(name, message, tmp_path):
    with pytest.raises(DataError, match=message):
        load(name, data_dir=tmp_path)


def test_a_download_without_a_network_says_so_at_once(tmp_path, monkeypatch, cache):
    def no_address(host, *_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(tfds_images.urllib.request, "getproxies", dict)
    monkeypatch.setattr(tfds_images.socket, "getaddrinfo", no_address)
    message = "Connect to the network.*data_dir.*Received: 'cifar10', no address for www"
    with pytest.raises(DataError, match=message):
        load("cifar10", data_dir=tmp_path)
    assert list(cache.iterdir()) == []


def test_a_download_that_fails_says_so(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    def fails(*_, **__):
        raise ConnectionError("reset by peer")

    monkeypatch.setattr(tfds_images, "_check_network", lambda *_: None)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fails)
    with pytest.raises(DataError, match=r"could not be downloaded.*ConnectionError: reset by peer"):
        load("cifar10", data_dir=tmp_path)


@offline_files
def test_stacks_are_three_digits_and_their_modes(data_dir):
    digits = load("mnist", data_dir=data_dir)
    stacks = load("stacked_mnist", data_dir=data_dir, limit=2500)
    assert stacks.image_shape == (28, 28, 3) and stacks.num_examples == 2500
    known = {
        image.tobytes(): label for image, label in zip(digits.images, digits.labels, strict=True)
    }
    for image, mode in zip(stacks.images[::100], stacks.labels[::100], strict=True):
        channels = [known[np.ascontiguousarray(image[..., [c]]).tobytes()] for c in range(3)]
        assert mode == int("".join(map(str, channels)))
    assert len(set(stacks.labels)) > 850  # 2,500 of 1,000 modes: 918 in the mean.
    fewer = load("stacked_mnist", data_dir=data_dir, limit=1200)
    np.testing.assert_array_equal(fewer.images, stacks.images[:1200])


@offline_files
def test_stacks_have_three_channels(data_dir):
    with pytest.raises(DataError, match=r"`channels` of stacked_mnist must be 3"):
        load("stacked_mnist", data_dir=data_dir, channels=1)
    assert (
        load("stacked_mnist", split="test", limit=5, batch_size=5, data_dir=data_dir).num_examples
        == 5
    )


def test_stacks_are_drawn_from_all_digits_alike():
    images = np.arange(10, dtype=np.uint8)[:, None, None, None]
    stacks, modes = stacked.stack(images, np.arange(10), 50_000, seed=1)
    np.testing.assert_array_equal(stacks[:, 0, 0] @ [100, 10, 1], modes)
    counts = np.bincount(modes, minlength=1000)
    assert len(counts) == 1000 and counts.min() > 15 and counts.max() < 95
