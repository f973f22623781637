"""Sampling options, noise at inference, and what a generator may take."""

import keras
import numpy as np
import pytest
from doors import IMAGES, array, pair
from keras import ops

import kerasgan
from kerasgan import networks

# Sampling.


@keras.saving.register_keras_serializable("tests")
class Noisy(keras.layers.Layer):
    """Adds noise, at inference too."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, x):
        return x + 0.1 * keras.random.normal(ops.shape(x), seed=self.seed_generator)


def noisy_generator():
    z = keras.Input((6,))
    x = keras.layers.Dense(64, activation="tanh", kernel_initializer="ones")(z)
    return keras.Model(z, Noisy()(keras.layers.Reshape((8, 8, 1))(x)))


def test_noise_at_inference_is_of_the_seed_alone():
    gan = kerasgan.GAN(noisy_generator(), pair()[1])
    whole = gan.sample(7, seed=3)
    np.testing.assert_allclose(gan.sample(7, seed=3, batch_size=2), whole, atol=1e-6)
    np.testing.assert_allclose(gan.sample(4, seed=3), whole[:4], atol=1e-6)
    assert np.abs(gan.sample(7, seed=4) - whole).max() > 0.1
    noise = gan.decode_latents(np.zeros((6, 6)))
    assert np.abs(noise[1:] - noise[:-1]).min(axis=(1, 2, 3)).max() < 0.1
    assert 0.08 < noise.std() < 0.12 and abs(np.corrcoef(noise.reshape(6, -1))[0, 1]) < 0.5
    np.testing.assert_allclose(noise[0, 0, :3, 0], NOISE, atol=1e-5)  # The same everywhere.
    assert np.abs(gan.decode_latents(np.zeros((6, 6)), noise_seed=1) - noise).max() > 0.1
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)  # Training draws as Keras does.


NOISE = [-0.00416198, 0.01735141, 0.16230404]


class Scaled(kerasgan.GAN):
    """A variant with a sampling option."""

    sampling_options = ("truncation", "shift")

    def decode(self, z, labels=None, network=None, truncation=1.0, shift="none"):
        images = super().decode(truncation * z, labels, network)
        return images if shift == "none" else -images


def test_sampling_options_are_handed_on(backend_name, tmp_path):
    gan = Scaled(*pair())
    z = gan.latent_vectors(5, seed=1)
    expected = gan.decode_latents(0.5 * z)
    for found in (
        gan.sample(5, seed=1, truncation=0.5),
        gan.sample(5, seed=1, truncation=np.full((5, 1), 0.5, "float32"), batch_size=2),
        gan.decode_latents(z, truncation=0.5),
        gan.predict(z, verbose=0, truncation=0.5),
        -gan.sample(5, seed=1, truncation=0.5, shift="negative"),
        array(gan.decode(ops.convert_to_tensor(z), truncation=0.5)),
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(gan.predict(z, verbose=0), gan.sample(5, seed=1), atol=1e-6)
    ends = gan.interpolate(3, 1, 2, truncation=0.5)[[0, -1]]
    both = [gan.sample(1, seed, truncation=0.5)[0] for seed in (1, 2)]
    np.testing.assert_allclose(ends, both, atol=1e-5)
    with pytest.raises(ValueError, match=r"options of a Scaled are: truncation, shift.*codes=3"):
        gan.sample(2, codes=3)
    with pytest.raises(ValueError, match="options of a GAN are: none"):
        kerasgan.GAN(*pair()).sample(2, truncation=0.5)
    if backend_name == "tensorflow":
        import tensorflow as tf

        gan.export(str(tmp_path / "saved"), verbose=False, truncation=0.5)
        loaded = tf.saved_model.load(str(tmp_path / "saved"))
        np.testing.assert_allclose(np.array(loaded.serve(z)), expected, atol=1e-5)


def test_latent_vectors_with_more_axes():
    z = keras.Input((2, 3, 4))
    x = keras.layers.Dense(64, activation="tanh")(keras.layers.Flatten()(z))
    gan = kerasgan.GAN(keras.Model(z, keras.layers.Reshape((8, 8, 1))(x)), pair()[1])
    assert gan.latent_shape == (2, 3, 4) and gan.latent_dim == 24
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    assert gan.sample(3, seed=0).shape == (3, 8, 8, 1)
    assert gan.interpolated_latents(5, 0, 1).shape == (5, 2, 3, 4)
    with pytest.raises(ValueError, match=r"shape \(n, 2, 3, 4\). Received: shape \(2, 24\)"):
        gan.decode_latents(np.zeros((2, 24)))


@keras.saving.register_keras_serializable("tests")
class Faded(kerasgan.GAN):
    """Its generator takes a number beside the latent vector."""

    def generator_inputs(self, z, labels=None):
        return [z, ops.ones_like(z[:, :1])]


def test_generators_take_what_they_need():
    z, alpha = keras.Input((6,)), keras.Input((1,))
    x = keras.layers.Dense(64)(keras.layers.Concatenate()([z, alpha]))
    generator = keras.Model([z, alpha], keras.layers.Reshape((8, 8, 1))(ops.tanh(x)))
    gan = Faded(generator, pair()[1])
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    inputs = [gan.latent_vectors(3, 1), np.ones((3, 1), "float32")]
    np.testing.assert_allclose(gan.sample(3, seed=1), array(gan.ema_generator(inputs)), atol=1e-6)
    with pytest.raises(ValueError, match="overrides `generator_inputs`"):
        kerasgan.GAN(generator, pair()[1])


@keras.saving.register_keras_serializable("tests")
class Staged(kerasgan.GAN):
    """What its generator takes depends on an attribute of the variant, and on labels."""

    def __init__(self, *args, alpha=0.5, **kwargs):
        super().__init__(*args, **kwargs)
        self.alpha = alpha

    def generator_inputs(self, z, labels=None):
        return {"z": z, "labels": labels, "alpha": self.alpha * ops.ones_like(z[:, :1])}


def test_generator_inputs_may_read_attributes_of_the_variant():
    z, alpha = keras.Input((6,), name="z"), keras.Input((1,), name="alpha")
    labels = keras.Input((), dtype="int32", name="labels")
    one_hot = keras.layers.CategoryEncoding(3, output_mode="one_hot")(labels)
    x = keras.layers.Dense(64)(keras.layers.Concatenate()([z, alpha, one_hot]))
    generator = keras.Model(
        {"z": z, "labels": labels, "alpha": alpha},
        keras.layers.Reshape((8, 8, 1))(keras.layers.Activation("tanh")(x)),
    )
    _, critic = networks.mlp(8, 1, latent_dim=6, width=8, num_classes=3)
    gan = Staged(generator, critic, alpha=0.25)
    assert gan.num_classes == 3 and gan.latent_shape == (6,)
    gan.compile()
    gan.fit(IMAGES, np.arange(24) % 3, batch_size=8, verbose=0)
    assert gan.sample(4, seed=0, labels=2).shape == (4, 8, 8, 1)
    # A latent vector beside another vector of one number: labels are those that the critic takes.
    plain = keras.Model([z, alpha], keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(z)))
    assert Faded(plain, pair()[1]).num_classes is None


def test_shared_noise_at_inference_is_of_the_seed():
    class Shared(Noisy):
        def call(self, x):
            return x + keras.random.normal((1, 8, 8, 1), seed=self.seed_generator)

    z = keras.Input((6,))
    x = Shared()(keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(z)))
    gan = kerasgan.GAN(keras.Model(z, x), pair()[1])
    zeros = np.zeros((5, 6))
    first = gan.decode_latents(zeros, noise_seed=3)
    assert np.ptp(first, axis=0).max() == 0 and first.std() > 0.5
    for arguments in ({"batch_size": 2}, {"batch_size": 4}):
        np.testing.assert_allclose(gan.decode_latents(zeros, noise_seed=3, **arguments), first)
    np.testing.assert_allclose(gan.decode_latents(zeros[:1], noise_seed=3), first[:1])
    assert np.abs(gan.decode_latents(zeros, noise_seed=4) - first).max() > 0.1
