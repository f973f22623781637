"""Images whose values use more than 8 and fewer than 16 bits."""

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import DataError, load

pytestmark = pytest.mark.numpy
TWELVE = np.random.default_rng(0).integers(0, 4096, (6, 8, 8)).astype(np.uint16)
TWELVE[0, 0, 0] = 4095
SCALED = np.rint(TWELVE / 4095 * 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    for i, image in enumerate(TWELVE):
        Image.fromarray(image).save(tmp_path / "pictures" / f"{i}.png")
    return tmp_path / "pictures"


def test_dark_images_warn_with_the_largest_value_and_what_to_do(folder):
    for _ in range(2):  # Decoded, and out of the cache.
        with pytest.warns(UserWarning, match=r"4,095 of 65,535.*set `bit_depth` to 12"):
            dataset = load(folder, batch_size=2)
    assert dataset.images.max() == 16


def test_a_few_bright_images_do_not_hide_the_dark_ones(folder):
    for i in range(30):
        Image.fromarray(TWELVE[i % 6]).save(folder / f"more{i}.png")
    Image.fromarray(np.full((8, 8), 65535, np.uint16)).save(folder / "bright.png")
    with pytest.warns(UserWarning, match="4,095 of 65,535 in nine tenths"):
        load(folder, batch_size=2)


def test_colour_of_16_bits(tmp_path):
    """Pillow reads the upper 8 bits, so that 12-bit values cannot be scaled up."""
    folder = tmp_path / "colour"
    raw = np.repeat(TWELVE[0][..., None], 3, -1)
    folder.mkdir()
    (folder / "a.png").write_bytes(png(raw))
    with pytest.warns(UserWarning, match=r"3,855 of 65,535.*so they become dark"):
        load(folder, batch_size=1)
    with pytest.raises(DataError, match=r"16 bits in several channels.*for grey images"):
        load(folder, batch_size=1, bit_depth=12)
    (folder / "a.png").write_bytes(png(raw * 16))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        load(folder, batch_size=1)


def png(values):
    """Return 16-bit RGB values as a PNG file, which Pillow cannot write."""
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_a_bit_depth_without_effect_is_told(tmp_path):
    (tmp_path / "grey").mkdir()
    Image.fromarray(SCALED[0]).save(tmp_path / "grey" / "a.png")
    with pytest.warns(UserWarning, match=r"`bit_depth` has no effect.*Received: bit_depth=12"):
        load(tmp_path / "grey", batch_size=1, bit_depth=12)


def test_the_bit_depth_scales_the_values(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        dataset = load(folder, batch_size=2, bit_depth=12)
    np.testing.assert_array_equal(dataset.images[..., 0], SCALED)


def test_values_above_the_bit_depth_are_unusable(folder):
    with pytest.raises(DataError, match=r"more than 10 bits per channel \(values from"):
        load(folder, batch_size=2, bit_depth=10)


def test_images_of_16_and_of_8_bits_give_no_warning(tmp_path):
    for name, image in (("8", SCALED[0]), ("16", TWELVE[0] * 16)):
        (tmp_path / name).mkdir()
        Image.fromarray(image).save(tmp_path / name / "a.png")
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            load(tmp_path / name, batch_size=1)


@pytest.mark.parametrize("size", [None, 4])
def test_arrays_have_a_bit_depth_too(tmp_path, size):
    np.save(tmp_path / "a.npy", TWELVE)
    with pytest.raises(DataError, match=r"in 0\.\.255; .*`bit_depth`"):
        load(tmp_path / "a.npy", image_size=size, batch_size=2)
    dataset = load(tmp_path / "a.npy", image_size=size, batch_size=2, bit_depth=12)
    if size is None:
        np.testing.assert_array_equal(dataset.images[..., 0], SCALED)
    assert dataset.images.max() > 200
    with pytest.raises(DataError, match=r"`bit_depth` must.*more than 9 bits"):
        load(tmp_path / "a.npy", image_size=size, batch_size=2, bit_depth=9)


@pytest.mark.parametrize("bad", [8, 17, 12.5, True])
def test_bad_bit_depths_are_named(folder, bad):
    with pytest.raises(DataError, match=f"`bit_depth` must be an integer.*Received: {bad}"):
        load(folder, batch_size=2, bit_depth=bad)


def test_a_range_of_one_value_reads_as_one(tmp_path):
    np.save(tmp_path / "a.npy", np.full((4, 8, 8), 300))
    with pytest.raises(DataError, match=r"Received: values equal to 300$"):
        load(tmp_path / "a.npy", batch_size=2)
