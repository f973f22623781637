"""The layers that compare the samples of a batch, against loops in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasgan.layers import MinibatchDiscrimination, MinibatchStddev

RNG = np.random.default_rng(0)


def numpy_of(x):
    return np.array(ops.convert_to_numpy(ops.stop_gradient(ops.convert_to_tensor(x))))


def test_discrimination_equals_a_loop():
    f = RNG.standard_normal((5, 4)).astype("float32")
    layer = MinibatchDiscrimination(kernels=3, kernel_dim=2, seed=1)
    found = numpy_of(layer(f))
    matrices = (f @ numpy_of(layer.kernel)).reshape(5, 3, 2)
    expected = np.zeros((5, 3))
    for i in range(5):
        for j in range(5):
            if i != j:
                expected[i] += np.exp(-np.abs(matrices[i] - matrices[j]).sum(axis=-1))
    np.testing.assert_allclose(found, np.concatenate([f, expected], axis=1), rtol=1e-4, atol=1e-5)


def test_discrimination_of_one_sample_is_zero_and_of_twins_one():
    layer = MinibatchDiscrimination(kernels=3, kernel_dim=2)
    one = RNG.standard_normal((1, 4)).astype("float32")
    np.testing.assert_array_equal(numpy_of(layer(one))[:, 4:], 0.0)
    np.testing.assert_allclose(numpy_of(layer(np.repeat(one, 2, axis=0)))[:, 4:], 1.0)


def numpy_stddev(x, groups, channels):
    """Return the appended maps for channels-last `x`, sample i in group i modulo `groups`."""
    maps = np.empty((*x.shape[:-1], channels))
    share = x.shape[-1] // channels
    for i in range(len(x)):
        stddev = np.sqrt(x[i % groups :: groups].var(axis=0) + 1e-8)
        for c in range(channels):
            maps[i, ..., c] = stddev[..., c * share : (c + 1) * share].mean()
    return maps


@pytest.mark.parametrize(
    ("batch", "groups", "channels"),
    [(8, 2, 1), (8, 2, 2), (3, 1, 1), (7, 1, 1), (9, 2, 1), (1, 1, 1)],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_stddev_equals_a_loop(batch, groups, channels, data_format):
    x = RNG.standard_normal((batch, 2, 3, 4)).astype("float32")
    first = data_format == "channels_first"
    layer = MinibatchStddev(group_size=4, channels=channels, data_format=data_format)
    found = numpy_of(layer(x.transpose(0, 3, 1, 2) if first else x))
    found = found.transpose(0, 2, 3, 1) if first else found
    expected = np.concatenate([x, numpy_stddev(x, groups, channels)], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_groups_that_divide_are_the_authors():
    """The authors reshape the batch to (group_size, groups, ...)."""
    x = RNG.standard_normal((8, 2, 2, 3)).astype("float32")
    found = numpy_of(MinibatchStddev(group_size=4, data_format="channels_last")(x))[..., -1:]
    grouped = x.reshape(4, 2, 2, 2, 3)
    stddev = np.sqrt(grouped.var(axis=0) + 1e-8).mean(axis=(1, 2, 3))
    expected = np.tile(stddev.reshape(1, 2), (4, 1)).reshape(8, 1, 1, 1) * np.ones((8, 2, 2, 1))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_in_a_model_of_any_batch_size(tmp_path):
    images = keras.Input((4, 4, 2))
    x = MinibatchStddev(group_size=2, data_format="channels_last")(images)
    x = keras.layers.Flatten()(x)
    model = keras.Model(images, MinibatchDiscrimination(3, 2)(x))
    assert model.output_shape == (None, 4 * 4 * 3 + 3)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = RNG.standard_normal((5, 4, 4, 2)).astype("float32")
    # `predict` compiles the graph with an unknown batch size on TensorFlow.
    np.testing.assert_allclose(again.predict(x, verbose=0), numpy_of(model(x)), rtol=1e-5)


@pytest.mark.parametrize("layer", [MinibatchDiscrimination, MinibatchStddev])
def test_mixed_precision_appends_in_the_compute_dtype(layer):
    x = RNG.standard_normal((3, 4) if layer is MinibatchDiscrimination else (3, 2, 2, 4))
    x = x.astype("float32")
    seed = {"seed": 1} if layer is MinibatchDiscrimination else {}
    y = layer(dtype="mixed_bfloat16", **seed)(x)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    expected = numpy_of(layer(**seed)(x))
    np.testing.assert_allclose(numpy_of(ops.cast(y, "float32")), expected, rtol=0.05, atol=0.02)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: MinibatchDiscrimination(kernels=0), "`kernels`.*Received: kernels=0"),
        (lambda: MinibatchDiscrimination(kernel_dim=0.5), "`kernel_dim`.*Received"),
        (lambda: MinibatchStddev(group_size=0), "`group_size`.*Received: group_size=0"),
        (lambda: MinibatchStddev(channels=-1), "`channels`.*Received: channels=-1"),
        (lambda: MinibatchStddev(data_format="nchw"), "`data_format` must be one of.*Received"),
        (lambda: MinibatchStddev(channels=2).build((None, 2, 2, 3)), "`channels` must divide"),
    ],
)
def test_bad_arguments(make, match):
    with pytest.raises(ValueError, match=match):
        make()
