"""A new variant is one file, one entry of the catalogue and one page; nothing else knows of it."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from new_variants import ENTRIES, CentredGAN

import kerasgan
from kerasgan import catalogue
from kerasgan.callbacks import CollapseGuard
from kerasgan.collapse import snapshot
from kerasgan.recipe import Recipe

IMAGES = np.random.default_rng(0).uniform(-1, 1, (64, 8, 8, 1)).astype("float32")
SIZE = {"network": "mlp", "width": 8, "depth": 1, "latent_dim": 6}


@pytest.fixture
def entries(monkeypatch):
    for name, entry in ENTRIES.items():
        monkeypatch.setitem(catalogue.VARIANTS, name, entry)


@pytest.mark.parametrize("name", ENTRIES)
def test_it_is_held_to_the_catalogue(entries, name):
    from test_catalogue import test_variants_in_both_directions

    test_variants_in_both_directions(name)


@pytest.mark.parametrize(
    ("name", "options"), [("lsgan", {"a": -0.5, "b": 2.0}), ("centred_gan", {"smoothness": 3.0})]
)
def test_a_recipe_builds_it(entries, name, options):
    recipe = Recipe(name).with_options(**SIZE, **options, lr=1e-3)
    gan = Recipe.from_json(json.loads(json.dumps(recipe.to_json()))).build((8, 8, 1))
    gan.fit(IMAGES, batch_size=16, verbose=0)
    for option, value in options.items():
        assert gan.get_config()[option] == value


def trained():
    gan = CentredGAN(*kerasgan.networks.mlp(8, 1, latent_dim=6, width=8, depth=1))
    gan.compile()
    history = gan.fit(IMAGES, batch_size=16, verbose=0, callbacks=[CollapseGuard("warn")]).history
    return gan, history


def test_its_weight_penalty_and_sampling_option_are_carried(tmp_path):
    gan, history = trained()
    assert history["smoothness"][0] > 0
    mean = ops.convert_to_numpy(gan.mean_image)
    assert np.abs(mean).max() > 0.01
    plain, flat = gan.sample(3, seed=1), gan.sample(3, seed=1, contrast=0.0)
    np.testing.assert_allclose(flat, np.stack([mean] * 3), atol=1e-6)
    half = gan.predict(gan.latent_vectors(3, 1), verbose=0, contrast=0.5)
    np.testing.assert_allclose(half, (plain + mean) / 2, atol=1e-5)
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    gan.save_to_preset(tmp_path / "preset")
    preset = kerasgan.from_preset(tmp_path / "preset")
    for other in (loaded, preset):
        np.testing.assert_allclose(other.sample(3, seed=1, contrast=0.5), half, atol=1e-5)
    taken = snapshot.take(gan, BROKEN)
    gan.fit(IMAGES, batch_size=16, verbose=0)
    assert np.abs(ops.convert_to_numpy(gan.mean_image) - mean).max() > 1e-4
    snapshot.put_back(taken, gan)
    np.testing.assert_array_equal(ops.convert_to_numpy(gan.mean_image), mean)


BROKEN = kerasgan.collapse.BROKEN


def served(folder, z, labels):
    """Return what an exported model makes of one image's inputs."""
    if keras.backend.backend() == "torch":
        import torch

        module = torch.export.load(folder / "model.pt2").module()
        return module([torch.from_numpy(z), torch.from_numpy(labels)]).detach().numpy()
    loaded = pytest.importorskip("tensorflow").saved_model.load(str(folder / "saved"))
    return np.array(loaded.serve([z, labels]))


def test_it_is_exported(tmp_path, backend_name):
    gan = CentredGAN(*kerasgan.networks.mlp(8, 1, latent_dim=6, width=8, depth=1, num_classes=3))
    gan.mean_image.assign(np.ones((8, 8, 1)))
    z, labels = gan.latent_vectors(1, seed=1), np.array([2], "int32")
    torch = backend_name == "torch"
    name, format = ("model.pt2", "torch") if torch else ("saved", "tf_saved_model")
    for options in ({}, {"contrast": 0.25}):
        folder = tmp_path / str(len(options))
        folder.mkdir()
        gan.export(str(folder / name), format, verbose=False, **options)
        expected = gan.sample(1, 1, labels, **options)
        np.testing.assert_allclose(served(folder, z, labels), expected, atol=1e-5)


SHELL = """
import sys
sys.path.insert(0, {tests!r})
from kerasgan import catalogue
from new_variants import ENTRIES
catalogue.VARIANTS |= ENTRIES
from kerasgan_cli import main
main(sys.argv[1:])
"""


def shell(*arguments):
    code = SHELL.format(tests=str(Path(__file__).parent))
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_shell_trains_samples_and_resumes_it(tmp_path, backend_name):
    np.save(tmp_path / "x.npy", ((IMAGES + 1) * 127.5).astype("uint8"))
    size = ["--network", "mlp", "--width", 8, "--depth", 1, "--latent-dim", 6, "--batch-size", 16]
    done = shell(
        "train", "centred_gan", "--data", tmp_path / "x.npy", *size, "--epochs", 1, "--guard",
        "warn", "--smoothness", 2, "--run-dir", tmp_path / "runs", "--backend", backend_name,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert json.loads((run / "options.json").read_text())["arguments"] == {"smoothness": 2}
    done = shell("train", "--resume", run, "--epochs", 2)
    assert done.returncode == 0, done.stdout + done.stderr
    out = tmp_path / "a.npz"
    done = shell("sample", run, "-n", 3, "--contrast", 0, "--out", out, "--backend", backend_name)
    assert done.returncode == 0, done.stdout + done.stderr
    with np.load(out) as found:
        images = found["images"]
    assert np.ptp(images, axis=0).max() < 1e-6  # All are the mean image.
    done = shell("train", "lsgan", "--help")
    assert "centred_gan: " in done.stdout.lower()
