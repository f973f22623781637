import itertools
import pickle
import threading
import time
import tracemalloc

import keras
import numpy as np
import pytest

from kerasgan.data import DataError, ImageDataset


def numbered(count, **options):
    """A data set whose image number i has the value i everywhere."""
    images = np.broadcast_to(
        np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 4, 1)
    )
    return ImageDataset(images, **options)


def numbers(dataset):
    """The image numbers of the batches that remain, batch by batch."""
    return [np.rint((batch[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist() for batch in dataset]


def test_batches_are_float32_nhwc_in_range(rng):
    images = rng.integers(0, 256, (10, 6, 5, 3), dtype=np.uint8)
    dataset = ImageDataset(images, batch_size=4, shuffle=False)
    batch = dataset[1]
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch, images[4:8] / 127.5 - 1, atol=1e-7)
    assert (dataset.num_examples, dataset.image_shape) == (10, (6, 5, 3))
    assert (len(dataset), dataset.batches_per_epoch) == (2, 2)


@pytest.mark.parametrize(("drop", "sizes"), [(True, [4, 4]), (False, [4, 4, 2])])
def test_an_epoch_covers_each_example_once(drop, sizes):
    batches = numbers(numbered(10, batch_size=4, drop_remainder=drop))
    assert [len(batch) for batch in batches] == sizes
    seen = list(itertools.chain(*batches))
    assert len(set(seen)) == len(seen)
    assert drop or sorted(seen) == list(range(10))


def test_order_is_a_function_of_seed_and_epoch():
    one, same, other = (numbered(100, batch_size=10, seed=seed) for seed in (3, 3, 4))
    first = numbers(one)
    assert first == numbers(same) != numbers(other)
    assert first != [list(range(i, i + 10)) for i in range(0, 100, 10)]
    one.seek(1)
    assert numbers(one) != first
    one.seek(0)
    assert numbers(one) == first


def test_order_never_changes_between_versions():
    # A run resumed with a newer version must see the same batches: these are NumPy's PCG64.
    dataset = numbered(10, batch_size=5, seed=7)
    dataset.seek(2)
    bits = np.random.PCG64(np.random.SeedSequence([7, 2]))
    order = list(itertools.chain(*numbers(dataset)))
    assert order == np.random.Generator(bits).permutation(10).tolist()
    assert order == [1, 5, 3, 4, 6, 9, 0, 8, 2, 7]


def test_seek_goes_on_with_the_next_unseen_batch():
    dataset = numbered(100, batch_size=10, seed=1)
    dataset.seek(5)
    whole = numbers(dataset)
    dataset.seek(5, batch=7)
    assert len(dataset) == 3
    assert numbers(dataset) == whole[7:]
    with pytest.raises(IndexError):
        dataset[3]
    dataset.seek(6)
    assert len(dataset) == 10


@pytest.mark.parametrize("position", [(-1, 0), (0, -1), (0, 10), (1.5, 0), ("1", 0)])
def test_seek_refuses_what_is_out_of_range(position):
    with pytest.raises(DataError, match="Received: "):
        numbered(100, batch_size=10).seek(*position)


def test_ending_an_epoch_does_not_advance_it():
    dataset = numbered(20, batch_size=5)
    first = numbers(dataset)
    dataset.on_epoch_end()
    assert numbers(dataset) == first
    assert dataset.epoch == 0


def test_labels_travel_with_their_images():
    dataset = numbered(30, labels=np.arange(30)[:, None] * 2, batch_size=10)
    for images, labels in dataset:
        np.testing.assert_array_equal(labels, np.rint((images[:, 0, 0, 0] + 1) * 127.5) * 2)
    assert dataset.labels.dtype == np.int32


def test_take_is_unshuffled_and_a_copy():
    images = np.linspace(-1, 1, 5 * 16, dtype=np.float32).reshape(5, 4, 4, 1)
    dataset = ImageDataset(images.copy(), batch_size=2)
    taken = dataset.take(3)
    np.testing.assert_array_equal(taken, images[:3])
    taken[:] = 0
    np.testing.assert_array_equal(dataset.images, images)
    with pytest.raises(DataError, match="Received: 6"):
        dataset.take(6)


def test_seconds_accumulate_and_reset():
    dataset = numbered(20, batch_size=5)
    began = time.perf_counter()
    numbers(dataset)
    once = dataset.seconds
    numbers(dataset)
    assert 0 < once < dataset.seconds <= time.perf_counter() - began
    dataset.seconds = 0
    assert dataset.seconds == 0


def test_pickle_and_threads_give_the_same_batches():
    dataset = numbered(200, batch_size=2, seed=9)
    dataset.seek(3, batch=1)
    expected = numbers(dataset)
    assert numbers(pickle.loads(pickle.dumps(dataset))) == expected
    found = {}

    def read(indices):
        for index in indices:
            found[index] = dataset[index][:, 0, 0, 0]

    threads = [threading.Thread(target=read, args=(range(k, 99, 4),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = [np.rint((found[i] + 1) * 127.5).astype(int).tolist() for i in range(99)]
    assert values == expected


def test_keras_fit_takes_it_with_and_without_labels():
    seen = []

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.built = True

        def train_step(self, *args):
            images = args[-1][0]  # JAX passes its state first
            seen.append(tuple(images.shape))
            logs = {"loss": keras.ops.mean(images)}
            return logs if len(args) == 1 else (logs, args[0])

    for labels in (None, np.zeros(20)):
        model = Model()
        model.compile(run_eagerly=True)
        model.fit(numbered(20, labels=labels, batch_size=5), epochs=1, shuffle=False, verbose=0)
    assert seen == [(5, 4, 4, 1)] * 8


def test_memory_is_used_again_only_when_nobody_holds_the_batch():
    dataset = numbered(64, batch_size=4, seed=2)
    expected = numbers(dataset)
    held = [dataset[0], dataset[1][1:3, 0], keras.ops.convert_to_tensor(dataset[2])]
    copies = [np.array(keras.ops.convert_to_numpy(value)) for value in held]
    addresses = {dataset[i].ctypes.data for i in range(16) for _ in range(4)}
    assert len(addresses) <= 2
    for value, copy in zip(held, copies, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(value), copy)
    batches = list(dataset)
    assert len({batch.ctypes.data for batch in batches}) == 16
    assert numbers(batches) == expected


def broken(value):
    images = np.zeros((8, 4, 4, 1), np.float32)
    images[3, 1, 1:3] = value
    return images


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((8, 4, 4, 1), np.uint8), {"batch_size": 9}, "batch_size=9 and 8 images"),
        (np.zeros((8, 4, 4, 1), np.uint8), {"batch_size": 0}, "`batch_size`.*Received: 0"),
        (np.zeros((8, 4, 4, 1), np.uint8), {"batch_size": 2.0}, "`batch_size`.*Received: 2.0"),
        (np.zeros((8, 4, 4, 1), np.uint8), {"seed": -1}, "`seed`.*Received: -1"),
        (np.zeros((8, 4, 4, 1), np.uint8), {"labels": np.zeros(7)}, r"`labels`.*Received.*\(7,\)"),
        (np.zeros((8, 4, 4, 1), np.uint8), {"labels": ["a"] * 8}, "`labels`.*numbers"),
        (broken(np.nan), {}, "Received: 2 NaN or infinite values in 1 of 8 images"),
        (broken(-np.inf), {}, "Received: 2 NaN or infinite"),
        (broken(1.01), {}, r"\[-1, 1\].*from 0 to 1.01"),
        (np.zeros((8, 4, 4), np.uint8), {}, r"`images`.*Received: shape \(8, 4, 4\)"),
        (np.zeros((0, 4, 4, 1), np.uint8), {}, "must not be empty"),
        (np.zeros((8, 4, 4, 1), np.int64), {}, "Received: dtype int64"),
    ],
)
def test_bad_input_is_named(images, options, message):
    with pytest.raises(DataError, match=message):
        ImageDataset(images, **{"batch_size": 4, **options})


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_transposed_array_is_as_good_as_another(dtype):
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2, (2_000, 3, 16, 16)).astype(dtype)  # Channels first.
    views = {
        "transposed": np.moveaxis(first, 1, -1),
        "copied": np.ascontiguousarray(np.moveaxis(first, 1, -1)),
    }
    batches = {}
    for name, images in views.items():
        dataset = ImageDataset(images, batch_size=32, seed=1)
        dataset[0]
        tracemalloc.start()
        batches[name] = [np.array(dataset[i]) for i in range(2)]
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < images.nbytes / 2  # The whole array is not copied for a batch.
    np.testing.assert_array_equal(batches["transposed"], batches["copied"])


@pytest.mark.parametrize("each", [1, 3, 7, 13])
def test_an_epoch_may_be_another_number_of_steps(each):
    """The batches are the same ones in the same order, in whatever epochs they are."""
    one = numbered(20, batch_size=4, seed=3)
    passes = []
    for epoch in range(5):
        one.seek(epoch)
        passes += numbers(one)
    other = numbered(20, batch_size=4, seed=3, steps_per_epoch=each)
    found = []
    for epoch in range(len(passes) // each):
        other.seek(epoch)
        assert len(other) == other.batches_per_epoch == each
        found += numbers(other)
    assert len(found) > len(passes) // 3 and found == passes[: len(found)]
    other.seek(1, each - 1)  # Within an epoch, as a resumed training does.
    assert numbers(other) == [(passes * 2)[2 * each - 1]] or 2 * each > len(passes)
    with pytest.raises(IndexError):
        other[1]


def test_the_number_of_steps_must_be_one():
    with pytest.raises(DataError, match="`steps_per_epoch` must be an integer of at least 1"):
        numbered(20, batch_size=4, steps_per_epoch=0)
