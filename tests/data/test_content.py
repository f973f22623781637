"""What identifies the images of a data set, whatever the place where they lie."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import load
from kerasgan.data.content import differences

pytestmark = pytest.mark.numpy


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(3):
            pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{i}.png")
    return tmp_path / "pictures"


def content(path, **options):
    found = load(path, **{"batch_size": 1, "max_bad": 1, **options}).content
    assert json.loads(json.dumps(found)) == found
    return found


def test_a_folder_that_moves_keeps_its_content(root, tmp_path):
    before = content(root, image_size=8)
    shutil.copytree(root, tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("*.png"):
        os.utime(path, (0, 0))
    assert content(tmp_path / "copy", image_size=8) == before
    (root / "notes.txt").write_text("no image")  # It is not used.
    assert content(root, image_size=8) == before


def rename_a_class(root):
    (root / "bee").rename(root / "wasp")


def replace_every_image(root):
    for path in root.rglob("*.png"):
        data = bytearray(path.read_bytes())
        image = np.asarray(Image.open(path))[::-1]
        Image.fromarray(np.ascontiguousarray(image)).save(path)
        path.write_bytes(path.read_bytes()[: len(data)].ljust(len(data), b"\0"))


def add_an_image(root):
    shutil.copy(root / "ant" / "0.png", root / "ant" / "9.png")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (rename_a_class, "the names and sizes of the files have the hash"),
        (replace_every_image, "the contents have the hash"),
        (add_an_image, "the number of files is 7, not 6"),
    ],
)
def test_other_images_have_another_content(root, change, words):
    before = content(root, image_size=8)
    change(root)
    found = differences(before, content(root, image_size=8))
    assert any(line.startswith(words) for line in found), found


def test_an_array_is_known_by_its_images_and_all_of_its_labels(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (300, 8, 8), dtype=np.uint8)
    labels = np.arange(300) % 3
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    before = content(tmp_path / "a.npz")
    np.savez_compressed(tmp_path / "b.npz", images=images, labels=labels)
    assert content(tmp_path / "b.npz") == before
    labels[7] += 1
    np.savez(tmp_path / "c.npz", images=images, labels=labels)
    (line,) = differences(before, content(tmp_path / "c.npz"))
    assert line.startswith("the labels have the hash")
    np.savez(tmp_path / "d.npz", images=images[::-1], labels=labels)
    assert len(differences(before, content(tmp_path / "d.npz"))) == 2


def test_a_folder_is_no_array(root, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((6, 8, 8), np.uint8))
    found = differences(content(root), content(tmp_path / "a.npy"))
    assert found[0] == "the data are of the kind array, not folder"
