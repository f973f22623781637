import errno
import json
import os

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import cache as cache_module
from kerasgan.data import folder, load

pytestmark = pytest.mark.numpy


@pytest.fixture
def decodings(monkeypatch):
    """The paths of the files decoded so far."""
    paths, read = [], folder.read_image

    def counted(root, file, options, **more):
        paths.append(file[0])
        return read(root, file, options, **more)

    monkeypatch.setattr(folder, "read_image", counted)
    return paths


def open_photos(photos, **options):
    return load(photos, **{"image_size": 32, "batch_size": 4, **options})


def entries(cache):
    return sorted(path.name for path in cache.iterdir())


def test_a_hit_decodes_nothing_and_is_the_same(photos, cache, decodings):
    (photos / "bad.png").touch()
    first = open_photos(photos)
    assert len(decodings) == 21
    second = open_photos(photos, seed=5, batch_size=2)
    assert len(decodings) == 21
    np.testing.assert_array_equal(first.images, second.images)
    assert first.skipped == second.skipped == [("bad.png", "empty file")]
    assert isinstance(second.images, np.memmap)
    assert not second.images.flags.writeable
    assert len(entries(cache)) == 1


@pytest.mark.parametrize("options", [{"image_size": 16}, {"channels": 1}, {"limit": 6}])
def test_other_options_are_another_set(photos, decodings, options):
    open_photos(photos)
    before = len(decodings)
    open_photos(photos, **options)
    assert len(decodings) > before


def test_a_changed_folder_is_decoded_again(photos, decodings):
    open_photos(photos)
    Image.new("RGB", (40, 40), "red").save(photos / "00.png")
    os.utime(photos / "00.png", (1, 1))
    changed = open_photos(photos)
    assert len(decodings) == 40
    np.testing.assert_array_equal(changed.images[0, 0, 0], [255, 0, 0])
    Image.new("RGB", (40, 40), "blue").save(photos / "99.png")
    assert open_photos(photos).num_examples == 21


def cut(entry):
    os.truncate(entry / "images.npy", (entry / "images.npy").stat().st_size - 10)


def scramble(entry):
    (entry / "images.npy").write_bytes(b"\x93NUMPY rubbish")


def reshape(entry):
    about = json.loads((entry / "about.json").read_text())
    (entry / "about.json").write_text(json.dumps({**about, "shape": [20, 32, 32, 1]}))


def empty(entry):
    (entry / "about.json").write_text("")


def remove(entry):
    (entry / "images.npy").unlink()


@pytest.mark.parametrize("damage", [cut, scramble, reshape, empty, remove])
def test_a_damaged_set_is_rebuilt(photos, cache, decodings, damage):
    expected = np.array(open_photos(photos).images)
    damage(cache / entries(cache)[0])
    np.testing.assert_array_equal(open_photos(photos).images, expected)
    assert len(decodings) == 40
    open_photos(photos)
    assert len(decodings) == 40


def test_an_error_leaves_nothing_behind(photos, cache):
    for i in range(9):
        (photos / f"bad{i}.png").touch()
    with pytest.raises(ValueError, match="9 bad of 29"):
        open_photos(photos)
    assert entries(cache) == []


def test_a_folder_that_cannot_be_written_means_memory(photos, tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="kept in memory.*Received: .*file"):
        dataset = open_photos(photos, cache_dir=tmp_path / "file" / "below")
    assert dataset.num_examples == 20
    np.testing.assert_array_equal(dataset.images, open_photos(photos).images)


@pytest.mark.parametrize("grey", [False, True])
def test_a_disk_that_fills_up_half_way_means_memory(photos, cache, monkeypatch, grey):
    if grey:
        for path in photos.glob("*.png"):
            Image.open(path).convert("L").save(path)
    expected = np.array(open_photos(photos).images)
    write = cache_module.ImageWriter._write

    def full(self, data):
        if self.count == 11:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, data)

    monkeypatch.setattr(cache_module.ImageWriter, "_write", full)
    with pytest.warns(UserWarning, match="No space left"):
        dataset = open_photos(photos, upscale=True)
    np.testing.assert_array_equal(dataset.images, expected)
    assert dataset.image_shape[-1] == (1 if grey else 3)
    assert len(entries(cache)) == 1  # the first, whole one


def test_a_disk_that_fills_up_at_the_end_means_memory(photos, cache, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache_module.os, "fsync", full)
    with pytest.warns(UserWarning, match="No space left"):
        dataset = open_photos(photos)
    assert dataset.num_examples == 20
    assert entries(cache) == []


def test_leftovers_of_killed_processes_go(photos, cache):
    mine, gone = f".tmp-{os.getpid()}-7777", ".tmp-999999999-0"
    for name in (mine, gone):
        (cache / name).mkdir(parents=True)
        (cache / name / "images.npy").touch()
    open_photos(photos)
    assert [name for name in os.listdir(cache) if "tmp" in name] == [mine]


def test_where_the_cache_is(monkeypatch, tmp_path):
    assert cache_module.cache_folder("~/x") == tmp_path.home() / "x"
    assert cache_module.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("KERASGAN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_module.cache_folder() == tmp_path / "xdg" / "kerasgan"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_module.cache_folder() == tmp_path.home() / ".cache" / "kerasgan"
