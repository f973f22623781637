"""Private names of Keras and the backends: all in one file, and each of them is there."""

import ast
import contextlib
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import kerasgan
from kerasgan import backend, networks
from kerasgan.backend import private, private_random
from kerasgan.data.ahead import Ahead

PACKAGE = Path(kerasgan.__file__).parent
FILES = sorted(p for p in PACKAGE.rglob("*.py") if "zoo" not in p.parts)
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def _defined():
    """Return the names with an underscore that the package defines itself."""
    found = set()
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif _is_stored(node):
                found.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "__setattr__":
                found |= {a.value for a in node.args if isinstance(a, ast.Constant)}
    return found


def _is_stored(node):
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)


def _of_keras():
    """Return the names with an underscore that objects of Keras have."""
    network = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization()])
    network.compile("adam", "mse")
    network.fit(np.zeros((2, 3)), np.zeros((2, 3)), verbose=0)
    both = keras.optimizers.MultiOptimizer(lambda variable: network.optimizer)
    objects = (network, *network.layers, *network.metrics, network.optimizer, both)
    return {name for one in (*objects, *network.variables) for name in dir(one)}


def test_private_names_stand_in_two_files():
    # Python's own: what a named tuple offers, where an import has got to, the reader of pickles.
    python = {"_asdict", "_fields", "_replace", "_initializing", "_Unpickler"}
    own = _defined() | python | {"_decoders", "_given_rates", "_penalty_weights"}
    own = (own | {"_kerasgan_forward"}) - _of_keras()
    for path, tree in TREES.items():
        # A name of Keras' is the package's own where the same file assigns it.
        stored = {n.attr for n in ast.walk(tree) if _is_stored(n)}
        if path.name in ("private.py", "private_random.py"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                dunder = node.attr.startswith("__")
                assert dunder or node.attr in own | stored, f"{path}:{node.lineno} {node.attr}"
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                assert not name.startswith(("keras.src", "torch._", "jax._")), f"{path}: {name}"


@pytest.fixture
def network():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])


def test_flat_layers(network):
    outer = keras.Sequential([keras.Input((3,)), network])
    found = private.flat_layers(outer)
    assert found[0] is outer and set(network.layers) < set(found)


def test_place_after():
    model = keras.Model()
    model.first, model.second, model.third = (keras.layers.Dense(n) for n in (1, 2, 3))
    for layer in model.layers:
        layer.build((None, 1))
    private.place_after(model, model.third, [model.first])
    assert [v.shape[-1] for v in model.weights] == [1, 1, 3, 3, 2, 2]
    private.place_after(model, keras.layers.Dense(4), [model.first])  # It holds no such layer.
    assert [layer.units for layer in model.layers] == [1, 3, 2]


def test_loss_tracker(network):
    assert private.loss_tracker(network) is None
    network.compile("sgd", "mse")
    assert isinstance(private.loss_tracker(network), keras.metrics.Metric)


def test_learning_rate_setting():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    assert private.learning_rate_setting(keras.optimizers.Adam(schedule)) is schedule
    constant = private.learning_rate_setting(keras.optimizers.Adam(0.25))
    assert isinstance(constant, keras.Variable) and float(constant.value) == 0.25


def test_adam_moments(network):
    adam = keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.75)
    variable = network.trainable_variables[0]
    adam.build(network.trainable_variables)
    gradient = np.ones(variable.shape, "float32")
    others = [np.zeros(v.shape, "float32") for v in network.trainable_variables[1:]]
    gradients = [ops.convert_to_tensor(g) for g in (gradient, *others)]
    adam.apply(gradients, network.trainable_variables)
    first, second = private.adam_moments(adam, variable)
    np.testing.assert_allclose(ops.convert_to_numpy(first), 0.5)
    np.testing.assert_allclose(ops.convert_to_numpy(second), 0.25)
    assert [len(group) for group in private.adam_moments(adam)] == [4, 4]


def test_torch_update_step(backend_name):
    adam = keras.optimizers.Adam(0.1)
    assert callable(private.torch_update_step(adam)) == (backend_name == "torch")
    private.replace_torch_update_step(adam, len)
    assert private.torch_update_step(adam) is len


