"""Networks of a user's own, and the export of a model."""

import importlib.util

import keras
import numpy as np
import pytest
from keras import ops
from small_variants import make

import kerasgan
from kerasgan import networks


class OwnGenerator(keras.Model):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.dense = keras.layers.Dense(784, activation="tanh")

    def call(self, z):
        return ops.reshape(self.dense(z), (-1, 28, 28, 1))


def test_a_subclassed_generator_trains_once_it_was_called(images):
    generator = OwnGenerator()
    generator(np.zeros((1, 6), "float32"))
    critic = networks.mlp(28, 1, width=8, depth=1)[1]
    gan = kerasgan.GAN(generator, critic)
    gan.compile()
    gan.fit(images, batch_size=32, verbose=0)
    assert gan.latent_dim == 6 and gan.sample(2, seed=0).shape == (2, 28, 28, 1)


def test_users_own_networks_train(images):
    generator = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(784, activation="tanh"),
            keras.layers.Reshape((28, 28, 1)),
        ]
    )
    critic = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    gan = kerasgan.WGANGP(generator, critic, n_critic=1)
    gan.compile()
    gan.fit(images, batch_size=32, verbose=0)
    assert gan.latent_dim == 6
    assert gan.sample(2, seed=0).shape == (2, 28, 28, 1)


@pytest.mark.parametrize("format", ["tf_saved_model", "onnx"])
def test_export_gives_the_same_images(format, tmp_path, backend_name):
    gan = make(kerasgan.WGANGP)
    z = gan.latent_vectors(3, seed=1)
    if format == "onnx":
        pytest.importorskip("onnx")
        runtime = pytest.importorskip("onnxruntime")
        if backend_name == "jax":
            pytest.importorskip("jax2onnx")
        if backend_name != "torch":
            pytest.importorskip("tf2onnx")
        else:
            pytest.importorskip("onnxscript")
        path = str(tmp_path / "model.onnx")
        gan.export(path, format="onnx", verbose=False)
        session = runtime.InferenceSession(path)
        (found,) = session.run(None, {session.get_inputs()[0].name: z})
    else:
        if backend_name == "torch" and not importlib.util.find_spec("torch_xla"):
            pytest.skip("Keras writes a SavedModel on PyTorch with torch_xla only")
        tf = pytest.importorskip("tensorflow")
        gan.export(str(tmp_path / "saved"), verbose=False)
        served = tf.saved_model.load(str(tmp_path / "saved"))
        found = served.serve(z)
    np.testing.assert_allclose(np.array(found), gan.sample(3, seed=1), atol=1e-5)
