"""Augmented images against NumPy, one image at a time."""

import keras
import numpy as np
import pytest
from augmented import COLOR, GREY, Noise, ada, augmented, compiled, numpy
from augmented_by_numpy import (
    numpy_ada_color,
    numpy_diff_augment,
    numpy_distortion,
    numpy_movement,
)
from keras import ops

from kerasgan.augment import ADA, DiffAugment, Distortion


@pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])
@pytest.mark.parametrize("part", ["color", "translation", "cutout"])
def test_diff_augment_equals_numpy(part, images):
    found = augmented(DiffAugment(part), images, Noise(5))
    draws = Noise(5).array("uniform", 3 if part == "color" else 2)
    expected = [numpy_diff_augment(part, *pair) for pair in zip(images, draws, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_diff_augment_applies_its_parts_in_their_order():
    found = numpy(DiffAugment("cutout,color").transform(COLOR, Noise(5)))
    noise = Noise(5)
    cut = DiffAugment("cutout").transform(COLOR, noise)
    expected = numpy(DiffAugment("color").transform(cut, noise))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("u", [0.0, 1 - 2**-24])
def test_the_ends_of_the_ranges(u):
    def noise(kind, *shape):
        return ops.full((5, *shape), u, dtype="float32")

    kept = numpy(DiffAugment("cutout").transform(np.ones_like(GREY), noise))[0, ..., 0]
    expected = np.ones((8, 10))
    expected[(slice(2), slice(3)) if u == 0 else (slice(6, 8), slice(7, 10))] = 0
    np.testing.assert_array_equal(kept, expected)
    first = numpy(DiffAugment("translation").transform(GREY, noise))
    expected = np.zeros_like(GREY)
    if u == 0:
        expected[:, 1:, 1:] = GREY[:, :-1, :-1]
    else:
        expected[:, :-1, :-1] = GREY[:, 1:, 1:]
    np.testing.assert_array_equal(first, expected)


@pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])
@pytest.mark.parametrize("policy", ["blit", "geometry", "color"])
@pytest.mark.parametrize("p", [0.6, 1.0])
def test_ada_equals_numpy(policy, images, p):
    found = augmented(ada(p, policy=policy), images, Noise(5))
    noise, normals = Noise(5), {"blit": 0, "geometry": 4, "color": 3}[policy]
    draws = [noise.array("uniform", 7), *([noise.array("normal", normals)] if normals else [])]
    for i, image in enumerate(images):
        rows = [d[i].astype("float64") for d in draws]
        if policy == "color":
            expected = numpy_ada_color(image, p, *rows)
        else:
            expected = numpy_movement(image, p, **{"blit": None, "geometry": None, policy: rows})
        np.testing.assert_allclose(found[i], expected, atol=2e-5)


def test_ada_moves_by_geometry_and_blit_together_in_the_authors_order():
    found = augmented(ada(0.9, policy="blit,geometry"), GREY, Noise(5, seed=3))
    noise = Noise(5, seed=3)
    uz = [noise.array("uniform", 7), noise.array("normal", 4)]
    blit = noise.array("uniform", 7)
    for i, image in enumerate(GREY):
        expected = numpy_movement(image, 0.9, [d[i].astype("float64") for d in uz], [blit[i]])
        np.testing.assert_allclose(found[i], expected, atol=2e-5)


@pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])
def test_ada_with_probability_zero_changes_nothing(images):
    np.testing.assert_allclose(numpy(ADA().transform(images, Noise(5))), images, atol=1e-6)
    np.testing.assert_array_equal(
        numpy(ADA(policy="blit,geometry").transform(images, Noise(5))), images
    )


@pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])
@pytest.mark.parametrize("bounds", [(23.0, 0.4, 0.25, 0.1, 1.0), (90.0, 1.0, 0.5, 0.3, 0.5)])
def test_distortion_equals_numpy(images, bounds):
    found = augmented(Distortion(*bounds), images, Noise(5, seed=3))
    for image, u, distorted in zip(
        images, Noise(5, seed=3).array("uniform", 7), found, strict=True
    ):
        expected = numpy_distortion(image, u.astype("float64"), bounds)
        np.testing.assert_allclose(distorted, expected, atol=2e-5)


def test_distortion_knows_where_the_channels_are():
    found = augmented(Distortion(), COLOR, Noise(5))
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        again = augmented(Distortion(), COLOR, Noise(5))
    finally:
        keras.config.set_image_data_format(before)
    np.testing.assert_array_equal(again, found)


def test_distortion_without_bounds_changes_nothing():
    layer = Distortion(0.0, 0.0, 0.0, 0.0, 0.0)
    np.testing.assert_allclose(numpy(layer.transform(GREY, Noise(5))), GREY, atol=1e-6)


@pytest.mark.parametrize(
    "layer", [DiffAugment(), ada(1.0), Distortion()], ids=["DiffAugment", "ADA", "Distortion"]
)
@pytest.mark.parametrize("shape", [(2, 1, 1, 1), (2, 7, 5, 2)])
def test_halves_are_augmented_as_floats_are(layer, shape):
    images = np.random.default_rng(1).integers(-8, 9, shape) / 8  # Exact in both.
    found = []
    for dtype in ("float16", "float32"):
        run = compiled(lambda x: layer.transform(x, Noise(2)))
        found.append(run(ops.convert_to_tensor(images, dtype=dtype)))
        assert tuple(found[-1].shape) == shape
        assert keras.backend.standardize_dtype(found[-1].dtype) == "float32"
    np.testing.assert_allclose(numpy(found[0]), numpy(found[1]), atol=1e-6)


def test_the_share_of_changed_images_is_the_probability():
    n, p = 4000, 0.3
    images = np.full((n, 2, 2, 1), 0.5, "float32")
    found = augmented(ada(p, policy="color"), images, Noise(n))
    changed = (np.abs(found - images) > 1e-7).any((1, 2, 3)).mean()
    # Brightness, contrast, and every second luma flip.
    expected = 1 - (1 - p) * (1 - p) * (1 - p / 2)
    assert abs(changed - expected) < 4 * np.sqrt(expected * (1 - expected) / n)


CLEAR = np.concatenate([COLOR, GREY[:, ::-1]], axis=-1)


@pytest.mark.parametrize("layer", [DiffAugment, lambda policy: ada(1.0, policy=policy)])
def test_of_four_channels_the_colours_alone_change_colour(layer):
    found = augmented(layer("color"), CLEAR, Noise(5))
    np.testing.assert_array_equal(found[..., 3:], CLEAR[..., 3:])
    np.testing.assert_allclose(
        found[..., :3], augmented(layer("color"), COLOR, Noise(5)), atol=1e-6
    )
    assert np.abs(found[..., :3] - COLOR).max() > 0.1


@pytest.mark.parametrize(
    ("layer", "parts"),
    [
        (DiffAugment, ("translation", "cutout")),
        (lambda policy: ada(1.0, policy=policy), ("blit", "geometry")),
    ],
)
def test_of_four_channels_all_are_moved(layer, parts):
    for part in parts:
        found = augmented(layer(part), CLEAR, Noise(5))
        for channels in (slice(3), slice(3, 4)):
            alone = augmented(layer(part), CLEAR[..., channels], Noise(5))
            np.testing.assert_allclose(found[..., channels], alone, atol=1e-5)
        assert np.abs(found - CLEAR).max() > 0.1
