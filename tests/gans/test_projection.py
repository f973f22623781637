"""Projection: the vectors of given pictures."""

import numpy as np
import pytest
from keras import ops

import kerasgan
from kerasgan import networks
from kerasgan.adversarial import projection
from kerasgan.metrics.extractors import EfficientNetLite0

SIZE = {"latent_dim": 6, "mapping_layers": 1, "channel_base": 64, "channel_max": 4}


@pytest.fixture(scope="module")
def gan():
    pair = kerasgan.StyleGAN2.default_networks(image_size=8, **SIZE)
    return kerasgan.StyleGAN2(*pair)


@pytest.fixture(scope="module")
def plain():
    return kerasgan.GAN(*networks.mlp(8, 1, latent_dim=4, width=8, depth=2), ema=None)


@pytest.mark.slow
def test_an_image_of_the_model_is_found_again(gan, plain):
    told = []
    for model in (gan, plain):
        targets = np.clip(model.sample(4, seed=3), -1, 1)
        told.clear()
        found = model.project(
            targets, steps=150, distance="pixels", progress=lambda *at: told.append(at)
        )
        assert found.styles.shape == model.styles(4, seed=0).shape
        assert found.distance == "pixels" and told[-1] == (150, 150)
        np.testing.assert_allclose(found.images, model.decode_styles(found.styles), atol=1e-6)
        others = model.sample(200, seed=5)
        away = np.array([((others - target) ** 2).mean(axis=(1, 2, 3)) for target in targets])
        mine = ((found.images - targets) ** 2).mean(axis=(1, 2, 3))
        nearer = mine / np.median(away, axis=1)  # Descent may end in a place that is not the best.
        assert np.median(nearer) < 0.4 and (nearer < 1).all(), nearer
        again = model.project((targets * 127.5 + 127.5).astype("uint8"), steps=2, distance="pixels")
        assert again.images.shape == targets.shape


@pytest.mark.slow
def test_pictures_of_a_class():
    pair = networks.mlp(8, 1, latent_dim=4, width=8, depth=2, num_classes=3)
    gan = kerasgan.GAN(*pair)
    targets = np.clip(gan.sample(2, seed=3, labels=[1, 2]), -1, 1)
    found = gan.project(targets, steps=5, distance="pixels", labels=[1, 2])
    np.testing.assert_allclose(found.images, gan.decode_styles(found.styles, [1, 2]), atol=1e-6)


def test_the_networks_stay_as_they_are(gan):
    before = [w.copy() for w in gan.get_weights()]
    gan.project(gan.sample(1, seed=0)[0].clip(-1, 1), steps=3, distance="pixels")
    for a, b in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_rates_are_the_authors():
    ramp = projection._Ramp(1000)
    steps = np.array([0, 25, 50, 500, 750, 875, 1000])
    found = [float(ops.convert_to_numpy(ramp(ops.convert_to_tensor(s)))) for s in steps]
    np.testing.assert_allclose(found, [0, 0.05, 0.1, 0.1, 0.1, 0.05, 0], atol=1e-6)


def test_noise_without_structure_costs_nothing():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2, 32, 32, 1)).astype("float32")
    smooth = noise + np.roll(noise, 1, axis=2)
    found = [
        ops.convert_to_numpy(
            projection._structure(projection._normalized(ops.convert_to_tensor(n)))
        )
        for n in (noise, smooth)
    ]
    assert (found[0] < 0.1).all() and (found[1] > 0.2).all()
    unit = ops.convert_to_numpy(projection._normalized(ops.convert_to_tensor(3 * noise + 1)))
    np.testing.assert_allclose(unit.mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose((unit**2).mean(axis=(1, 2, 3)), 1, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(not EfficientNetLite0.installed(), reason="needs EfficientNet-Lite0")
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_features_see_what_pixels_do_not(channels):
    rng = np.random.default_rng(0)
    fine = rng.uniform(-0.5, 0.5, (1, 64, 64, channels)).astype("float32")
    blurred = sum(np.roll(fine, (i, j), (1, 2)) for i in range(3) for j in range(3)) / 9
    moved = np.roll(fine, 2, axis=2)
    pixels, features = projection.Pixels(), projection.Features()
    same = [float(ops.convert_to_numpy(d.between(fine, fine))[0]) for d in (pixels, features)]
    assert same == [0, 0]
    for distance, expected in ((pixels, True), (features, False)):
        far = [float(ops.convert_to_numpy(distance.between(fine, x))[0]) for x in (blurred, moved)]
        assert (far[0] < far[1]) == expected, far


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((2, 16, 16, 1)), {}, "`images` must have the shape"),
        (np.zeros((8, 8, 1)) + 3, {}, "`images` must be integers in 0..255 or floats"),
        (np.full((8, 8, 1), np.nan), {}, "`images` must be integers in 0..255 or floats"),
        (np.zeros((8, 8, 1)), {"steps": 0}, "`steps` must be a positive integer"),
        (np.zeros((8, 8, 1)), {"distance": "taste"}, "`distance` must be one of"),
        (np.zeros((8, 8, 1)), {"labels": 1}, "labels"),
    ],
)
def test_what_cannot_be_projected(plain, images, options, message):
    with pytest.raises(ValueError, match=message):
        plain.project(images, **{"distance": "pixels", **options})
