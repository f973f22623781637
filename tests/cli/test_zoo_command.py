"""`kerasgan zoo`: list, show, train and verify."""

import json
import os
import re
import shutil

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan import storage


def test_zoo_lists_and_shows(command):
    from kerasgan.presets import presets

    code, out, _ = command("zoo", "list")
    assert code == 0
    for name in presets():
        assert name in out
        code, shown, _ = command("zoo", "show", name)
        assert code == 0 and not {"{", "}", "|", "sha256"} & set(shown.split())
        recipe = json.loads((presets()[name] / "recipe.json").read_text())
        metadata = json.loads((presets()[name] / "metadata.json").read_text())
        assert re.search(rf"^variant +{recipe['variant']}$", shown, re.MULTILINE)
        assert re.search(rf"^data +{recipe['data']['name_or_path']}", shown, re.MULTILINE)
        lines = shown.splitlines()
        assert len(lines) <= 40 and max(map(len, lines)) <= 100, name
        assert "Limits: " in shown
        code, whole, _ = command("zoo", "show", name, "--all")
        for result in metadata["card"]["results"]:
            assert result["name"].replace("_", " ") in whole
        code, shown, _ = command("zoo", "show", name, "--json")
        assert code == 0 and json.loads(shown) == metadata


def test_the_list_has_the_figures_of_real_images_and_a_word_for_a_zero(command):
    code, out, _ = command("zoo", "list")
    assert code == 0
    table, *notes = out.strip().split("\n\n")
    rows = {line.split()[0]: line for line in table.splitlines()}
    assert rows["name"].endswith("scores (real images)")
    assert "Fréchet 1.68 (0.08), coverage 0.83 (0.97)" in rows["r3gan_fashion_mnist"]
    assert "1000 modes (1000)" in rows["relativistic_gan_stacked_mnist"]
    zeros = {name for name, row in rows.items() if "coverage 0.00" in row}
    assert "r3gan_avatars" in zeros
    assert {note.partition(":")[0] for note in notes} == zeros
    (note,) = (note for note in notes if note.startswith("r3gan_avatars"))
    words = " ".join(note.split())
    assert "EfficientNet-Lite0" in words and "noise of sd 0.2 to 0.3" in words


def test_a_card_that_says_much_is_cut(command, preset, monkeypatch):
    monkeypatch.setattr("kerasgan.presets.presets", lambda: {"p": preset})
    recipe = {
        "about": {"limits": "It is wrong. " * 200},
        "variant": "gan",
        "data": {"a": "b" * 300},
    }
    (preset / "recipe.json").write_text(json.dumps(recipe))
    code, out, err = command("zoo", "show", "p")
    assert code == 0, err
    lines = out.splitlines()
    assert len(lines) <= 40 and max(len(line) for line in lines if line != str(preset)) <= 100
    assert "(--all)" in out and str(preset) in lines
    code, whole, err = command("zoo", "show", "p", "--all")
    assert code == 0, err
    assert "(--all)" not in whole and "b" * 300 in whole


@pytest.fixture(scope="session")
def published(trained, tmp_path_factory):
    """A preset's folder, with a card, and the real images beside it."""
    from kerasgan import scorecard

    folder = tmp_path_factory.mktemp("published")
    model = keras.saving.load_model(trained / "model.keras")
    pixels = np.random.default_rng(0).integers(0, 256, (240, 12, 12), dtype="uint8")
    np.savez(folder / "real.npz", images=pixels)
    model.save_to_preset(folder / "p", half=True)
    halved = kerasgan.from_preset(folder / "p")
    card = scorecard.measure(halved, {"name_or_path": str(folder / "real.npz")}, samples=120)
    model.save_to_preset(folder / "p", {"card": card}, half=True)
    return folder


@pytest.fixture
def preset(published, tmp_path):
    """A copy of that preset, for the test to change; its card names the images beside it."""
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "p" / "metadata.json"
    path.write_text(path.read_text().replace(str(published), str(tmp_path)))
    return tmp_path / "p"


