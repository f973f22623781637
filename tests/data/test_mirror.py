"""Images that are mirrored at random, in an order that a resumed training repeats."""

import pickle

import numpy as np
import pytest

from kerasgan.data import ImageDataset
from kerasgan.data.ahead import Ahead

pytestmark = pytest.mark.numpy
COUNT = 200


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (COUNT, 4, 6, 3), dtype=np.uint8)


def batches(dataset):
    return np.concatenate([np.array(batch) for batch in dataset])


def turned(dataset, images):
    """Return which of the next batches' images are mirrored; each must be one or the other."""
    floats = images.astype(np.float32) / np.float32(127.5) - 1
    order = np.concatenate([dataset.batch(i)[1] for i in range(len(dataset))])
    found = np.concatenate([dataset.batch(i)[0].copy() for i in range(len(dataset))])
    as_is = (found == floats[order]).all(axis=(1, 2, 3))
    mirrored = (found == floats[order][:, :, ::-1]).all(axis=(1, 2, 3))
    assert (as_is ^ mirrored).all()
    return mirrored


def made(images, **options):
    return ImageDataset(
        images, np.arange(len(images)), **{"batch_size": 20, "mirror": True, **options}
    )


@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_about_half_are_mirrored_and_all_else_stays(images, kind):
    given = images if kind == "bytes" else images.astype(np.float32) / np.float32(127.5) - 1
    before = given.copy()
    found = turned(made(given), images)
    assert 0.35 < found.mean() < 0.65
    np.testing.assert_array_equal(given, before)


def test_without_it_nothing_is_mirrored(images):
    assert not turned(made(images, mirror=False), images).any()


def test_what_is_mirrored_depends_on_seed_epoch_and_place(images):
    one, same, other = (made(images, seed=seed) for seed in (3, 3, 4))
    first = turned(one, images)
    np.testing.assert_array_equal(first, turned(same, images))
    assert (first != turned(other, images)).any()
    one.seek(1)
    assert (first != turned(one, images)).any()
    one.seek(0)
    np.testing.assert_array_equal(first, turned(one, images))


def test_it_never_changes_between_versions(images):
    dataset = made(images, seed=7)
    dataset.seek(2)
    bits = np.random.PCG64(np.random.SeedSequence([7, 2, 1]))
    expected = np.random.Generator(bits).random(COUNT) < 0.5
    np.testing.assert_array_equal(turned(dataset, images), expected)


def test_the_order_is_that_of_a_training_without_it(images):
    plain, mirrored = made(images, mirror=False), made(images)
    for i in range(10):
        np.testing.assert_array_equal(plain.batch(i)[1], mirrored.batch(i)[1])


def test_a_place_inside_an_epoch_goes_on_exactly(images):
    dataset = ImageDataset(images, batch_size=20, mirror=True)
    dataset.seek(5)
    whole = batches(dataset)
    dataset.seek(5, batch=7)
    np.testing.assert_array_equal(batches(dataset), whole[140:])
    np.testing.assert_array_equal(batches(pickle.loads(pickle.dumps(dataset))), whole[140:])


def test_batches_made_ahead_and_as_bytes_are_the_same(images):
    dataset = ImageDataset(images, batch_size=20, mirror=True)
    ahead = Ahead(dataset, send=lambda batch: batch, as_stored=True)
    found = np.concatenate([np.array(ahead[i][0]) for i in range(len(ahead))])
    ahead.close()
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(
        found.astype(np.float32) / np.float32(127.5) - 1, batches(dataset)
    )
    assert ahead.identity != Ahead(ImageDataset(images, batch_size=20), None, True).identity


def test_the_images_themselves_are_as_they_were(images):
    dataset = ImageDataset(images, batch_size=20, mirror=True, shuffle=False)
    assert dataset.images is images
    np.testing.assert_array_equal(
        dataset.take(3), images[:3].astype(np.float32) / np.float32(127.5) - 1
    )
    assert "mirrored at random" in repr(dataset)


def test_a_memory_map_stays_one(tmp_path, images):
    np.save(tmp_path / "a.npy", images)
    stored = np.load(tmp_path / "a.npy", mmap_mode="r")
    dataset = ImageDataset(stored, batch_size=20, mirror=True)
    assert isinstance(dataset.images, np.memmap)
    np.testing.assert_array_equal(
        batches(dataset), batches(ImageDataset(images, batch_size=20, mirror=True))
    )
