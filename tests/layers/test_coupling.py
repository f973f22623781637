import keras
import numpy as np
import pytest
from keras import ops

from kerasgan import backend
from kerasgan.layers.coupling import (
    AdditiveCoupling,
    AffineCoupling,
    DiagonalScaling,
    Unsqueeze,
)

VECTOR, IMAGE, GREY = (5,), (4, 4, 4), (3, 3, 1)
COUPLINGS = [
    (cls, *case)
    for cls in (AdditiveCoupling, AffineCoupling)
    for case in (
        (VECTOR, "checkerboard", False),
        (VECTOR, "channel", True),
        (IMAGE, "checkerboard", True),
        (IMAGE, "channel", False),
        (GREY, "checkerboard", False),
    )
]
OTHERS = [(DiagonalScaling, VECTOR), (DiagonalScaling, GREY), (Unsqueeze, IMAGE)]
ALL = [*COUPLINGS, *OTHERS]


def network(shape, outputs):
    """A smooth network, so that finite differences meet no kinks."""
    # Zeros, which `made` replaces: JAX compiles a program for each shape of a random draw.
    if len(shape) == 1:
        layer, options = keras.layers.Dense, {}
    else:
        layer, options = keras.layers.Conv2D, {"kernel_size": 3, "padding": "same"}
    hidden = layer(6, activation="tanh", kernel_initializer="zeros", **options)
    last = layer(outputs, kernel_initializer="zeros", **options)
    return keras.Sequential([keras.Input(shape), hidden, last])


def made(cls, shape, *mask):
    """A layer with random weights, none of them at its start."""
    layer = cls(network(shape, cls.outputs * shape[-1]), *mask) if mask else cls()
    layer.build((None, *shape))
    draw = np.random.default_rng(1)
    layer.set_weights([draw.normal(0.0, 0.4, w.shape) for w in layer.get_weights()])
    return layer


def samples(shape, n=3):
    return np.random.default_rng(0).standard_normal((n, *shape)).astype("float32")


class Program:
    """A function of a layer's variables that `backend.forward` compiles on JAX."""

    def __init__(self, layer, fn):
        self.variables = layer.variables
        self.fn = fn

    def __call__(self, x, training):
        return self.fn(x)


def run(layer, fn, x):
    """Return the arrays that `fn(x)` returns."""
    results = backend.forward(Program(layer, fn), ops.convert_to_tensor(x))
    return [ops.convert_to_numpy(result) for result in results]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_inverse_undoes_call(case):
    layer, x = made(*case), samples(case[1])

    def there_and_back(x):
        y, log_determinant = layer(x)
        return y, log_determinant, *layer.inverse(y)

    y, log_determinant, again, opposite = run(layer, there_and_back, x)
    np.testing.assert_allclose(again, x, atol=1e-5)
    np.testing.assert_allclose(opposite, -log_determinant, atol=1e-5)
    assert log_determinant.shape == (3,)
    assert y.shape != x.shape or np.abs(y - x).max() > 0.1


@pytest.mark.parametrize("case", ALL, ids=str)
def test_log_determinants_are_those_of_the_jacobians(case):
    layer, x = made(*case), samples(case[1], 1)
    rows = ops.eye(x.size)  # One for each output: all gradients come in one pass.

    def both_ways(x):
        for inverse in (False, True):
            yield layer(x, inverse=inverse)[1]
            yield backend.gradient(
                lambda x, inverse=inverse: (
                    ops.reshape(layer(x, inverse=inverse)[0], rows.shape) * rows
                ),
                x,
            )

    results = run(layer, lambda x: list(both_ways(x)), np.repeat(x, x.size, axis=0))
    for log_determinant, jacobian in (results[:2], results[2:]):
        jacobian = jacobian.reshape(x.size, x.size).astype("float64")
        expected = np.linalg.slogdet(jacobian).logabsdet
        np.testing.assert_allclose(log_determinant, expected, atol=1e-4)
        if case[0] in (AffineCoupling, DiagonalScaling):
            assert abs(expected) > 1e-3


@pytest.mark.parametrize("cls", [AdditiveCoupling, AffineCoupling, DiagonalScaling])
def test_log_determinant_is_that_of_central_differences(cls):
    mask = () if cls is DiagonalScaling else ("checkerboard",)
    layer, x, step = made(cls, VECTOR, *mask), samples(VECTOR, 1), 0.02
    moves = step * np.eye(5, dtype="float32")
    y, log_determinants = run(layer, layer, np.concatenate([x, x + moves, x - moves]))
    jacobian = (y[1:6].astype("float64") - y[6:]) / (2 * step)
    assert log_determinants[0] == pytest.approx(np.linalg.slogdet(jacobian).logabsdet, abs=1e-3)


def test_couplings_against_numpy():
    x = samples(VECTOR)
    for cls in (AdditiveCoupling, AffineCoupling):
        layer = made(cls, VECTOR, "checkerboard", True)
        z, log_determinant = run(layer, layer.inverse, x)
        held = x * np.array([0, 1, 0, 1, 0])  # Flipped: the even entries are moved.
        out = ops.convert_to_numpy(layer.network(held.astype("float32")))
        if cls is AdditiveCoupling:
            expected, total = x + out, np.zeros(3)
        else:
            log_scale = ops.convert_to_numpy(layer.scale) * np.tanh(out[:, :5])
            expected, total = x * np.exp(log_scale) + out[:, 5:], log_scale[:, ::2].sum(axis=1)
        np.testing.assert_allclose(z[:, ::2], expected[:, ::2], atol=1e-6)
        np.testing.assert_array_equal(z[:, 1::2], x[:, 1::2])
        np.testing.assert_allclose(log_determinant, total, atol=1e-6)


def test_unsqueeze_makes_blocks_of_two_by_two():
    image = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    squeezed, _ = Unsqueeze().inverse(image)
    assert tuple(squeezed.shape) == (1, 2, 2, 4)
    assert ops.convert_to_numpy(squeezed)[0, 0, 1].tolist() == [2, 3, 6, 7]


def test_float32_under_any_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        for cls in (DiagonalScaling, Unsqueeze):
            assert cls().compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("case", [COUPLINGS[3], COUPLINGS[6], *OTHERS], ids=str)
def test_saved_and_loaded(case, tmp_path):
    layer = made(*case)
    x = keras.Input(case[1])
    model = keras.Model(x, layer(x))
    model.save(tmp_path / "layer.keras")
    loaded = keras.models.load_model(tmp_path / "layer.keras")
    x = samples(case[1])
    for a, b in zip(run(model, model, x), run(loaded, loaded, x), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdditiveCoupling(network(VECTOR, 5), "stripes"), "`mask` must be one of"),
        (lambda: made(AdditiveCoupling, GREY, "channel"), "single channel"),
        (lambda: AffineCoupling(network(VECTOR, 5))(samples(VECTOR)), "`network` must return"),
        (lambda: Unsqueeze()(samples(GREY)), "multiple of 4 channels"),
        (lambda: Unsqueeze().inverse(samples(GREY)), "even height and width"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "Received: " in str(error.value)
