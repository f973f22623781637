"""The defaults of the variants: optimizers, clipping, and the networks they come with."""

import re

import keras
import numpy as np
import pytest
from small_variants import make, values

import kerasgan
from kerasgan import catalogue
from kerasgan.gans import VARIANTS


def test_wgan_clips_before_each_critic_step(images):
    gan = make(kerasgan.WGAN, clip=0.003)
    gan.compile(critic_optimizer=keras.optimizers.SGD(0.0))
    before = values(gan.critic)
    gan.fit(images, batch_size=64, verbose=0)
    for a, b in zip(before, values(gan.critic), strict=True):
        np.testing.assert_array_equal(np.clip(a, -0.003, 0.003).astype("float32"), b)


def test_wgan_warmup_is_that_of_the_authors():
    gan = make(kerasgan.WGAN, compiled=False, warmup=True)
    needed = [gan.critic_steps_per_round(step) for step in (0, 24, 25, 499, 500, 501)]
    assert needed == [100, 100, 5, 5, 100, 5]


@pytest.mark.parametrize(
    ("variant", "generator", "critic", "n_critic"),
    [
        (kerasgan.GAN, (2e-4, 0.5, 0.999), (2e-4, 0.5, 0.999), 1),
        (kerasgan.WGANGP, (1e-4, 0.0, 0.9), (1e-4, 0.0, 0.9), 5),
        (kerasgan.DRAGAN, (2e-4, 0.5, 0.999), (2e-4, 0.5, 0.999), 1),
        (kerasgan.SNGAN, (2e-4, 0.0, 0.9), (2e-4, 0.0, 0.9), 5),
        (kerasgan.UnrolledGAN, (1e-3, 0.5, 0.999), (1e-4, 0.5, 0.999), 1),
        (kerasgan.InfoGAN, (1e-3, 0.5, 0.999), (2e-4, 0.5, 0.999), 1),
        (kerasgan.FlowGAN, (1e-4, 0.5, 0.9), (1e-4, 0.5, 0.9), 5),
        (kerasgan.FastGAN, (2e-4, 0.5, 0.999), (2e-4, 0.5, 0.999), 1),
        (kerasgan.R3GAN, (2e-4, 0.0, 0.9), (2e-4, 0.0, 0.9), 1),
        (kerasgan.StyleGAN2, (2.5e-3, 0.0, 0.99), (2.5e-3, 0.0, 0.99), 1),
    ],
)
def test_default_optimizers_are_those_of_the_docstrings(variant, generator, critic, n_critic):
    gan = make(variant)
    assert gan.n_critic == n_critic
    for player, expected in (("generator", generator), ("critic", critic)):
        adam = getattr(gan.optimizer, f"{player}_optimizer")
        assert isinstance(adam, keras.optimizers.Adam)
        assert (float(adam.learning_rate), adam.beta_1, adam.beta_2) == pytest.approx(expected)


def test_default_optimizers_of_wgan_are_the_papers():
    rmsprop = make(kerasgan.WGAN).optimizer.generator_optimizer
    assert float(rmsprop.learning_rate) == pytest.approx(5e-5)
    assert (make(kerasgan.WGAN).clip, make(kerasgan.WGAN).n_critic) == (0.01, 5)
    assert make(kerasgan.WGANGP).gp_weight == 10.0


@pytest.mark.numpy
@pytest.mark.parametrize("name", VARIANTS)
def test_a_docstring_lists_what_differs_from_the_authors(name):
    assert re.search(r"(^ +|[.] )Departures?: ", VARIANTS[name].__doc__, re.MULTILINE)


@pytest.mark.parametrize(
    "name", [n for n, entry in catalogue.VARIANTS.items() if "resnet" in entry.architectures]
)
def test_every_variant_has_residual_networks(name):
    variant = VARIANTS[name]
    generator, critic = variant.default_networks("resnet", image_size=32, channels=1, width=2)
    gan = variant(generator, critic, **({"packing": variant.packs} if variant.packs > 1 else {}))
    assert gan.sample(1, seed=0).shape == (1, 32, 32, 1)
    normalised = any(
        isinstance(layer, keras.layers.BatchNormalization) for layer in generator._flatten_layers()
    )
    assert normalised == (name != "r3gan")


def test_setting_the_learning_rate_keeps_the_ratio():
    gan = make(kerasgan.GAN)
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(4e-3))
    gan.optimizer.learning_rate = 5e-4
    assert float(gan.optimizer.generator_optimizer.learning_rate) == pytest.approx(5e-4)
    assert float(gan.optimizer.critic_optimizer.learning_rate) == pytest.approx(2e-3)
