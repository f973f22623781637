"""The small layers of R3GAN's networks."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasgan import backend
from kerasgan.layers import Blur, DiscriminativeBasis, GenerativeBasis, GroupedConv2D

RNG = np.random.default_rng(0)
LAYOUTS = ["channels_last", "channels_first"]


def numpy_of(x):
    return np.array(ops.convert_to_numpy(ops.stop_gradient(ops.convert_to_tensor(x))))


def laid_out(x, data_format):
    return x.transpose(0, 3, 1, 2) if data_format == "channels_first" else x


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_blur_equals_a_loop(data_format):
    x = RNG.standard_normal((2, 3, 4, 2)).astype("float32")
    found = numpy_of(Blur(data_format)(laid_out(x, data_format)))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    expected = np.zeros_like(x)
    for i in range(3):
        for j in range(4):
            window = padded[:, i : i + 3, j : j + 3]
            expected[:, i, j] = np.einsum("bhwc,hw->bc", window, kernel)
    np.testing.assert_allclose(found, laid_out(expected, data_format), rtol=1e-5, atol=1e-6)


def test_doubling_and_blur_is_bilinear_inside():
    x = RNG.standard_normal((1, 6, 6, 1)).astype("float32")
    found = numpy_of(Blur()(np.repeat(np.repeat(x, 2, axis=1), 2, axis=2)))
    x = x[0, :, :, 0]
    expected = 0.75 * 0.75 * x[2, 2] + 0.1875 * (x[1, 2] + x[2, 1]) + 0.0625 * x[1, 1]
    assert found[0, 4, 4, 0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("data_format", LAYOUTS)
def test_bases_equal_einsum(data_format):
    z = RNG.standard_normal((2, 3)).astype("float32")
    layer = GenerativeBasis(data_format=data_format, seed=1)
    basis = numpy_of(build(layer, z).basis)
    assert basis.shape == (4, 4, 3)
    maps = np.einsum("bc,hwc->bhwc", z, basis)
    np.testing.assert_allclose(numpy_of(layer(z)), laid_out(maps, data_format), rtol=1e-5)
    x = laid_out(maps, data_format).astype("float32")
    layer = DiscriminativeBasis(data_format=data_format, seed=2)
    expected = np.einsum("bhwc,hwc->bc", maps, numpy_of(build(layer, x).basis))
    np.testing.assert_allclose(numpy_of(layer(x)), expected, rtol=1e-4, atol=1e-5)


def build(layer, x):
    layer.build(x.shape)
    return layer


@pytest.mark.parametrize("accelerated", [False, True])
def test_grouped_convolution_is_one_per_group(monkeypatch, accelerated):
    monkeypatch.setattr(backend, "accelerated", lambda: accelerated)
    data_format = backend.PREFERRED_DATA_FORMAT
    x = RNG.standard_normal((2, 4, 4, 6)).astype("float32")
    layer = GroupedConv2D(4, 3, padding="same", groups=2, data_format=data_format)
    found = numpy_of(layer(laid_out(x, data_format)))
    kernel = numpy_of(layer.kernel)
    assert kernel.shape == (3, 3, 3, 4)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = np.zeros((2, 4, 4, 4))
    for i in range(4):
        for j in range(4):
            window = padded[:, i : i + 3, j : j + 3]
            for g in range(2):
                own, out = slice(3 * g, 3 * g + 3), slice(2 * g, 2 * g + 2)
                expected[:, i, j, out] = np.einsum(
                    "bhwi,hwio->bo", window[..., own], kernel[..., out]
                )
    np.testing.assert_allclose(found, laid_out(expected, data_format), rtol=1e-4, atol=1e-5)


def test_configs_round_trip():
    for layer in (Blur("channels_first"), GenerativeBasis(2), DiscriminativeBasis(seed=3)):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert again.get_config() == layer.get_config()
