"""`kerasgan export`."""

import click
import pytest

from kerasgan import catalogue, environment


def needs_onnx(backend_name):
    try:
        catalogue.EXPORTS["onnx"].check(backend_name)
    except environment.MissingPackage as error:
        pytest.skip(str(error))


def test_export_writes_what_it_says(command, run_folder, tmp_path, backend_name):
    needs_onnx(backend_name)
    out = tmp_path / "new" / "m.onnx"
    given = ["export", run_folder, "--out", out, "--backend", backend_name]
    code, said, err = command(*given)
    assert code == 0, err
    lines = said.splitlines()
    assert lines[0] == f"wrote {out}: ONNX, written on {backend_name}"
    assert "  takes latent: float32 (n, 4), from N(0, 1)" in lines
    assert "  gives images: float32 (n, 12, 12, 1) in [-1, 1]" in lines
    assert lines[-1].startswith("  its images differ from the model's by at most ")
    code, _, err = command(*given)
    assert code == 2 and "--overwrite" in err
    assert command(*given, "--overwrite")[0] == 0
    assert [path.name for path in out.parent.iterdir()] == ["m.onnx"]


def test_a_saved_model_replaces_nothing_else(command, run_folder, tmp_path, backend_name):
    if backend_name == "torch":
        pytest.skip("a SavedModel is not written on PyTorch")
    out = tmp_path / "saved"
    given = ["export", run_folder, "--format", "savedmodel", "--out", out]
    given += ["--backend", backend_name]
    out.mkdir()
    assert command(*given)[0] == 0  # An empty folder is nothing.
    assert command(*given)[0] == 2
    (out / "old").touch()
    assert command(*given, "--overwrite")[0] == 0 and not (out / "old").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.png").touch()
    given[given.index(out)] = tmp_path / "mine"
    code, _, err = command(*given, "--overwrite")
    assert code == 2 and "replaces a SavedModel alone" in err
    assert (tmp_path / "mine" / "photo.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "m.tflite"], "must be a file that ends in .onnx"),
        (["--out", "m.onnx", "--format", "coreml"], "'coreml' is not one of"),
        (["--out", "m", "--format", "savedmodel", "--backend", "torch"],
         "--backend must be one of tensorflow, jax to write SavedModel. Received: torch"),
        ([], "Missing option '--out'"),
    ],
)  # fmt: skip
def test_export_refuses(command, run_folder, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    code, _, err = command("export", run_folder, *arguments)
    assert code == 2 and words in err, err
    assert set(tmp_path.iterdir()) == before


def test_a_missing_package_is_one_sentence(command, run_folder, tmp_path, monkeypatch):
    find = environment.util.find_spec
    monkeypatch.setattr(
        environment.util, "find_spec", lambda name: None if "onnx" in name else find(name)
    )
    code, _, err = command("export", run_folder, "--out", tmp_path / "m.onnx")
    assert code == 1 and "pip install 'kerasgan[onnx]'" in err and err.count("\n") == 1


def test_the_first_backend_that_can_write_it_is_taken(command, run_folder, tmp_path, monkeypatch):
    def chosen(name):
        raise click.ClickException(f"chose {name}")

    monkeypatch.setattr("kerasgan_cli.export.choose_backend", chosen)
    there = {"tensorflow", "torch", "onnx", "onnxruntime", "onnxscript", "tf2onnx"}
    monkeypatch.setattr(environment.util, "find_spec", lambda name: name in there or None)
    given = ["export", run_folder, "--out", tmp_path / "m.onnx"]
    assert "chose tensorflow" in command(*given)[2]
    there.remove("tf2onnx")
    assert "chose torch" in command(*given)[2]
