"""FastGAN: its networks, and a critic that makes images again."""

import keras
import numpy as np
import pytest
from keras import ops
from small_variants import make, values

import kerasgan
from kerasgan import networks
from kerasgan.adversarial.scorer import Batch
from kerasgan.networks import base
from kerasgan.networks.fastgan import decoder


def numpy_of(x):
    return np.array(ops.convert_to_numpy(ops.stop_gradient(ops.convert_to_tensor(x))))


def images(n=6, side=28, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, side, side, 1)).astype("float32")


@pytest.mark.parametrize(
    ("size", "scores", "small"),
    [
        (256, 25, (16, 16)),
        pytest.param(1024, 25, (16, 16), marks=pytest.mark.slow),
        ((48, 80), 24, (12, 20)),
        (28, 64, (28, 28)),
    ],
)
def test_sizes(size, scores, small):
    generator, critic = networks.fastgan(size, 3, latent_dim=4, width=2)
    height, width = size if isinstance(size, tuple) else (size, size)
    assert generator.output_shape == (None, height, width, 3)
    found = [tuple(x.shape[1:3]) for x in critic.encoder.outputs[1:]]
    assert found == [small, (small[0] // 2, small[1] // 2)]
    assert critic.output_shape == (None, scores)


def test_the_networks_for_256_pixels_have_their_authors_features():
    """Those of Generator and Discriminator in models.py, with ngf and ndf of 64."""
    generator, critic = networks.fastgan(256, 3, latent_dim=4, width=64)
    enlarging = [layer for layer in generator.layers if type(layer).__name__ == "UpsamplingConv2D"]
    assert [layer.filters // 2 for layer in enlarging] == [512, 256, 128, 128, 64, 32]
    assert tuple(generator.weights[0].shape) == (4, 4 * 4 * 2 * 1024)
    halving = [tuple(w.shape)[2:] for w in critic.weights if tuple(w.shape)[:2] == (4, 4)]
    assert halving == [(16, 32), (32, 64), (64, 128), (128, 256), (256, 512), (1024, 1)]


def test_an_image_too_small_for_two_maps_is_refused():
    with pytest.raises(ValueError, match="`image_size` must be at least 12 pixels"):
        networks.fastgan(14, 3)


def test_small_maps_scale_the_features_of_large_ones():
    """By one number for each feature of an image, which is a half where the excitation is zero."""
    generator, _ = networks.fastgan(64, 1, latent_dim=4, width=2)
    z = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    convolutions = [x for x in generator.layers if type(x).__name__ == "Conv2D"]
    scale, last = convolutions[-2:]
    assert scale.kernel_size == (1, 1)
    maps = keras.Model(generator.input, base.to_outside(last.input))
    rng = np.random.default_rng(1)
    for layer in convolutions[-3:-1]:
        layer.kernel.assign(0.3 * rng.standard_normal(layer.kernel.shape))
    excited = numpy_of(maps(z, training=True))
    scale.kernel.assign(np.zeros(scale.kernel.shape))
    halved = numpy_of(maps(z, training=True))
    factors = np.where(np.abs(halved) > 0.05, excited / (2 * halved), np.nan).reshape(3, -1, 4)
    low, high = np.nanmin(factors, axis=1), np.nanmax(factors, axis=1)
    np.testing.assert_allclose(low, high, rtol=1e-3)
    assert (low > 0).all() and (high < 1).all() and np.ptp(low) > 0.01


@pytest.mark.parametrize(("image", "doublings"), [((256, 256), 4), ((32, 32), 2), ((8, 8), 0)])
def test_decoders_double_maps_four_times_at_most(image, doublings):
    assert decoder((8, 8, 5), image, 3, width=4).output_shape == (None, *(2 * [8 << doublings]), 3)


def test_the_critic_minimises_hinges_and_the_distance_of_images_made_again():
    gan = make(kerasgan.FastGAN, reconstruction_weight=0.7)
    real, fake = images(), images(seed=1)
    batch = Batch(real, fake, z=np.zeros((6, 8), "float32"))
    found = numpy_of(gan.critic_objective(batch, (), training=False))
    scores = numpy_of(gan.critic(real)), numpy_of(gan.critic(fake))
    hinges = np.maximum(0, 1 - scores[0]).mean() + np.maximum(0, 1 + scores[1]).mean()
    _, small, smallest = gan.critic.encoder(real)
    whole = numpy_of(gan.decoder(smallest))
    part = numpy_of(gan.part_decoder(small[:, 14:, 14:]))
    away = np.abs(real - whole).mean() + np.abs(real[:, 14:, 14:] - part).mean()
    assert found == pytest.approx(hinges + 0.7 * away, rel=1e-4)


def test_parts_of_maps_are_compared_with_the_same_parts_of_images():
    """Images of four even quarters, whose maps say which quarter they are of."""
    gan = make(kerasgan.FastGAN)
    quarters = np.random.default_rng(0).uniform(-1, 1, (64, 2, 2, 1)).astype("float32")
    real = np.repeat(np.repeat(quarters, 14, axis=1), 14, axis=2)

    class Same:
        def __call__(self, x, training=False):
            return x

    object.__setattr__(gan, "decoder", Same())
    object.__setattr__(gan, "part_decoder", Same())
    distance = numpy_of(gan._reconstruction(real, real, real, training=True))
    assert distance == pytest.approx(0.0, abs=1e-6)
    shown = numpy_of(gan._reconstruction(real, -real, real, training=True))
    assert shown == pytest.approx(2 * np.abs(real).mean(), rel=0.15)


def test_the_critics_steps_move_the_decoders(data_of_28):
    gan = make(kerasgan.FastGAN)
    before = {name: values(getattr(gan, name)) for name in ("decoder", "part_decoder")}
    history = gan.fit(data_of_28, batch_size=8, epochs=1, verbose=0).history
    assert 0 < history["reconstruction"][0] < 4
    for name, old in before.items():
        assert all(np.any(a != b) for a, b in zip(old, values(getattr(gan, name)), strict=True))


@pytest.fixture
def data_of_28():
    return images(24)


@pytest.mark.slow
def test_the_reconstruction_is_learned():
    """Images of one grey each are easy to make again."""
    greys = np.linspace(-0.8, 0.8, 16, dtype="float32").reshape(16, 1, 1, 1)
    x = np.broadcast_to(greys, (16, 28, 28, 1)).copy()
    gan = make(kerasgan.FastGAN, learning_rate=2e-3, size={"width": 4})
    history = gan.fit(x, batch_size=16, epochs=40, verbose=0).history["reconstruction"]
    assert history[-1] < 0.7 * history[0]


@pytest.mark.numpy
def test_other_critics_are_refused():
    pair = networks.mlp(28, 1, width=4, depth=1)
    with pytest.raises(ValueError, match="`critic` must be one that kerasgan"):
        kerasgan.FastGAN(*pair)
    with pytest.raises(ValueError, match=r"one score for each image.*Received.*64"):
        kerasgan.GAN(*networks.fastgan(28, 1, latent_dim=4, width=1))
    with pytest.raises(ValueError, match="`architecture` must be one of"):
        kerasgan.FastGAN.default_networks("dcgan", image_size=28)
