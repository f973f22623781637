"""Gradients through the augmentations, of first and second order."""

import keras
import numpy as np
import pytest
from augmented import SMALL, WEIGHTS, Noise, augmented, compiled, numpy
from keras import ops

from kerasgan import backend


def finite_differences(fn, x, h):
    out = np.empty_like(x)
    for index in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        out[index] = (fn(up) - fn(down)) / (2 * h)
    return out


def jacobian(layer):
    """Return the augmentation, affine for given noise, as matrices and offsets of two images."""
    basis = np.concatenate([np.zeros((1, 48)), np.eye(48)]).reshape(49, 4, 4, 3)
    images = np.tile(basis, (2, 1, 1, 1)).astype("float32")
    found = augmented(layer, images, Noise(2, repeat=49)).astype("float64")
    found = found.reshape(2, 49, 48)
    return np.swapaxes(found[:, 1:] - found[:, :1], 1, 2), found[:, 0]


def test_gradients_equal_finite_differences(layer):
    slope, offset = jacobian(layer)
    w = WEIGHTS.reshape(2, -1).astype("float64")

    def expected(x):
        """Return sum(w tanh(augment(x))), computed by NumPy in double precision."""
        return (w * np.tanh(np.einsum("bij,bj->bi", slope, x) + offset)).sum()

    def expected_penalty(x):
        """Return the squared norm of its gradient with respect to the images."""
        inner = np.einsum("bij,bj->bi", slope, x) + offset
        return (np.einsum("bij,bi->bj", slope, w * (1 - np.tanh(inner) ** 2)) ** 2).sum()

    def score(x):
        return ops.sum(ops.tanh(layer.transform(x, Noise(2))) * ops.convert_to_tensor(WEIGHTS))

    images = keras.Variable(SMALL)
    flat = SMALL.reshape(2, -1).astype("float64")
    found = numpy(compiled(lambda x: backend.gradient(score, x))(ops.convert_to_tensor(SMALL)))
    numeric = finite_differences(expected, flat, 1e-5).reshape(SMALL.shape)
    np.testing.assert_allclose(found, numeric, atol=1e-4)

    def penalty():
        return ops.sum(ops.square(backend.gradient(score, ops.convert_to_tensor(images))))

    value, (found,) = compiled(lambda: backend.value_and_grad(penalty, [images]))()
    assert float(numpy(value)) == pytest.approx(expected_penalty(flat), rel=1e-4)
    numeric = finite_differences(expected_penalty, flat, 1e-5).reshape(SMALL.shape)
    np.testing.assert_allclose(numpy(found), numeric, atol=1e-3 * np.abs(numeric).max())
