"""Spectral normalisation against NumPy's singular values and finite differences."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasgan import backend
from kerasgan.layers import SpectralConv2D, SpectralDense, SpectralEmbedding

RNG = np.random.default_rng(0)


def numpy_of(x):
    return np.array(ops.convert_to_numpy(ops.stop_gradient(ops.convert_to_tensor(x))))


def dense():
    return SpectralDense(3, seed=1), RNG.standard_normal((2, 5)).astype("float32")


def conv(data_format="channels_last"):
    layer = SpectralConv2D(4, 3, padding="same", data_format=data_format, seed=1)
    return layer, RNG.standard_normal((2, 5, 5, 2)).astype("float32")


def embedding():
    return SpectralEmbedding(6, 3, seed=1), np.array([0, 5, 2], "int32")


def kernel_of(layer):
    return layer.embeddings if isinstance(layer, SpectralEmbedding) else layer.kernel


def matrix_of(layer):
    kernel = numpy_of(kernel_of(layer))
    return kernel.reshape(-1, kernel.shape[-1]).T


def numpy_sigma(matrix, u):
    v = matrix.T @ u
    v /= np.linalg.norm(v)
    return u @ matrix @ v, v


@pytest.mark.parametrize("make", [dense, conv, embedding])
def test_sigma_converges_to_the_largest_singular_value(make):
    layer, x = make()
    layer.build(x.shape)
    expected, _ = numpy_sigma(matrix_of(layer), numpy_of(layer.u))
    assert float(numpy_of(layer.sigma())) == pytest.approx(expected, rel=1e-5)
    for _ in range(60):
        layer.iterate()
    largest = np.linalg.svd(matrix_of(layer), compute_uv=False)[0]
    assert float(numpy_of(layer.sigma())) == pytest.approx(largest, rel=1e-4)


def test_one_iteration_is_the_papers():
    layer, x = dense()
    layer.build(x.shape)
    matrix, u = matrix_of(layer), numpy_of(layer.u)
    assert np.linalg.norm(u) == pytest.approx(1.0, rel=1e-6)
    _, v = numpy_sigma(matrix, u)
    expected = matrix @ v / np.linalg.norm(matrix @ v)
    layer.iterate()
    np.testing.assert_allclose(numpy_of(layer.u), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [dense, conv, embedding])
@pytest.mark.parametrize("training", [False, True])
def test_a_call_writes_nothing(make, training):
    layer, x = make()
    model = keras.Sequential([layer])
    model.build(x.shape)
    before = [numpy_of(w) for w in layer.weights]
    model(x, training=training)
    for old, new in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, numpy_of(new))


def test_dense_and_embedding_equal_numpy():
    layer, x = dense()
    found = numpy_of(layer(x))
    sigma, _ = numpy_sigma(matrix_of(layer), numpy_of(layer.u))
    np.testing.assert_allclose(found, x @ matrix_of(layer).T / sigma, rtol=1e-5, atol=1e-6)
    layer, labels = embedding()
    found = numpy_of(layer(labels))
    sigma, _ = numpy_sigma(matrix_of(layer), numpy_of(layer.u))
    np.testing.assert_allclose(found, numpy_of(layer.embeddings)[labels] / sigma, rtol=1e-5)


def test_conv_equals_a_plain_one_with_the_divided_kernel():
    data_format = backend.PREFERRED_DATA_FORMAT
    layer, x = conv(data_format)
    if data_format == "channels_first":
        x = x.transpose(0, 3, 1, 2)
    layer.build(x.shape)
    layer.bias.assign(np.arange(4.0))
    sigma, _ = numpy_sigma(matrix_of(layer), numpy_of(layer.u))
    plain = keras.layers.Conv2D(4, 3, padding="same", data_format=data_format)
    plain.build(x.shape)
    plain.set_weights([numpy_of(layer.kernel) / sigma, numpy_of(layer.bias)])
    np.testing.assert_allclose(numpy_of(layer(x)), numpy_of(plain(x)), rtol=1e-4, atol=1e-5)


def test_gradient_equals_finite_differences():
    # sigma's gradient takes u and v as constants, though v follows from W: at the start, far from
    # convergence, the two differ.
    layer, data = SpectralDense(3, use_bias=False, seed=1), RNG.standard_normal((2, 5))
    layer.build(data.shape)
    kernel, u = numpy_of(layer.kernel).astype("float64"), numpy_of(layer.u).astype("float64")
    _, v = numpy_sigma(kernel.T, u)

    def loss(kernel):
        return (np.tanh(data @ kernel / (u @ kernel.T @ v)) ** 2).sum()

    expected, h = np.empty_like(kernel), 1e-6
    for index in np.ndindex(*kernel.shape):
        up, down = kernel.copy(), kernel.copy()
        up[index] += h
        down[index] -= h
        expected[index] = (loss(up) - loss(down)) / (2 * h)
    x = ops.convert_to_tensor(data, dtype="float32")
    value, (found,) = backend.value_and_grad(
        lambda: ops.sum(ops.square(ops.tanh(layer(x)))), [layer.kernel]
    )
    assert float(numpy_of(value)) == pytest.approx(loss(kernel), rel=1e-5)
    np.testing.assert_allclose(numpy_of(found), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("within_a_model", [False, True])
def test_sigma_stays_float32_in_mixed_precision(within_a_model):
    layer = SpectralDense(3, seed=1, dtype="mixed_bfloat16")
    x = RNG.standard_normal((2, 5)).astype("float32")
    call = keras.Sequential([layer]) if within_a_model else layer
    assert keras.backend.standardize_dtype(call(x).dtype) == "bfloat16"
    found = []
    layer.sigma, sigma = lambda: found.append(sigma()) or found[-1], layer.sigma
    call(x)  # Within a call, where Keras rounds kernels.
    expected, _ = numpy_sigma(matrix_of(layer), numpy_of(layer.u))
    assert float(numpy_of(found[-1])) == pytest.approx(expected, rel=1e-5)


def test_a_kernel_of_zeros_gives_zeros():
    layer = SpectralDense(3, kernel_initializer="zeros")
    x = np.ones((2, 5), "float32")
    np.testing.assert_array_equal(numpy_of(layer(x)), 0.0)
    layer.iterate()
    np.testing.assert_array_equal(numpy_of(layer.u), 0.0)  # W v is zero and has no direction.
    np.testing.assert_array_equal(numpy_of(layer(x)), 0.0)


@pytest.mark.parametrize("make", [dense, conv, embedding])
def test_u_is_saved_and_the_config_remade(make, tmp_path):
    layer, x = make()
    model = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype), layer])
    layer.iterate()
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert again.layers[-1].get_config() == layer.get_config()
    np.testing.assert_array_equal(numpy_of(again.layers[-1].u), numpy_of(layer.u))
    np.testing.assert_array_equal(numpy_of(again(x)), numpy_of(model(x)))


def test_one_seed_draws_one_u():
    first, second = SpectralDense(3, seed=7), SpectralDense(3, seed=7)
    for layer in (first, second):
        layer.build((None, 5))
    np.testing.assert_array_equal(numpy_of(first.u), numpy_of(second.u))