def test_torch_fused_adam(backend_name):
    if backend_name != "torch":
        pytest.skip("PyTorch's alone")
    import torch

    value, gradient = torch.ones(2), torch.ones(2)
    first, second, step = torch.zeros(2), torch.zeros(2), torch.tensor(1.0)
    private.torch_fused_adam(
        [value], [gradient], [first], [second], [], [step], lr=torch.tensor(0.5), beta1=0.5,
        beta2=0.75, weight_decay=0.0, eps=0.0, amsgrad=False, maximize=False,
    )  # fmt: skip
    np.testing.assert_allclose(value.numpy(), 0.5, rtol=1e-6)  # Adam's first step is the rate.


def noise_of(seeds, shared=0):
    shared = ops.convert_to_tensor(np.int32(shared))
    return private_random.noise_of(ops.convert_to_tensor(np.array(seeds, "int32")), shared)


@pytest.mark.parametrize("kind", ["normal", "uniform", "truncated_normal"])
def test_noise_of_seeds(kind):
    draw = getattr(keras.random, kind)

    def drawn(seeds, size=2000):
        with noise_of(seeds):
            return ops.convert_to_numpy(draw((len(seeds), size), seed=1))

    both = drawn([5, 9])
    np.testing.assert_array_equal(both[1:], drawn([9]))  # Of its own seed alone.
    assert not np.array_equal(both[0], both[1])
    mean, deviation = {
        "normal": (0.0, 1.0), "uniform": (0.5, 12**-0.5), "truncated_normal": (0.0, 0.8796)
    }[kind]  # fmt: skip
    many = drawn(range(20))
    assert abs(many.mean() - mean) < 4 * deviation / many.size**0.5
    assert abs(many.std() - deviation) < 0.01
    assert abs(np.corrcoef(both)[0, 1]) < 4 / 2000**0.5
    if kind == "normal":  # The same numbers on every backend.
        np.testing.assert_allclose(both[0, :3], NORMALS, atol=1e-5)


NORMALS = [0.8404904, -0.2674955, 1.3464795]


def test_integers_categories_and_dropout_of_seeds():
    seeds = list(range(100))
    chances = np.array([[0.5, 0.3, 0.2]] * 100, "float32")
    with noise_of(seeds):
        integers = ops.convert_to_numpy(keras.random.randint((100, 300), 2, 5, seed=0))
        chosen = ops.convert_to_numpy(keras.random.categorical(np.log(chances), 300, seed=0))
        ones = ops.ones((100, 300))
        kept = ops.convert_to_numpy(keras.random.dropout(ones, 0.25, seed=0))
        rows = ops.convert_to_numpy(keras.random.dropout(ones, 0.25, (None, 1), seed=0))
    for numbers, expected in ((integers - 2, [1 / 3] * 3), (chosen, chances[0])):
        shares = np.bincount(numbers.ravel(), minlength=3) / numbers.size
        np.testing.assert_allclose(shares, expected, atol=4 * (0.25 / numbers.size) ** 0.5)
    assert set(np.unique(kept)) == {0.0, np.float32(1 / 0.75)}
    assert abs(kept.mean() - 1) < 4 * (0.25 / 0.75 / kept.size) ** 0.5
    assert (rows == rows[:, :1]).all() and 0 < (rows[:, 0] == 0).sum() < 100
    with noise_of(seeds[:7]):
        again = ops.convert_to_numpy(keras.random.randint((7, 300), 2, 5, seed=0))
    np.testing.assert_array_equal(again, integers[:7])


def test_noise_of_the_whole_batch():
    def drawn(seeds, shared, shape=(1, 4)):
        with noise_of(seeds, shared):
            return ops.convert_to_numpy(keras.random.normal(shape, seed=1))

    one = drawn([5, 9, 4], shared=5)
    np.testing.assert_array_equal(drawn([9, 7], shared=5), one)
    np.testing.assert_array_equal(drawn([5], shared=5), one)
    assert not np.array_equal(drawn([5, 9, 4], shared=6), one)
    assert drawn([5, 9, 4], 5, ()).shape == ()
    with (
        noise_of([1, 2]),
        pytest.raises(NotImplementedError, match=r"draw by keras\.random\.gamma"),
    ):
        keras.random.gamma((2, 3), 1.0, seed=1)
    assert keras.random.gamma((2, 3), 1.0, seed=1).shape == (2, 3)


