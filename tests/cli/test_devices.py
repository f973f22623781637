"""`kerasgan train --devices`, where it cannot be what was asked for."""

import pytest


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--devices", "2"], "--devices must be at most 1"),
        (["--devices", "0"], "must be all, or a number"),
        (["--devices", "many"], "must be all, or a number"),
        (["--devices", "9" * 30], "must be all, or a number"),
    ],
)
def test_devices_that_are_not_there(command, data, tmp_path, options, sentence):
    code, _, err = command("train", "gan", "--data", data, "--run-dir", tmp_path / "r", *options)
    assert code in (1, 2) and sentence in err, err
    assert not (tmp_path / "r").exists()


def test_batches_that_devices_do_not_divide(command, data, tmp_path, monkeypatch):
    from kerasgan import backend

    monkeypatch.setattr(backend, "devices", lambda: 3)
    options = ["--data", data, "--run-dir", tmp_path / "r", "--devices", "all"]
    code, _, err = command("train", "gan", *options, "--batch-size", 8)
    assert code == 1 and "divisible by 3, so that 3 devices have equal parts" in err, err
    assert not (tmp_path / "r").exists()
