"""The contract of `kerasgan.backend`."""

import keras
import numpy as np
import pytest
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
    assert float(loss) == pytest.approx(0.0, abs=1e-5)  # Normalised, each channel's mean is 0.


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


def test_replica_rows_gives_as_many_rows_as_asked():
    assert backend.replica_rows(lambda n: ops.zeros((n, 3)), 5).shape == (5, 3)


def twins(kind, shape, **settings):
    """Return Keras' layer and the backend's, built for `shape` with the same weights."""
    pair = getattr(keras.layers, kind)(**settings), getattr(backend, kind)(**settings)
    for layer in pair:
        layer.build((None, *shape))
    generator = np.random.default_rng(0)
    weights = [generator.uniform(0.5, 1.5, w.shape).astype("float32") for w in pair[0].weights]
    for layer in pair:
        layer.set_weights(weights)
    return pair


CONV = {"filters": 5, "strides": 2, "padding": "same"}
LAYERS = [
    *[
        (kind, {**CONV, "kernel_size": size, "use_bias": bias})
        for kind in ("Conv2D", "Conv2DTranspose")
        for size in (3, 4)
        for bias in (True, False)
    ],
    ("Conv2D", {"filters": 5, "kernel_size": 3, "padding": "same", "activation": "relu"}),
    ("Conv2D", {"filters": 6, "kernel_size": 3, "padding": "same", "groups": 3}),
    ("Conv2D", {"filters": 5, "kernel_size": 3}),
    ("Conv2DTranspose", {"filters": 5, "kernel_size": 2, "strides": 2, "padding": "same"}),
    ("Conv2DTranspose", {"filters": 5, "kernel_size": 4, "strides": 2, "activation": "relu"}),
    ("BatchNormalization", {"momentum": 0.9, "epsilon": 1e-5}),
    ("BatchNormalization", {"scale": False, "center": False}),
]


@pytest.mark.parametrize("side", [7, 8])
@pytest.mark.parametrize(("kind", "settings"), LAYERS)
def test_layers_equal_those_of_keras(kind, settings, side):
    channels_first = backend.PREFERRED_DATA_FORMAT == "channels_first"
    shape = (3, side, side) if channels_first else (side, side, 3)
    if kind == "BatchNormalization":
        settings = {**settings, "axis": 1 if channels_first else -1}
    else:
        settings = {**settings, "data_format": backend.PREFERRED_DATA_FORMAT}
    kept, ours = twins(kind, shape, **settings)
    x = np.random.default_rng(1).standard_normal((4, *shape)).astype("float32") + 0.5
    results = []
    for layer in (kept, ours):
        call = {"training": True} if kind == "BatchNormalization" else {}

        def second_order(layer=layer, call=call):
            # A penalty on the gradient: its own gradient goes through the layer twice.
            x1 = ops.convert_to_tensor(x)
            slope = backend.gradient(lambda x: ops.sum(ops.sin(layer(x, **call))), x1)
            return ops.mean(slope**2)

        variables = layer.trainable_variables or [keras.Variable(0.0)]
        loss, gradients = backend.value_and_grad(second_order, variables)
        results.append(
            [
                numpy(layer(ops.convert_to_tensor(x), **call)),
                numpy(loss),
                *[numpy(g) for g in gradients],
                *[numpy(v.value) for v in layer.non_trainable_variables],
            ]
        )
    for a, b in zip(*results, strict=True):
        scale = max(np.abs(a).max(), 1e-6)
        np.testing.assert_allclose(a / scale, b / scale, atol=2e-5)


def test_the_memory_layout_changes_no_value():
    values = np.random.default_rng(0).standard_normal((3, 4, 5, 6)).astype("float32")
    variables = [keras.Variable(values), keras.Variable(values[0])]
    backend.set_memory_layout(variables)
    np.testing.assert_array_equal(numpy(variables[0].value), values)
    np.testing.assert_array_equal(numpy(variables[1].value), values[0])
    variables[0].assign(2 * values)
    np.testing.assert_array_equal(numpy(variables[0].value), 2 * values)


def test_tensor_cores_read_kernels_channels_last(backend_name):
    if backend_name != "torch":
        pytest.skip("a compiler chooses the memory order")
    import torch

    from kerasgan.backend.torch import _lay_out

    values = np.random.default_rng(0).standard_normal((3, 4, 5, 6)).astype("float32")
    kernel = torch.tensor(values)
    _lay_out(kernel, channels_last=True)
    np.testing.assert_array_equal(kernel.numpy(), values)
    assert kernel.permute(3, 2, 0, 1).is_contiguous(memory_format=torch.channels_last)
    _lay_out(kernel, channels_last=False)
    np.testing.assert_array_equal(kernel.numpy(), values)
    assert kernel.permute(3, 2, 0, 1).is_contiguous()


@pytest.mark.parametrize("in_layout", [False, True])
def test_fused_adam_equals_kerass(in_layout):
    rng = np.random.default_rng(0)
    shapes = [(3, 3, 4, 5), (7,), (2, 6)]
    start = [rng.standard_normal(shape).astype("float32") for shape in shapes]
    steps = [[rng.standard_normal(s).astype("float32") for s in shapes] for _ in range(4)]
    found = []
    for fused in (False, True):
        variables = [keras.Variable(value) for value in start]
        optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5),
            beta_1=0.5, beta_2=0.9, epsilon=1e-3, clipvalue=1.0, weight_decay=0.01,
        )  # fmt: skip
        optimizer.build(variables)
        if in_layout:
            backend.set_memory_layout([*variables, *optimizer.variables])
        if fused:
            backend.fuse_steps(optimizer)
        for gradients in steps:
            optimizer.apply([ops.convert_to_tensor(g) for g in gradients], variables)
        found.append([ops.convert_to_numpy(v) for v in (*variables, *optimizer.variables)])
    for slow, fast in zip(*found, strict=True):
        np.testing.assert_allclose(fast, slow, rtol=2e-6, atol=1e-6)
