"""The networks of R3GAN; tests/test_convert_r3gan.py compares them with the authors'."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasgan import backend, networks

SMALL = {"latent_dim": 6, "width": 8, "depth": 1, "group_width": 8}


def array(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize(
    ("size", "channels"), [(8, 1), (48, 3), ((32, 24), 4), ((24, 40), 3), (256, 3)]
)
def test_sizes(size, channels):
    generator, critic = networks.r3gan(size, channels, **SMALL)
    height, width = (size, size) if isinstance(size, int) else size
    assert generator.output_shape == (None, height, width, channels)
    assert critic.input_shape == (None, height, width, channels)
    assert critic.output_shape == (None, 1)


def test_features_halve_beyond_the_full_side():
    for full_side, expected in ((8, [8, 4, 2]), (16, [8, 8, 4]), (64, [8, 8, 8])):
        generator, _ = networks.r3gan(32, full_side=full_side, **SMALL)
        grouped = [layer for layer in generator.layers if "grouped" in layer.name]
        assert [layer.filters // 2 for layer in grouped][1:] == expected


def test_values_and_gradients():
    generator, critic = networks.r3gan((16, 24), 3, num_classes=3, **SMALL)
    z = np.random.default_rng(0).standard_normal((3, 6)).astype("float32")
    labels = np.arange(3, dtype="int32")
    images = array(backend.forward(generator, [z, labels]))
    assert images.shape == (3, 16, 24, 3) and 0.1 < images.std() < 3
    others = array(backend.forward(generator, [z, np.roll(labels, 1)]))
    assert np.abs(images - others).max() > 1e-3
    scores = array(backend.forward(critic, [images, labels]))
    others = array(backend.forward(critic, [images, np.roll(labels, 1)]))
    assert scores.shape == (3, 1) and np.abs(scores - others).max() > 1e-3
    weights = critic.trainable_variables
    x = ops.convert_to_tensor(images)
    _, slopes = backend.value_and_grad(
        lambda: ops.sum(critic([x, ops.convert_to_tensor(labels)])), weights
    )
    # Residuals are zero at first: the last layer of each has a gradient, those before it none.
    moved = [np.abs(array(slope)).max() > 0 for slope in slopes]
    assert any(moved) and np.isfinite([np.abs(array(s)).max() for s in slopes]).all()


def test_there_is_no_bound_and_no_last_bias():
    generator, critic = networks.r3gan(8, 3, **SMALL)
    names = [type(layer).__name__ for layer in generator.layers]
    assert [layer.activation for layer in generator.layers if hasattr(layer, "activation")][
        -1
    ] is keras.activations.linear
    assert "BatchNormalization" not in names
    assert not critic.get_layer("score").use_bias
    wide = generator.get_weights()
    generator.set_weights([10 * w for w in wide])
    assert np.abs(array(backend.forward(generator, np.ones((1, 6), "float32")))).max() > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 44}, "b x 2"),
        ({"image_size": (32, 20)}, "the same k"),
        ({"image_size": (32, 32, 3)}, "one number or"),
        ({"width": 0}, "`width` must be"),
        ({"full_side": 1.5}, "`full_side` must be"),
        ({"group_width": -1}, "`group_width` must be"),
        ({"num_classes": 0}, "`num_classes` must be"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        networks.r3gan(**{**SMALL, "image_size": 32, **arguments})
