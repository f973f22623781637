"""What `kerasgan data` finds, and what it advises."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from kerasgan.data import DataError
from kerasgan.data.advice import advice
from kerasgan.data.survey import counted_sides, survey
from kerasgan.recipe import Recipe
from kerasgan.recipe import options as flat
from kerasgan_cli import plan

pytestmark = pytest.mark.numpy


def write(root, count, sizes=((40, 40),), mode="RGB", first=0):
    rng = np.random.default_rng(first)
    root.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
        image = small.resize(sizes[i % len(sizes)], Image.Resampling.BICUBIC).convert(mode)
        if mode == "RGBA":
            image.putalpha(Image.new("L", image.size, 90))
        image.save(root / f"{first + i:04}.png")
    return root


@pytest.fixture
def root(tmp_path):
    """Two classes, transparency, what is no image, a copy and a nearly equal one."""
    root = tmp_path / "photos"
    write(root / "cats", 30, [(70, 70), (90, 50), (200, 180)])
    write(root / "dogs", 20, [(64, 64)], "RGBA", first=100)
    (root / "cats" / "notes.txt").write_text("no image")
    (root / "dogs" / "empty.png").touch()
    (root / "cats" / "copy.png").write_bytes((root / "cats" / "0000.png").read_bytes())
    Image.open(root / "cats" / "0003.png").save(root / "cats" / "near.jpg", quality=90)
    return root


def test_files_sizes_classes_and_copies_are_found(root):
    found = survey(root)
    assert (found.count, found.image_size, found.advised_size) == (52, 48, 48)
    assert len(found.headers) == 52
    assert {h.mode for h in found.headers} == {"RGB", "RGBA"}
    assert {h.format for h in found.headers} == {"PNG", "JPEG"}
    assert found.transparent == (20, 20)
    assert found.classes == {"cats": 32, "dogs": 20}
    assert dict(found.skipped) == {"cats/notes.txt": "not an image", "dogs/empty.png": "empty file"}
    named = [(found.label(a), found.label(b)) for a, b in found.copies]
    assert named == [("cats/copy.png", "cats/0000.png")]
    named = [(found.label(a), found.label(b)) for a, b in found.near_copies]
    assert named == [("cats/near.jpg", "cats/0003.png")]


def test_a_zip_is_surveyed_like_its_folder(root, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in root.rglob("*"):
            archive.write(path, path.relative_to(root))
    folder, found = survey(root), survey(tmp_path / "a.zip")
    np.testing.assert_array_equal(found.decoded.images, folder.decoded.images)
    assert found.headers == folder.headers
    assert (found.classes, found.copies, found.skipped) == (
        folder.classes, folder.copies, folder.skipped
    )  # fmt: skip


def test_arrays_are_surveyed_too(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    images[50] = images[7]
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(60) % 3)
    found = survey(tmp_path / "a.npz")
    assert (found.image_size, found.advised_size, found.headers) == (28, 28, [])
    assert found.classes == {"0": 20, "1": 20, "2": 20}
    assert [(found.label(a), found.label(b)) for a, b in found.copies] == [("image 50", "image 7")]
    np.save(tmp_path / "wide.npy", np.repeat(images, 2, axis=2))
    assert survey(tmp_path / "wide.npy").image_size == 28


def test_the_side_that_counts_is_the_shorter_one_or_of_padded_images_the_longer_one():
    assert counted_sides([(500, 400), (20, 30)]) == [400, 20]
    assert counted_sides([(500, 400), (20, 30)], "pad") == [500, 30]


def test_what_is_advised_is_what_a_training_chooses(tmp_path):
    """A fifth of the images are icons: the convolutional networks see them enlarged."""
    images = np.random.default_rng(0).integers(0, 256, (50, 64, 64, 3), dtype=np.uint8)
    for i, image in enumerate(images):
        Image.fromarray(image[:16, :16] if i % 5 == 0 else image).save(tmp_path / f"{i}.png")
    found = survey(tmp_path)
    assert (found.image_size, found.advised_size, found.count) == (28, 28, 50)
    recipe, dataset = plan.advised(
        flat.apply(Recipe("r3gan"), {"data": str(tmp_path)}), {}, lambda recipe: recipe.load()
    )
    assert recipe.data["image_size"] == 28 and recipe.data["upscale"] is True
    np.testing.assert_array_equal(dataset.images, found.decoded.images)


def options(found):
    return [one.option for one in advice(found)]


def test_what_is_advised_depends_on_what_there_is(root, tmp_path):
    given = options(survey(root))
    assert given == [
        "--image-size 48", "--fit pad", "--channels 4", "--augment diffaugment", "--mirror", "",
        "--conditional",
    ]  # fmt: skip
    plain = write(tmp_path / "plain", 600)
    assert options(survey(plain)) == ["--image-size 32", "--augment diffaugment", "--mirror"]
    wide = write(tmp_path / "wide", 20, [(200, 70)])
    assert "--fit pad" in options(survey(wide))
    photos = write(tmp_path / "landscapes", 20, [(160, 120), (128, 98)])
    assert options(survey(photos))[:3] == ["--image-size 64", "--image-size 48x64", "--fit pad"]
    both = write(tmp_path / "both", 20, [(160, 120), (120, 160)])
    assert options(survey(both))[:2] == ["--image-size 64", "--fit pad"]
    assert "--channels 4" not in options(survey(root, channels=4))


def test_a_folder_without_an_image_is_an_error(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="1 bad of 1"):
        survey(tmp_path)


def test_it_needs_no_keras(root):
    code = (
        "import sys; from kerasgan.data.survey import survey; from kerasgan import pictures\n"
        f"survey({str(root)!r}); print('keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
