import keras
import numpy as np
import pytest
from PIL import Image

from kerasgan.data import DataError, fitting, from_uint8, pixels, to_uint8

pytestmark = pytest.mark.numpy


def test_the_256_values_are_those_of_the_formula_and_come_back():
    values = np.arange(256, dtype=np.uint8)
    floats = from_uint8(values)
    expected = (np.arange(256) / 127.5 - 1).astype(np.float32)
    np.testing.assert_allclose(floats, expected, atol=6e-8)
    assert floats.dtype == np.float32
    assert (floats[0], floats[255]) == (-1.0, 1.0)
    np.testing.assert_array_equal(to_uint8(floats), values)


def test_to_uint8_rounds_clips_and_takes_tensors():
    floats = np.array([-3.0, -1.0, 0.0035, 0.0045, 1.0, 7.0, np.nan], np.float32)
    expected = [0, 0, 128, 128, 255, 255, 128]
    np.testing.assert_array_equal(to_uint8(floats), expected)
    np.testing.assert_array_equal(to_uint8(keras.ops.convert_to_tensor(floats)), expected)


def test_uint8_stays_as_it_is():
    values = np.arange(256, dtype="uint8")
    assert to_uint8(values) is values


def test_from_uint8_refuses_other_dtypes():
    with pytest.raises(DataError, match=r"uint8.*Received: dtype float64"):
        from_uint8(np.zeros(3))


def test_a_crop_is_the_centre_of_the_longer_side():
    image = np.zeros((8, 24), np.uint8)
    image[:, 8:16] = 200
    result = np.asarray(fitting.shaped(Image.fromarray(image), 8, upscale=False))
    np.testing.assert_array_equal(result, np.full((8, 8), 200))


def test_downscaling_does_not_alias():
    stripes = np.tile(np.array([0, 255], np.uint8), (256, 128))  # one pixel wide
    result = np.asarray(fitting.shaped(Image.fromarray(stripes), 16, upscale=False)).astype(int)
    assert abs(result - 127)[:, 1:-1].max() <= 3  # at the border half the filter is missing
    assert abs(result - 127).max() <= 20


def test_in_threads_keeps_the_order():
    assert list(pixels.in_threads(lambda x: x * x, range(1000), chunk=64)) == [
        x * x for x in range(1000)
    ]
