from pathlib import Path

import numpy as np
import pytest

from kerasgan.data import DataError, load, names, sources
from kerasgan.data.cache import Decoded

pytestmark = pytest.mark.numpy


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("./no/such/folder", "must exist.*Received: ./no/such/folder"),
        ("/no/such/folder", "must exist"),
        ("images.npz", "must exist"),
        (Path("folder"), "must exist"),
        ("", "name or a path"),
        (None, "name or a path. Received: None"),
    ],
)
def test_paths_that_do_not_exist(path, message):
    with pytest.raises(DataError, match=f"`name_or_path`.*{message}"):
        load(path)


def test_a_misspelt_relative_path_lists_its_neighbours(photos, monkeypatch):
    monkeypatch.chdir(photos.parent)
    with pytest.raises(DataError, match="files named photos"):
        load("fotos")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.tar").touch()
    with pytest.raises(DataError, match=r"a \.zip, an \.npz or an \.npy file.*a\.tar"):
        load(tmp_path / "a.tar")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "`image_size`.*Received: image_size=0"),
        ({"image_size": 32.5}, "`image_size`.*Received: image_size=32.5"),
        ({"channels": 2}, "`channels` must be 1, 3, 4 or None. Received: 2"),
        ({"limit": -1}, "`limit`.*Received: -1"),
        ({"max_bad": 10}, "`max_bad`.*Received: 10"),
        ({"split": "test"}, "`split` is for TFDS.*Received: 'test'"),
        ({"batch_size": 21}, "`batch_size`.*batch_size=21 and 20 images"),
    ],
)
def test_bad_options_are_named(photos, options, message):
    with pytest.raises(DataError, match=message):
        load(photos, **{"image_size": 32, **options})


def test_same_seed_same_batches(photos):
    one, two = (load(photos, image_size=16, batch_size=4, seed=3) for _ in range(2))
    for epoch in (0, 1):
        one.seek(epoch)
        two.seek(epoch)
        assert [batch.tobytes() for batch in one] == [batch.tobytes() for batch in two]


def test_names_are_known_to_tfds():
    import tensorflow_datasets as tfds

    known = {"avatars", "stacked_mnist", *tfds.list_builders(with_community_datasets=False)}
    assert {name.split("/")[0] for name in names} <= known


def test_a_new_source_is_one_entry(monkeypatch, tmp_path):
    def load_plain(name, folder, options, progress=None, *, level=7):
        size = options["image_size"]
        return Decoded(np.full((options["limit"], size, size, 1), level, np.uint8))

    monkeypatch.setitem(sources.SOURCES, "plain", load_plain)
    chosen = {"image_size": 8, "limit": 3, "batch_size": 3}
    assert (load("plain", **chosen).images == 7).all()
    assert (load("plain", level=9, **chosen).images == 9).all()
    with pytest.raises(DataError, match="`split` is for TFDS data sets and stacked_mnist only"):
        load("plain", split="test", **chosen)
    with pytest.raises(DataError, match=r"`level` is for plain only\. Received: 9 for avatars"):
        load("avatars", level=9)
    with pytest.raises(DataError, match="Did you mean plain"):
        load("plein", data_dir=tmp_path)
    with pytest.raises(TypeError, match="unexpected keyword argument 'levels'"):
        load("plain", levels=9, **chosen)


def test_sources_are_called_by_their_name_or_found_by_the_path(photos, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((1, 4, 4), np.uint8))
    (tmp_path / "a.ZIP").touch()
    found = {"avatars": "avatars", str(photos): "folder", str(tmp_path / "a.npy"): "array"}
    found[str(tmp_path / "a.ZIP")] = "zip"
    found |= {"stacked_mnist": "stacked_mnist", "mnist": "tfds", "folder": "tfds"}
    assert {name: sources.find(name)[1] for name in found} == found
    assert set(found.values()) == set(sources.SOURCES)
