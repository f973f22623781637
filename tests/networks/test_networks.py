import numpy as np
import pytest

from kerasgan import networks

CASES = [(networks.dcgan, size, c) for size in networks.SIZES for c in (1, 3)]
CASES += [(networks.mlp, 8, 1), (networks.mlp, 12, 3)]


@pytest.mark.parametrize(("builder", "size", "channels"), CASES)
def test_shapes_and_range(builder, size, channels):
    generator, critic = builder(size, channels, latent_dim=6, width=2)
    z = np.random.default_rng(0).standard_normal((3, 6)).astype("float32")
    images = generator(z)
    assert tuple(images.shape) == (3, size, size, channels)
    assert tuple(critic(images).shape) == (3, 1)


@pytest.mark.parametrize("builder", [networks.dcgan, networks.mlp])
def test_norm_is_where_it_was_asked_for(builder):
    def names(network):
        return [type(layer).__name__ for layer in network.layers]

    assert "BatchNormalization" not in names(builder(28, 1, width=2)[1])
    assert "BatchNormalization" in names(builder(28, 1, width=2, critic_norm="batch")[1])


@pytest.mark.parametrize("builder", [networks.dcgan, networks.mlp])
def test_config_round_trip(builder):
    for network in builder(28, 1, latent_dim=3, width=2, critic_norm="batch"):
        again = type(network).from_config(network.get_config())
        assert again.get_config() == network.get_config()
        shapes = [tuple(w.shape) for w in network.weights]
        assert [tuple(w.shape) for w in again.weights] == shapes


def test_dcgan_has_the_papers_pyramid():
    generator, _ = networks.dcgan(64, 3, latent_dim=100, width=128)
    assert tuple(generator.weights[0].shape) == (100, 4 * 4 * 1024)
