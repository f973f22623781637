"""The arguments of the augmentations, and their configuration."""

import keras
import numpy as np
import pytest
from augmented import Noise

from kerasgan.augment import ADA, DiffAugment, Distortion


@pytest.mark.parametrize(
    "layer",
    [
        DiffAugment("cutout,color"),
        ADA(target=0.3, speed=1000, interval=2, max_probability=1.0, policy="color"),
        ADA(policy="filter,noise,cutout", fixed=0.3, rise=100, multipliers={"noise": 0.5}),
        Distortion(rotation=5.0, thickness=0.5),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_configuration_round_trip(layer):
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert config["registered_name"] == f"kerasgan>{type(layer).__name__}"


@pytest.mark.parametrize("policy", ["", "colour", "color,", "color,color", "color, color", None])
@pytest.mark.parametrize("kind", [DiffAugment, ADA])
def test_bad_policy(kind, policy):
    with pytest.raises(ValueError, match=r"`policy` must be .* Received: policy="):
        kind(policy=policy)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("target", v) for v in (0, 1, "high")],
        *[("speed", v) for v in (0, -1, None)],
        *[("interval", v) for v in (0, 1.5)],
        *[("max_probability", v) for v in (0, 1.1, None)],
        *[("fixed", v) for v in (-0.1, 1.1, "half")],
        *[("rise", v) for v in (-1, 1.5)],
        *[("multipliers", v) for v in ({"filter": 0.5}, {"color": 2}, {"color": "x"}, 0.5)],
    ],
)
def test_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {name}="):
        ADA(**{name: value})


def test_bad_images(layer):
    with pytest.raises(ValueError, match=r"`images` must have .* Received: shape \(8, 8\)"):
        layer.transform(np.zeros((8, 8), "float32"), Noise(8))


def test_only_a_fixed_probability_rises():
    with pytest.raises(ValueError, match="`rise` goes with a probability that is `fixed`"):
        ADA(rise=10)


@pytest.mark.parametrize(
    ("name", "value"), [("rotation", -1.0), ("shift", "far"), ("thickness", 1.5)]
)
def test_bad_bounds(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {name}="):
        Distortion(**{name: value})
