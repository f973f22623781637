"""Steps on PyTorch as graphs: equal to those through the layers, and left alone where they fail."""

import shutil

import keras
import numpy as np
import pytest

import kerasgan

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="of PyTorch alone")
IMAGES = np.random.default_rng(0).uniform(-1, 1, (96, 8, 8, 1)).astype("float32")
LABELS = np.arange(96) % 3


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Trace the second and third step of each kind, so that the others are of the graph."""
    from kerasgan.backend import torch_traced

    monkeypatch.setattr(torch_traced, "WARM_UP", 1)


def networks(*more, **arguments):
    keras.utils.set_random_seed(0)
    size = {"image_size": 8, "channels": 1, "latent_dim": 4, "width": 8, "depth": 1}
    generator, critic = kerasgan.networks.mlp(**{**size, **arguments})
    if more:
        x = keras.Input((8, 8, 1))
        hidden = keras.layers.Flatten()(x)
        for layer in more:
            hidden = layer(keras.layers.Dense(8)(hidden))
        critic = keras.Model(x, keras.layers.Dense(1)(hidden))
    return generator, critic


def trained(make, jit="auto", labels=None, batch_size=8, epochs=2, **compiled):
    """Return all variables after a training, and its history."""
    gan = make()
    gan.compile(jit_compile=jit, **compiled)
    history = gan.fit(IMAGES, labels, batch_size=batch_size, epochs=epochs, verbose=0).history
    variables = [*gan.variables, *gan.metrics_variables, *gan.optimizer.variables]
    return [keras.ops.convert_to_numpy(v).copy() for v in variables], history


def graphs(monkeypatch):
    """Return a list to which each graph that is made is added."""
    from kerasgan.backend import torch_traced

    made = []
    usual = torch_traced._Graph._ready

    def ready(self, graph):
        made.append(graph)
        return usual(self, graph)

    monkeypatch.setattr(torch_traced._Graph, "_ready", ready)
    return made


MODELS = {
    "gan": lambda: kerasgan.GAN(*networks()),
    "wgan": lambda: kerasgan.WGAN(*networks(critic_norm=None), n_critic=2),
    "wgan_gp": lambda: kerasgan.WGANGP(*networks(critic_norm=None), n_critic=2),
    "unrolled_gan": lambda: kerasgan.UnrolledGAN(*networks(critic_norm=None), unrolled_steps=2),
    "lazy_r1": lambda: kerasgan.GAN(
        *networks(critic_norm=None), penalties=[kerasgan.penalties.R1(1.0, every=3)]
    ),
    "ada": lambda: kerasgan.GAN(
        *networks(critic_norm=None), augment=kerasgan.augment.ADA(speed=40, interval=2)
    ),
    "averaging": lambda: kerasgan.GAN(*networks(), historical_averaging=0.1),
    "noise in a layer": lambda: kerasgan.GAN(*networks(keras.layers.GaussianNoise(0.1, seed=1))),
}


@pytest.mark.parametrize("name", MODELS)
def test_graphs_compute_what_layers_do_bit_for_bit(name, monkeypatch):
    made = graphs(monkeypatch)
    usual, history = trained(MODELS[name], False)
    assert not made
    traced, other = trained(MODELS[name])
    assert made and history == other
    for a, b in zip(usual, traced, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.RMSprop(1e-3),
        lambda: keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(1e-2, 20), clipnorm=0.1, weight_decay=0.01
        ),
    ],
)
def test_optimizers_and_schedules(optimizer, monkeypatch):
    made = graphs(monkeypatch)
    results = [
        trained(MODELS["gan"], jit, generator_optimizer=optimizer(), critic_optimizer=optimizer())[
            0
        ]
        for jit in (False, "auto")
    ]
    assert made
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_labels_and_dropout(monkeypatch):
    def make():
        generator, critic = networks(num_classes=3)
        image, label = (keras.Input(t.shape[1:], dtype=t.dtype) for t in critic.inputs)
        y = critic([keras.layers.Dropout(0.3, seed=1)(image), label])
        return kerasgan.GAN(generator, keras.Model([image, label], y))

    made = graphs(monkeypatch)
    (usual, _), (traced, _) = (trained(make, jit, LABELS) for jit in (False, "auto"))
    assert made
    for a, b in zip(usual, traced, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


class Branch(keras.layers.Layer):
    """Reads its input on the host."""

    def call(self, x):
        return x if float(keras.ops.mean(x)) > 0 else 2 * x


class Drawn(keras.layers.Layer):
    """Draws with NumPy, which no graph sees."""

    def call(self, x):
        return x + float(np.random.default_rng().normal())


class Counted(keras.layers.Layer):
    """Counts its calls in Python."""

    calls = 0

    def call(self, x):
        self.calls += 1
        return x * (1 + self.calls / 100)


@pytest.mark.parametrize("layer", [Branch, Counted])
def test_steps_that_cannot_be_traced_stay_as_they_were(layer):
    def make():
        return kerasgan.GAN(*networks(layer()))

    usual, history = trained(make, False)
    with pytest.warns(UserWarning, match="run layer by layer, since they cannot be traced") as seen:
        other, found = trained(make)
    assert len([w for w in seen if "traced" in str(w.message)]) == 1
    if layer is Branch:  # What a half step had changed was put back.
        assert history == found
        for a, b in zip(usual, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_numbers_that_python_draws_are_not_frozen():
    with pytest.warns(UserWarning, match="cannot be traced"):
        trained(lambda: kerasgan.GAN(*networks(Drawn())))


def test_a_learning_rate_of_a_function_is_not_frozen():
    rates = iter(np.linspace(1e-3, 1e-2, 10_000))
    rate = keras.optimizers.SGD(lambda: next(rates))
    with pytest.warns(UserWarning, match="cannot be traced"):
        trained(MODELS["gan"], critic_optimizer=rate, generator_optimizer="sgd")


def test_batches_of_other_sizes_have_graphs_of_their_own(monkeypatch):
    from kerasgan.backend import torch_traced

    made = graphs(monkeypatch)
    gans = [MODELS["gan"](), MODELS["gan"]()]
    for gan, jit in zip(gans, (False, "auto"), strict=True):
        gan.compile(jit_compile=jit)
        for rows in (8, 12, 4, 16, 20, 8):
            for _ in range(5):
                gan.train_on_batch(IMAGES[:rows])
    assert len(made) == torch_traced.MOST
    for a, b in zip(*(gan.weights for gan in gans), strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))


def test_values_that_are_assigned_between_steps_count(monkeypatch):
    made = graphs(monkeypatch)
    gans = [MODELS["gan"](), MODELS["gan"]()]
    for gan, jit in zip(gans, (False, "auto"), strict=True):
        gan.compile(jit_compile=jit)
        start = gan.get_weights()
        gan.fit(IMAGES, batch_size=8, verbose=0)
        gan.set_weights(start)
        gan.optimizer.learning_rate = 1e-2
        gan.seed_generator.state.assign([5, 7])
        gan.fit(IMAGES, batch_size=8, verbose=0)
    assert made
    for a, b in zip(*(gan.weights for gan in gans), strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))


@pytest.mark.slow
def test_compiled_graphs_agree():
    if shutil.which("g++") is None:
        pytest.skip("torch.compile needs a compiler")

    def make():
        return kerasgan.WGANGP(*networks(critic_norm=None), n_critic=1)

    (usual, _), (compiled, _) = (trained(make, jit, epochs=1) for jit in (False, True))
    for a, b in zip(usual, compiled, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_a_compiler_that_fails_leaves_the_graph(monkeypatch):
    import torch

    def fails(*args, **kwargs):
        def run(*args):
            raise RuntimeError("no compiler")

        return run

    monkeypatch.setattr(torch, "compile", fails)
    usual, _ = trained(MODELS["wgan"], False)
    with pytest.warns(UserWarning, match="traced and not compiled.*no compiler"):
        other, _ = trained(MODELS["wgan"], True)
    for a, b in zip(usual, other, strict=True):
        np.testing.assert_array_equal(a, b)
