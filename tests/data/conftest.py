import numpy as np
import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Each test has a cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("KERASGAN_CACHE", str(folder))
    return folder


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def photos(tmp_path, rng):
    """A folder of 20 colour PNGs of different sizes."""
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(20):
        pixels = rng.integers(0, 256, (40 + i, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
    return folder
