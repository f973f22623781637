"""Labels in files: their shapes and types, the names of classes, and the order of these."""

import re

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import DataError, ImageDataset, load
from kerasgan.data.cache import ImageWriter
from kerasgan.data.labels import checked, in_order

pytestmark = pytest.mark.numpy
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 16, 16), dtype=np.uint8)
SIZES = pytest.mark.parametrize("size", [None, 8], ids=["as they are", "resized"])


@pytest.fixture
def saved(tmp_path):
    def save(labels):
        np.savez(tmp_path / "a.npz", images=IMAGES, labels=labels)
        return tmp_path / "a.npz"

    return save


@SIZES
@pytest.mark.parametrize(
    "labels",
    [np.arange(12) % 3, np.arange(12)[:, None] % 3, np.arange(12, dtype="float32") % 3],
    ids=["(n,)", "(n, 1)", "floats"],
)
def test_labels_of_any_shape_are_one_number_each(saved, size, labels):
    for _ in range(2):  # Decoded, and out of the cache.
        dataset = load(saved(labels), image_size=size, batch_size=4)
        np.testing.assert_array_equal(dataset.labels, np.arange(12) % 3)


@SIZES
def test_flags_are_labels(saved, size):
    dataset = load(saved(np.arange(12) % 2 == 1), image_size=size, batch_size=4)
    assert dataset.labels.tolist() == [0, 1] * 6


@SIZES
@pytest.mark.parametrize("encoded", [False, True])
def test_text_labels_are_names_of_classes(saved, size, encoded):
    names = np.array(["10", "9", "dog"] * 4)
    dataset = load(
        saved(np.char.encode(names) if encoded else names), image_size=size, batch_size=4
    )
    assert dataset.class_names == ["9", "10", "dog"]
    assert dataset.labels.tolist() == [1, 0, 2] * 4


@SIZES
def test_one_hot_labels_are_refused_with_what_to_do(saved, size, cache):
    with pytest.raises(DataError, match=r"argmax\(axis=1\).*Received: shape \(12, 3\)"):
        load(saved(np.eye(3)[np.arange(12) % 3]), image_size=size, batch_size=4)
    assert not cache.exists() or not list(cache.iterdir())


def test_text_beside_an_array_says_how_it_becomes_numbers():
    with pytest.raises(DataError, match=r"numpy\.unique.*Received: dtype <U3"):
        ImageDataset(IMAGES[..., None], labels=["cat"] * 12, batch_size=4)


def test_a_source_with_bad_labels_leaves_nothing_in_the_cache(cache):
    """Whatever the source: the cache never stores what it would then call damaged."""
    wanted = pytest.raises(DataError, match=r"one number for each image")
    with wanted, ImageWriter(cache, "set") as writer:
        for image in IMAGES:
            writer.add(image[..., None])
        writer.finish(np.zeros((12, 3)), {})
    assert not list(cache.iterdir())


def folders(tmp_path, names):
    for i, name in enumerate(names):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.fromarray(np.full((8, 8), 20 * i, np.uint8)).save(
            tmp_path / "pictures" / name / "a.png"
        )
    return tmp_path / "pictures"


def test_class_folders_sort_as_numbers(tmp_path):
    root = folders(tmp_path, [str(i) for i in range(11)])
    for _ in range(2):
        dataset = load(root, image_size=8, batch_size=2)
        assert dataset.class_names == [str(i) for i in range(11)]
        # Each label still belongs to the pixels of its folder.
        assert (dataset.images[:, 0, 0, 0] == 20 * dataset.labels).all()


def test_classes_can_be_put_in_another_order():
    labels, names = in_order(np.array([0, 2, 1, 0]), ["1", "10", "2"], ["2", "1", "10"])
    assert names == ["2", "1", "10"] and labels.tolist() == [1, 0, 2, 1]
    assert in_order(None, None) == (None, None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: Image.new("L", (8, 8)).save(root / "cover.png"),
         r"cover\.png lies beside the folders ant, bee"),
        (lambda root: (root / "bee" / "a.png").rename(root / "ant" / "b.png"),
         "two folders or more make classes, and there is one, ant"),
        (lambda root: [p.rename(root / f"{i}.png") for i, p in enumerate(root.rglob("*.png"))],
         "a folder of their own, and there is none"),
    ],
)  # fmt: skip
def test_a_folder_without_labels_says_why(tmp_path, change, words):
    root = folders(tmp_path, ["ant", "bee"])
    assert load(root, image_size=8, batch_size=2).unlabelled is None
    change(root)
    dataset = load(root, image_size=8, batch_size=2)
    assert dataset.labels is None
    assert re.search(words, dataset.unlabelled)


def test_whole_floats_are_class_numbers():
    assert checked(np.array([0.0, 2.0, 1.0]), 3).dtype == np.int32
    assert checked(np.array([0.5, 1.0, 2.0]), 3).dtype == np.float32
