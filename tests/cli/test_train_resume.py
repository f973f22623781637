"""`kerasgan train --resume`: on the run's own options and its own images."""

import json

import keras
from small_runs import SMALL

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
