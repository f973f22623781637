"""`kerasgan convert`, and what goes on from a converted network."""

import hashlib
import json

import keras
import numpy as np
import pytest
import written_networks as written
import written_r3gan
from PIL import Image

import kerasgan
from kerasgan import networks
from kerasgan.adversarial import freezing

SMALL = {"image_size": 8, "latent_dim": 4, "channel_base": 64, "channel_max": 4}


@pytest.fixture
def file(tmp_path):
    generator, critic = networks.stylegan2(**SMALL, mapping_layers=1, reduced=0)
    parts = {"G_ema": written.generator(generator), "D": written.critic(critic)}
    return written.write(tmp_path / "heads.pkl", **parts, G=written.generator(generator))


def test_a_preset_is_made_and_used(command, file, tmp_path):
    out = tmp_path / "deep" / "heads"
    given = ["convert", file, "--out", out]
    code, said, err = command(*given, "--license", "CC BY-NC 4.0", "--origin", "https://x.org/h")
    assert code == 0, err
    assert f"wrote {out}: a StyleGAN2 of 8x8x3, from G_ema, G, D" in said
    notes = json.loads((out / "metadata.json").read_text())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert notes["converted_from"] == {"file": "heads.pkl", "sha256": digest}
    card = (out / "README.md").read_text()
    for words in ("# heads", "CC BY-NC 4.0", "https://x.org/h", digest):
        assert words in card
    gan = kerasgan.from_preset(out)
    code, _, err = command("sample", out, "-n", 4, "--truncation", 0.5, "--out", tmp_path / "s.png")
    assert code == 0, err
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.size == (17, 17)
    code, _, err = command(*given, "--license", "x")
    assert code == 2 and "--overwrite" in err
    code, _, err = command(*given, "--license", "x", "--half", "--overwrite")
    assert code == 0, err
    half = kerasgan.from_preset(out).sample(4, seed=0)
    np.testing.assert_allclose(half, gan.sample(4, seed=0), atol=0.02)


def test_it_is_trained_on(command, file, tmp_path):
    out = tmp_path / "heads"
    assert command("convert", file, "--out", out, "--license", "none")[0] == 0
    images = np.random.default_rng(0).integers(0, 256, (48, 8, 8, 3), dtype="uint8")
    np.save(tmp_path / "images.npy", images)
    given = ["--from", out, "--steps", 2, "--batch-size", 8, "--guard", "off"]
    code, _, err = command("train", tmp_path / "images.npy", *given, "--run-dir", tmp_path / "r")
    assert code == 0, err
    (run,) = (tmp_path / "r").iterdir()
    options = json.loads((run / "options.json").read_text())
    assert options["variant"] == "stylegan2" and options["networks"]["channel_max"] == 4
    assert command("train", "--resume", run, "--steps", 3)[0] == 0


def test_a_file_without_a_critic_is_told(command, file, tmp_path):
    generator, _ = networks.stylegan2(**SMALL)
    written.write(file, G_ema=written.generator(generator))
    code, said, err = command("convert", file, "--out", tmp_path / "p", "--license", "MIT")
    assert code == 0 and "from G_ema" in said and "holds no critic" in err
    assert "new, since the file has none" in (tmp_path / "p" / "README.md").read_text()


def test_what_is_no_network_leaves_nothing_behind(command, file, tmp_path):
    out = tmp_path / "p"
    code, _, err = command("convert", file, "--out", out)
    assert code == 2 and "--license" in err
    file.write_bytes(file.read_bytes()[:-100])
    code, _, err = command("convert", file, "--out", out, "--license", "MIT")
    assert code == 1 and "heads.pkl must be a whole pickle" in err
    code, _, err = command("convert", tmp_path / "none.pkl", "--out", out, "--license", "MIT")
    assert code == 2 and not out.exists()


def test_networks_of_r3gan_are_trained_on_with_frozen_levels(command, tmp_path):
    size = {"image_size": 8, "latent_dim": 4, "width": 4, "depth": 1, "group_width": 4}
    generator, critic = networks.r3gan(**size)
    parts = {"G_ema": written_r3gan.generator(generator), "D": written_r3gan.critic(critic)}
    file = written_r3gan.write(tmp_path / "r3gan.pkl", **parts)
    out = tmp_path / "preset"
    code, said, err = command("convert", file, "--out", out, "--license", "MIT")
    assert code == 0 and f"wrote {out}: a R3GAN of 8x8x3, from G_ema, D" in said, err
    assert "--truncation" not in said and "truncation" not in (out / "README.md").read_text()
    images = np.random.default_rng(0).integers(0, 256, (48, 8, 8, 3), dtype="uint8")
    np.save(tmp_path / "images.npy", images)
    given = ["--from", out, "--freeze", 1, "--steps", 2, "--batch-size", 8, "--guard", "off"]
    code, _, err = command("train", tmp_path / "images.npy", *given, "--run-dir", tmp_path / "r")
    assert code == 0, err
    (run,) = (tmp_path / "r").iterdir()
    options = json.loads((run / "options.json").read_text())
    assert options["variant"] == "r3gan" and options["arguments"]["freeze"] == 1
    before, after = kerasgan.from_preset(out), keras.saving.load_model(run / "model.keras")
    levels = [freezing.levels(gan.critic) for gan in (before, after)]
    same = []
    for ours, theirs in zip(*levels, strict=True):
        pairs = zip(ours, theirs, strict=True)
        weights = [(a, b) for x, y in pairs for a, b in zip(x.weights, y.weights, strict=True)]
        same.append(all(np.array_equal(np.array(a), np.array(b)) for a, b in weights))
    assert same == [True, False]
