"""Images that are not square, transparent pixels, and the colour that is behind them."""

import numpy as np
import pytest
from PIL import Image

from kerasgan import pictures
from kerasgan.data import DataError, load, pixels

pytestmark = pytest.mark.numpy


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "one"
    path.mkdir()
    return path


def only(path, image_size=8, **options):
    found = load(path, image_size=image_size, batch_size=1, max_bad=1, **options)
    assert found.num_examples == 1
    return np.asarray(found.images[0]).astype(int)


def thirds(size=(24, 8), mode="RGB"):
    """An image of three squares side by side: black, grey, white."""
    image = Image.new(mode, size)
    for i, value in enumerate((0, 128, 255)):
        image.paste((value,) * 3, (i * size[0] // 3, 0, (i + 1) * size[0] // 3, size[1]))
    return image


def test_a_crop_keeps_the_middle_and_is_what_it_was(home):
    thirds().save(home / "a.png")
    np.testing.assert_array_equal(only(home), np.full((8, 8, 1), 128))
    np.testing.assert_array_equal(only(home, fit="crop"), only(home))


def test_padding_keeps_all_and_fills_up_with_the_background(home):
    thirds((48, 16)).save(home / "a.png")
    image = only(home, 24, fit="pad", channels=3, background="#ff8000")
    assert (image[:8] == [255, 128, 0]).all() and (image[16:] == [255, 128, 0]).all()
    assert (image[8:16, 2] == 0).all() and (image[8:16, 21] == 255).all()
    assert (only(home, 24, fit="pad")[:8] == 255).all()
    assert (only(home, 24, fit="pad", background="black")[:8] == 0).all()


def test_stretching_keeps_all_and_fills_the_square(home):
    thirds((48, 16)).save(home / "a.png")
    image = only(home, 12, fit="stretch")[..., 0]
    assert (image[:, 1] <= 5).all() and (image[:, 10] >= 250).all()


def test_of_padded_images_the_longer_side_must_be_large_enough(home):
    Image.new("RGB", (40, 10)).save(home / "a.png")
    with pytest.raises(DataError, match=r"smaller than image_size=32 \(40x10\)"):
        only(home, 32)
    assert only(home, 32, fit="pad").shape == (32, 32, 1)
    with pytest.raises(DataError, match="smaller than image_size=64"):
        only(home, 64, fit="pad")


def test_a_coloured_background_makes_grey_images_colour(home):
    Image.new("LA", (8, 8), (0, 0)).save(home / "a.png")
    np.testing.assert_array_equal(only(home, background="#0080ff")[0, 0], [0, 128, 255])
    assert only(home, background="black").shape == (8, 8, 1)
    assert only(home, background="#0080ff", channels=1)[0, 0, 0] == 104  # Its luma.


def test_transparency_lies_over_the_background(home):
    Image.new("RGBA", (8, 8), (255, 0, 0, 128)).save(home / "a.png")
    np.testing.assert_allclose(only(home, background="black")[0, 0], [128, 0, 0], atol=1)
    np.testing.assert_allclose(only(home)[0, 0], [255, 127, 127], atol=1)


def test_four_channels_are_the_picture_over_white_and_the_transparency(home):
    Image.new("RGBA", (8, 8), (255, 0, 0, 128)).save(home / "a.png")
    np.testing.assert_allclose(only(home, channels=4)[0, 0], [255, 127, 127, 128], atol=1)
    np.testing.assert_array_equal(only(home, channels=4)[..., :3], only(home))


def test_the_colour_of_what_cannot_be_seen_does_not_matter(home):
    """Neither where it is alone, nor where a smaller image mixes it with what can be seen."""
    found = []
    for colour in ((255, 0, 0), (0, 0, 0)):
        image = Image.new("RGBA", (32, 32), (*colour, 0))
        image.paste((0, 200, 0, 255), (0, 0, 13, 32))
        image.save(home / "a.png")
        found.append(only(home, channels=4))
    np.testing.assert_array_equal(*found)
    np.testing.assert_array_equal(found[0][0, -1], [255, 255, 255, 0])


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("L", 7, [7, 7, 7, 255]),
        ("LA", (7, 0), [255, 255, 255, 0]),
        ("RGB", (1, 2, 3), [1, 2, 3, 255]),
        ("I;16", 257 * 9, [9, 9, 9, 255]),
        ("1", 1, [255, 255, 255, 255]),
    ],
)
def test_any_mode_becomes_four_channels(home, mode, value, expected):
    Image.new(mode, (8, 8), value).save(home / "a.png")
    np.testing.assert_array_equal(only(home, channels=4)[3, 3], expected)


def test_a_palettes_transparency_is_kept(home):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    image.paste(0, (0, 0, 4, 8))
    image.save(home / "a.png", transparency=0)
    found = only(home, channels=4)
    np.testing.assert_array_equal(found[2, 1], [255, 255, 255, 0])
    np.testing.assert_array_equal(found[2, 6], [10, 200, 30, 255])


def test_padding_of_four_channels_is_transparent(home):
    Image.new("RGB", (16, 8), (1, 2, 3)).save(home / "a.png")
    found = only(home, channels=4, fit="pad")
    np.testing.assert_array_equal(found[0, 0], [255, 255, 255, 0])
    np.testing.assert_array_equal(found[4, 4], [1, 2, 3, 255])


