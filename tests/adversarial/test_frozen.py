"""Frozen networks and layers."""

import keras
import numpy as np
import pytest
from doors import IMAGES, array, pair

import kerasgan
from kerasgan import networks

SLOW = pytest.mark.slow


def weights(network):
    return [array(v) for v in network.weights]


def same(before, network):
    return all(np.array_equal(a, b) for a, b in zip(before, weights(network), strict=True))


@pytest.mark.parametrize(
    "name",
    ["GAN", *(pytest.param(n, marks=SLOW) for n in ("WGAN", "SNGAN", "UnrolledGAN"))],
)
@pytest.mark.parametrize("which", ["generator", "critic"])
def test_a_frozen_network_stays_and_the_other_moves(name, which, tmp_path):
    variant = getattr(kerasgan, name)
    gan = variant(*variant.default_networks("mlp", image_size=8, channels=1, width=8))
    gan.compile()
    gan.fit(IMAGES, batch_size=4, verbose=0)
    getattr(gan, which).trainable = False
    other = gan.critic if which == "generator" else gan.generator
    before, others = weights(getattr(gan, which)), weights(other)
    history = gan.fit(IMAGES, batch_size=4, verbose=0).history
    assert same(before, getattr(gan, which))
    assert not same(others, other) and f"{which}_loss" in history
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    before = weights(getattr(loaded, which))
    loaded.fit(IMAGES, batch_size=4, verbose=0)
    assert not getattr(loaded, which).trainable
    assert same(before, getattr(loaded, which))


@pytest.mark.parametrize(
    ("variant", "options"),
    [
        (kerasgan.GAN, {"historical_averaging": 0.5}),
        (kerasgan.UnrolledGAN, {"unrolled_steps": 2}),
        pytest.param(kerasgan.UnrolledGAN, {"unrolled_steps": 2, "inner": "sgd"}, marks=SLOW),
    ],
)
def test_what_belongs_to_single_weights_follows_those_that_are_not_frozen(
    variant, options, tmp_path
):
    """The mean of its past and Adam's moments are those of the same weight, whatever is frozen."""
    gan = variant(*networks.mlp(8, 1, latent_dim=6, width=8, depth=2), **options)
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    dense = [layer for layer in gan.critic.layers if isinstance(layer, keras.layers.Dense)]
    dense[0].trainable = False
    kernels = [array(layer.kernel) for layer in dense]
    history = gan.fit(IMAGES, batch_size=8, verbose=0).history
    assert np.isfinite([*history["critic_loss"], *history["generator_loss"]]).all()
    moved = [not np.array_equal(k, array(x.kernel)) for k, x in zip(kernels, dense, strict=True)]
    assert moved == [False, True, True]
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for a, b in zip(gan.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(array(a), array(b))
    assert np.isfinite(loaded.fit(IMAGES, batch_size=8, verbose=0).history["loss"]).all()


@pytest.mark.parametrize("which", ["generator", "critic"])
def test_a_callback_may_freeze_a_network_before_an_epoch(which):
    gan = kerasgan.GAN(*pair())
    gan.compile()
    kept = []

    class Freeze(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            kept.append(weights(getattr(self.model, which)))
            getattr(self.model, which).trainable = epoch < 1

    gan.fit(IMAGES, batch_size=8, epochs=3, verbose=0, callbacks=[Freeze()])
    first, second, third = kept
    assert not np.array_equal(first[0], second[0])
    assert np.array_equal(second[0], third[0]) and same(third, getattr(gan, which))


def test_frozen_layers_of_a_network(tmp_path):
    gan = kerasgan.GAN(*pair())
    first, last = (layer for layer in gan.critic.layers if isinstance(layer, keras.layers.Dense))
    first.trainable = False
    gan.compile()
    for model in (gan, None):
        if model is None:
            gan.save(tmp_path / "m.keras")
            model = keras.saving.load_model(tmp_path / "m.keras")
        dense = [x for x in model.critic.layers if isinstance(x, keras.layers.Dense)]
        kernels = [array(layer.kernel) for layer in dense]
        model.fit(IMAGES, batch_size=8, verbose=0)
        moved = [
            not np.array_equal(k, array(x.kernel)) for k, x in zip(kernels, dense, strict=True)
        ]
        assert moved == [False, True]
    first.trainable = True
    with pytest.raises(ValueError, match=r"`compile` must be called again.*2 unknown weights"):
        gan.fit(IMAGES, batch_size=8, verbose=0)
    gan.compile()
    kernel = array(first.kernel)
    gan.fit(IMAGES, batch_size=8, verbose=0)
    assert not np.array_equal(kernel, array(first.kernel)) and last.trainable
