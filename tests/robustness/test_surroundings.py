"""Trainings with something odd around them: no home, a full disk for stdout, names of any bytes."""

import os
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.slow
# As in a container whose user has no entry in the list of users.
NOBODY = """
import pwd, sys
def gone(user):
    raise KeyError(user)
pwd.getpwuid = gone
from kerasgan_cli import main
main(sys.argv[1:])
"""
SMALL = {"network": "mlp", "width": "4", "latent-dim": "4", "epochs": "2", "data": "pixels.npy"}
OPTIONS = [word for name, value in SMALL.items() for word in (f"--{name}", value)]


@pytest.fixture
def start(tmp_path, backend_name):
    """Return a function that runs a command in an empty folder with some pictures."""
    pixels = np.random.default_rng(0).integers(0, 256, (80, 12, 12), dtype="uint8")
    np.save(tmp_path / "pixels.npy", pixels)

    def run(*words, code="from kerasgan_cli import main; main()", without=(), **given):
        environment = {k: v for k, v in os.environ.items() if k not in without}
        environment |= {"KERAS_BACKEND": backend_name, "PYTHONIOENCODING": "utf-8:strict"}
        given = {"stdout": subprocess.PIPE, **given}
        return subprocess.run(
            [sys.executable, "-c", code, *words],
            env=environment,
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
            **given,
        )

    return run


def test_a_user_without_a_home(start, tmp_path):
    homes = ("HOME", "XDG_CACHE_HOME", "KERAS_HOME", "KERASGAN_CACHE", "TFDS_DATA_DIR")
    done = start("train", "gan", *OPTIONS, code=NOBODY, without=homes)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"pixels.npy", "runs"}


def test_stdout_on_a_full_disk(start, tmp_path):
    with open("/dev/full", "w") as full:
        done = start("train", "gan", *OPTIONS, stdout=full)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("No space left on device. The training goes on") == 1
    assert list(tmp_path.glob("runs/*/model.keras"))


def test_names_of_any_bytes(start, tmp_path):
    place = os.fsdecode(b"runs-\xfe\x1b[2J")
    done = start("train", "gan", *OPTIONS, "--run-dir", place)
    assert done.returncode == 0, done.stderr
    assert r"done: runs-\udcfe\x1b[2J/0001-gan-pixels/model.keras" in done.stdout
    run = f"{place}/0001-gan-pixels"
    for words in (
        ("report", run),
        ("sample", run, "-n", "2", "--out", f"{place}.png"),
        ("train", "--resume", run, "--epochs", "3"),
    ):
        done = start(*words)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
    assert (tmp_path / f"{place}.png").exists()