def test_arrays_keep_their_transparency_too(tmp_path):
    images = np.zeros((3, 8, 8, 4), np.uint8)
    images[:, :4] = (255, 0, 0, 255)
    np.save(tmp_path / "a.npy", images)
    found = load(tmp_path / "a.npy", batch_size=1, channels=4).images
    np.testing.assert_array_equal(found[0, 0, 0], [255, 0, 0, 255])
    np.testing.assert_array_equal(found[0, 7, 0], [255, 255, 255, 0])
    black = load(tmp_path / "a.npy", batch_size=1, background="black").images
    np.testing.assert_array_equal(black[0, 7, 0], [0, 0, 0])
    np.save(tmp_path / "b.npy", images[..., :3])
    assert (load(tmp_path / "b.npy", batch_size=1, channels=4).images[..., 3] == 255).all()


def test_straight_is_the_opposite_of_over_white(rng):
    image = rng.integers(0, 256, (64, 64, 4), dtype=np.uint8)
    again = pixels.straight(pixels.over_white(image))
    np.testing.assert_array_equal(again[..., 3], image[..., 3])
    seen = image[..., 3] > 100  # Of what is hardly seen little of the colour is left.
    assert np.abs(again[seen].astype(int) - image[seen]).max() <= 2
    assert (again[image[..., 3] == 0][:, :3] == 255).all()


def test_a_grid_of_four_channels_is_a_png_with_the_files_own_colours(home, tmp_path):
    Image.new("RGBA", (8, 8), (250, 20, 60, 128)).save(home / "a.png")
    found = load(home, image_size=8, batch_size=1, channels=4)
    pictures.save_grid(tmp_path / "grid.png", found.take(1), columns=1)
    written = Image.open(tmp_path / "grid.png")
    assert written.mode == "RGBA"
    np.testing.assert_allclose(written.getpixel((3, 3)), (250, 20, 60, 128), atol=2)
    shown = np.asarray(pictures.opened(tmp_path / "grid.png"))
    np.testing.assert_allclose(shown, only(home), atol=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": 2}, "`channels` must be 1, 3, 4 or None"),
        (
            {"fit": "fill"},
            r"`fit` must be one of \['crop', 'pad', 'stretch'\].*Received: fit='fill'",
        ),
        ({"background": "pink"}, "`background` must be white, black or #rrggbb"),
        ({"background": "#12345"}, "`background` must be"),
        ({"background": 3}, "`background` must be"),
        ({"channels": 4, "background": "black"}, "`background` goes with 1 or 3 channels"),
    ],
)
def test_wrong_values_are_refused(home, options, words):
    with pytest.raises(DataError, match=words):
        load(home, image_size=8, **options)


def test_what_is_usual_keeps_its_name_in_the_cache(home, cache):
    """Images that were decoded before these options existed are found again."""
    Image.new("RGB", (8, 8)).save(home / "a.png")
    only(home)
    names = sorted(path.name for path in cache.iterdir())
    only(home, fit="crop", background="white")
    only(home, background="#ffffff")
    assert sorted(path.name for path in cache.iterdir()) == names
    only(home, fit="stretch")
    assert len(list(cache.iterdir())) == len(names) + 1


def test_a_size_may_be_height_and_width(home):
    """Of a strip of three squares, padding keeps all, with a border above and below."""
    thirds((48, 16)).save(home / "a.png")
    crop = only(home, (8, 12))[..., 0]
    assert crop.shape == (8, 12)
    assert (crop[:, 0] < 60).all() and (crop[:, 4:8] == 128).all() and (crop[:, -1] > 200).all()
    padded = only(home, (16, 24), fit="pad", channels=3, background="#ff8000")
    assert (padded[:4] == [255, 128, 0]).all() and (padded[12:] == [255, 128, 0]).all()
    assert (padded[6:10, 2] == 0).all() and (padded[6:10, 21] == 255).all()
    stretched = only(home, (12, 24), fit="stretch")[..., 0]
    assert (stretched[:, 2] <= 5).all() and (stretched[:, 21] >= 250).all()
    np.testing.assert_array_equal(only(home, (8, 8)), only(home, 8))


@pytest.mark.parametrize("size", [(20, 24), (16, 60)])
def test_both_sides_must_be_large_enough(home, size):
    Image.new("RGB", (48, 16)).save(home / "a.png")
    with pytest.raises(DataError, match=rf"smaller than image_size={size[0]}x{size[1]} \(48x16\)"):
        only(home, size)
    assert only(home, size, upscale=True).shape == (*size, 1)


def test_a_photograph_that_lies_on_its_side_has_its_own_height_and_width(home):
    image = thirds((48, 16))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(home / "a.jpg", exif=exif, quality=95)
    upright = only(home, (48, 16))[..., 0]
    assert upright[2].max() < 20 and upright[45].min() > 235
    with pytest.raises(DataError, match=r"smaller than image_size=16x48 \(16x48\)"):
        only(home, (16, 48))


@pytest.mark.parametrize("size", [0, (8,), (8, 8, 8), "8", (8, 0), 8.5, (8, True)])
def test_what_is_no_size_is_refused(home, size):
    thirds().save(home / "a.png")
    with pytest.raises(DataError, match="`image_size` must be one number or"):
        only(home, size)
