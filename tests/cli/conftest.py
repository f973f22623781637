"""Fixtures of the command line: the command itself, data, and a run that was trained once."""

import math
import shutil

import keras
import pytest
from small_runs import SMALL, write_images

import kerasgan
from kerasgan_cli import main, stages


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "images.npz")


@pytest.fixture
def command(capsys, monkeypatch, backend_name):
    """Run the command in this process; return its exit code, output and errors."""
    monkeypatch.setenv("KERAS_BACKEND", backend_name)
    monkeypatch.setattr(stages, "EVERY", math.inf)  # What a slow machine says again is its own.

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return stop.value.code, captured.out, captured.err

    yield run
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def trained(tmp_path_factory, backend_name):
    """A run that was trained once."""
    folder = tmp_path_factory.mktemp("trained")
    write_images(folder / "images.npz")
    place = ["--data", str(folder / "images.npz"), "--run-dir", str(folder / "r")]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setenv("KERAS_BACKEND", backend_name)
        main(["train", "gan", *place, *SMALL])
    assert stop.value.code == 0
    return folder / "r" / "0001-gan-images"


@pytest.fixture
def run_folder(trained, data, tmp_path):
    """A copy of that run, for the test to change."""
    return shutil.copytree(trained, tmp_path / "r" / trained.name)


@pytest.fixture
def in_the_third_epoch(monkeypatch):
    """A function that lets every training do something to its model in the third epoch."""
    fit = kerasgan.AdversarialModel.fit

    def arrange(happens):
        def changed(self, *arguments, callbacks=(), **options):
            def begin(epoch, logs):
                if epoch == 2:
                    happens(self)

            more = keras.callbacks.LambdaCallback(on_epoch_begin=begin)
            return fit(self, *arguments, callbacks=[*callbacks, more], **options)

        monkeypatch.setattr(kerasgan.AdversarialModel, "fit", changed)

    return arrange
