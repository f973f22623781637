"""Images whose values use more than 8 and fewer than 16 bits."""

import warnings

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import DataError, load

pytestmark = pytest.mark.numpy
TWELVE = np.random.default_rng(0).integers(0, 4096, (6, 8, 8)).astype(np.uint16)
TWELVE[0, 0, 0] = 4095
SCALED = np.rint(TWELVE / 4095 * 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    for i, image in enumerate(TWELVE):
        Image.fromarray(image).save(tmp_path / "pictures" / f"{i}.png")
    return tmp_path / "pictures"


def test_dark_images_warn_with_the_largest_value_and_what_to_do(folder):
    for _ in range(2):  # Decoded, and out of the cache.
        with pytest.warns(UserWarning, match=r"4,095 of 65,535.*set `bit_depth` to 12"):
            dataset = load(folder, batch_size=2)
    assert dataset.images.max() == 16


def test_the_bit_depth_scales_the_values(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        dataset = load(folder, batch_size=2, bit_depth=12)
    np.testing.assert_array_equal(dataset.images[..., 0], SCALED)


def test_values_above_the_bit_depth_are_unusable(folder):
    with pytest.raises(DataError, match=r"more than 10 bits per channel \(values from"):
        load(folder, batch_size=2, bit_depth=10)


def test_images_of_16_and_of_8_bits_give_no_warning(tmp_path):
    for name, image in (("8", SCALED[0]), ("16", TWELVE[0] * 16)):
        (tmp_path / name).mkdir()
        Image.fromarray(image).save(tmp_path / name / "a.png")
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            load(tmp_path / name, batch_size=1)


@pytest.mark.parametrize("size", [None, 4])
def test_arrays_have_a_bit_depth_too(tmp_path, size):
    np.save(tmp_path / "a.npy", TWELVE)
    with pytest.raises(DataError, match=r"in 0\.\.255; .*`bit_depth`"):
        load(tmp_path / "a.npy", image_size=size, batch_size=2)
    dataset = load(tmp_path / "a.npy", image_size=size, batch_size=2, bit_depth=12)
    if size is None:
        np.testing.assert_array_equal(dataset.images[..., 0], SCALED)
    assert dataset.images.max() > 200
    with pytest.raises(DataError, match=r"`bit_depth` must.*more than 9 bits"):
        load(tmp_path / "a.npy", image_size=size, batch_size=2, bit_depth=9)


@pytest.mark.parametrize("bad", [8, 17, 12.5, True])
def test_bad_bit_depths_are_named(folder, bad):
    with pytest.raises(DataError, match=f"`bit_depth` must be an integer.*Received: {bad}"):
        load(folder, batch_size=2, bit_depth=bad)


def test_a_range_of_one_value_reads_as_one(tmp_path):
    np.save(tmp_path / "a.npy", np.full((4, 8, 8), 300))
    with pytest.raises(DataError, match=r"Received: values equal to 300$"):
        load(tmp_path / "a.npy", batch_size=2)
