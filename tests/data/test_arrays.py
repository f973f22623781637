import pickle

import numpy as np
import pytest

from kerasgan.data import DataError, from_uint8, load, to_uint8

pytestmark = pytest.mark.numpy


@pytest.fixture
def saved(tmp_path):
    """Saves an array (.npy) or keyword arrays (.npz) and gives the path."""

    def save(array=None, **arrays):
        path = tmp_path / ("a.npz" if array is None else "a.npy")
        if array is None:
            np.savez(path, **arrays)
        else:
            np.save(path, array)
        return path

    return save


def grey(count=6, size=12):
    return np.random.default_rng(1).integers(0, 256, (count, size, size), dtype=np.uint8)


def test_npy_is_mapped_as_it_is(saved, cache):
    images = grey()
    dataset = load(saved(images), batch_size=2, shuffle=False)
    np.testing.assert_array_equal(dataset.images[..., 0], images)
    assert isinstance(dataset.images, np.memmap)
    np.testing.assert_array_equal(dataset[2], from_uint8(images[4:, ..., None]))
    assert not cache.exists()


@pytest.mark.parametrize("key", ["images", "x", "x_train", "arr_0", "anything"])
def test_npz_keys(saved, key):
    arrays = {key: grey(), "other": np.zeros(3)}
    dataset = load(saved(**arrays), batch_size=2)
    np.testing.assert_array_equal(dataset.images[..., 0], grey())
    assert dataset.labels is None


@pytest.mark.parametrize("key", ["labels", "y", "y_train", "arr_1"])
def test_npz_labels_and_limit(saved, key):
    dataset = load(saved(**{"x": grey(), key: np.arange(6, dtype=np.uint8)}), batch_size=2, limit=4)
    assert dataset.labels.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(dataset.images[..., 0], grey()[:4])


def test_integers_of_any_width_count_as_bytes(saved):
    dataset = load(saved(grey().astype(np.int64)), batch_size=2)
    np.testing.assert_array_equal(dataset.images[..., 0], grey())


def test_floats_in_minus_one_to_one_are_kept(saved):
    images = np.linspace(-1, 0.5, 6 * 64).reshape(6, 8, 8, 1)
    dataset = load(saved(images), batch_size=6, shuffle=False)
    np.testing.assert_array_equal(dataset[0], images.astype(np.float32))


def test_floats_in_zero_to_one_are_scaled_with_a_warning(saved):
    images = np.linspace(0, 1, 6 * 64, dtype=np.float32).reshape(6, 8, 8, 1)
    with pytest.warns(UserWarning, match=r"scaled from \[0, 1\].*Received: values from 0 to 1"):
        dataset = load(saved(images), batch_size=6, shuffle=False)
    np.testing.assert_allclose(dataset[0], images * 2 - 1, atol=1e-6)


def test_resizing_goes_through_the_cache(saved, cache):
    images = np.repeat(np.repeat(grey(size=4), 4, axis=1), 4, axis=2)  # 16 pixels, blocks of 4
    path = saved(images)
    calls = []
    dataset = load(path, image_size=4, batch_size=2, progress=lambda *call: calls.append(call))
    assert dataset.image_shape == (4, 4, 1)
    assert calls[-1] == (6, 6)
    assert np.abs(dataset.images[..., 0].astype(int) - grey(size=4)).mean() < 20
    again = load(path, image_size=4, batch_size=2, progress=lambda *call: calls.append(call))
    assert len(calls) == 6
    np.testing.assert_array_equal(again.images, dataset.images)


def test_floats_are_resized_as_bytes(saved):
    images = from_uint8(np.full((4, 8, 8, 1), 77, np.uint8))
    dataset = load(saved(images), image_size=4, batch_size=2)
    assert dataset.images.dtype == np.uint8
    assert (dataset.images == 77).all()


def test_channels(saved):
    assert load(saved(grey()), channels=3, batch_size=2).image_shape == (12, 12, 3)
    rgba = np.zeros((4, 8, 8, 4), np.uint8)
    rgba[..., 0] = 255
    rgba[..., 3] = 128
    dataset = load(saved(rgba), batch_size=4, shuffle=False)
    np.testing.assert_allclose(to_uint8(dataset[0])[0, 0, 0], [255, 127, 127], atol=1)


def nan(value=np.nan):
    images = np.zeros((6, 8, 8), np.float32) - 0.5
    images[2, :3, 0] = value
    return images


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": nan()}, "Received: 3 NaN or infinite values in 1 of 6 images"),
        ({"x": nan(2.5)}, "from -0.5 to 2.5"),
        (
            {"x": grey().astype(np.int32) + 1},
            r"0\.\.255; .*`bit_depth`\. Received: values from \d+ to 256",
        ),
        ({"x": grey() > 9}, "Received: dtype bool"),
        ({"x": np.zeros((2, 3, 64, 64), np.uint8)}, "channels last"),
        ({"x": np.zeros((0, 8, 8), np.uint8)}, "not be empty"),
        ({"x": np.zeros((4, 8, 6), np.uint8)}, "square.*Received: image_size=None"),
        ({"x": np.zeros((4, 8, 8), np.uint8)}, "batch_size=64 and 4 images"),
        ({"a": grey(), "b": grey()}, r"images, x, x_train, arr_0.*\['a', 'b'\]"),
        ({"a": np.zeros(3)}, "only array of rank 3 or 4"),
        ({"x": grey(), "y": np.zeros(5)}, r"labels.*\(5,\)"),
        ({"x": np.array([None, 1])}, "no pickles"),
    ],
)
def test_bad_arrays_are_named(saved, arrays, message):
    with pytest.raises(DataError, match=message):
        load(saved(**arrays))


def test_images_smaller_than_asked_name_the_remedy(saved):
    with pytest.raises(DataError, match=r"upscale=True.*image_size=16 \(12x12\)"):
        load(saved(grey()), image_size=16)
    dataset = load(saved(grey()), image_size=16, upscale=True, batch_size=2)
    assert dataset.image_shape == (16, 16, 1)


def test_damaged_and_pickled_files_are_refused(tmp_path, saved):
    path = saved(x=grey())
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"no pickles.*a\.npz"):
        load(path)
    (tmp_path / "p.npy").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DataError, match=r"no pickles.*p\.npy"):
        load(tmp_path / "p.npy")
    (tmp_path / "e.npy").touch()
    with pytest.raises(DataError, match=r"no pickles.*e\.npy"):
        load(tmp_path / "e.npy")
