"""`kerasgan train`: what it writes and prints, and how its options reach the model."""

import json
import os
import shlex

import keras
import pytest
from small_runs import SMALL, folder_of

from kerasgan.backend import private
from kerasgan_cli import main


def test_train_writes_a_run_folder(run_folder):
    names = {path.name for path in run_folder.iterdir()}
    assert names == {
        "options.json", "metrics.csv", "samples", "model.keras", "checkpoint.keras", "guard",
        "report.html",
    }  # fmt: skip
    options = json.loads((run_folder / "options.json").read_text())
    assert (options["format"], options["variant"], options["batch_size"]) == (2, "gan", 64)
    assert options["length"] == {"epochs": 1} and options["run"]["guard"] == "rescue"
    assert options["images"] == 80 and "keras" in options["environment"]["versions"]
    names = {path.name for path in (run_folder / "samples").iterdir()}
    assert names == {"epoch_0001.png", "epochs.webp", "real.png"}
    assert 'alt="Real images"' in (run_folder / "report.html").read_text()


def test_run_folders_are_numbered(command, data, run_folder):
    code, *_ = command("train", "wgan", "--data", data, "--run-dir", run_folder.parent, *SMALL)
    assert code == 0
    assert (run_folder.parent / "0002-wgan-images").is_dir()


def test_options_reach_the_model(command, data, tmp_path):
    code, out, err = command(
        "train", "wgan_gp", "--data", data, "--run-dir", tmp_path / "r", *SMALL,
        "--gp-weight", 3, "--n-critic", 2, "--learning-rate", 0.002, "--critic-lr", 0.004,
        "--ema", 0,
    )  # fmt: skip
    assert code == 0, out + err
    gan = keras.saving.load_model(tmp_path / "r" / "0001-wgan_gp-images" / "model.keras")
    assert (gan.gp_weight, gan.n_critic, gan.ema) == (3, 2, None)
    assert float(gan.optimizer.generator_optimizer.learning_rate) == pytest.approx(0.002)
    assert float(gan.optimizer.critic_optimizer.learning_rate) == pytest.approx(0.004)


def test_what_is_printed_to_sample_works_each_time(command, data, tmp_path):
    _, out, _ = command("train", "gan", "--data", data, "--run-dir", tmp_path / "r 1", *SMALL)
    hint = shlex.split(out.splitlines()[-1])
    assert hint[:2] == ["kerasgan", "sample"]
    for _ in range(2):
        assert command(*hint[1:])[0] == 0


def test_what_a_backend_prints_while_keras_seeds_it_is_held_back(
    data, tmp_path, monkeypatch, capfd, backend_name
):
    seed = keras.utils.set_random_seed

    def loud(number):  # As TensorFlow, which Keras imports to seed it.
        os.write(2, b"oneDNN custom operations are on\n")
        seed(number)

    monkeypatch.setattr(keras.utils, "set_random_seed", loud)
    monkeypatch.setenv("KERAS_BACKEND", backend_name)
    with pytest.raises(SystemExit):
        main(["train", "gan", "--data", str(data), "--run-dir", str(tmp_path / "r"), *SMALL])
    out, err = capfd.readouterr()
    assert "done: " in out and "oneDNN" not in err


def test_dry_run_writes_nothing(command, data, tmp_path):
    code, out, _ = command(
        "train", "gan", "--data", data, "--run-dir", tmp_path / "r", *SMALL, "--dry-run"
    )
    assert code == 0 and json.loads(out)["variant"] == "gan"
    assert not (tmp_path / "r").exists()


