"""Resuming is exact: 2N epochs equal N, a stop of any kind, and N more."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from keras import ops

from kerasgan_cli.sources import load_file

# One process trains the run that all compare.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("resume")]
RUN = [sys.executable, "-m", "kerasgan_cli", "train"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.npy"
    images = np.random.default_rng(0).integers(0, 256, (640, 28, 28), dtype="uint8")
    np.save(path, images)
    return path


@pytest.fixture(scope="module")
def options(data, backend_name):
    def build(model, folder, epochs, *more):
        size = ["--latent-dim", "4", "--width", "4", "--batch-size", "16", "--grid-every", "9"]
        place = ["--data", str(data), "--run-dir", str(folder), "--epochs", str(epochs)]
        return [*RUN, model, *place, *size, "--backend", backend_name, *more]

    return build


def train(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def only_run(folder):
    (run,) = folder.iterdir()
    return run


def assert_same(run, other, backend_name):
    a, b = (load_file(folder / "model.keras") for folder in (run, other))
    assert (a.critic_steps, a.generator_steps) == (b.critic_steps, b.generator_steps)
    for x, y in zip(
        [*a.variables, *a.optimizer.variables], [*b.variables, *b.optimizer.variables], strict=True
    ):
        x, y = ops.convert_to_numpy(x), ops.convert_to_numpy(y)
        if backend_name == "torch":
            np.testing.assert_allclose(x, y, atol=1e-6)
        else:
            np.testing.assert_array_equal(x, y)


@pytest.fixture(scope="module")
def straight(options, tmp_path_factory):
    """Four epochs in one go."""
    folder = tmp_path_factory.mktemp("straight")
    train(options("wgan_gp", folder, 4))
    return only_run(folder)


def test_two_and_two_epochs_are_four(options, straight, tmp_path, backend_name):
    train(options("wgan_gp", tmp_path, 2))
    run = only_run(tmp_path)
    train([*RUN, "--resume", str(run), "--epochs", "4"])
    assert_same(run, straight, backend_name)
    assert logs(run) == logs(straight)


def logs(run):
    """Return the rows of metrics.csv but for the seconds, which differ."""
    with open(run / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(float(row.pop("seconds")) > 0 for row in rows)
    return rows


def wait_for(process, condition, seconds=240):
    end = time.time() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.time() < end, "it took too long"
        time.sleep(0.02)


def test_after_kill_9_in_the_middle_of_an_epoch(options, straight, tmp_path, backend_name):
    process = subprocess.Popen(
        options("wgan_gp", tmp_path, 4), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(process, lambda: list(tmp_path.glob("*/metrics.csv")))
    time.sleep(0.05)
    process.kill()
    process.communicate()
    run = only_run(tmp_path)
    assert not (run / "model.keras").exists()
    train([*RUN, "--resume", str(run)])
    assert_same(run, straight, backend_name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_within_the_epoch(number, options, straight, tmp_path, backend_name):
    if os.name == "nt":
        pytest.skip("signals differ on Windows")
    process = subprocess.Popen(
        options("wgan_gp", tmp_path, 4), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(process, lambda: list(tmp_path.glob("*/metrics.csv")))
    process.send_signal(number)
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 130, output + errors
    assert "Traceback" not in errors
    run = only_run(tmp_path)
    assert f"kerasgan train --resume {run}" in output
    train([*RUN, "--resume", str(run)])
    assert_same(run, straight, backend_name)
    rows = (run / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2", "3", "4"]


def test_resuming_a_finished_run_does_nothing(straight):
    before = (straight / "model.keras").read_bytes()
    done = train([*RUN, "--resume", str(straight)])
    assert "nothing to do" in done.stdout
    assert (straight / "model.keras").read_bytes() == before
