"""What `fit` takes: arrays, datasets, held-out data, images as integers."""

import keras
import numpy as np
import pytest
from keras import ops
from small_variants import assert_same_history, make, twin

import kerasgan


class Batches(keras.utils.PyDataset):
    def __init__(self, images, labels):
        super().__init__()
        self.images, self.labels = images, labels

    def __len__(self):
        return 4

    def __getitem__(self, i):
        rows = slice(16 * i, 16 * i + 16)
        if self.labels is None:
            return (self.images[rows],)
        return self.images[rows], self.labels[rows]


@pytest.mark.parametrize("with_labels", [False, True])
@pytest.mark.parametrize("kind", ["array", "tf.data", "PyDataset", "DataLoader"])
def test_fit_takes_every_kind_of_data(kind, with_labels, images):
    labels = np.arange(64) if with_labels else None
    gan = make(kerasgan.GAN)
    if kind == "array":
        gan.fit(images, labels, batch_size=16, verbose=0)
    elif kind == "tf.data":
        tf = pytest.importorskip("tensorflow")
        parts = (images, labels) if with_labels else images
        gan.fit(tf.data.Dataset.from_tensor_slices(parts).batch(16), verbose=0)
    elif kind == "PyDataset":
        gan.fit(Batches(images, labels), verbose=0)
    else:
        torch = pytest.importorskip("torch")
        parts = [torch.tensor(images)] + ([torch.tensor(labels)] if with_labels else [])
        dataset = torch.utils.data.TensorDataset(*parts)
        gan.fit(torch.utils.data.DataLoader(dataset, batch_size=16), verbose=0)
    assert gan.critic_steps == 4


def test_validation_split_is_the_last_quarter(images):
    gan = make(kerasgan.GAN)
    other = twin(gan)
    options = {"batch_size": 16, "verbose": 0}
    split = gan.fit(images, validation_split=0.25, **options).history
    given = other.fit(images[:48], validation_data=(images[48:],), **options).history
    assert gan.critic_steps == other.critic_steps == 3
    assert {"val_critic_loss", "val_generator_loss"} < set(split)
    assert_same_history(split, given)


def test_means_weigh_a_smaller_batch_by_its_images(images):
    gan = make(kerasgan.WGANGP)
    gan.log("critic_loss", ops.convert_to_tensor(1.0), 64)
    gan.log("critic_loss", ops.convert_to_tensor(5.0), 16)
    assert float(gan.trackers["critic_loss"].result()) == pytest.approx(1.8)


def test_uint8_images_are_the_floats_that_they_stand_for(images):
    pixels = kerasgan.data.to_uint8(images)
    floats = kerasgan.data.from_uint8(pixels)
    gan = make(kerasgan.GAN)
    models = (gan, twin(gan), twin(gan))
    histories = [
        model.fit(x, batch_size=16, validation_data=held_out, verbose=0).history
        for model, x, held_out in zip(
            models, (pixels, floats, pixels), (pixels, floats, (floats,)), strict=True
        )
    ]
    assert "val_critic_loss" in histories[0]
    assert_same_history(*histories)
