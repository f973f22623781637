"""Some of the images of whatever `fit` takes."""

import keras
import numpy as np
import pytest

from kerasgan.data import DataError, ImageDataset, some_images

IMAGES = np.random.default_rng(0).uniform(-1, 1, (50, 4, 4, 1)).astype("float32")


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return IMAGES[10 * index : 10 * index + 10], np.arange(10)


def test_images_of_every_form():
    assert some_images(IMAGES) is IMAGES
    assert some_images(ImageDataset(IMAGES, batch_size=8)).shape == IMAGES.shape
    np.testing.assert_array_equal(some_images(Batches()), IMAGES)
    assert len(some_images(Batches(), enough=15)) == 20
    np.testing.assert_array_equal(some_images([(IMAGES[:20],), (IMAGES[20:],)]), IMAGES)
    np.testing.assert_array_equal(some_images(keras.ops.convert_to_tensor(IMAGES)), IMAGES)


def test_tf_data_and_data_loaders():
    tf = pytest.importorskip("tensorflow")
    np.testing.assert_array_equal(
        some_images(tf.data.Dataset.from_tensor_slices(IMAGES).batch(8)), IMAGES
    )
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.tensor(IMAGES)), batch_size=8
    )
    np.testing.assert_array_equal(some_images(loader), IMAGES)


def test_what_cannot_be_read_twice_is_refused():
    for data in (iter([IMAGES]), (batch for batch in [IMAGES]), None, 3):
        with pytest.raises(DataError, match="read twice"):
            some_images(data)
    with pytest.raises(DataError, match="no batch"):
        some_images([])
