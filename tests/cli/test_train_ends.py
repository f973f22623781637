"""How a training ends: interrupted, diverged, stopped by the guard, on a full disk."""

import json
import shlex
import shutil
import signal
import sys

import keras
import numpy as np
import pytest
from PIL import Image
from processes import run_on_a_small_disk
from small_runs import SMALL, with_rate


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_can_be_resumed(
    command, data, tmp_path, in_the_third_epoch, number
):
    in_the_third_epoch(lambda model: signal.raise_signal(number))
    code, out, err = command(
        "train", "gan", "--data", data, "--run-dir", tmp_path, *SMALL, "--epochs", 5,
        "--batch-size", 8,
    )  # fmt: skip
    run = tmp_path / "0001-gan-images"
    assert code == 130 and f"kerasgan train --resume {run}" in out, out + err
    steps = keras.saving.load_model(run / "checkpoint.keras").critic_steps
    assert 20 < steps < 30  # Within the third epoch of ten steps.
    in_the_third_epoch(lambda model: None)
    assert command("train", "--resume", run)[0] == 0
    assert keras.saving.load_model(run / "model.keras").critic_steps == 50


def test_a_diverging_training_keeps_the_last_good_state(
    command, data, tmp_path, in_the_third_epoch
):
    def destroy(model):
        weights = model.critic.get_weights()
        model.critic.set_weights([np.full_like(w, np.nan) for w in weights])

    in_the_third_epoch(destroy)
    code, _, err = command(
        "train", "wgan_gp", "--data", data, "--run-dir", tmp_path / "r", *SMALL,
        "--epochs", 60, "--batch-size", 8, "--guard", "off",
    )  # fmt: skip
    assert code == 1
    checkpoint = tmp_path / "r" / "0001-wgan_gp-images" / "checkpoint.keras"
    assert "diverged" in err and str(checkpoint) in err
    kept = keras.saving.load_model(checkpoint)
    assert kept.critic_steps == 2 * 10
    assert all(np.isfinite(w).all() for w in kept.get_weights())


def test_an_epoch_that_destroys_the_weights_is_not_kept(command, data, tmp_path):
    options = ["gan", "--data", data, *SMALL, "--epochs", 3, "--guard", "off"]
    recipe = with_rate(command, tmp_path, 1e38, *options)
    code, out, err = command("train", "--recipe", recipe, "--run-dir", tmp_path / "r")
    assert code == 1 and "diverged" in err and "no good state" in err, out + err
    assert not list(tmp_path.glob("r/*/*.keras"))


def test_nan_within_an_epoch_ends_the_training(command, data, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (900, 12, 12), dtype="uint8")
    np.save(tmp_path / "many.npy", images)
    options = ["wgan_gp", "--data", tmp_path / "many.npy", *SMALL, "--batch-size", 4]
    recipe = with_rate(command, tmp_path, 1e30, *options, "--guard", "off")
    code, _, err = command("train", "--recipe", recipe, "--run-dir", tmp_path / "r")
    assert code == 1 and "in batch" in err and "no good state" in err


def test_the_guard_stops_a_training_without_a_healthy_state(command, data, tmp_path):
    options = ["gan", "--data", data, *SMALL, "--epochs", 60, "--batch-size", 8]
    recipe = with_rate(command, tmp_path, 1e18, *options)
    code, out, err = command(
        "train", "--recipe", recipe, "--run-dir", tmp_path / "r",
        "--on-collapse", f'echo "$KERASGAN_ACTION in $KERASGAN_FOLDER" > {tmp_path / "told"}',
    )  # fmt: skip
    assert code == 3, out + err
    assert "ended collapsed" in err and "report.html" in err
    assert "guard: stop" in out
    run = tmp_path / "r" / "0001-gan-images"
    assert "What the guard did" in (run / "report.html").read_text()
    assert not list(run.glob("*.keras"))
    assert (tmp_path / "told").read_text() == f"stop in {run}\n"
    # What comes with somebody else's run or recipe runs no commands.
    stored = json.loads((run / "options.json").read_text())
    assert "on_collapse" not in stored["run"]
    stored["run"]["on_collapse"] = f"touch {tmp_path / 'forged'}"
    (run / "options.json").write_text(json.dumps(stored))
    code, _, err = command("train", "--recipe", run / "options.json", "--run-dir", tmp_path / "r")
    assert code == 2 and "`run` must be a JSON object with entries among" in err
    given = ["--guard", "off", "--on-collapse", "true"]
    code, _, err = command("train", "gan", "--data", data, *given, "--run-dir", tmp_path / "n")
    assert code == 2 and "--on-collapse goes with a guard" in err


def test_the_guard_shows_the_diversity_and_reports(command, data, run_folder):
    header, row = (run_folder / "metrics.csv").read_text().splitlines()
    found = dict(zip(header.split(","), row.split(","), strict=True))
    assert 0 <= float(found["diversity"]) <= 1.5
    (run_folder / "report.html").unlink()
    code, out, _ = command("report", run_folder)
    assert code == 0 and out.strip() == str(run_folder / "report.html")
    assert "Diversity" in (run_folder / "report.html").read_text()
    shutil.rmtree(run_folder / "guard")
    code, _, err = command("report", run_folder)
    assert code == 1 and "journal.json" in err and "Found: checkpoint.keras" in err
    assert "Errno" not in err


def test_an_unwritable_place_is_an_error(command, data, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = command("train", "gan", "--data", data, "--run-dir", tmp_path / "file/r", *SMALL)
    assert code == 1 and str(tmp_path / "file") in err


@pytest.mark.slow
def test_a_full_disk_keeps_the_last_good_state(data, tmp_path, backend_name):
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    # Enough for two checkpoints, of which one is being written, and for some pictures.
    train = [sys.executable, "-m", "kerasgan_cli", "train", "gan", "--data", data, *SMALL]
    train += ["--run-dir", disk, "--epochs", 40, "--guard", "off", "--backend", backend_name]
    keep = f'"$@"; code=$?; cp -r {shlex.quote(str(disk))} {shlex.quote(str(kept))}; exit $code'
    done = run_on_a_small_disk("400k", disk, ["sh", "-c", keep, "sh", *train])
    assert done.returncode == 1, done.stdout + done.stderr
    assert "No space left on device" in done.stderr and "Traceback" not in done.stderr
    assert f"kept in {disk / '0001-gan-images' / 'checkpoint.keras'}" in done.stderr
    run = kept / "0001-gan-images"
    model = keras.saving.load_model(run / "checkpoint.keras")
    rows = (run / "metrics.csv").read_text().splitlines()[1:]
    assert 1 < model.critic_steps <= len(rows) < 40  # One step an epoch.
    for path in (run / "samples").iterdir():
        Image.open(path).load()
    assert not [path for path in kept.rglob("*") if "tmp" in path.name]
