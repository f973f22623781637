"""Which pictures of a folder make a check, and which are left out."""

import numpy as np
import pytest
from PIL import Image
from written_pictures import HEALTHY, patterns, write_grids

from kerasgan import pictures
from kerasgan.data import from_uint8, to_uint8
from kerasgan.data.pixels import over_white
from kerasgan.watch import Pictures, PicturesError

SHAPE = (8, 8, 1)

pytestmark = pytest.mark.numpy


def names(found, **options):
    return [path.name for path, _ in found.new(**options)]


def test_grids_come_once_in_the_order_of_their_numbers(tmp_path):
    write_grids(tmp_path, HEALTHY, "fakes{}.png", first=8)
    found = Pictures(tmp_path, SHAPE)
    checks = list(found.new())
    assert [path.name for path, _ in checks] == [f"fakes{i}.png" for i in (8, 9, 10, 11)]
    np.testing.assert_array_equal(to_uint8(checks[0][1]), to_uint8(patterns(64, seed=8)))
    assert names(found) == []
    write_grids(tmp_path, [12], "fakes{}.png", first=12)
    assert names(found) == ["fakes12.png"]


def test_single_images_make_checks_of_as_many(tmp_path):
    for i, image in enumerate(patterns(75, 0)):
        (tmp_path / str(i // 40)).mkdir(exist_ok=True)
        Image.fromarray(to_uint8(image)[..., 0]).save(tmp_path / str(i // 40) / f"{i}.png")
    found = Pictures(tmp_path, SHAPE, samples=32)
    checks = list(found.new())
    assert [path.name for path, _ in checks] == ["31.png", "63.png"]
    np.testing.assert_array_equal(to_uint8(checks[1][1]), to_uint8(patterns(75, 0)[32:64]))


def test_a_picture_that_is_half_written_waits_for_its_rest(tmp_path):
    write_grids(tmp_path, HEALTHY, "{}.png")
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(whole[:200])
    found = Pictures(tmp_path, SHAPE)
    assert names(found) == ["0.png"]  # Those after it wait, too.
    assert names(found) == []
    (tmp_path / "1.png").write_bytes(whole)
    assert names(found) == ["1.png", "2.png", "3.png"]


def test_a_damaged_picture_is_left_out_in_the_end(tmp_path):
    write_grids(tmp_path, HEALTHY, "{}.png")
    (tmp_path / "1.png").write_bytes(b"no picture")
    for options in ({"last": True}, {}):
        found = Pictures(tmp_path, SHAPE)
        seen = [name for _ in range(5) for name in names(found, **options)]
        assert seen == ["0.png", "2.png", "3.png"]
        ((path, reason),) = found.skipped
        assert path.name == "1.png" and "cannot be read" in reason


def test_a_picture_that_vanishes_is_passed_over(tmp_path, monkeypatch):
    write_grids(tmp_path, HEALTHY, "{}.png")
    found = Pictures(tmp_path, SHAPE)
    seen = []
    for path, _ in found.new():
        seen.append(path.name)
        (tmp_path / "1.png").unlink(missing_ok=True)
    assert seen == ["0.png", "2.png", "3.png"] and found.skipped == []


def test_what_is_not_read(tmp_path):
    write_grids(tmp_path, [12], "a{}.png")
    write_grids(tmp_path, [12], "reals{}.png")
    write_grids(tmp_path / "report", [12], "b{}.png")
    write_grids(tmp_path / ".cache", [12], "c{}.png")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "latest.png").write_bytes((tmp_path / "a0.png").read_bytes())
    assert names(Pictures(tmp_path, SHAPE, leave_out=tmp_path / "report")) == ["a0.png"]


def test_colours_become_those_of_the_data(tmp_path):
    images = patterns(64, 0)
    pictures.save_grid(tmp_path / "1.png", np.repeat(images, 3, -1), 8)
    ((_, found),) = Pictures(tmp_path, SHAPE).new()
    np.testing.assert_allclose(found, images, atol=0.02)
    ((_, found),) = Pictures(tmp_path, (8, 8, 3)).new()
    np.testing.assert_allclose(found, np.repeat(images, 3, -1), atol=0.01)


@pytest.mark.parametrize(
    ("make", "shape", "words"),
    [
        (lambda f: write_grids(f, [12], "{}-ema.png"), SHAPE, "one kind.*0-ema.png, 0.png"),
        (lambda f: None, (9, 9, 1), r"images of 9x9 pixels.*Received: 0\.png of 71x71"),
        (lambda f: write_grids(f, [12], n=16, name="{}.png"), SHAPE, "at least 32.*Received: 16"),
    ],
)
def test_pictures_that_cannot_be_understood(tmp_path, make, shape, words):
    write_grids(tmp_path, [12], "{}.png")
    make(tmp_path)
    with pytest.raises(PicturesError, match=words):
        list(Pictures(tmp_path, shape).new())


def test_a_smaller_grid_among_others_is_left_out(tmp_path):
    write_grids(tmp_path, HEALTHY, "{}.png")
    write_grids(tmp_path, [12], "{}.png", n=40, first=2)
    found = Pictures(tmp_path, SHAPE)
    assert names(found) == ["0.png", "1.png", "3.png"]
    assert found.skipped[0][1] == "holds 40 images, fewer than 64"


def test_grey_pictures_are_not_compared_with_colours(tmp_path):
    write_grids(tmp_path, [12], "{}.png")
    with pytest.raises(PicturesError, match=r"0\.png is grey.*in colour; `channels` 1"):
        list(Pictures(tmp_path, (8, 8, 3)).new())


def test_pictures_of_16_bits(tmp_path):
    images = patterns(64, 0)
    pixels = pictures.grid(images, 8)[..., 0].astype("uint16") * 257
    Image.fromarray(pixels).save(tmp_path / "1.png")
    ((_, found),) = Pictures(tmp_path, SHAPE).new()
    np.testing.assert_allclose(found, images, atol=0.02)


def test_what_does_not_fit_later_is_left_out(tmp_path):
    write_grids(tmp_path, [12], "g{}.png")
    found = Pictures(tmp_path, SHAPE)
    assert names(found) == ["g0.png"]
    write_grids(tmp_path, [12], "loss_{}.png", first=1)
    Image.new("L", (30, 31)).save(tmp_path / "g1.png")
    write_grids(tmp_path, [12], "g{}.png", first=2)
    assert names(found) == ["g2.png"]
    reasons = {path.name: reason for path, reason in found.skipped}
    assert "another kind" in reasons["loss_1.png"] and "30" in reasons["g1.png"]


def test_grids_with_transparency_are_read_as_the_networks_make_them(tmp_path):
    rng = np.random.default_rng(0)
    pixels = over_white(rng.integers(0, 256, (64, 8, 8, 4), dtype=np.uint8))
    pictures.save_grid(tmp_path / "1.png", from_uint8(pixels), 8)
    ((_, images),) = Pictures(tmp_path, (8, 8, 4)).new(last=True)
    np.testing.assert_allclose(images, from_uint8(pixels), atol=2.1 / 127.5)
