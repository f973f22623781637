"""`real.png`: real images in the form of the grids of generated ones."""

import keras
import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import callbacks, networks, pictures
from kerasgan.data import ImageDataset

SIDE = 8


def grey(levels):
    """Return an image of one grey for each level from 0 to 255."""
    return np.broadcast_to(np.reshape(levels, (-1, 1, 1, 1)), (len(levels), SIDE, SIDE, 1))


def train(folder, data, n=9, num_classes=None, **options):
    gan = kerasgan.GAN(
        *networks.mlp(SIDE, 1, latent_dim=4, width=8, depth=1, num_classes=num_classes)
    )
    gan.compile()
    grid = callbacks.SampleGrid(folder, n=n, **options)
    gan.fit(data, epochs=2, verbose=0, callbacks=[grid])


def tiles(path):
    with Image.open(path) as picture:
        pixels = np.asarray(picture)[..., None]
    return pictures.tiles(pixels, SIDE, SIDE, gap=1)[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_real_images_have_the_form_of_the_grids(tmp_path, kind):
    images = grey(np.arange(40, dtype="uint8") * 5)
    images = images if kind == "bytes" else kerasgan.data.from_uint8(images)
    train(tmp_path, ImageDataset(images, batch_size=8), animation="gif")
    with Image.open(tmp_path / "real.png") as real, Image.open(tmp_path / "epoch_0002.png") as one:
        assert real.size == one.size and real.mode == one.mode
    shown = tiles(tmp_path / "real.png")
    assert len(set(shown)) == 9 and set(shown) <= {5 * level for level in range(40)}
    with Image.open(tmp_path / "epochs.gif") as film:
        assert film.n_frames == 2


def test_classes_come_in_turn_as_in_the_grids(tmp_path):
    labels = np.repeat(np.arange(3), [12, 12, 1])
    images = grey((labels * 100 + np.arange(25)).astype("uint8"))
    train(tmp_path, ImageDataset(images, labels, batch_size=5), num_classes=3)
    assert [level // 100 for level in tiles(tmp_path / "real.png")] == [0, 1, 2] * 3


def test_few_images_are_shown_once(tmp_path):
    train(tmp_path, ImageDataset(grey(np.arange(4, dtype="uint8")), batch_size=2), n=9)
    assert sorted(tiles(tmp_path / "real.png")) == [0, 1, 2, 3]


def test_batches_that_come_from_elsewhere_are_left_alone(tmp_path):
    class Batches(keras.utils.PyDataset):
        read = 0

        def __len__(self):
            return 2

        def __getitem__(self, index):
            Batches.read += 1
            return np.zeros((4, SIDE, SIDE, 1), "float32")

    train(tmp_path / "with", Batches())
    with_grid, Batches.read = Batches.read, 0
    gan = kerasgan.GAN(*networks.mlp(SIDE, 1, latent_dim=4, width=8, depth=1))
    gan.compile()
    gan.fit(Batches(), epochs=2, verbose=0)
    assert with_grid == Batches.read
    assert not (tmp_path / "with" / "real.png").exists()
