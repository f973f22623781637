import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import DataError, load, picture_files, to_uint8

pytestmark = pytest.mark.numpy


def only(path, image_size=8, **options):
    """The single image of a folder, as uint8."""
    options = {"batch_size": 1, "shuffle": False, "max_bad": 1, **options}
    dataset = load(path, image_size=image_size, **options)
    assert dataset.num_examples == 1
    return to_uint8(dataset[0])[0]


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "one"
    path.mkdir()
    return path


def test_16_bit_grey_is_scaled_not_clipped(home):
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(values).save(home / "a.png")
    image = only(home)
    assert image.shape == (8, 8, 1)
    np.testing.assert_array_equal(image[..., 0], np.rint(values / 257).astype(np.uint8))


def test_16_bit_tiff_in_mode_i_is_scaled(home):
    values = (np.arange(64, dtype=np.int32) * 1040).reshape(8, 8)
    Image.fromarray(values).save(home / "a.tiff")
    np.testing.assert_array_equal(only(home)[..., 0], np.rint(values / 257).astype(np.uint8))


def test_cmyk_becomes_rgb(home):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(home / "a.tiff")
    np.testing.assert_array_equal(only(home)[0, 0], [255, 0, 0])


def test_cmyk_jpeg_becomes_rgb(home):
    Image.new("CMYK", (16, 16), (255, 0, 255, 0)).save(home / "a.jpg", quality=95)
    red, green, blue = only(home)[4, 4].astype(int)
    assert (red < 20, green > 235, blue < 20) == (True, True, True)


def test_palette_becomes_rgb(home):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    image.save(home / "a.png")
    np.testing.assert_array_equal(only(home)[3, 3], [10, 200, 30])


def test_transparent_palette_is_composited_over_white(home):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    image.paste(0, (0, 0, 4, 8))
    image.save(home / "a.png", transparency=0)
    result = only(home)
    np.testing.assert_array_equal(result[2, 1], [255, 255, 255])
    np.testing.assert_array_equal(result[2, 6], [10, 200, 30])


def test_alpha_is_composited_over_white(home):
    Image.new("RGBA", (8, 8), (255, 0, 0, 128)).save(home / "a.png")
    np.testing.assert_allclose(only(home)[0, 0], [255, 127, 127], atol=1)


def test_grey_with_alpha_stays_grey(home):
    Image.new("LA", (8, 8), (0, 51)).save(home / "a.png")
    image = only(home)
    assert image.shape == (8, 8, 1)
    np.testing.assert_allclose(image, 204, atol=1)


