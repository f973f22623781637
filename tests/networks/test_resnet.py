import keras
import numpy as np
import pytest
from keras import ops

from kerasgan import backend
from kerasgan.networks import base
from kerasgan.networks.resnet import resnet

RNG = np.random.default_rng(0)
SIZES = (32, 48, 64, 96, 128, (48, 80))
PAIRS = [(style, size) for style in ("sngan", "r3gan") for size in SIZES]
# Of SNGAN's authors: features of the generator's maps, and of the critic's blocks with a width of
# 1, and how many of these halve the sides (gen_models and dis_models of sngan_projection).
OF_AUTHORS = {
    32: ((2, 2, 2, 2), (1, 1, 1, 1), 2),
    48: ((8, 4, 2, 1), (1, 2, 4, 8, 16), 4),
    64: ((16, 8, 4, 2, 1), (1, 2, 4, 8, 16), 5),
    128: ((16, 16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), 5),
}


def numpy_of(x):
    return np.array(ops.convert_to_numpy(ops.stop_gradient(ops.convert_to_tensor(x))))


def normal(*shape):
    return RNG.standard_normal(shape).astype("float32")


def tiny(style="sngan", size=32, **arguments):
    depth = {"depth": 1} if style == "r3gan" else {}
    return resnet(size, 3, latent_dim=6, width=4, style=style, **depth, **arguments)


def run(network, x):
    """Return what a network makes of `x`; on JAX as one program, not operation by operation."""
    return numpy_of(backend.forward(network, x))


def names(network):
    return [type(layer).__name__ for layer in network.layers]


def features(network):
    """Return how many features the sum of each residual block has."""
    sums = [layer.output for layer in network.layers if type(layer).__name__ == "Add"]
    return [x.shape[base.channel_axis()] for x in sums]


@pytest.mark.parametrize(("style", "size"), PAIRS)
def test_shapes(style, size):
    generator, critic = tiny(style, size)
    height, width = size if isinstance(size, tuple) else (size, size)
    assert generator.output_shape == (None, height, width, 3)
    assert critic.input_shape == (None, height, width, 3)
    assert critic.output_shape == (None, 1)


@pytest.mark.parametrize("size", OF_AUTHORS)
def test_sngan_has_its_authors_maps(size):
    maps, blocks, halvings = OF_AUTHORS[size]
    generator, critic = resnet(size, 3, latent_dim=2, width=1)
    side = size >> (len(maps) - 1)
    assert tuple(generator.weights[0].shape) == (2, side * side * maps[0])
    assert features(generator) == list(maps[1:]) and features(critic) == list(blocks)
    assert names(critic).count("AveragePooling2D") == 2 * halvings  # With that of the shortcut.


def test_sngan_for_48_pixels_is_the_papers_for_stl_10():
    generator, critic = resnet(48, 3, latent_dim=2, width=2)
    assert tuple(generator.weights[0].shape) == (2, 6 * 6 * 16)
    widths = [layer.filters for layer in critic.layers if hasattr(layer, "filters")]
    assert max(widths) == 32 and critic.layers[-1].kernel.shape[0] == 32


def test_r3gan_halves_its_maps_with_each_doubling_beyond_32():
    maps = {}
    for size in (96, 128, 192, 256):
        generator, _ = resnet(size, 3, latent_dim=2, width=16, style="r3gan", depth=1)
        maps[size] = generator.weights[-1].shape[2]
    assert maps == {96: 4, 128: 4, 192: 2, 256: 2}


