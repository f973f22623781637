"""`kerasgan sample`: images out of runs, files and presets, and files that are refused."""

import zipfile

import keras
import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import networks


@pytest.mark.parametrize("kind", ["run", "file", "preset"])
def test_sample_a_grid(command, run_folder, tmp_path, kind):
    source = {"run": run_folder, "file": run_folder / "model.keras", "preset": tmp_path / "p"}[kind]
    model = keras.saving.load_model(run_folder / "model.keras")
    model.save_to_preset(tmp_path / "p")
    out = tmp_path / "grid.png"
    code, *printed = command("sample", source, "-n", 9, "--seed", 7, "--out", out)
    assert code == 0, printed
    expected = kerasgan.pictures.grid(model.sample(9, seed=7))[..., 0]
    found = np.asarray(Image.open(out))
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)


def test_sample_into_a_folder_and_an_array(command, run_folder, tmp_path):
    assert command("sample", run_folder, "-n", 3, "--out", f"{tmp_path}/single/")[0] == 0
    assert sorted(p.name for p in (tmp_path / "single").iterdir()) == [
        "0000.png",
        "0001.png",
        "0002.png",
    ]
    assert command("sample", run_folder, "-n", 3, "--out", tmp_path / "a.npz")[0] == 0
    assert np.load(tmp_path / "a.npz")["images"].shape == (3, 12, 12, 1)


def test_interpolation_walks_from_one_seed_to_the_other(command, run_folder, tmp_path):
    for out, more in (("walk", ["--interpolate", "1:2", "-n", 5]), ("ends", ["-n", 1])):
        for seed in [1, 2] if out == "ends" else [0]:
            path = tmp_path / f"{out}{seed}.npz"
            assert command("sample", run_folder, *more, "--seed", seed, "--out", path)[0] == 0
    walk = np.load(tmp_path / "walk0.npz")["images"]
    for i, seed in ((0, 1), (4, 2)):
        end = np.load(tmp_path / f"ends{seed}.npz")["images"]
        np.testing.assert_allclose(walk[i], end[0], atol=1e-5)
    assert np.abs(np.diff(walk, axis=0)).max() > 0


def test_sampling_options_come_from_the_catalogue(command, run_folder, tmp_path):
    gan = kerasgan.InfoGAN(*networks.mlp(12, 1, latent_dim=16, width=4, depth=1))
    gan.save(tmp_path / "info.keras")
    given = ["sample", tmp_path / "info.keras", "-n", 2, "--seed", 3, "--out", tmp_path / "a.npz"]
    code, *printed = command(*given, "--codes", "categorical_0=3,continuous_1=-0.5")
    assert code == 0, printed
    expected = gan.sample(2, seed=3, codes={"categorical_0": 3, "continuous_1": -0.5})
    np.testing.assert_allclose(np.load(tmp_path / "a.npz")["images"], expected, atol=1e-6)
    for codes, words in (("colour=1", "--codes must be one of"), ("3", "name=number"),
                         ("categorical_0=11", "must lie in 0..9")):  # fmt: skip
        code, _, err = command(*given, "--overwrite", "--codes", codes)
        assert code == 2 and words in err
    out = ["--out", tmp_path / "b.npz"]
    code, _, err = command("sample", run_folder, *out, "--codes", "categorical_0=1")
    assert code == 2 and "--codes is no option of" in err and "its own: none" in err


def test_a_label_that_a_model_does_not_have(command, run_folder, tmp_path):
    out = ["--out", tmp_path / "a.npz"]
    code, _, err = command("sample", run_folder, *out, "--label", 1)
    assert code == 2 and "--label is for conditional models" in err and "has no classes" in err
    pair = networks.mlp(12, 1, latent_dim=4, width=4, depth=1, num_classes=10)
    kerasgan.GAN(*pair).save(tmp_path / "labelled.keras")
    code, _, err = command("sample", tmp_path / "labelled.keras", *out, "--label", 12)
    assert code == 2 and "--label must lie in 0..9" in err and "Received: 12\n" in err
    assert command("sample", tmp_path / "labelled.keras", *out, "--label", 9)[0] == 0


def test_a_preset_keeps_the_names_of_its_classes(command, tmp_path):
    pair = networks.mlp(12, 1, latent_dim=4, width=4, depth=1, num_classes=2)
    kerasgan.GAN(*pair).save_to_preset(tmp_path / "p", {"classes": ["cat", "dog"]})
    for label, number in (("dog", 1), ("0", 0)):
        out = tmp_path / f"{label}.npz"
        code, said, _ = command("sample", tmp_path / "p", "-n", 3, "--out", out, "--label", label)
        assert code == 0 and f"; class {('cat', 'dog')[number]}\n" in said
        expected = kerasgan.from_preset(tmp_path / "p").sample(3, seed=0, labels=number)
        np.testing.assert_allclose(np.load(out)["images"], expected, atol=1e-6)
    shown = command("zoo", "show", "conditional_gan_fashion_mnist")[1]
    assert "Classes: T-shirt/top, Trouser, Pullover" in shown
    given = ["--out", tmp_path / "o.npz", "--label", "cow"]
    code, _, err = command("sample", tmp_path / "p", *given)
    assert code == 2 and "one of the classes" in err and "cat, dog" in err


def test_existing_outputs_are_kept(command, run_folder, tmp_path):
    out = tmp_path / "grid.png"
    out.write_text("mine")
    code, _, err = command("sample", run_folder, "--out", out)
    assert code == 2 and "--overwrite" in err and out.read_text() == "mine"
    assert command("sample", run_folder, "--out", out, "--overwrite")[0] == 0
    assert Image.open(out).size[0] > 100


def test_a_keras_file_with_code_is_refused(command, tmp_path):
    layer = keras.layers.Lambda(lambda x: x)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.save(tmp_path / "code.keras")
    code, _, err = command("sample", tmp_path / "code.keras", "--out", tmp_path / "o.png")
    assert code == 1 and "holds no model that is safe to load" in err
    assert not (tmp_path / "o.png").exists()


def test_foreign_and_damaged_files_are_refused(command, tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save(tmp_path / "foreign.keras")
    (tmp_path / "text.keras").write_text("no")
    with zipfile.ZipFile(tmp_path / "zip.keras", "w") as archive:
        archive.writestr("a", "b")
    for name in ("foreign", "text", "zip"):
        code, _, err = command("sample", tmp_path / f"{name}.keras", "--out", tmp_path / "o.png")
        assert code == 1 and f"{name}.keras" in err
    assert not (tmp_path / "o.png").exists()


def test_a_tampered_preset_is_refused(command, tmp_path):
    gan = kerasgan.GAN(*networks.mlp(12, 1, latent_dim=4, width=4, depth=1))
    gan.save_to_preset(tmp_path / "p")
    with open(tmp_path / "p" / "model.weights.h5", "rb+") as file:
        file.seek(-1, 2)
        last = file.read()
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    code, _, err = command("sample", tmp_path / "p", "--out", tmp_path / "o.png")
    assert code == 1 and "SHA-256" in err
