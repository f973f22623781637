"""A walk between the latent vectors of several seeds."""

import numpy as np
import pytest

import kerasgan
from kerasgan import networks


def pair(**more):
    return networks.mlp(8, 1, latent_dim=6, width=8, depth=1, **more)


def test_a_walk_shows_at_each_seed_what_sample_shows():
    gan = kerasgan.GAN(*pair())
    walk = gan.walk([3, 8, 5], steps=4, n=2)
    assert len(walk) == 12
    for place, seed in ((0, 3), (4, 8), (8, 5)):
        np.testing.assert_array_equal(walk[place], gan.sample(2, seed))
    assert len(list(walk)) == 12
    np.testing.assert_array_equal(walk[-1], walk[11])
    with pytest.raises(IndexError):
        walk[12]


def test_without_a_loop_it_ends_at_the_last_seed():
    gan = kerasgan.GAN(*pair())
    walk = gan.walk([3, 8], steps=4, loop=False)
    assert len(walk) == 5
    np.testing.assert_array_equal(walk[4], gan.sample(1, 8))
    loop = gan.walk([3, 8], steps=4)
    assert len(loop) == 8
    np.testing.assert_array_equal(walk.latents(2), loop.latents(2))
    np.testing.assert_allclose(loop.latents(6), loop.latents(2), atol=1e-6)  # On the way back.


def test_the_way_is_that_of_interpolate():
    for prior in ("normal", "uniform"):
        gan = kerasgan.GAN(*pair(), prior=prior)
        walk = gan.walk([1, 2], steps=6, loop=False)
        found = np.concatenate([walk.latents(step) for step in range(7)])
        np.testing.assert_allclose(found, gan.interpolated_latents(7, 1, 2), atol=1e-6)
        norms = np.linalg.norm(found, axis=1)
        if prior == "normal":  # A straight line would pass closer to zero.
            assert norms.min() > 0.999 * norms[[0, -1]].min()


def test_a_walk_of_a_conditional_model_has_a_class():
    gan = kerasgan.GAN(*pair(num_classes=3))
    walk = gan.walk([1, 2], steps=2, n=2, labels=1)
    np.testing.assert_array_equal(walk[2], gan.sample(2, 2, labels=1))
    both = gan.walk([1, 2], steps=2, n=2, labels=[0, 2])
    np.testing.assert_array_equal(both[0], gan.sample(2, 1, labels=[0, 2]))
    with pytest.raises(ValueError, match=r"`labels` must be given.*0\.\.2.*labels=None"):
        gan.walk([1, 2], steps=2)
    with pytest.raises(ValueError, match=r"`labels` must lie in 0\.\.2"):
        gan.walk([1, 2], steps=2, labels=3)


def test_codes_change_on_the_way_unless_they_are_kept():
    gan = kerasgan.InfoGAN(*networks.mlp(8, 1, latent_dim=16, width=8, depth=1))
    np.testing.assert_array_equal(gan.walk([1, 2], 3)[3], gan.sample(1, 2))
    codes = {"categorical_0": 4}
    walk = gan.walk([1, 2], steps=3, codes=codes)
    np.testing.assert_array_equal(walk[3], gan.sample(1, 2, codes=codes))
    with pytest.raises(ValueError, match=r"must lie in 0\.\.9"):
        gan.walk([1, 2], steps=3, codes={"categorical_0": 10})
    with pytest.raises(ValueError, match="options of a GAN are: none"):
        kerasgan.GAN(*pair()).walk([1, 2], steps=3, codes=codes)


@pytest.mark.parametrize("architecture", ["nice", "realnvp"])
def test_a_flow_walks_too(architecture):
    pair = kerasgan.FlowGAN.default_networks(architecture, image_size=8, channels=1, width=4)
    gan = kerasgan.FlowGAN(*pair)
    walk = gan.walk([1, 2], steps=2)
    np.testing.assert_array_equal(walk[2], gan.sample(1, 2))
    assert np.isfinite(walk[1]).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seeds": [1]}, "`seeds` must be at least two"),
        ({"steps": 0}, "`steps` must be a positive integer"),
        ({"n": 0}, "`n` must be a positive integer"),
    ],
)
def test_a_walk_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        kerasgan.GAN(*pair()).walk(**{"seeds": [1, 2], "steps": 2, **arguments})
