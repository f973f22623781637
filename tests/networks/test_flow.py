import math

import keras
import numpy as np
import pytest
from keras import ops

from kerasgan import backend, networks
from kerasgan.networks.flow import FlowGenerator, bits_per_dimension, flow

# 12 pixels halve once, so that RealNVP has two scales.
SMALL = {"nice": (4, 3), "realnvp": (12, 1)}
KINDS = list(SMALL)


def made(kind, size=None, channels=None, spread=0.3):
    """A small flow with weights of which none is at its start."""
    if size is None:
        size, channels = SMALL[kind]
    generator = FlowGenerator(size, channels, kind, width=8, depth=2, hidden_layers=1)
    draw = np.random.default_rng(1)
    generator.set_weights(
        [w + draw.normal(0.0, spread / 8, w.shape) for w in generator.get_weights()]
    )
    return generator


def pictures(generator, n=3):
    shape = (n, *generator.image_shape)
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


class Program:
    """A function of a flow's variables that `backend.forward` compiles on JAX."""

    def __init__(self, network, fn):
        self.variables = network.variables
        self.fn = fn

    def __call__(self, x, training):
        return self.fn(x)


def run(network, fn, x):
    """Return what `fn(x)` returns as float64 arrays: one, or a list of several."""
    results = backend.forward(Program(network, fn), ops.convert_to_tensor(x))
    if isinstance(results, (tuple, list)):
        return [ops.convert_to_numpy(result).astype("float64") for result in results]
    return ops.convert_to_numpy(results).astype("float64")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (7, 2)])
