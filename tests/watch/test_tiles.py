"""A grid of images is cut into the images that it was made of."""

import io

import numpy as np
import pytest
from PIL import Image

from kerasgan import pictures
from kerasgan.data import to_uint8

pytestmark = pytest.mark.numpy


def images(n, size=16, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (n, size, size, channels)).astype("float32")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("gap", [0, 1, 2, 8])
def test_tiles_are_the_opposite_of_grid(gap, channels):
    x = images(36, channels=channels)
    found = pictures.tiles(pictures.grid(x, 9, gap), 16, 16)
    np.testing.assert_array_equal(found, to_uint8(x))


def test_empty_places_are_no_images():
    x = images(37)
    np.testing.assert_array_equal(pictures.tiles(pictures.grid(x, 8), 16, 16), to_uint8(x))
    assert len(pictures.tiles(pictures.grid(x, 8, gap=0), 16, 16)) == 40  # Nothing tells them.


@pytest.mark.parametrize("colour", [0, 255])
def test_a_border_as_of_torchvision(colour):
    x = images(20)
    inside = pictures.grid(x, 5, gap=2)
    inside[16:18], inside[:, 16:18] = colour, colour
    for i in range(1, 4):
        inside[i * 18 - 2 : i * 18] = colour
    for j in range(1, 5):
        inside[:, j * 18 - 2 : j * 18] = colour
    grid = np.pad(inside, ((2, 2), (2, 2), (0, 0)), constant_values=colour)
    np.testing.assert_array_equal(pictures.tiles(grid, 16, 16), to_uint8(x))


def test_lines_that_jpeg_has_blurred_are_found():
    smooth = np.repeat(np.repeat(images(16, size=4), 8, 1), 8, 2)
    memory = io.BytesIO()
    Image.fromarray(pictures.grid(smooth, 4, gap=2)).save(memory, "JPEG", quality=90)
    found = pictures.tiles(np.asarray(Image.open(memory)), 32, 32)
    assert found.shape == (16, 32, 32, 3)
    assert np.abs(found.astype(int) - to_uint8(smooth)).mean() < 10


def test_a_collapsed_grid_of_one_colour_keeps_its_images():
    x = np.ones((64, 16, 16, 3), "float32")
    assert len(pictures.tiles(pictures.grid(x, 8, gap=0), 16, 16)) == 64
    assert len(pictures.tiles(pictures.grid(-x, 8), 16, 16)) == 64


def test_what_is_no_grid():
    grid = pictures.grid(images(36), 6, gap=1)
    assert pictures.tiles(grid, 15, 16) is None
    assert pictures.tiles(grid, 16, 16, gap=2) is None
    assert pictures.tiles(grid[:10, :10], 16, 16) is None