def test_own_optimizer_variables():
    inner = [keras.optimizers.Adam(0.1) for _ in range(2)]
    both = keras.optimizers.MultiOptimizer(lambda variable: inner[0])
    both.build([keras.Variable(np.zeros(3, "float32"))])
    own = private.own_optimizer_variables(both)
    assert own and not {id(v) for v in own} & {id(v) for one in inner for v in one.variables}


def test_what_saving_skips_is_found_once(network, tmp_path):
    from keras.src.saving import saving_lib

    private.remember_what_saving_skips()
    first = saving_lib.get_attr_skipset("Optimizer")
    assert "iterations" in first and "variables" not in first
    assert saving_lib.get_attr_skipset("Optimizer") is first


def test_an_error_in_a_step_leaves_the_weights():
    def fail(*arguments):
        raise RuntimeError("in the step")

    network = networks.mlp(8, 1, latent_dim=4, width=8, depth=1)
    gan = kerasgan.GAN(*network)
    gan.compile()
    before = gan.generator.get_weights()
    images = np.zeros((8, 8, 8, 1), "float32")
    gan._critic_step = fail
    with pytest.raises(RuntimeError, match="in the step"):
        gan.fit(images, batch_size=4, verbose=0)
    for a, b in zip(before, gan.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    del gan._critic_step
    gan.make_train_function(force=True)
    gan.fit(images, batch_size=4, verbose=0)
    assert gan.sample(2, seed=0).shape == (2, 8, 8, 1)


def test_jax_state_is_hidden_again(network, backend_name):
    if backend_name != "jax":
        pytest.skip("other backends keep the state in the variables")
    network.compile("sgd", "mse")
    network.fit(np.zeros((2, 3)), np.zeros((2, 1)), verbose=0)
    private.hide_jax_state(network)
    assert all(v._value is None for v in [*network.variables, *network.optimizer.variables])


def test_one_process_of_jax_has_no_service(backend_name):
    if backend_name != "jax":
        pytest.skip("other backends meet otherwise")
    assert private.jax_service() is None
    private.abandon_jax_service()
    assert private.jax_service() is None


def test_own_pipelines_are_not_tuned(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("the other backends read batches without tf.data")
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    class Other(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return (np.zeros((4, 8, 8, 1), "float32"),)

    own = kerasgan.data.ImageDataset(np.zeros((8, 8, 8, 1), "uint8"), batch_size=4)
    ahead = Ahead(own, backend.send, as_stored=False)
    tuned = [
        PyDatasetAdapter(data, shuffle=False).get_tf_dataset().options().autotune.enabled
        for data in (own, ahead, Other())
    ]
    ahead.close()
    assert tuned == [False, False, None]


def test_exact_moments(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("the moments of the other backends can be differentiated twice")
    import tensorflow as tf

    x = tf.constant([[0.0], [1.0], [3.0]])

    def second(context):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner, context:
                inner.watch(x)
                _, variance = ops.moments(x, axes=0)
            gradient = inner.gradient(variance, x)
        return outer.jacobian(gradient, x).numpy().squeeze()

    expected = 2 / 3 * (np.eye(3) - 1 / 3)  # The Hessian of the variance.
    np.testing.assert_allclose(second(private.exact_moments()), expected, atol=1e-6)
    assert np.abs(second(contextlib.nullcontext()) - expected).max() > 0.1
    for keepdims in (False, True):
        usual = ops.moments(x, axes=0, keepdims=keepdims)
        with private.exact_moments():
            exact = ops.moments(x, axes=0, keepdims=keepdims)
        for a, b in zip(usual, exact, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
            assert a.shape == b.shape


def test_independent_seeds(backend_name):
    if backend_name != "torch":
        pytest.skip("seeds of the other backends are independent")

    def draws(seed):
        generator = keras.random.SeedGenerator(seed)
        return [ops.convert_to_numpy(keras.random.normal((2,), seed=generator)) for _ in range(4)]

    np.testing.assert_array_equal(draws(0)[1:], draws(1)[:3])  # Keras' own.
    with private_random.independent_seeds():
        first, second = draws(0), draws(1)
        np.testing.assert_array_equal(first, draws(0))
    assert len(np.unique([first, second])) == 16