def test_rates_fall_to_the_end_and_betas_reach_adam(command, data, tmp_path):
    code, out, err = command(
        "train", "wgan_gp", "--data", data, "--run-dir", tmp_path / "r", *SMALL, "--n-critic", 2,
        "--lr", 0.002, "--critic-lr", 0.004, "--final-lr", 2e-5, "--beta-1", 0.3, "--beta-2", 0.95,
        "--batch-size", 10,
    )  # fmt: skip
    assert code == 0, out + err
    gan = keras.saving.load_model(tmp_path / "r" / "0001-wgan_gp-images" / "model.keras")
    optimizer = gan.optimizer
    for own, first in ((optimizer.generator_optimizer, 0.002), (optimizer.critic_optimizer, 0.004)):
        assert float(private.learning_rate_setting(own)(0)) == pytest.approx(first)
        assert float(own.learning_rate) == pytest.approx(first / 100, rel=0.01)  # All was trained.
        assert (own.beta_1, own.beta_2) == (0.3, 0.95)


def test_the_critics_normalisation_can_be_chosen(command, data, tmp_path):
    for norm, layer in (("none", None), ("batch", "BatchNorm"), ("spectral", "Spectral")):
        run = tmp_path / norm
        code, out, err = command(
            "train", "gan", "--data", data, "--run-dir", run, *SMALL, "--critic-norm", norm
        )
        assert code == 0, out + err
        gan = keras.saving.load_model(run / "0001-gan-images" / "model.keras")
        kinds = {type(inner).__name__ for inner in private.flat_layers(gan.critic)}
        found = {name for name in ("BatchNorm", "Spectral") if any(name in k for k in kinds)}
        assert found == ({layer} if layer else set())


def test_the_critics_rate_may_fall_to_its_own_end(command, data, tmp_path):
    code, out, err = command(
        "train", "gan", "--data", data, "--run-dir", tmp_path / "r", *SMALL, "--lr", 0.002,
        "--final-lr", 0.002, "--final-critic-lr", 1e-6, "--batch-size", 10,
    )  # fmt: skip
    assert code == 0, out + err
    gan = keras.saving.load_model(tmp_path / "r" / "0001-gan-images" / "model.keras")
    assert float(gan.optimizer.generator_optimizer.learning_rate) == pytest.approx(0.002)
    assert float(gan.optimizer.critic_optimizer.learning_rate) == pytest.approx(1e-6, rel=0.01)


@pytest.mark.parametrize(
    ("model", "given", "reason"),
    [
        ("gan", ["--final-lr", 1e-5], "goes with --learning-rate"),
        ("gan", ["--lr", 1e-3, "--final-critic-lr", 1e-5], "goes with --final-learning-rate"),
        ("r3gan", ["--lr", 1e-3, "--final-critic-lr", 1e-5], "fall by one factor"),
        ("wgan", ["--beta-2", 0.9], "no Adam"),
        ("wgan", ["--lr", 1e-3, "--final-lr", 1e-5, "--warmup"], "do not go together"),
        ("r3gan", ["--beta-2", 0.9], "moves by itself"),
    ],
)
def test_options_of_rates_that_cannot_be(command, data, model, given, reason):
    code, _, err = command("train", model, "--data", data, *given, "--dry-run")
    assert code == 2 and reason in err


def test_unusable_files_are_listed_in_the_run(command, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))
    folder = folder_of(tmp_path, 70)
    (folder / "broken.png").write_bytes((folder / "1.png").read_bytes()[:200])
    (folder / "nothing.jpg").write_bytes(b"")
    code, out, err = command(
        "train", "gan", "--data", folder, "--image-size", 32, "--run-dir", tmp_path / "r", *SMALL
    )
    assert code == 0, out + err
    listed = (tmp_path / "r" / "0001-gan-pictures" / "skipped.txt").read_text()
    assert "broken.png" in listed and "nothing.jpg" in listed and "skipped 2" in err


def test_without_a_guard_nothing_is_checked(command, data, tmp_path):
    code, out, _ = command(
        "train", "gan", "--data", data, "--run-dir", tmp_path / "r", *SMALL, "--guard", "off"
    )
    assert code == 0 and "diversity" not in out
    run = tmp_path / "r" / "0001-gan-images"
    assert not (run / "guard").exists() and not (run / "report.html").exists()
