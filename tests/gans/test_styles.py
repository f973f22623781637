"""Mixing styles, directions in closed form, and editing."""

import numpy as np
import pytest
from keras import ops

import kerasgan
from kerasgan import networks

SIZE = {"latent_dim": 6, "mapping_layers": 1, "channel_base": 64, "channel_max": 4}


@pytest.fixture(scope="module")
def gan():
    pair = kerasgan.StyleGAN2.default_networks(image_size=16, **SIZE)
    gan = kerasgan.StyleGAN2(*pair, ema=None)
    gan.generator.mapping.average.assign(np.linspace(-0.3, 0.3, 6))
    return gan


@pytest.fixture(scope="module")
def plain():
    return kerasgan.GAN(*networks.mlp(8, 1, latent_dim=4, width=8, depth=2))


def test_styles_make_the_images_of_their_seeds(gan, plain):
    assert gan.styles(3, seed=2).shape == (3, 6, 6) and plain.styles(3, seed=2).shape == (3, 4)
    for options in ({}, {"noise": "none"}, {"noise": "random"}):
        images = gan.decode_styles(gan.styles(5, seed=2), noise_seed=2, batch_size=2, **options)
        np.testing.assert_allclose(images, gan.sample(5, seed=2, **options), atol=1e-5)
    images = gan.decode_styles(gan.styles(5, seed=2, truncation=0.5))
    np.testing.assert_allclose(images, gan.sample(5, seed=2, truncation=0.5), atol=1e-5)
    images = plain.decode_styles(plain.styles(5, seed=2))
    np.testing.assert_array_equal(images, plain.sample(5, seed=2))


@pytest.mark.slow
def test_styles_of_classes():
    pair = kerasgan.StyleGAN2.default_networks(image_size=8, num_classes=3, **SIZE)
    gan = kerasgan.StyleGAN2(*pair, ema=None)
    for labels in (None, 1, [0, 1, 2]):
        images = gan.decode_styles(gan.styles(3, seed=2, labels=labels))
        np.testing.assert_allclose(images, gan.sample(3, seed=2, labels=labels), atol=1e-5)
    assert gan.mix([1], [2], labels=2).shape == (1, 1, 8, 8, 3)


def test_mixing_takes_each_layer_from_one_seed(gan):
    seeds = [1, 2], [3, 4, 5]
    own = [gan.sample(1, seed=seed)[0] for seed in seeds[0]]
    others = [gan.sample(1, seed=seed)[0] for seed in seeds[1]]
    mixed = gan.mix(*seeds, levels="coarse")
    assert mixed.shape == (2, 3, 16, 16, 3)
    np.testing.assert_allclose(gan.mix(*seeds, levels=range(6))[1], others, atol=1e-5)
    by_number, rest = (gan.mix(*seeds, levels=which) for which in ([0, 1, 2, 3], [4, 5]))
    np.testing.assert_array_equal(mixed, by_number)
    np.testing.assert_allclose(gan.mix(seeds[0], seeds[0], "middle")[0, 0], own[0], atol=1e-5)
    # The rest of the layers from the row is these layers from the column.
    turned = gan.mix(seeds[1], seeds[0], levels=[4, 5])
    np.testing.assert_allclose(mixed, np.swapaxes(turned, 0, 1), atol=1e-5)
    assert np.abs(mixed - rest).max() > 1e-3
    half = gan.mix(*seeds, levels=range(6), truncation=0.5, noise="none")
    expected = [gan.sample(1, seed=s, truncation=0.5, noise="none")[0] for s in seeds[1]]
    np.testing.assert_allclose(half[0], expected, atol=1e-5)


def test_directions_are_the_strongest_of_the_weights(gan, plain):
    for model in (gan, plain):
        found = model.directions()
        size = model.styles(1, seed=0).shape[-1]
        assert found.shape == (size, size)
        np.testing.assert_allclose(found @ found.T, np.eye(size), atol=1e-5)
        np.testing.assert_array_equal(model.directions(2), found[:2])
        assert (found[np.arange(size), np.abs(found).argmax(axis=1)] > 0).all()
    kernel = ops.convert_to_numpy(plain.sampling_generator.layers[1].kernel)
    kernel = kernel / np.linalg.norm(kernel, axis=0)
    strengths = np.linalg.norm(plain.directions() @ kernel, axis=1)
    assert (np.diff(strengths) <= 1e-6).all()
    np.testing.assert_allclose(strengths[0], np.linalg.norm(kernel, ord=2), rtol=1e-5)
    assert np.abs(gan.directions(levels="coarse") - gan.directions()).max() > 1e-3


def test_directions_of_a_conditional_network_are_of_its_latent_vectors():
    gan = kerasgan.GAN(*networks.mlp(8, 1, latent_dim=4, width=8, depth=2, num_classes=3))
    assert gan.directions(2).shape == (2, 4)
    images = gan.edit(gan.styles(3, seed=1), gan.directions(1)[0], [0.0, 1.0], labels=[0, 1, 2])
    np.testing.assert_allclose(images[:, 0], gan.sample(3, seed=1, labels=[0, 1, 2]), atol=1e-6)


def test_editing_moves_along_a_direction(gan, plain):
    for model in (gan, plain):
        styles, direction = model.styles(3, seed=1), model.directions(1)[0]
        images = model.edit(styles, direction, [-1.0, 0.0, 2.0])
        assert images.shape == (3, 3, *model.image_shape)
        np.testing.assert_allclose(images[:, 1], model.sample(3, seed=1), atol=1e-5)
        expected = model.decode_styles(styles + 2 * direction)
        np.testing.assert_allclose(images[:, 2], expected, atol=1e-5)
    moved = styles = gan.styles(2, seed=1)
    moved = styles.copy()
    moved[:, 4:] += 0.5 * gan.directions(1)[0]
    images = gan.edit(styles, gan.directions(1)[0], 0.5, levels="middle")
    np.testing.assert_allclose(images[:, 0], gan.decode_styles(moved), atol=1e-5)


def test_what_cannot_be(gan, plain):
    calls = (
        (plain.mix, ([1], [2]), "`levels` goes with a generator of styles.*Received: GAN"),
        (gan.mix, ([1], [2], "fine"), r"`levels` must name some of the layers 0\.\.5.*'fine'"),
        (gan.mix, ([1], [2], "broad"), "`levels` must be one of"),
        (gan.mix, ([1], [2], [6]), r"`levels` must name some of the layers 0\.\.5"),
        (gan.mix, ([1], [2], []), r"`levels` must name some of the layers 0\.\.5"),
        (gan.mix, ([], [2]), "`rows` and `columns` must each be at least one seed"),
        (gan.directions, (7,), "`k` must be at most 6"),
        (gan.directions, (0,), "`k` must be a positive integer"),
        (plain.directions, (1, "coarse"), "`levels` goes with a generator of styles"),
        (gan.decode_styles, (np.zeros((2, 6)),), r"`styles` must have the shape \(n, 6, 6\)"),
        (gan.edit, (gan.styles(1, 0), np.zeros(5), 1.0), r"`direction` must have the shape \(6,\)"),
    )
    for function, arguments, message in calls:
        with pytest.raises(ValueError, match=f"(?s){message}"):
            function(*arguments)
