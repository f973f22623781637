"""Errors of usage and failures: their words, their exit codes, and that nothing is written."""

import re
import subprocess
import sys

import numpy as np
import pytest
from small_runs import SMALL, folder_of

from kerasgan_cli import main

USAGE = [
    (["train", "wgan_pg", "--data", "mnist"], "nearest: wgan_gp"),
    (["train"], "DATA is needed"),
    (["train", "gan"], "--data is needed"),
    (["train", "gan", "--data", "mnits"], "mnist"),
    (["train", "gan", "--data", "no/such/folder"], "no/such/folder"),
    (["train", "gan", "--data", "mnist", "--clip", "0.1"], "--clip is no option of gan"),
    (["train", "gan", "--data", "mnist", "--backend", "theano"], "theano"),
    (["train", "gan", "--data", "mnist", "--epochs", "0"], "--epochs"),
    (["train", "--data", "mnist", "--config", "cifar-10"], "--config goes with MODEL"),
    (["train", "gan", "--data", "mnist", "--image-size", "30"], "48, 64, 96, 128"),
    (["train", "gan", "--data", "mnist", "--style", "r3gan"], "--style is no option of dcgan"),
    (["train", "gan", "--data", "mnist", "--network", "nice"], "--network of gan must be one of"),
    (["train", "gan", "--data", "mnist", "--conditioning", "concat"], "goes with --conditional"),
    (["train", "gan", "--data", "mnist", "--packing", "3"], "--batch-size must be divisible"),
    (["train", "infogan", "--data", "mnist", "--categorical", "10,0"], "--categorical must be"),
    (["train", "infogan", "--data", "mnist", "--categorical", "many"], "must be integers"),
    (["train", "infogan", "--data", "mnist", "--categorical", "1"], "--categorical must be"),
    (["train", "flow_gan", "--data", "mnist", "--critic-norm", "batch"], "is no option of flow"),
    (["train", "wgan_gp", "--data", "mnist", "--critic-norm", "batch"], "--critic-norm must not"),
    (["train", "wgan", "--data", "mnist", "--augment", "ada"], "--augment ada reads"),
    (["train", "gan", "--data", "no/such/folder", "--dry-run"], "must be a path that exists"),
    (["train", "gan", "--data", "images.npz", "--dry-run"], "must be a path that exists"),
    (["train", "gan", "--data", ".", "--split", "test"], "--split: goes with data of the kinds"),
    (["train", "gan", "--data", "mnist", "--guard", "off", "--guard-every", "9"], "--guard is off"),
    (["evaluate", "wgan_gp_fashion_mnist", "--data", "no/such/folder"], "a path that exists"),
    (["sample", "wgan_gp_fashion_minst"], "wgan_gp_fashion_minst"),
    (["sample", "missing/run"], "does not exist"),
    (["sample", "x", "--out", "picture.tiff"], ".png or .npz"),
    (["sample", "x", "--interpolate", "3"], "two seeds"),
    (["zoo", "show", "nothing"], "nothing"),
    (["nonsense"], "nonsense"),
]


def test_contradictions_are_found_without_keras(tmp_path):
    """Before data is read, and before Keras is imported, which takes seconds."""
    for options in (
        ["flow_gan", "--data", "avatars", "--adversarial-weight", "0", "--nll-weight", "0"],
        ["gan", "--data", "avatars", "--image-size", "30"],
        ["gan", "--data", str(tmp_path), "--split", "test"],
    ):
        code = (
            f"import sys; from kerasgan_cli import main\ntry: main({['train', *options]!r})\n"
            "except SystemExit as stop: sys.exit(stop.code if 'keras' not in sys.modules else 9)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 2, done.stderr


@pytest.mark.parametrize(("arguments", "words"), USAGE, ids=[" ".join(a) for a, _ in USAGE])
def test_usage_errors_exit_with_2(command, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*arguments)
    assert code == 2, out + err
    assert words in err
    assert not list(tmp_path.iterdir())


def failing(tmp_path):
    good = np.zeros((80, 12, 12), "float32")
    for name, images in {"nan": np.where(np.arange(80)[:, None, None] == 1, np.nan, good)}.items():
        np.save(tmp_path / f"{name}.npy", images)
    (tmp_path / "empty").mkdir()
    small = folder_of(tmp_path, 70)
    np.save(tmp_path / "few.npy", np.zeros((10, 12, 12), "uint8"))
    return {
        "NaN in the data": (["--data", tmp_path / "nan.npy"], "NaN"),
        "an empty folder": (["--data", tmp_path / "empty", "--image-size", 28], "empty"),
        "images smaller than asked": (["--data", small, "--image-size", 64], "--upscale"),
        "a batch larger than the data": (
            ["--data", tmp_path / "few.npy"],
            "--batch-size must not be larger",
        ),
    }


FAILURES = ["NaN in the data", "an empty folder", "images smaller than asked",
            "a batch larger than the data"]  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_failures_exit_with_1_and_write_nothing(command, tmp_path, monkeypatch, name):
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))
    arguments, words = failing(tmp_path)[name]
    code, out, err = command("train", "gan", *arguments, "--run-dir", tmp_path / "r", *SMALL)
    assert code == 1, out + err
    assert re.search(words, err)
    assert not (tmp_path / "r").exists()


def test_a_backend_that_is_not_installed_shows_the_pip_line(command, data, monkeypatch):
    from kerasgan_cli import common

    monkeypatch.setattr(common.importlib.util, "find_spec", lambda name: None)
    code, _, err = command("train", "gan", "--data", data, "--backend", "jax")
    assert code == 1 and "pip install 'kerasgan[jax]'" in err


def test_debug_shows_the_traceback(run_folder, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "gan", "--data", str(tmp_path / "images.npz"), *SMALL, "--debug",
              "--batch-size", "999", "--run-dir", str(tmp_path / "r")])  # fmt: skip
    assert stop.value.code == 1
    assert "Traceback" in capsys.readouterr().err
