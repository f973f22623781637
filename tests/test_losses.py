"""Each loss against NumPy, from its definition in the paper."""

import numpy as np
import pytest
from keras import ops

from kerasgan import losses

REAL = np.array([[3.0], [-1.5], [0.2], [40.0]], "float32")
FAKE = np.array([[-2.0], [0.7], [-55.0], [1.1]], "float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype("float64")))


CASES = {
    "minimax_critic": (
        lambda: losses.minimax_critic(REAL, FAKE),
        lambda: -np.mean(np.log(sigmoid(REAL))) - np.mean(np.log(1 - sigmoid(FAKE))),
    ),
    "minimax_generator": (
        lambda: losses.minimax_generator(FAKE),
        lambda: np.mean(np.log(1 - sigmoid(FAKE))),
    ),
    "non_saturating_generator": (
        lambda: losses.non_saturating_generator(FAKE),
        lambda: -np.mean(np.log(sigmoid(FAKE))),
    ),
    "wasserstein_critic": (
        lambda: losses.wasserstein_critic(REAL, FAKE),
        lambda: np.mean(FAKE.astype("float64")) - np.mean(REAL.astype("float64")),
    ),
    "wasserstein_generator": (
        lambda: losses.wasserstein_generator(FAKE),
        lambda: -np.mean(FAKE.astype("float64")),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_loss_equals_its_definition(name):
    ours, theirs = CASES[name]
    np.testing.assert_allclose(float(ours()), theirs(), rtol=1e-6)


def test_losses_stay_finite_where_a_sigmoid_would_not():
    sure = np.array([[1e4], [-1e4]], "float32")
    assert np.isfinite(float(losses.minimax_critic(sure, sure)))
    assert np.isfinite(float(losses.non_saturating_generator(sure)))


def test_losses_are_float32_whatever_comes_in():
    half = ops.cast(REAL, "bfloat16")
    assert ops.convert_to_numpy(losses.wasserstein_critic(half, half)).dtype == np.float32
