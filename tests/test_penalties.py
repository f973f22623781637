"""The gradient penalty against hand-computed NumPy, per sample, first and second order."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasgan import backend, losses
from kerasgan.penalties import (
    DRAGANPenalty,
    PenaltyInputs,
    gradient_norm,
    gradient_penalty,
    zero_centred_penalty,
)

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((6, 2, 3, 1))
FAKE = RNG.standard_normal((6, 2, 3, 1))
EPSILON = RNG.uniform(size=6)
W = RNG.standard_normal((6, 5))
V = RNG.standard_normal(5)


def numpy_input_gradient(x, w):
    """d/dx of v . tanh(w' x), for one flat sample x."""
    return w @ ((1 - np.tanh(x @ w) ** 2) * V)


def numpy_penalty(w, target=1.0):
    total = 0.0
    for real, fake, epsilon in zip(REAL, FAKE, EPSILON, strict=True):
        x = (epsilon * real + (1 - epsilon) * fake).reshape(-1)
        total += (np.sqrt((numpy_input_gradient(x, w) ** 2).sum()) - target) ** 2
    return total / len(REAL)


@pytest.fixture
def variable():
    return keras.Variable(W.astype("float32"))


def critic_of(variable):
    def critic(x):
        hidden = ops.tanh(ops.matmul(ops.reshape(x, (-1, 6)), variable))
        return ops.matmul(hidden, ops.convert_to_tensor(V[:, None].astype("float32")))

    return critic


def penalty(variable, target=1.0):
    arrays = (ops.convert_to_tensor(a.astype("float32")) for a in (REAL, FAKE, EPSILON))
    return gradient_penalty(critic_of(variable), *arrays, target=target)


@pytest.mark.parametrize("target", [1.0, 0.0])
def test_value_equals_numpy(variable, target):
    found = float(ops.convert_to_numpy(ops.stop_gradient(penalty(variable, target))))
    assert found == pytest.approx(numpy_penalty(W, target), rel=1e-5)


def test_second_order_equals_finite_differences(variable):
    loss, (found,) = backend.value_and_grad(lambda: penalty(variable), [variable])
    assert float(loss) == pytest.approx(numpy_penalty(W), rel=1e-5)
    expected, h = np.empty_like(W), 1e-6
    for index in np.ndindex(*W.shape):
        up, down = W.copy(), W.copy()
        up[index] += h
        down[index] -= h
        expected[index] = (numpy_penalty(up) - numpy_penalty(down)) / (2 * h)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-3, atol=1e-4)


def test_first_order_gradient_of_the_input_equals_numpy(variable):
    x = REAL.astype("float32")
    found = ops.convert_to_numpy(
        ops.stop_gradient(backend.gradient(critic_of(variable), ops.convert_to_tensor(x)))
    )
    expected = np.stack([numpy_input_gradient(sample.reshape(-1), W) for sample in REAL])
    np.testing.assert_allclose(found.reshape(6, 6), expected, rtol=1e-4, atol=1e-5)


def test_norm_runs_over_a_sample_not_over_the_batch():
    gradients = np.zeros((3, 2, 2, 1), "float32")
    gradients[0] = 1.0
    gradients[1, 0, 0] = 3.0
    norms = ops.convert_to_numpy(gradient_norm(ops.convert_to_tensor(gradients)))
    np.testing.assert_allclose(norms, [2.0, 3.0, 0.0], atol=1e-5)


def test_gradient_at_zero_norm_is_zero():
    variable = keras.Variable(np.zeros((6, 5), "float32"))
    value, (gradient,) = backend.value_and_grad(lambda: penalty(variable), [variable])
    assert float(value) == pytest.approx(1.0, abs=1e-5)  # The norm is 0, and 1 is the target.
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), 0.0, atol=1e-6)


def test_gradients_of_the_losses_equal_numpy():
    w = keras.Variable(np.array([[0.5], [-1.0]], "float32"))
    real, fake = RNG.standard_normal((2, 4, 2)).astype("float32")
    _, (found,) = backend.value_and_grad(
        lambda: losses.minimax_critic(ops.matmul(real, w), ops.matmul(fake, w)), [w]
    )
    scores = [x @ ops.convert_to_numpy(w) for x in (real, fake)]
    probability = [1 / (1 + np.exp(-s)) for s in scores]
    expected = np.mean((probability[0] - 1) * real, 0) + np.mean(probability[1] * fake, 0)
    np.testing.assert_allclose(ops.convert_to_numpy(found)[:, 0], expected, rtol=1e-5)


def numpy_zero_centred(w, images=REAL):
    return 0.5 * np.mean([(numpy_input_gradient(x.reshape(-1), w) ** 2).sum() for x in images])


def test_zero_centred_penalty_and_its_gradient_equal_numpy(variable):
    images = ops.convert_to_tensor(REAL.astype("float32"))
    loss, (found,) = backend.value_and_grad(
        lambda: zero_centred_penalty(critic_of(variable), images), [variable]
    )
    assert float(loss) == pytest.approx(numpy_zero_centred(W), rel=1e-5)
    expected, h = np.empty_like(W), 1e-6
    for index in np.ndindex(*W.shape):
        up, down = W.copy(), W.copy()
        up[index] += h
        down[index] -= h
        expected[index] = (numpy_zero_centred(up) - numpy_zero_centred(down)) / (2 * h)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-3, atol=1e-4)


def test_one_sided_penalty_leaves_small_gradients_alone(variable):
    arrays = [ops.convert_to_tensor(a.astype("float32")) for a in (REAL, FAKE, EPSILON)]
    found = gradient_penalty(critic_of(variable), *arrays, target=2.0, one_sided=True)
    expected = np.mean(
        [
            max(0, np.sqrt((numpy_input_gradient(x.reshape(-1), W) ** 2).sum()) - 2.0) ** 2
            for x in (e * r + (1 - e) * f for r, f, e in zip(REAL, FAKE, EPSILON, strict=True))
        ]
    )
    found = float(ops.convert_to_numpy(ops.stop_gradient(found)))
    assert expected > 0 and found == pytest.approx(expected, rel=1e-5)


def test_dragan_penalty_equals_numpy(variable):
    drawn = []

    def noise(kind, *shape):
        assert kind == "uniform"
        drawn.append(RNG.uniform(size=(6, *shape)).astype("float32"))
        return ops.convert_to_tensor(drawn[-1])

    real = ops.convert_to_tensor(REAL.astype("float32"))
    inputs = PenaltyInputs(
        real=real, fake=None, z=None, labels=None, training=True, scores=critic_of(variable), 
        generate=None, noise=noise,
    )  # fmt: skip
    found = DRAGANPenalty(1.0)(inputs)
    shift, alpha = drawn
    points = REAL + alpha[:, None, None, None] * 0.5 * REAL.std() * shift
    norms = [np.sqrt((numpy_input_gradient(x.reshape(-1), W) ** 2).sum()) for x in points]
    found = float(ops.convert_to_numpy(ops.stop_gradient(found)))
    assert found == pytest.approx(np.mean((np.array(norms) - 1) ** 2), rel=1e-4)
