import numpy as np
import pytest

from kerasgan import networks

CASES = [(networks.dcgan, size, 3) for size in (8, 28, 40, 48, 64, 96, 256, (24, 40), (112, 64))]
CASES += [
    (networks.dcgan, 28, 1),
    (networks.dcgan, 48, 4),
    (networks.resnet, (24, 40), 3),
    (networks.mlp, (5, 9), 3),
    (networks.mlp, 8, 1),
    (networks.mlp, 12, 3),
    (networks.mlp, 8, 4),
]


@pytest.mark.parametrize(("builder", "size", "channels"), CASES)
def test_shapes_and_range(builder, size, channels):
    generator, critic = builder(size, channels, latent_dim=6, width=2)
    z = np.random.default_rng(0).standard_normal((3, 6)).astype("float32")
    images = generator(z)
    height, width = size if isinstance(size, tuple) else (size, size)
    assert tuple(images.shape) == (3, height, width, channels)
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


def test_dcgan_for_large_images_has_no_more_than_sixteen_times_its_width():
    """At 256 pixels with the default width they are about as large as at 128."""
    for size, sides in ((96, 3), (192, 3), (256, 4)):
        generator, critic = networks.dcgan(size, 3, latent_dim=2, width=2)
        assert tuple(generator.weights[0].shape) == (2, sides * sides * 32)
        widest = max(w.shape[-1] for w in critic.weights if len(w.shape) == 4)
        assert widest == 32


def test_weights_of_the_first_sizes_have_the_shapes_that_they_had():
    generator, critic = networks.dcgan(128, 3, latent_dim=2, width=2)
    kernels = [tuple(w.shape) for w in generator.weights if len(w.shape) == 4]
    assert kernels == [(4, 4, n // 2, n) for n in (32, 16, 8, 4)] + [(4, 4, 3, 2)]
    kernels = [tuple(w.shape) for w in critic.weights if len(w.shape) == 4]
    assert kernels == [(4, 4, 3, 2)] + [(4, 4, n, 2 * n) for n in (2, 4, 8, 16)]


@pytest.mark.parametrize("builder", [networks.dcgan, networks.resnet])
@pytest.mark.parametrize("size", [30, 66, (64, 72), (64, 448), 2, 0, -64, 64.0, (64, 64, 64), True])
def test_sizes_that_no_maps_double_to_are_refused(builder, size):
    with pytest.raises(ValueError, match=r"`image_size` must be .*Received: image_size="):
        builder(size, 3, latent_dim=2, width=2)


def test_a_square_may_be_given_by_both_sides():
    shapes = [
        [[tuple(w.shape) for w in network.weights] for network in networks.dcgan(size, 1, width=2)]
        for size in (28, (28, 28))
    ]
    assert shapes[0] == shapes[1]
