"""The contract of the backend room."""

import keras
import numpy as np
from keras import ops

from kerasgan import backend


def numpy(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


def test_value_and_grad_keeps_what_the_loss_wrote():
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer.build((None, 3))
    x = np.random.default_rng(0).standard_normal((16, 3)).astype("float32") + 5
    weights = np.float32([1, 2, 3])
    loss, gradients = backend.value_and_grad(
        lambda: ops.mean(ops.multiply(layer(x, training=True), ops.convert_to_tensor(weights))),
        layer.trainable_variables,
    )
    np.testing.assert_allclose(numpy(layer.moving_mean.value), x.mean(0), rtol=1e-5)
    assert len(gradients) == 2
    np.testing.assert_allclose(numpy(gradients[1]), np.float32([1, 2, 3]) / 3, rtol=1e-5)
    assert np.isfinite(float(loss))


def test_gradient_keeps_what_the_function_wrote():
    seed = keras.random.SeedGenerator(1)
    before = numpy(seed.state).copy()
    x = ops.convert_to_tensor(np.ones((2, 3), "float32"))
    backend.gradient(lambda x: ops.sum(x**2) * keras.random.uniform((), seed=seed), x)
    assert not np.array_equal(before, numpy(seed.state))


def test_unused_variables_get_zero_gradients():
    used, unused = keras.Variable(np.float32([2.0])), keras.Variable(np.float32([3.0]))
    _, gradients = backend.value_and_grad(lambda: ops.sum(used**2), [used, unused])
    np.testing.assert_allclose([numpy(g)[0] for g in gradients], [4.0, 0.0])


def test_gradient_of_a_gradient():
    x = keras.Variable(np.float32([1.5, -2.0]))

    def inner():
        first = backend.gradient(lambda x: x**3, ops.convert_to_tensor([1.0, 1.0]) * x)
        return ops.sum(first**2)

    _, (found,) = backend.value_and_grad(inner, [x])
    np.testing.assert_allclose(numpy(found), 36 * np.float32([1.5, -2.0]) ** 3, rtol=1e-5)


def test_assign():
    variables = [keras.Variable(np.zeros(2, "float32")) for _ in range(2)]
    backend.assign(variables, [ops.ones(2), ops.ones(2) * 2])
    np.testing.assert_array_equal(np.stack([numpy(v) for v in variables]), [[1, 1], [2, 2]])


def test_draw_gives_as_many_rows_as_asked():
    assert backend.draw(lambda n: ops.zeros((n, 3)), 5).shape == (5, 3)
