"""`kerasgan train --from`: on the networks of a preset, a run or a file."""

import json

import keras
import numpy as np
import pytest
from small_runs import folder_of, write_images

from kerasgan.recipe import Recipe
from kerasgan_cli import fine_tuning


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "others.npz")


@pytest.mark.parametrize("kind", ["run", "file", "lone file"])
def test_a_training_begins_with_trained_networks(command, run_folder, images, tmp_path, kind):
    source, words = run_folder, []
    if kind != "run":
        source = run_folder / "model.keras"
    if kind == "lone file":
        source, words = source.rename(tmp_path / "lone.keras"), ["gan"]
    before = keras.saving.load_model(source / "model.keras" if kind == "run" else source)
    code, _, err = command(
        "train", *words, images, "--from", source, "--lr", 1e-9, "--epochs", 1, "--guard", "off",
        "--run-dir", tmp_path / "new",
    )  # fmt: skip
    assert code == 0, err
    (run,) = (tmp_path / "new").iterdir()
    options = json.loads((run / "options.json").read_text())
    assert options["variant"] == "gan" and options["run"]["start"] == str(source)
    assert options["data"] == {"name_or_path": str(images), "image_size": 12, "channels": 1}
    after = keras.saving.load_model(run / "model.keras")
    assert after.critic_steps == 1
    for network in ("generator", "critic"):
        pairs = zip(
            getattr(before, network).trainable_variables,
            getattr(after, network).trainable_variables,
            strict=True,
        )
        assert pairs
        for a, b in pairs:
            np.testing.assert_allclose(np.array(a), np.array(b), atol=1e-6)
    # They are copies that train: with another rate they move.
    assert command("train", "--resume", run, "--epochs", 2)[0] == 0


def test_a_run_that_was_killed_before_its_first_epoch_begins_again(
    command, run_folder, images, tmp_path
):
    given = ["train", images, "--from", run_folder, "--epochs", 2, "--run-dir", tmp_path / "new"]
    assert command(*given)[0] == 0
    (run,) = (tmp_path / "new").iterdir()
    first = keras.saving.load_model(run / "model.keras").get_weights()
    for name in ("model.keras", "checkpoint.keras", "metrics.csv"):
        (run / name).unlink()
    assert command("train", "--resume", run)[0] == 0
    again = keras.saving.load_model(run / "model.keras").get_weights()
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--image-size", "28"], "Presets that fit: "),
        (["--channels", "3"], "--channels 3 does not fit"),
        (["--width", "8"], "--width cannot be given with --from"),
        (["--network", "mlp"], "--network cannot be given with --from"),
        (["--config", "cifar-10"], "--config cannot be given with --from"),
        (["--conditional"], "needs --no-conditional"),
    ],
)
def test_other_networks_are_refused(command, run_folder, images, words, said):
    code, _, err = command("train", images, "--from", run_folder, *words)
    assert code == 2 and said in err, err


def test_sources_that_there_are_not(command, run_folder, images, tmp_path):
    code, _, err = command("train", "gan", images, "--from", "r3gan_avatarz")
    assert code == 2 and "r3gan_avatars" in err
    code, _, err = command("train", images, "--from", "r3gan_avatarz")
    assert code == 2 and "r3gan_avatars" in err
    lone = (run_folder / "model.keras").rename(tmp_path / "lone.keras")
    code, out, err = command("train", images, "--from", lone, "--dry-run")
    assert code == 0 and json.loads(out)["variant"] == "gan", err  # The file knows its class.
    code, _, err = command("train", "--resume", run_folder, "--from", run_folder)
    assert code == 2 and "--from and --resume do not go together" in err


def test_presets_that_fit_are_those_of_the_size():
    assert fine_tuning.presets_of({"image_size": 64, "channels": 3}) == [
        "r3gan_avatars",
        "r3gan_emoji",
        "r3gan_moods",
        "stylegan2_personas",
        "wgan_avatars",
    ]


def test_a_recipe_goes_on_as_it_ended():
    recipe = Recipe("gan", optimizers={"critic": {"learning_rate": {"cosine": [1e-3, 1e-5]}}})
    ended = fine_tuning.as_it_ended(recipe)
    assert ended.optimizers["critic"]["learning_rate"] == 1e-5
    recipe = fine_tuning.recipe("r3gan_avatars", None)
    assert recipe.arguments["gamma"] == recipe.arguments["final_gamma"] == 0.1
    assert recipe.optimizers["critic"]["learning_rate"] == 2.5e-4
    assert recipe.arguments["burn_in"] == 1 and recipe.data == {}
    recipe.data = {"name_or_path": "avatars", "image_size": 64}
    Recipe.from_json(recipe.to_json())  # It is one.


def test_grey_networks_take_no_images_in_colour_unasked(command, run_folder, tmp_path):
    folder = folder_of(tmp_path, 40, 12)
    given = ["train", folder, "--from", run_folder, "--epochs", 1, "--guard", "off", "--limit", 40]
    given += ["--batch-size", 8, "--run-dir", tmp_path / "new"]
    code, _, err = command(*given)
    assert code == 2 and "makes grey images, and these are in colour: --channels 1" in err
    assert "r3gan_avatars" in err and not (tmp_path / "new").exists()
    assert command(*given, "--channels", 1)[0] == 0
