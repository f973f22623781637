"""Batches that are made one ahead, as bytes."""

import threading
import time

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan import backend
from kerasgan.adversarial import checks
from kerasgan.data import ImageDataset
from kerasgan.data.ahead import Ahead


def images(n, side=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype="uint8")


def same(batch):
    return batch


@pytest.mark.parametrize("side", [8, 64])  # Without and with a thread.
def test_the_batches_are_those_of_the_data_set(side):
    dataset = ImageDataset(images(50, side), np.arange(50), batch_size=16, seed=3)
    ahead = Ahead(dataset, same, as_stored=True)
    for epoch, skipped in ((0, 0), (1, 0), (2, 1), (2, 0)):
        dataset.seek(epoch, skipped)
        assert len(ahead) == len(dataset) == 3 - skipped
        for i in range(len(ahead)):
            pixels, labels = ahead[i]
            expected, numbers = dataset[i]
            assert pixels.dtype == np.uint8
            np.testing.assert_array_equal(kerasgan.data.from_uint8(pixels), expected)
            np.testing.assert_array_equal(labels, numbers)
    ahead.close()


def test_a_batch_made_for_another_epoch_is_dropped():
    dataset = ImageDataset(images(64, 64), batch_size=16)
    ahead = Ahead(dataset, same, as_stored=True)
    _ = ahead[0]  # Batch 1 of epoch 0 is being made.
    dataset.seek(5)
    (found,) = ahead[1]
    np.testing.assert_array_equal(kerasgan.data.from_uint8(found), dataset[1])
    ahead.close()


def test_an_error_of_a_batch_comes_when_it_is_asked_for():
    dataset = ImageDataset(images(64, 64), batch_size=16)
    ahead = Ahead(dataset, same, as_stored=True)
    with pytest.raises(IndexError):
        ahead[9]
    ahead.close()


def test_the_thread_works_while_the_training_does():
    dataset = ImageDataset(images(64, 64), batch_size=16)

    def slow(batch):
        time.sleep(0.05)
        return batch

    ahead = Ahead(dataset, slow, as_stored=True)
    _ = ahead[0]
    dataset.seconds = 0.0
    for i in range(1, 4):
        time.sleep(0.1)  # A step.
        _ = ahead[i]
    assert dataset.seconds < 0.05
    ahead.close()


def test_fit_leaves_no_thread_behind():
    model = kerasgan.GAN(*kerasgan.networks.mlp(image_size=32, channels=3, width=2, latent_dim=2))
    model.compile()
    data = images(64, 32)
    model.fit(ImageDataset(data, batch_size=32), verbose=0)
    assert not [t for t in threading.enumerate() if t.name.startswith("kerasgan-data")]

    class Fail(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise OSError("full")

    with pytest.raises(OSError):
        model.fit(ImageDataset(data, batch_size=32), verbose=0, callbacks=[Fail()])
    assert not [t for t in threading.enumerate() if t.name.startswith("kerasgan-data")]


@pytest.mark.parametrize("accelerated", [False, True])
def test_bytes_train_as_their_floats_do(monkeypatch, accelerated):
    """On a CPU bit for bit. On an accelerator bytes travel, and compilers round them their way."""
    monkeypatch.setattr(backend, "accelerated", lambda: accelerated)
    data, found = images(40, 28), []
    for x in (data, kerasgan.data.from_uint8(data)):
        keras.utils.set_random_seed(0)
        pair = kerasgan.networks.dcgan(image_size=28, width=2, latent_dim=2, critic_norm=None)
        model = kerasgan.WGANGP(*pair, seed=1)
        model.compile()
        model.fit(x, batch_size=8, epochs=4, verbose=0)
        found.append(model.get_weights())
    for a, b in zip(*found, strict=True):
        if accelerated:
            np.testing.assert_allclose(a, b, atol=1e-4)
        else:
            np.testing.assert_array_equal(a, b)


def test_bytes_become_the_same_floats_in_a_step():
    model = kerasgan.GAN(*kerasgan.networks.mlp(image_size=16, channels=1, width=2, latent_dim=2))
    pixels = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    floats = backend.compiled(lambda x: checks.batch((x,), model)[0], [])(pixels)
    expected = kerasgan.data.from_uint8(pixels)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(floats), expected, atol=1.2e-7)


@pytest.mark.numpy
@pytest.mark.parametrize("side", [64, 128])
def test_a_training_waits_for_a_thirtieth_of_its_time_at_most(side):
    """At 2,000 images a second and 64 pixels, here with a step that only takes its time."""
    dataset = ImageDataset(images(1024, side), batch_size=64, seed=0)
    ahead = Ahead(dataset, same, as_stored=True)
    _ = ahead[0]
    dataset.seconds, began = 0.0, time.perf_counter()
    for index in range(1, len(ahead)):
        time.sleep(64 / 2000)
        _ = ahead[index]
    assert dataset.seconds < 0.03 * (time.perf_counter() - began)
    ahead.close()
