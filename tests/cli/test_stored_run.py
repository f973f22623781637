"""A run that version 0.1 wrote opens, samples and goes on as it would have gone on."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from kerasgan.recipe import Recipe
from kerasgan_cli import main
from kerasgan_cli.runs import Run

STORED = Path(__file__).with_name("stored_run")


@pytest.fixture
def run(tmp_path):
    folder = shutil.copytree(STORED, tmp_path / "0001-wgan_gp-images")
    options = json.loads((folder / "options.json").read_text())
    options["data"] = str(folder / "images.npy")
    (folder / "options.json").write_text(json.dumps(options))
    return folder


def command(*arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    assert stop.value.code == 0


def test_its_options_are_a_recipe(run):
    recipe, settings = Run(run).recipe(), Run(run).settings()
    assert (recipe.variant, recipe.length, recipe.batch_size) == ("wgan_gp", {"epochs": 1}, 16)
    assert recipe.networks == {"architecture": "mlp", "width": 8, "latent_dim": 4}
    assert recipe.arguments == {"n_critic": 2, "ema": None}
    assert settings["guard"] == "rescue"
    assert Recipe.from_json(recipe.to_json()) == recipe


def sums(variables):
    """Return the sum and the sum of magnitudes of each variable of floats."""
    arrays = [ops.convert_to_numpy(v) for v in variables]
    arrays = [a.astype("float64") for a in arrays if a.dtype.kind == "f"]
    return np.array([[a.sum(), np.abs(a).sum()] for a in arrays])


def test_it_goes_on_as_before(run, monkeypatch, backend_name):
    monkeypatch.setenv("KERAS_BACKEND", backend_name)
    options = json.loads((run / "options.json").read_text())
    (run / "options.json").write_text(json.dumps({**options, "backend": backend_name}))
    command("sample", run, "-n", 4, "--out", run / "a.npz")
    command("train", "--resume", run, "--epochs", 2)
    gan = keras.saving.load_model(run / "model.keras")
    assert (gan.critic_steps, gan.generator_steps) == (8, 4)
    assert json.loads((run / "options.json").read_text())["format"] == 2
    assert len((run / "metrics.csv").read_text().splitlines()) == 3
    journal = json.loads((run / "guard" / "journal.json").read_text())
    assert journal["entries"][0]["step"] == 4
    if backend_name == "tensorflow":
        expected = json.loads((STORED / "expected.json").read_text())
        np.testing.assert_allclose(sums(gan.variables), expected["model"], rtol=1e-5, atol=1e-6)
        found = sums(gan.optimizer.variables)
        np.testing.assert_allclose(found, expected["optimizer"], rtol=1e-5, atol=1e-6)
