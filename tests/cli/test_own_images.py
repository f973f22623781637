"""A run knows its images and its classes: where it is resumed, sampled, scored and reported."""

import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image
from small_runs import SMALL

from kerasgan_cli.runs import Run

CONDITIONAL = ["--conditional", "--image-size", "8", "--batch-size", "8", *SMALL]


def class_folders(root, names, seed=0):
    rng = np.random.default_rng(seed)
    for name in names:
        (root / name).mkdir(parents=True)
        for i in range(30):
            pixels = rng.integers(0, 256, (8, 8), dtype="uint8")
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    return root


@pytest.fixture(scope="module")
def made(tmp_path_factory, backend_name):
    """Folders of classes, and a run that was trained on them."""
    from kerasgan_cli import main

    folder = tmp_path_factory.mktemp("made")
    class_folders(folder / "pictures", ["1", "2", "10"])
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setenv("KERAS_BACKEND", backend_name)
        patch.setenv("KERASGAN_CACHE", str(folder / "cache"))
        place = ["--data", str(folder / "pictures"), "--run-dir", str(folder / "r")]
        main(["train", "gan", *place, *CONDITIONAL])
    assert stop.value.code == 0
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """A copy of both, for the test to change; the run names the copy of the images."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))
    file = run_of(tmp_path) / "options.json"
    file.write_text(file.read_text().replace(str(made), str(tmp_path)))
    return tmp_path


def run_of(place):
    return place / "r" / "0001-gan-pictures"


def test_a_run_keeps_its_classes_and_what_identifies_its_images(place):
    options = Run(run_of(place)).options()
    assert options["classes"] == ["1", "2", "10"]
    assert options["content"]["source"] == "folder" and options["content"]["files"] == 90
    assert "3 classes: 1, 2, 10" in (run_of(place) / "report.html").read_text()


def test_a_renamed_class_is_refused(command, place):
    (place / "pictures" / "2").rename(place / "pictures" / "20")
    code, _, err = command("train", "--resume", run_of(place), "--epochs", 2)
    assert code == 1 and "the classes are 1, 10, 20, not 1, 2, 10" in err.replace("\n", " ")
    assert Run(run_of(place)).options()["length"] == {"epochs": 1}


def test_other_images_of_the_same_number_are_refused(command, place):
    shutil.rmtree(place / "pictures")
    class_folders(place / "pictures", ["1", "2", "10"], seed=1)
    code, _, err = command("train", "--resume", run_of(place), "--epochs", 2)
    assert code == 1 and "--resume goes on with the images that the run began with" in err
    assert "the contents have the hash" in err


def test_images_that_moved_are_found_again(command, place):
    (place / "pictures").rename(place / "moved")
    code, _, err = command("train", "--resume", run_of(place), "--epochs", 2)
    assert code == 1 and "--data gives their new place" in err
    given = ["--resume", run_of(place), "--epochs", 2, "--data", place / "moved"]
    code, out, err = command("train", *given)
    assert code == 0, out + err
    assert Run(run_of(place)).recipe().data["name_or_path"] == str(place / "moved")
    class_folders(place / "other", ["1", "2", "10"], seed=1)
    code, _, err = command("train", *given[:2], "--data", place / "other", "--epochs", 3)
    assert code == 1 and "the contents have the hash" in err


def test_a_run_of_an_earlier_version_goes_on_with_its_own_order_of_classes(command, place):
    """It sorted folders as text, so that 10 was the second class; that is what it has learned."""
    file = run_of(place) / "options.json"
    options = json.loads(file.read_text())
    del options["classes"], options["content"]
    file.write_text(json.dumps(options))
    code, out, err = command("train", "--resume", run_of(place), "--epochs", 2)
    assert code == 0, out + err
    assert "classes   1, 10, 2" in out
    assert Run(run_of(place)).classes() == ["1", "10", "2"]  # From now on it is written down.
    code, out, err = command("train", "--resume", run_of(place), "--epochs", 3)
    assert code == 0 and "classes   1, 10, 2" in out, err


def test_a_class_is_sampled_by_its_name(command, place):
    run, out = run_of(place), place / "a.npz"
    model = keras.saving.load_model(run / "model.keras")
    for source, label, number, name in ((run, "10", 2, "10"), (run / "model.keras", "0", 0, "1")):
        code, printed, err = command(
            "sample", source, "-n", 3, "--label", label, "--out", out, "--overwrite"
        )
        assert code == 0, err
        assert f"class {name}" in printed
        expected = model.sample(3, seed=0, labels=number)
        np.testing.assert_allclose(np.load(out)["images"], expected, atol=1e-6)
    code, printed, _ = command("sample", run, "-n", 3, "--out", out, "--overwrite")
    assert code == 0 and "classes drawn from 1, 2, 10" in printed
    code, _, err = command("sample", run, "--label", "dog", "--out", place / "b.npz")
    assert code == 2 and "1, 2, 10" in err and "Received: 'dog'" in err
    shutil.copy(run / "model.keras", place / "alone.keras")
    code, _, err = command("sample", place / "alone.keras", "--label", "dog", "--out", "b.npz")
    assert code == 2 and "keeps no names of classes" in err


def test_scores_show_the_names_of_classes(command, place):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (240, 8, 8), dtype="uint8")
    np.savez(place / "real.npz", images=images, labels=np.arange(240) % 3)
    code, out, err = command(
        "evaluate", run_of(place), "--data", place / "real.npz", "--metrics", "classes",
        "--extractor", "random_projection", "--json", place / "scores.json",
    )  # fmt: skip
    assert code == 0, out + err
    assert [line.split()[0] for line in out.splitlines()[-3:]] == ["1", "2", "10"]
    assert json.loads((place / "scores.json").read_text())["class_names"] == ["1", "2", "10"]


def test_a_stray_image_that_hides_the_classes_is_named(command, place):
    Image.new("L", (8, 8)).save(place / "pictures" / "cover.png")
    given = ["train", "gan", "--data", place / "pictures", "--run-dir", place / "r2"]
    code, _, err = command(*given, *CONDITIONAL)
    assert code == 1 and "cover.png lies beside the folders 1, 2, 10" in err
    assert not (place / "r2").exists()
    code, _, err = command(
        "evaluate", run_of(place), "--data", place / "pictures", "--metrics", "classes"
    )
    assert code == 1 and "cover.png lies beside" in err


def test_dark_images_are_told_and_a_bit_depth_helps(command, place):
    (place / "dark").mkdir()
    pixels = np.random.default_rng(0).integers(0, 4096, (20, 8, 8)).astype("uint16")
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(place / "dark" / f"{i}.png")
    given = ["train", "gan", "--data", place / "dark", "--batch-size", 8, *SMALL]
    code, _, err = command(*given, "--run-dir", place / "r2")
    assert code == 0 and "warning: the largest value" in err and "set --bit-depth to 12" in err
    code, _, err = command(*given, "--run-dir", place / "r2", "--bit-depth", 12)
    assert code == 0 and "warning" not in err
    assert Run(place / "r2" / "0002-gan-dark").recipe().data["bit_depth"] == 12
