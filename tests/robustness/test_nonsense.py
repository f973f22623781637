"""Nonsense is refused in words: command lines, images, presets, run folders; see `nonsense`."""

import os
import time
import warnings

import nonsense
import numpy as np
import pytest

import kerasgan
from kerasgan.data.folder import read_image
from kerasgan.data.folder_files import FolderFiles
from kerasgan.storage import PresetError
from kerasgan_cli import main

SECONDS = 30


def call(capsys, *words):
    """Run a command in this process, and check how it ends."""
    started = time.monotonic()
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    out, err = capsys.readouterr()
    assert nonsense.fault(words, stop.value.code, out, err) is None
    assert time.monotonic() - started < SECONDS, words
    return stop.value.code, out


def only(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.numpy
@pytest.mark.parametrize("seed", range(4))
def test_command_lines(seed, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(seed)
    null = os.stat(os.devnull).st_mode
    for _ in range(int(os.environ.get("KERASGAN_FUZZ", 40))):
        call(capsys, *nonsense.command_line(rng))
    assert os.stat(os.devnull).st_mode == null


@pytest.mark.numpy
@pytest.mark.parametrize("seed", range(4))
def test_images(seed, tmp_path):
    rng = np.random.default_rng(seed)
    for i in range(int(os.environ.get("KERASGAN_FUZZ", 60))):
        data, suffix = nonsense.image_file(rng)
        path = tmp_path / f"{i}{suffix}"
        path.write_bytes(data)
        options = {"image_size": 8, "channels": None, "upscale": True}
        started = time.monotonic()
        found = read_image(FolderFiles(tmp_path), [path.name, len(data), 0], options)
        assert time.monotonic() - started < SECONDS
        if isinstance(found, str):
            assert found and len(found) < 500 and "\n" not in found
        else:
            assert found.shape == (8, 8, 3) and found.dtype == np.uint8


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "preset"
    pair = kerasgan.networks.mlp(image_size=8, channels=1, latent_dim=4, width=8, depth=1)
    kerasgan.GAN(*pair).save_to_preset(folder)
    return folder


@pytest.mark.parametrize("seed", range(3))
def test_presets(seed, whole, tmp_path):
    rng = np.random.default_rng(seed)
    for i in range(int(os.environ.get("KERASGAN_FUZZ", 20))):
        folder = tmp_path / str(i)
        nonsense.preset(rng, whole, folder)
        started = time.monotonic()
        try:
            kerasgan.from_preset(folder).sample(2)
        except PresetError as error:
            assert len(str(error)) < 1000
        assert time.monotonic() - started < SECONDS


@pytest.fixture(scope="module")
def trained(tmp_path_factory, backend_name):
    """A run of two epochs, and its images."""
    folder = tmp_path_factory.mktemp("trained")
    images = np.random.default_rng(0).integers(0, 256, (80, 12, 12), dtype="uint8")
    np.save(folder / "images.npy", images)
    options = ["--data", str(folder / "images.npy"), "--run-dir", str(folder / "r")]
    options += ["--network", "mlp", "--width", "4", "--latent-dim", "4", "--epochs", "2"]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setenv("KERAS_BACKEND", backend_name)
        main(["train", "gan", *options])
    assert stop.value.code == 0
    return folder / "r" / "0001-gan-images"


@pytest.mark.parametrize("seed", range(2))
def test_run_folders(seed, trained, tmp_path, capsys, monkeypatch, backend_name):
    monkeypatch.setenv("KERAS_BACKEND", backend_name)
    rng = np.random.default_rng(seed)
    for i in range(int(os.environ.get("KERASGAN_FUZZ", 6))):
        parent = tmp_path / str(i)
        nonsense.run_folder(rng, trained, parent / "run")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of rows and grids that were left out.
            call(capsys, "report", str(parent / "run"))
            call(capsys, "sample", str(parent / "run"), "-n", "2", "--out", str(parent / "a.png"))
            epochs = ["--epochs", "3"] if rng.random() < 0.5 else []
            call(capsys, "train", "--resume", str(parent / "run"), *epochs)
        assert set(only(parent)) <= {"run", "a.png", *(n for n in only(parent) if n[:4] == "run/")}
