"""Each loss against NumPy, from its definition in the paper."""

import numpy as np
import pytest
from keras import ops

from kerasgan import losses

REAL = np.array([[3.0], [-1.5], [0.2], [40.0]], "float32")
FEATURES = np.random.default_rng(0).standard_normal((2, 7, 3)).astype("float32")
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
    "smoothed_critic": (
        lambda: losses.minimax_critic(REAL, FAKE, real_label=0.9),
        lambda: (
            -np.mean(0.9 * np.log(sigmoid(REAL)) + 0.1 * np.log(sigmoid(-REAL)))
            - np.mean(np.log(1 - sigmoid(FAKE)))
        ),
    ),
    "least_squares_critic": (
        lambda: losses.least_squares_critic(REAL, FAKE),
        lambda: 0.5 * np.mean((REAL - 1.0) ** 2) + 0.5 * np.mean(FAKE**2),
    ),
    "least_squares_generator": (
        lambda: losses.least_squares_generator(FAKE),
        lambda: 0.5 * np.mean((FAKE - 1.0) ** 2),
    ),
    "hinge_critic": (
        lambda: losses.hinge_critic(REAL, FAKE),
        lambda: np.mean(np.maximum(0, 1 - REAL)) + np.mean(np.maximum(0, 1 + FAKE)),
    ),
    "relativistic_critic": (
        lambda: losses.relativistic_critic(REAL, FAKE),
        lambda: -np.mean(np.log(sigmoid(REAL - FAKE))),
    ),
    "relativistic_generator": (
        lambda: losses.relativistic_generator(REAL, FAKE),
        lambda: -np.mean(np.log(sigmoid(FAKE - REAL))),
    ),
    "feature_matching": (
        lambda: losses.feature_matching(FEATURES[0], FEATURES[1]),
        lambda: np.sum((FEATURES[0].mean(0) - FEATURES[1].mean(0)) ** 2),
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


def test_losses_keep_their_values_where_a_sigmoid_is_zero_or_one():
    sure = np.array([[1e4], [-1e4]], "float32")
    # -log(sigmoid(-1e4)) is 1e4 and -log(sigmoid(1e4)) is 0: each mean is half of their sum.
    assert float(losses.minimax_critic(sure, sure)) == pytest.approx(1e4)
    assert float(losses.non_saturating_generator(sure)) == pytest.approx(5e3)
    assert float(losses.minimax_generator(sure)) == pytest.approx(-5e3)


def test_losses_are_float32_whatever_comes_in():
    half = ops.cast(REAL, "bfloat16")
    assert ops.convert_to_numpy(losses.wasserstein_critic(half, half)).dtype == np.float32
