"""`kerasgan train --resume`: on the run's own options and its own images."""

import json

import keras
import pytest
from small_runs import SMALL, folder_of

from kerasgan import storage
from kerasgan.augment import DiffAugment
from kerasgan.collapse import remedies


def test_a_longer_end_is_remembered(command, data, run_folder, tmp_path):
    assert command("train", "--resume", run_folder, "--epochs", 2)[0] == 0
    options = json.loads((run_folder / "options.json").read_text())
    assert options["length"] == {"epochs": 2} and options["environment"]["backend"]
    rows = (run_folder / "metrics.csv").read_text().splitlines()
    assert len(rows) == 3


def test_what_a_rescue_added_stays(command, data, run_folder):
    gan = keras.saving.load_model(run_folder / "checkpoint.keras")
    remedies.apply(gan, 1, evidence=["copies"])
    remedies.apply(gan, 3)
    storage.save_model(gan, run_folder / "checkpoint.keras")
    assert command("train", "--resume", run_folder, "--epochs", 2)[0] == 0
    again = keras.saving.load_model(run_folder / "model.keras")
    assert isinstance(again.augment, DiffAugment)
    assert again.n_critic == 2 and again.critic_steps == 2 * gan.critic_steps > 0


def test_a_resumed_run_of_styles_is_the_uninterrupted_one(command, tmp_path, backend_name):
    if backend_name != "torch":
        pytest.skip("it is equal there too, and takes minutes to compile")
    small = [
        "--data", folder_of(tmp_path, 24, size=16), "--image-size", 16, "--batch-size", 8,
        "--latent-dim", 6, "--mapping-layers", 1, "--channel-base", 32, "--guard", "off",
        "--animation", "none",
    ]  # fmt: skip
    found = {}
    for name, epochs in (("whole", 2), ("parts", 1)):
        runs = tmp_path / name
        assert command("train", "stylegan2", *small, "--epochs", epochs, "--run-dir", runs)[0] == 0
        found[name] = next(runs.iterdir())
    assert command("train", "--resume", found["parts"], "--epochs", 2)[0] == 0
    whole, parts = (
        keras.saving.load_model(found[name] / "model.keras") for name in ("whole", "parts")
    )
    assert whole.critic_steps == parts.critic_steps > 0
    assert (whole.sample(8, seed=1) == parts.sample(8, seed=1)).all()


def test_a_run_goes_on_from_another_directory(command, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command("train", "gan", "--data", "images.npz", "--run-dir", "r", *SMALL)[0] == 0
    monkeypatch.chdir("/")
    run = tmp_path / "r" / "0001-gan-images"
    assert command("train", "--resume", run, "--epochs", 2)[0] == 0


def test_damaged_options_are_named(command, run_folder):
    (run_folder / "options.json").write_text("{}")
    code, _, err = command("train", "--resume", run_folder)
    assert code == 1 and "options.json is damaged" in err


def test_resume_refuses_other_options(command, run_folder):
    code, _, err = command("train", "--resume", run_folder, "--batch-size", 8)
    assert code == 2 and "--batch-size" in err
    code, _, err = command("train", "--resume", run_folder / "samples")
    assert code == 1 and "not a run folder: `kerasgan train` makes one" in err
    assert "options.json" in err and "Found: epoch_0001.png, epochs.webp" in err
    assert "Errno" not in err


def test_a_run_that_lacks_its_end_is_finished(command, data, run_folder):
    whole = {path.name: path for path in run_folder.iterdir()}
    for name in ("model.keras", "report.html", "samples/epochs.webp"):
        (run_folder / name).unlink()
        (run_folder / ".tmp-999999999-0.keras").write_text("")
        code, out, err = command("train", "--resume", run_folder)
        assert code == 0 and "to write what a run ends with" in out, out + err
        assert (run_folder / name).exists()
        assert {path.name for path in run_folder.iterdir()} == set(whole)
    assert (run_folder / "model.keras").read_bytes() == whole["checkpoint.keras"].read_bytes()
    code, out, _ = command("train", "--resume", run_folder)
    assert code == 0 and "nothing to do" in out
    rows = (run_folder / "metrics.csv").read_text().splitlines()
    assert len(rows) == 2


def test_a_damaged_grid_does_not_keep_a_run_from_its_end(command, data, run_folder):
    (run_folder / "model.keras").unlink()
    (run_folder / "samples" / "epoch_0001.png").write_bytes(b"no picture")
    code, _, err = command("train", "--resume", run_folder)
    assert code == 0 and (run_folder / "model.keras").exists()
    assert "epochs.webp: none of 1 pictures can be read" in err


def test_damaged_metrics_are_kept_beside_new_ones(command, data, run_folder):
    (run_folder / "metrics.csv").write_text("epoch,\0\nx,y\n")
    code, _, err = command("train", "--resume", run_folder, "--epochs", 2)
    assert code == 0 and "kept as metrics.csv.damaged" in err
    assert (run_folder / "metrics.csv.damaged").exists()
    assert (run_folder / "metrics.csv").read_text().splitlines()[1].startswith("2,")


def test_a_run_whose_folder_vanished_says_so(command, data, tmp_path, in_the_third_epoch):
    runs = tmp_path / "r"
    in_the_third_epoch(lambda model: (runs / "0001-gan-images").rename(tmp_path / "moved"))
    code, _, err = command(
        "train", "gan", "--data", data, "--run-dir", runs, *SMALL, "--epochs", 5
    )  # fmt: skip
    assert code == 1 and "0001-gan-images is gone. If it was moved" in err
    assert list(runs.iterdir()) == []
    in_the_third_epoch(lambda model: None)
    assert command("train", "--resume", tmp_path / "moved")[0] == 0


def test_options_that_cannot_work_leave_no_folder(command, data, tmp_path):
    for options in (["--packing", "3"], ["--batch-size", "500"], ["--conditional"]):
        code, _, _ = command(
            "train", "gan", "--data", data, "--run-dir", tmp_path / "r", *SMALL, *options
        )
        assert code in (1, 2) and not list(tmp_path.glob("r/*"))


def test_an_end_in_steps_that_is_reached_already_changes_nothing(command, data, tmp_path):
    given = ["--data", data, *SMALL[:-2], "--steps", 4, "--batch-size", 16, "--guard", "off"]
    code, _, err = command("train", "gan", *given, "--run-dir", tmp_path / "r")
    assert code == 0, err
    (run,) = (tmp_path / "r").iterdir()
    before = (run / "options.json").read_text()
    code, _, err = command("train", "--resume", run, "--steps", 1)
    assert code == 2 and "--steps must be at least" in err
    assert (run / "options.json").read_text() == before
