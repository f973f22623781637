"""`kerasgan data`, and what `kerasgan train` says of the images."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from small_runs import SMALL, folder_of

from kerasgan_cli.runs import Run


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def photos(tmp_path):
    folder = folder_of(tmp_path, 30)
    for i in (3, 4):
        (folder / f"copy{i}.png").write_bytes((folder / f"{i}.png").read_bytes())
    (folder / "notes.txt").write_text("no image")
    return folder


def test_one_screen_says_what_there_is(command, photos):
    code, out, err = command("data", photos)
    assert code == 0, err
    assert "32 images, seen as 32x32 in colour" in out
    assert "1 not an image: notes.txt" in out
    assert "2 are exact copies of others: copy3.png = 3.png, copy4.png = 4.png" in out
    assert "all 32x32" in out and "32 PNG" in out
    assert "--augment diffaugment" in out and "--mirror" in out
    assert len(out.splitlines()) <= 40
    assert max(map(len, out.splitlines()[1:])) <= 100


def test_a_contact_sheet_and_lists_are_written_where_they_are_asked_for(command, photos, tmp_path):
    sheet = tmp_path / "sheet.png"
    code, out, err = command("data", photos, "--size", 8, "--out", sheet)
    assert code == 0 and str(sheet) in out, err
    assert Image.open(sheet).size == ((8 * 10 + 9) * 8, (8 * 4 + 3) * 8)
    before = sheet.read_bytes()
    code, _, err = command("data", photos, "--out", sheet)
    assert code == 2 and "--overwrite replaces it" in err and sheet.read_bytes() == before
    code, out, err = command("data", photos, "--out", tmp_path / "found", "--channels", 4)
    assert code == 0, err
    written = {path.name for path in (tmp_path / "found").iterdir()}
    assert written == {"contact_sheet.png", "copies.txt", "near_copies.txt", "skipped.txt"}
    assert Image.open(tmp_path / "found" / "contact_sheet.png").mode == "RGBA"
    text = (tmp_path / "found" / "copies.txt").read_text()
    assert text == "copy3.png\t3.png\ncopy4.png\t4.png\n"


def test_json_has_all_of_it(command, photos):
    code, out, err = command("data", photos, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["images"], found["image_shape"]) == (32, [32, 32, 3])
    assert found["copies"] == [["copy3.png", "3.png"], ["copy4.png", "4.png"]]
    assert found["skipped"] == [["notes.txt", "not an image"]]
    assert [h["mode"] for h in found["files"]] == ["RGB"] * 32


def test_what_cannot_be_read_is_told_in_the_words_of_the_shell(command, tmp_path):
    code, _, err = command("data", tmp_path / "nothing")
    assert code == 2 and "must be a path that exists" in err
    (tmp_path / "a.zip").write_bytes(b"no zip")
    code, _, err = command("data", tmp_path / "a.zip")
    assert code == 1 and "NAME_OR_PATH must be a zip file that can be read" in err
    np.save(tmp_path / "a.npy", np.zeros((3, 4, 5, 6, 7)))
    code, _, err = command("data", tmp_path / "a.npy")
    assert code == 1 and "channels last" in err
    code, _, err = command("data", tmp_path, "--background", "pink")
    assert code == 1 and "--background must be white, black or #rrggbb" in err


def test_a_strange_zip_is_refused_in_the_words_of_the_shell(command, tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "good.png")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "good.png", "good.png")
        archive.write(tmp_path / "good.png", "../out.png")
        archive.writestr("more.zip", b"PK")
    given = ["--data", tmp_path / "a.zip", "--image-size", 8, "--run-dir", tmp_path / "r"]
    code, _, err = command("train", "gan", *given, *SMALL)
    assert code == 1 and "--data must hold at most 10% of bad files (--max-bad)" in err
    assert "\n  ../out.png: has a path that leaves the archive\n" in err
    assert "\n  more.zip: an archive inside the archive, which is not opened\n" in err
    assert not (tmp_path / "r").exists()


def test_train_says_that_there_are_few_and_that_some_are_there_twice(command, photos, tmp_path):
    given = ["--data", photos, "--image-size", 8, "--batch-size", 8, "--run-dir", tmp_path / "r"]
    code, _, err = command("train", "gan", *given, "--guard", "off", *SMALL)
    assert code == 0, err
    assert "note: With 32 images the critic soon knows each by heart" in err
    assert "--augment ada and --mirror" in err
    assert f"note: 2 of 32 images are exact copies of others; `kerasgan data {photos}`" in err
    code, _, err = command(
        "train", "wgan_gp", *given, "--guard", "off", "--mirror", "--augment", "diffaugment", *SMALL
    )
    assert code == 0 and "--mirror" not in err and "--augment" not in err
    code, _, err = command("train", "wgan_gp", *given, "--guard", "off", *SMALL)
    assert "--augment diffaugment" in err


def test_a_zip_with_transparency_is_trained_on_mirrored_and_resumed(command, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "p").mkdir()
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for i, pixels in enumerate(rng.integers(0, 256, (64, 12, 9, 4), dtype=np.uint8)):
            Image.fromarray(pixels).save(tmp_path / "p" / f"{i}.png")
            archive.write(tmp_path / "p" / f"{i}.png", f"p/{i}.png")
    given = ["--data", tmp_path / "p.zip", "--image-size", 12, "--fit", "pad", "--channels", 4]
    given += ["--mirror", "--augment", "diffaugment", "--batch-size", 16]
    code, out, err = command("train", "gan", *given, "--run-dir", tmp_path / "r", *SMALL)
    assert code in (0, 3), err
    assert "64 images of 12x12x4" in out
    run = Run(tmp_path / "r" / "0001-gan-p")
    data = run.recipe().data
    assert (data["channels"], data["fit"], data["mirror"]) == (4, "pad", True)
    assert Image.open(next(run.samples.glob("*.png"))).mode == "RGBA"
    # The folder that the zip was made of has the same images.
    code, _, err = command("train", "--resume", run.folder, "--epochs", 2, "--data", tmp_path / "p")
    assert code in (0, 3), err
    with zipfile.ZipFile(tmp_path / "p.zip", "a") as archive:
        archive.write(tmp_path / "p" / "0.png", "p/more.png")
    code, _, err = command(
        "train", "--resume", run.folder, "--epochs", 3, "--data", tmp_path / "p.zip"
    )
    assert code == 1 and "the number of files is 65, not 64" in err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--channels", 4, "--background", "black"], "--background goes with 1 or 3 --channels"),
        (["--background", "pink"], "--background must be white, black or #rrggbb"),
        (["--fit", "fill"], "'--fit'"),
        (["--image-size", 50], "--image-size must be b x 2^k pixels with a b of 3 to 7"),
        (["--image-size", "64x"], "height and width, as 192x320"),
        (["--image-size", 0], "height and width, as 192x320"),
        (["--network", "resnet", "--image-size", "64x100"], "with resnet"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(command, tmp_path, given, words):
    (tmp_path / "p").mkdir()
    code, _, err = command(
        "train", "gan", "--data", tmp_path / "p", "--run-dir", tmp_path / "r", *given
    )
    assert code == 2 and words in " ".join(err.split()), err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(("channels", "alpha"), [(3, "none"), (4, "a channel of it")])
def test_arrays_have_a_size_and_transparency_too(command, tmp_path, channels, alpha):
    images = np.random.default_rng(0).integers(0, 256, (60, 16, 16, channels), dtype="uint8")
    np.savez(tmp_path / "a.npz", images=images)
    code, out, err = command("data", tmp_path / "a.npz")
    assert code == 0, err
    assert "sizes     all 16x16" in out and f"alpha     {alpha}" in out


def test_wide_images_from_one_end_to_the_other(command, tmp_path):
    """Photographs of 3:5, seen, trained on, continued, sampled, walked through and scored."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (210, 30, 50, 3), dtype="uint8")
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i}.png")
    code, out, err = command("data", folder, "--size", "12x20", "--out", tmp_path / "sheet.png")
    assert code == 0 and "seen as 12x20" in out, err
    assert Image.open(tmp_path / "sheet.png").size[0] == (20 * 10 + 9) * 3
    small = ["--network", "dcgan", "--width", 1, "--latent-dim", 2, "--batch-size", 70]
    given = [*small, "--image-size", "12x20", "--epochs", 1, "--run-dir", tmp_path / "r"]
    code, out, err = command("train", "gan", folder, *given)
    assert code == 0 and "210 images of 12x20x3" in out, err
    run = tmp_path / "r" / "0001-gan-pictures"
    assert json.loads((run / "options.json").read_text())["data"]["image_size"] == [12, 20]
    code, out, err = command("train", "--resume", run, "--epochs", 2)
    assert code == 0, err
    code, out, err = command("evaluate", run, "--samples", 100, "--metrics", "coverage")
    assert code == 0 and "coverage" in out, err
    code, _, err = command(
        "walk", run, "--seeds", "1,2", "--frames", 2, "--out", tmp_path / "w.gif"
    )
    assert code == 0, err
    with Image.open(tmp_path / "w.gif") as film:
        assert film.width * 12 == film.height * 20
    code, _, err = command("train", folder, "--from", run, "--image-size", 28, "--steps", 1)
    assert code == 2 and "makes images of 12x20x3, which --image-size 28 does not fit" in err
