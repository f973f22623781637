"""`UpsamplingConv2D` is what its parts would compute, and leaves no lattice."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kerasgan import networks
from kerasgan.backend import PREFERRED_DATA_FORMAT
from kerasgan.layers import UpsamplingConv2D


@pytest.mark.parametrize("data_format", sorted({"channels_last", PREFERRED_DATA_FORMAT}))
@pytest.mark.parametrize("size", [3, 5])
def test_it_is_a_convolution_after_upsampling(size, data_format):
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 4)).astype("float32")
    layer = UpsamplingConv2D(3, size, data_format=data_format, bias_initializer="normal")
    inside = data_format == "channels_last"
    found = ops.convert_to_numpy(layer(x if inside else x.transpose(0, 3, 1, 2)))
    found = found if inside else found.transpose(0, 2, 3, 1)

    parts = keras.Sequential([layers.UpSampling2D(), layers.Conv2D(3, size, padding="same")])
    parts.build(x.shape)
    taps, bias = layer.get_weights()
    assert taps.shape == (size, size, 3, 4)
    parts.set_weights([taps[::-1, ::-1].transpose(0, 1, 3, 2), bias])
    np.testing.assert_allclose(found, parts.predict(x, verbose=0), atol=1e-5)


def test_an_even_area_stays_even():
    layer = UpsamplingConv2D(2)
    y = ops.convert_to_numpy(layer(np.ones((1, 8, 8, 5), "float32")))[0, 2:-2, 2:-2]
    np.testing.assert_allclose(y, np.broadcast_to(y[0, 0], y.shape), atol=1e-5)


@pytest.mark.parametrize("given", [{"kernel_size": 4}, {"strides": 3}, {"padding": "valid"}])
def test_what_it_cannot_be_is_refused(given):
    [(name, value)] = given.items()
    with pytest.raises(ValueError, match=f"`{name}`.*Received: .*{value}"):
        UpsamplingConv2D(2, **given)


@pytest.mark.parametrize("image_size", [28, 32])
def test_a_generator_has_it(image_size, tmp_path):
    arguments = {"image_size": image_size, "channels": 1, "latent_dim": 4, "width": 4}
    generator, _ = networks.dcgan(**arguments, upsampling="nearest")
    plain, _ = networks.dcgan(**arguments)
    assert generator.count_params() < plain.count_params()
    z = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    images = generator.predict(z, verbose=0)
    assert images.shape == (3, image_size, image_size, 1)
    generator.save(tmp_path / "generator.keras")
    again = keras.saving.load_model(tmp_path / "generator.keras")
    np.testing.assert_allclose(again.predict(z, verbose=0), images, atol=1e-6)


def test_other_ways_are_refused():
    with pytest.raises(ValueError, match="Received: upsampling='cubic'"):
        networks.dcgan(image_size=32, upsampling="cubic")