def test_verify_finds_what_is_as_published(command, preset):
    code, out, err = command("zoo", "verify", preset, "--metrics")
    assert code == 0, out + err
    assert "golden samples" in out and "frechet_distance" in out and "FAILED" not in out


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            lambda card: _frechet(card).update(value=0.5 * _frechet(card)["value"]),
            "frechet_distance",
        ),
        (lambda card: _frechet(card).update(baseline=123.0), "frechet_distance, real images"),
        (lambda card: card["noise"].update({"0.1": 0.5}), "frechet_distance of real images with"),
    ],
)
def test_verify_finds_figures_that_are_not_so(command, preset, change, found):
    path = preset / "metadata.json"
    metadata = json.loads(path.read_text())
    change(metadata["card"])
    path.write_text(json.dumps(metadata))
    code, out, _ = command("zoo", "verify", preset, "--metrics")
    assert code == 1 and re.search(rf"FAILED +{found}", out)
    assert out.count("FAILED") == 1
    assert command("zoo", "verify", preset)[0] == 0


def test_who_lacks_the_images_is_told_how_to_get_them(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = command("zoo", "verify", "r3gan_emoji", "--metrics")
    assert code == 1 and "FAILED" in out and "npm install emoji-datasource-google" in out
    code, _, err = command("zoo", "train", "r3gan_emoji", "--epochs", 1)
    assert code == 2 and "--data" in err and "npm install emoji-datasource-google" in err
    code, out, _ = command("zoo", "show", "r3gan_emoji")
    assert code == 0 and "npm install" in out
    _, _, err = command("zoo", "train", "r3gan_emoji", "--epochs", 0)
    assert "--epochs" in err


def _frechet(card):
    return next(r for r in card["results"] if r["name"] == "frechet_distance")


@pytest.mark.parametrize("card", [None, {}, {"results": []}, {"data": 3}])
def test_verify_finds_cards_without_figures(command, preset, card):
    path = preset / "metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "card": card}))
    code, out, _ = command("zoo", "verify", preset, "--metrics")
    assert code == 1 and "no figures that can be checked" in out


def test_a_card_says_what_to_read_and_nothing_else(command, preset, tmp_path):
    old = tmp_path / "victim" / "thesis.tmp-draft"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    path = preset / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["card"]["data"]["cache_dir"] = str(old.parent)
    path.write_text(json.dumps(metadata))
    code, out, _ = command("zoo", "verify", preset, "--metrics")
    assert code == 1 and "cache_dir" in out
    assert list(old.parent.iterdir()) == [old]


def test_verify_finds_other_data(command, preset):
    images = np.random.default_rng(1).integers(0, 256, (240, 12, 12), dtype="uint8")
    np.savez(preset.parent / "real.npz", images=images)
    code, out, _ = command("zoo", "verify", preset, "--metrics")
    assert code == 1 and "other data" in out


@pytest.mark.parametrize("name", ["golden.npz", "model.weights.h5"])
def test_verify_finds_altered_files(command, preset, name):
    data = bytearray((preset / name).read_bytes())
    data[len(data) // 2] ^= 1
    (preset / name).write_bytes(data)
    code, out, _ = command("zoo", "verify", preset)
    assert code == 1 and "FAILED" in out and "altered" in out


def test_verify_finds_samples_that_are_not_the_golden_ones(command, preset):
    images, seed = storage.golden_samples(preset)
    np.savez(preset / "golden.npz", images=images + np.float32(0.01), seed=seed)
    path = preset / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["files"]["golden.npz"] = storage.described(preset / "golden.npz")
    path.write_text(json.dumps(metadata))
    code, out, _ = command("zoo", "verify", preset)
    assert code == 1 and re.search(r"FAILED +golden samples: apart 0\.01", out)


def test_zoo_train_follows_the_recipe(command, tmp_path, data):
    code, out, err = command("zoo", "train", "nothing")
    assert code == 2 and "'nothing'" in err
    code, out, err = command("zoo", "train", "wgan_gp_fashion_mnist", "--epochs", 3, "--dry-run")
    options = json.loads(out)
    assert (options["variant"], options["data"]) == (
        "wgan_gp",
        {"name_or_path": "fashion_mnist"},
    )
    assert options["length"] == {"epochs": 3} and options["run"]["guard"] == "warn"
    for order in (["--epochs", 3, "wgan_gp_fashion_mnist"], ["wgan_gp_fashion_mnist", "dragan"]):
        code, _, err = command("zoo", "train", *order, "--dry-run")
        assert code == 2 and "NAME comes first" in err
