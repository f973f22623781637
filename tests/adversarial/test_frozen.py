"""Frozen networks and layers."""

import keras
import numpy as np
import pytest
from doors import IMAGES, array, pair

import kerasgan


def weights(network):
    return [array(v) for v in network.weights]


def same(before, network):
    return all(np.array_equal(a, b) for a, b in zip(before, weights(network), strict=True))


@pytest.mark.parametrize(
    "name", ["GAN", *(pytest.param(name, marks=pytest.mark.slow) for name in ("WGAN", "SNGAN"))]
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
    assert same(before, getattr(gan, which)) or (name == "SNGAN" and which == "critic")
    assert not same(others, other) and f"{which}_loss" in history
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    before = weights(getattr(loaded, which))
    loaded.fit(IMAGES, batch_size=4, verbose=0)
    assert not getattr(loaded, which).trainable
    assert same(before, getattr(loaded, which)) or (name == "SNGAN" and which == "critic")


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
