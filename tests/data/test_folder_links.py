"""Links in a folder of images: to folders, to files, and in circles."""

import os

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import load
from kerasgan.data.folder_files import REPEATED, list_files

pytestmark = pytest.mark.numpy


def picture(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(path)


@pytest.fixture
def root(tmp_path):
    picture(tmp_path / "root" / "ant" / "0.png", 1)
    picture(tmp_path / "elsewhere" / "0.png", 2)
    return tmp_path / "root"


def opened(root):
    return load(root, image_size=8, batch_size=1, shuffle=False)


def test_a_linked_class_folder_is_read(root, tmp_path):
    (root / "bee").symlink_to(tmp_path / "elsewhere")
    dataset = opened(root)
    assert dataset.class_names == ["ant", "bee"] and dataset.skipped == []
    assert dataset.images[:, 0, 0, 0].tolist() == [1, 2]


def test_a_relative_link_to_a_hidden_folder_is_read(root):
    picture(root / ".store" / "0.png", 3)
    (root / "bee").symlink_to(".store")
    assert opened(root).class_names == ["ant", "bee"]


def test_links_in_a_circle_end_and_are_listed(root, tmp_path):
    (root / "ant" / "up").symlink_to(root)
    (root / "bee").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(root / "bee")
    dataset = opened(root)
    assert dataset.num_examples == 2
    listed = {os.path.join("ant", "up"): REPEATED, os.path.join("bee", "back"): REPEATED}
    assert dict(dataset.skipped) == listed


def test_a_folder_comes_before_a_link_to_it(root):
    """The link sorts first, but its files would then have another class than their folder."""
    (root / "aaa").symlink_to(root / "ant")
    files, repeated = list_files(root)
    assert [path for path, _, _ in files] == [os.path.join("ant", "0.png")] and repeated == ["aaa"]


def test_a_link_into_a_linked_folder_is_read_once(root, tmp_path):
    picture(tmp_path / "elsewhere" / "deep" / "1.png")
    (root / "a").symlink_to(tmp_path / "elsewhere" / "deep")
    (root / "b").symlink_to(tmp_path / "elsewhere")
    files, repeated = list_files(root)
    names = [path.replace(os.sep, "/") for path, _, _ in files]
    assert names == ["a/1.png", "ant/0.png", "b/0.png"]
    assert repeated == [os.path.join("b", "deep")]


def test_a_link_to_nowhere_is_listed_as_before(root):
    for i in range(12):
        picture(root / "ant" / f"{i}.png")
    (root / "bee").symlink_to(root / "nowhere")
    assert [path for path, _ in opened(root).skipped] == ["bee"]
