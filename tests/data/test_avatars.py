import importlib.util

import numpy as np
import pytest

from kerasgan.data import DataError, avatars, load

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