def test_inverse_undoes_the_generator(kind, size, channels):
    generator = made(kind, size, channels)
    images = pictures(generator)
    images[0, 0], images[0, 1] = -1.0, 1.0

    def there_and_back(images):
        z, log_determinant = generator.inverse(images)
        return z, log_determinant, generator(z)

    z, log_determinant, again = run(generator, there_and_back, images)
    assert z.shape == (3, size * size * channels) == (3, generator.latent_dim)
    assert log_determinant.shape == (3,)
    np.testing.assert_allclose(again, images, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_images_lie_in_range(kind):
    generator = made(kind)
    z = 5 * np.random.default_rng(0).standard_normal((8, generator.latent_dim)).astype("float32")
    images = backend.forward(generator, ops.convert_to_tensor(z))
    assert keras.backend.standardize_dtype(images.dtype) == "float32"
    assert np.abs(ops.convert_to_numpy(images)).max() <= 1.0
    symbolic = generator(keras.KerasTensor((None, generator.latent_dim)))
    assert symbolic.shape == generator.output_shape == (None, *generator.image_shape)
    assert generator.input_shape == (None, generator.latent_dim)


@pytest.mark.parametrize("kind", KINDS)
def test_log_determinant_is_the_jacobians(kind):
    generator = made(kind)
    images, dims = 0.9 * pictures(generator, 1), generator.latent_dim
    rows = ops.eye(dims)  # One for each output: all gradients come in one pass.

    def both_ways(images):
        z, log_determinant = generator.inverse(images)
        there = backend.gradient(lambda x: generator.inverse(x)[0] * rows, images)
        back = backend.gradient(lambda z: ops.reshape(generator(z), rows.shape) * rows, z)
        return log_determinant, there, back, generator(z)

    images = np.repeat(images, dims, axis=0)
    log_determinant, there, back, again = run(generator, both_ways, images)
    assert np.abs(again).max() < 1.0  # Where an image is cut off there is no way back.
    expected = np.linalg.slogdet(there.reshape(dims, dims)).logabsdet
    assert log_determinant[0] == pytest.approx(expected, abs=1e-3)
    assert -log_determinant[0] == pytest.approx(np.linalg.slogdet(back).logabsdet, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_log_determinant_is_that_of_central_differences(kind):
    generator = made(kind)
    images, dims, step = 0.5 * pictures(generator, 1), generator.latent_dim, 2e-3
    moves = step * np.eye(dims, dtype="float32").reshape(dims, *generator.image_shape)
    batch = np.concatenate([images, images + moves, images - moves])
    z, log_determinant = run(generator, generator.inverse, batch)
    jacobian = (z[1 : dims + 1] - z[dims + 1 :]) / (2 * step)
    expected = np.linalg.slogdet(jacobian).logabsdet
    assert log_determinant[0] == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_log_prob_against_numpy(kind):
    generator = made(kind)
    levels = np.random.default_rng(2).integers(0, 256, (3, *generator.image_shape))
    noise = np.random.default_rng(3).uniform(size=levels.shape).astype("float32")
    x = (levels + noise.astype("float64")) / 256

    def both(x):
        images = (levels / 127.5 - 1).astype("float32")
        return *generator.inverse(x), generator.log_prob(images, noise)

    z, log_determinant, received = run(generator, both, (2 * x - 1).astype("float32"))
    if kind == "nice":
        assert generator.prior == "logistic"
        prior = np.sum(z - 2 * np.log1p(np.exp(z)), axis=1)
    else:
        assert generator.prior == "normal"
        prior = np.sum(-(z**2) / 2 - math.log(math.sqrt(2 * math.pi)), axis=1)
    # Each value of an image runs over 256 levels, and over [-1, 1] in the flow.
    expected = prior + log_determinant + generator.latent_dim * math.log(2 / 256)
    np.testing.assert_allclose(received, expected, rtol=1e-5)


def test_fresh_nice_is_the_logit_against_numpy():
    generator = FlowGenerator(2, 1, "nice", width=4)
    generator.set_weights([np.zeros(w.shape) for w in generator.get_weights()])
    levels = np.array([0, 1, 128, 255]).reshape(1, 2, 2, 1)
    p = 1e-6 + (1 - 2e-6) * (levels + 0.25) / 256
    h = np.log(p) - np.log1p(-p)
    # A logistic variable's sigmoid is uniform: what the logit adds the prior takes away.
    by_hand = np.sum(-h - 2 * np.log1p(np.exp(-h)) - np.log(p * (1 - p)) + math.log(1 - 2e-6))
    images = (levels / 127.5 - 1).astype("float32")
    received = run(generator, lambda x: generator.log_prob(x, np.full(p.shape, 0.25)), images)
    assert received[0] == pytest.approx(by_hand - 4 * math.log(256), rel=1e-6)
    assert bits_per_dimension(received[0], 4) == pytest.approx(8.0, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_probabilities_of_all_images_sum_to_one(kind, channels):
    generator = made(kind, 1, channels, spread=2.0)
    noise = np.random.default_rng(4)
    grid = np.stack(np.meshgrid(*[np.arange(256)] * channels, indexing="ij"), axis=-1)
    grid = (grid.reshape(-1, 1, 1, channels) / 127.5 - 1).astype("float32")
    total, program = 0.0, Program(generator, lambda x: generator.log_prob(x[0], x[1]))
    draws = 8 // channels**2
    for i in range(draws):
        u = (i + noise.uniform(size=grid.shape)) / draws
        pair = ops.convert_to_tensor(np.stack([grid, u.astype("float32")]))
        log_prob = ops.convert_to_numpy(backend.forward(program, pair))
        total += np.exp(log_prob.astype("float64")).sum() / draws
    # What lies beyond black and white belongs to no image: alpha leaves room for it in RealNVP.
    z = noise.standard_normal((20_000, channels)).astype("float32")
    if kind == "nice":
        assert total == pytest.approx(1.0, abs=0.01)
    else:
        inside = np.all(np.abs(run(generator, generator, z)) < 1.0, axis=(1, 2, 3)).mean()
        assert total == pytest.approx(inside, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_learns_from_the_likelihood(kind):
    generator = made(kind)

    def gradients(images):
        return backend.value_and_grad(
            lambda: -ops.mean(generator.log_prob(images, ops.full(images.shape, 0.5))),
            generator.trainable_variables,
        )[1]

    # A mask hides some entries of a kernel, but no variable as a whole.
    for gradient in run(generator, gradients, pictures(generator)):
        assert 0 < np.abs(gradient).max() < np.inf


@pytest.mark.parametrize("kind", KINDS)
def test_begins_near_the_identity(kind):
    generator = FlowGenerator(12, 1, kind)
    images = pictures(generator)
    z, _ = run(generator, generator.inverse, images)
    x = (1 - 2 * generator.alpha) * images.astype("float64")
    logits = np.sort(2 * np.arctanh(x).reshape(3, -1), axis=1)  # RealNVP's latents are permuted.
    assert 1e-3 < np.abs(np.sort(z, axis=1) - logits).mean() < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_config_round_trip(kind):
    generator = made(kind)
    again = FlowGenerator.from_config(generator.get_config())
    assert again.get_config() == generator.get_config()
    again.set_weights(generator.get_weights())
    images = pictures(generator)
    for a, b in zip(*(run(g, g.inverse, images) for g in (generator, again)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_saved_alone_and_within_a_model(kind, tmp_path):
    generator = made(kind)
    generator.save_weights(tmp_path / "flow.weights.h5")
    again = made(kind, spread=1.0)
    again.load_weights(tmp_path / "flow.weights.h5")
    critic = networks.MLPCritic(*SMALL[kind], width=4, depth=1)
    keras.Sequential([generator, critic]).save(tmp_path / "pair.keras")
    loaded = keras.models.load_model(tmp_path / "pair.keras").layers[0]
    for network in (again, loaded):
        assert type(network) is FlowGenerator
        for a, b in zip(network.get_weights(), generator.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_under_mixed_bfloat16(kind):
    expected = made(kind)
    images = pictures(expected)
    _, log_determinant = run(expected, expected.inverse, images)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        generator = FlowGenerator.from_config(expected.get_config())
        generator.set_weights(expected.get_weights())

        def there_and_back(x):
            z, log_determinant = generator.inverse(x)
            return generator(z), log_determinant

        again, received = run(generator, there_and_back, images)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(again, images, atol=1e-5)
    np.testing.assert_allclose(received, log_determinant, rtol=1e-5)


def test_the_critic_is_an_ordinary_one():
    assert type(flow(28, 1, width=4)[1]) is networks.DCGANCritic
    generator, critic = flow(18, 2, "realnvp", width=4, critic_width=3, critic_norm="batch")
    assert type(critic) is networks.MLPCritic
    assert critic.get_config()["width"] == 3 and critic.get_config()["norm"] == "batch"
    assert critic(keras.KerasTensor(generator.output_shape)).shape == (None, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "glow"}, r"`kind` must be one of .*Received: kind='glow'"),
        ({"width": 0}, r"`width` must be .*Received: width=0"),
        ({"depth": 1.5}, r"`depth` must be .*Received: depth=1.5"),
        ({"hidden_layers": -1}, r"`hidden_layers` must be .*Received: hidden_layers=-1"),
        ({"image_size": 0}, r"`image_size` must be .*Received: image_size=0"),
        ({"channels": "3"}, r"`channels` must be .*Received: channels='3'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        flow(**arguments)