def test_the_first_frame_of_an_animation_is_taken(home):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(home / "a.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(only(home)[0, 0], [255, 0, 0])


def test_exif_orientation_is_applied(home):
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[0] = (255, 255, 0)  # the upper row
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees clockwise to view"
    Image.fromarray(pixels).save(home / "a.png", exif=exif)
    image = only(home)
    np.testing.assert_array_equal(image[:, -1], [[255, 255, 0]] * 8)
    assert not image[:, :-1].any()


def test_huge_jpeg_is_decoded_small_but_right(home):
    ramp = np.tile(np.linspace(0, 255, 1024).astype(np.uint8), (1024, 1))
    Image.fromarray(ramp).save(home / "a.jpg", quality=95)
    columns = only(home)[..., 0].mean(axis=0)
    np.testing.assert_allclose(columns, (np.arange(8) + 0.5) * 255 / 8, atol=2)


BAD = {
    "zero.png": "empty file",
    "text.jpg": "not an image",
    "truncated.jpg": "cannot be decoded.*truncated",
    "small.png": r"smaller than image_size=32 \(31x90\)",
    "float.tiff": "floating-point",
    "missing.png": "cannot be read",
    "pipe.png": "cannot be read",
    "vector.eps": "not an image",
}


@pytest.fixture
def mixed(photos):
    """20 good images, a bad one of each kind, and what is to be ignored."""
    (photos / "zero.png").touch()
    (photos / "text.jpg").write_text("no image " * 100)
    Image.open(photos / "00.png").resize((400, 400)).save(photos / "truncated.jpg")
    os.truncate(photos / "truncated.jpg", (photos / "truncated.jpg").stat().st_size // 2)
    Image.new("RGB", (31, 90)).save(photos / "small.png")
    Image.new("F", (40, 40)).save(photos / "float.tiff")
    (photos / "missing.png").symlink_to(photos / "nowhere.png")
    os.mkfifo(photos / "pipe.png")
    Image.new("RGB", (40, 40)).save(photos / "vector.eps")
    for ignored in (".hidden.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (photos / ignored).write_text("x")
    (photos / ".git").mkdir()
    (photos / ".git" / "x.png").write_text("x")
    return photos


def test_bad_files_are_skipped_counted_and_listed(mixed):
    dataset = load(mixed, image_size=32, batch_size=20, max_bad=0.5)
    assert dataset.num_examples == 20
    reasons = dict(dataset.skipped)
    assert sorted(reasons) == sorted(BAD)
    for path, pattern in BAD.items():
        assert re.search(pattern, reasons[path]), (path, reasons[path])


def test_too_many_bad_files_are_an_error_that_lists_them(mixed):
    message = r"at most 10% of bad.*float\.tiff: floating-point.*and 3 more.*8 bad of 28 files"
    with pytest.raises(DataError, match=f"(?s){message}"):
        load(mixed, image_size=32)


def test_the_limit_is_ten_percent_and_holds_for_the_cache(photos):
    (photos / "bad1.png").touch()
    (photos / "bad2.png").touch()
    assert len(load(photos, image_size=32, batch_size=4).skipped) == 2  # 2 of 22
    with pytest.raises(DataError, match="2 bad of 22"):
        load(photos, image_size=32, batch_size=4, max_bad=0.05)
    (photos / "bad3.png").touch()
    with pytest.raises(DataError, match="3 bad of 23"):
        load(photos, image_size=32, batch_size=4)


def test_small_images_name_the_remedy_and_upscale_takes_them(photos):
    with pytest.raises(DataError, match=r"(?s)set `upscale`.*00\.png: smaller than image_size=128"):
        load(photos, image_size=128)
    dataset = load(photos, image_size=128, upscale=True, batch_size=2)
    assert (dataset.image_shape, dataset.skipped) == ((128, 128, 3), [])


def test_too_many_pixels_are_refused_before_decoding(home, monkeypatch):
    Image.new("L", (64, 64)).save(home / "a.png")
    monkeypatch.setattr(picture_files, "MOST", 64 * 64 - 1)
    with pytest.raises(DataError, match=r"more than 4095 pixels \(64x64\)"):
        load(home, image_size=8, batch_size=1)


def test_empty_folders_are_an_error(home):
    with pytest.raises(DataError, match="no files"):
        load(home, image_size=8)
    (home / ".DS_Store").touch()
    with pytest.raises(DataError, match="no files"):
        load(home, image_size=8)


def test_all_bad_is_an_error_whatever_max_bad_says(home):
    (home / "a.txt").write_text("x")
    with pytest.raises(DataError, match=r"(?s)must hold an image that can be used: .*1 bad of 1"):
        load(home, image_size=8, max_bad=1.0)


def test_formats_and_depths_mix_in_path_order(home):
    for i, name in enumerate(["b/2.bmp", "a/1.png", "c.webp", "b/1.ppm", "a/0/9.tga", "b/0.GIF"]):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (20, 12 + i), i * 40).save(
            home / name, **{"lossless": True} if "webp" in name else {}
        )
    dataset = load(home, image_size=8, batch_size=2, shuffle=False)
    assert dataset.image_shape == (8, 8, 1)
    assert dataset.labels is None  # c.webp lies in no folder
    assert dataset.images[:, 0, 0, 0].tolist() == [160, 40, 200, 120, 0, 80]


def test_first_level_folders_are_labels(photos):
    for i, path in enumerate(sorted(photos.glob("*.png"))):
        target = photos / ("dog" if i % 4 else "cat") / "deep"
        target.mkdir(parents=True, exist_ok=True)
        path.rename(target / path.name)
    dataset = load(photos, image_size=32, batch_size=5)
    assert dataset.class_names == ["cat", "dog"]
    assert dataset.labels.tolist() == [0] * 5 + [1] * 15
    assert load(photos, image_size=32, batch_size=5).class_names == ["cat", "dog"]  # cached
    shutil.rmtree(photos / "cat")
    assert load(photos, image_size=32, batch_size=5).labels is None  # one class is none


def test_channels_are_those_of_the_images_unless_given(home):
    for i in range(4):
        Image.new("RGB", (8, 8), (i, i, i)).save(home / f"{i}.png")
    grey = load(home, image_size=8, batch_size=2, shuffle=False)
    assert grey.image_shape == (8, 8, 1)
    assert grey.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert load(home, image_size=8, batch_size=2, channels=3).image_shape == (8, 8, 3)
    Image.new("RGB", (8, 8), (0, 255, 0)).save(home / "4.png")
    assert load(home, image_size=8, batch_size=2).image_shape == (8, 8, 3)
    one = load(home, image_size=8, batch_size=2, channels=1)
    assert one.images[4, 0, 0, 0] == 150  # 0.587 * 255


def test_without_image_size_all_must_share_one_square_size(home):
    for i in range(3):
        Image.new("L", (16, 16), i).save(home / f"{i}.png")
    assert load(home, batch_size=3).image_shape == (16, 16, 1)
    Image.new("L", (12, 12)).save(home / "3.png")
    with pytest.raises(DataError, match=r"`image_size` must be given.*3\.png is 12x12.*16x16"):
        load(home, batch_size=3)


def test_images_that_are_not_square_ask_for_image_size(photos):
    with pytest.raises(DataError, match=r"(?s)give `image_size`.*not square"):
        load(photos)


def test_limit_takes_the_first(photos):
    whole = load(photos, image_size=16, batch_size=1)
    calls = []
    some = load(photos, image_size=16, batch_size=1, limit=7, progress=lambda *c: calls.append(c))
    np.testing.assert_array_equal(some.images, whole.images[:7])
    assert calls == [(i, 7) for i in range(1, 8)]