@pytest.mark.parametrize("style", ["sngan", "r3gan"])
def test_values(style):
    generator, critic = tiny(style)
    images = run(generator, normal(2, 6))
    assert images.shape == (2, 32, 32, 3)
    assert np.abs(images).max() <= 1.0
    assert images.std() > 0.05
    scores = run(critic, images)
    assert scores.shape == (2, 1)
    alone = np.concatenate([run(critic, images[i : i + 1]) for i in range(2)])
    np.testing.assert_allclose(scores, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("style", ["sngan", "r3gan"])
def test_images_and_scores_are_float32_in_mixed_precision(style):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        norm = "spectral" if style == "sngan" else None
        networks = tiny(style, critic_norm=norm, num_classes=2)
    finally:
        keras.config.set_dtype_policy(before)
    # The scores of a few images may all be nearly zero, beside which any rounding is large.
    labels, x = ops.array([0, 1] * 8, "int32"), ops.convert_to_tensor(normal(16, 6))
    for network, full in zip(networks, tiny(style, critic_norm=norm, num_classes=2), strict=True):
        assert network.outputs[0].dtype == "float32"
        policies = {layer.compute_dtype for layer in network.layers}
        assert policies == {"float32", "bfloat16"}
        full.set_weights(network.get_weights())
        found, expected = run(network, [x, labels]), run(full, [x, labels])
        np.testing.assert_allclose(found, expected, atol=0.05 * np.abs(expected).max())
        x = ops.convert_to_tensor(expected)


@pytest.mark.parametrize("style", ["sngan", "r3gan"])
@pytest.mark.parametrize("conditioning", ["projection", "concat"])
def test_labels_matter_to_both(style, conditioning):
    generator, critic = tiny(style, num_classes=5, conditioning=conditioning)
    assert generator.num_classes == critic.num_classes == 5
    z = np.repeat(normal(1, 6), 2, axis=0)
    labels = np.array([0, 3], "int32")
    images = run(generator, [z, labels])
    assert np.abs(images[0] - images[1]).max() > 1e-4
    scores = run(critic, [np.repeat(images[:1], 2, axis=0), labels])
    assert abs(scores[0, 0] - scores[1, 0]) > 1e-5


@pytest.mark.parametrize("style", ["sngan", "r3gan"])
def test_packing_widens_the_critics_input_alone(style):
    plain, packed = tiny(style)[1], tiny(style, packing=3)[1]
    assert packed.input_shape == (None, 32, 32, 9)
    differ = [
        (tuple(a.shape), tuple(b.shape))
        for a, b in zip(plain.weights, packed.weights, strict=True)
        if a.shape != b.shape
    ]
    assert differ and all(b[2] == 3 * a[2] for a, b in differ)


def test_norms_are_where_they_belong():
    generator, critic = tiny(critic_norm="spectral", num_classes=2)
    assert "BatchNormalization" in names(generator)
    assert not {"BatchNormalization", "Conv2D", "Dense", "Embedding"} & set(names(critic))
    assert {"SpectralConv2D", "SpectralDense", "SpectralEmbedding"} <= set(names(critic))
    for network in tiny("r3gan"):
        assert not [name for name in names(network) if "Norm" in name or "Spectral" in name]


@pytest.mark.parametrize("minibatch", ["stddev", "discrimination"])
@pytest.mark.parametrize("style", ["sngan", "r3gan"])
def test_minibatch_layers(style, minibatch):
    _, critic = tiny(style, minibatch=minibatch)
    assert any(name.lower() == f"minibatch{minibatch}" for name in names(critic))


def test_r3gan_residuals_are_zero_at_the_start():
    """Without its residuals the generator is linear in z up to the tanh."""
    generator, _ = tiny("r3gan")
    z = normal(1, 6)
    first, second = (np.arctanh(run(generator, scale * z)) for scale in (0.05, 0.1))
    np.testing.assert_allclose(2 * first, second, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "arguments",
    [
        {"critic_norm": "spectral", "num_classes": 3, "packing": 2},
        {"style": "r3gan", "num_classes": 3, "conditioning": "concat", "minibatch": "stddev"},
    ],
)
def test_config_round_trip(arguments):
    for network in tiny(**arguments):
        again = type(network).from_config(network.get_config())
        assert again.get_config() == network.get_config()
        shapes = [tuple(w.shape) for w in network.weights]
        assert [tuple(w.shape) for w in again.weights] == shapes


def test_saved_and_loaded(tmp_path):
    _, critic = tiny(critic_norm="spectral", num_classes=3)
    critic.save(tmp_path / "critic.keras")
    again = keras.saving.load_model(tmp_path / "critic.keras")
    for old, new in zip(critic.weights, again.weights, strict=True):
        np.testing.assert_array_equal(numpy_of(old), numpy_of(new))


class Penalty:
    """The penalty, the norms and the gradients of a critic, which `backend.forward` compiles."""

    def __init__(self, critic, labels):
        self.critic, self.labels, self.variables = critic, labels, critic.variables

    def score(self, x):
        return self.critic([x, self.labels] if self.critic.num_classes else x)

    def __call__(self, x, training):
        def norms():
            gradients = backend.gradient(self.score, x)
            return ops.sqrt(ops.sum(ops.square(gradients), axis=(1, 2, 3)) + 1e-12)

        _, gradients = backend.value_and_grad(
            lambda: ops.mean(ops.square(norms() - 1.0)), self.critic.trainable_variables
        )
        return norms(), *gradients


@pytest.mark.parametrize(
    "arguments", [{"critic_norm": "spectral", "num_classes": 2}, {"style": "r3gan"}]
)
def test_a_gradient_penalty_goes_through(arguments):
    """Its gradient along the last kernel is known, by what a larger one does to the scores."""
    _, critic = tiny(**arguments)
    for variable in critic.trainable_variables:  # R3GAN's residuals are zero at the start.
        variable.assign(numpy_of(variable) + 0.1 * normal(*variable.shape))
    images, labels = ops.convert_to_tensor(normal(2, 32, 32, 3)), ops.array([0, 1], "int32")
    norms, *gradients = map(numpy_of, backend.forward(Penalty(critic, labels), images))
    kernel = [layer.kernel for layer in critic.layers if hasattr(layer, "kernel")][-1]
    (along,) = (
        (gradient * numpy_of(variable)).sum()
        for gradient, variable in zip(gradients, critic.trainable_variables, strict=True)
        if variable is kernel
    )
    # The scores are linear in it; one that is divided by its singular value has no length.
    expected = 0.0 if critic.num_classes else np.mean(2 * (norms - 1) * norms)
    assert along == pytest.approx(expected, rel=1e-3, abs=1e-4)
    for gradient, variable in zip(gradients, critic.trainable_variables, strict=True):
        if len(variable.shape) > 1:
            assert np.abs(gradient).max() > 0, variable.path


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"image_size": 30}, r"`image_size` must be b x 2.* Received: image_size=30"),
        ({"style": "biggan"}, "`style` must be one of .* Received: style='biggan'"),
        ({"critic_norm": "batch"}, "`norm` must be one of .* Received: norm='batch'"),
        ({"style": "r3gan", "critic_norm": "spectral"}, "`norm` must be None"),
        ({"conditioning": "film"}, "`conditioning` must be one of"),
        ({"depth": 2}, "`depth` must be None"),
        ({"style": "r3gan", "depth": 0}, "`depth` must be a positive integer"),
        ({"packing": 0}, "`packing` must be a positive integer"),
        ({"width": 1.5}, "`width` must be a positive integer"),
        ({"num_classes": 0}, "`num_classes`"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ValueError, match=match):
        resnet(**{"width": 2, "latent_dim": 2, **arguments})
