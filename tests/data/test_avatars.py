import importlib.resources
import importlib.util
import json

import numpy as np
import pytest

from kerasgan import catalogue
from kerasgan.data import DataError, avatars, load
from kerasgan.data.pixels import UnknownDataError

pytestmark = pytest.mark.numpy

needs_packages = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in avatars._MODULES),
    reason="needs pip install 'kerasgan[avatars]'",
)


@needs_packages
def test_avatars_are_opaque_colour_faces_and_cached():
    calls = []
    first = load("avatars", limit=20, batch_size=5, progress=lambda *call: calls.append(call))
    assert calls == [(i, 20) for i in range(1, 21)]
    assert (first.num_examples, first.image_shape) == (20, (64, 64, 3))
    again = load("avatars", limit=20, batch_size=5, progress=lambda *call: calls.append(call))
    assert len(calls) == 20
    np.testing.assert_array_equal(first.images, again.images)
    corners = first.images[:, 0, 0]
    assert len(np.unique(corners, axis=0)) >= 5  # backgrounds vary
    np.testing.assert_array_equal(corners, first.images[:, 0, -1])  # and fill the square
    centres = first.images[:, 16:48, 16:48].astype(float)
    assert (centres.std(axis=(1, 2, 3)) > 20).all()  # and there is something on each
    assert len(np.unique(first.images.reshape(20, -1), axis=0)) == 20


@needs_packages
def test_fewer_are_the_first_of_the_same():
    many = list(avatars.render(6, 32, workers=2))
    few = list(avatars.render(3, 32, workers=1))
    np.testing.assert_array_equal(many[:3], few)


@needs_packages
def test_other_sizes_and_grey_are_possible():
    dataset = load("avatars", limit=2, image_size=96, channels=1, batch_size=2)
    assert dataset.image_shape == (96, 96, 1)
    assert dataset.images.std() > 20


@needs_packages
def test_styles_are_those_whose_licence_allows_it():
    letters, free = {"initials", "initial-face", "glyphs", "icons"}, {}
    for path in importlib.resources.files("dicebear_styles").iterdir():
        if path.suffix != ".json":
            continue
        about = json.loads(path.read_text(encoding="utf-8"))["meta"]
        licence = about["license"]["name"]
        if licence in ("CC0 1.0", "CC BY 4.0") and path.stem not in letters:
            free[path.stem] = (about["creator"]["name"], licence)
    assert {n: (s.creator, s.licence) for n, s in catalogue.STYLES.items()} == free


@needs_packages
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_another_style(channels):
    dataset = load("avatars:pixel-art", limit=4, image_size=32, channels=channels, batch_size=2)
    assert dataset.image_shape == (32, 32, channels)
    assert len(np.unique(dataset.images.reshape(4, -1), axis=0)) == 4
    assert (dataset.images[:, 0, 0, :3] == 255).all()  # It has no background.
    if channels == 4:
        assert (dataset.images[:, 0, 0, 3] == 0).all()
    assert dataset.labels is None and dataset.class_names is None


@needs_packages
def test_a_style_over_a_colour():
    options = {"limit": 2, "image_size": 32, "batch_size": 2}
    dark = load("avatars:pixel-art", background="#102030", **options).images
    assert (dark[:, 0, 0] == (16, 32, 48)).all()
    one = load("avatars:adventurer", **options).images
    np.testing.assert_array_equal(one, load("avatars", **options).images)


@needs_packages
def test_several_styles_are_the_labels():
    options = {"image_size": 32, "batch_size": 2}
    dataset = load("avatars:moods,adventurer,planets", limit=7, **options)
    assert dataset.class_names == ["moods", "adventurer", "planets"]
    np.testing.assert_array_equal(dataset.labels, [0, 1, 2, 0, 1, 2, 0])
    for k, style in enumerate(dataset.class_names):
        alone = load(f"avatars:{style}", limit=6, **options).images
        np.testing.assert_array_equal(dataset.images[k:6:3], alone[k::3])
    with pytest.raises(DataError, match="`limit` must be at least 3, the number of styles"):
        load("avatars:moods,adventurer,planets", limit=2, **options)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("avatars:mood", "of the styles moods.* and others .*Received: 'avatars:mood'"),
        ("avatars:", "avatars:STYLE"),
        ("avatars:moods,moods", "each style once"),
        ("avatars:avataaars", "avatars:STYLE"),
    ],
)
def test_styles_that_are_none(name, message):
    with pytest.raises(UnknownDataError, match=message):
        load(name, limit=2)


def test_files_whose_names_begin_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("avatars:y.npy", np.zeros((2, 8, 8), "uint8"))
    with pytest.raises(UnknownDataError, match=r"is opened by \./avatars:y\.npy\."):
        load("avatars:y.npy")
    assert load("./avatars:y.npy", batch_size=2).num_examples == 2


@needs_packages
def test_a_worker_that_dies_is_an_error(monkeypatch, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text("raise SystemExit('no such style')")
    monkeypatch.setattr(avatars, "_WORKER", script)
    with pytest.raises(DataError, match="Received: no such style"):
        list(avatars.render(2, 32))


def test_missing_packages_show_the_pip_line(monkeypatch):
    monkeypatch.setattr(avatars, "_MODULES", ("json", "no_such_module"))
    with pytest.raises(DataError, match=r"pip install 'kerasgan\[avatars\]'.*no_such_module"):
        load("avatars", limit=2)
