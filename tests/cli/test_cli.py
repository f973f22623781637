"""The command line: what it writes, what it prints, and its exit codes."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image
from processes import run_on_a_small_disk

import kerasgan
from kerasgan import catalogue, networks, storage
from kerasgan.backend import private
from kerasgan_cli import main

SMALL = ["--latent-dim", "4", "--width", "4", "--network", "mlp", "--epochs", "1"]


def write_images(path):
    images = np.random.default_rng(0).integers(0, 256, (80, 12, 12), dtype="uint8")
    np.savez(path, images=images)
    return path


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "images.npz")


@pytest.fixture
def command(capsys, monkeypatch, backend_name):
    """Run the command in this process; return its exit code, output and errors."""
    monkeypatch.setenv("KERAS_BACKEND", backend_name)

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
    assert {p.name for p in (run_folder / "samples").iterdir()} == {"epoch_0001.png", "epochs.webp"}


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


def test_a_recipe_gives_the_options_that_the_command_line_does_not(command, data, tmp_path):
    code, out, _ = command("train", "gan", "--data", data, *SMALL, "--lr", 0.01, "--dry-run")
    assert code == 0
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({**json.loads(out), "about": {"title": "mine"}, "images": 64}))
    code, again, err = command("train", "--recipe", recipe, "--dry-run")
    assert code == 0 and json.loads(again) == json.loads(out), err
    code, changed, _ = command("train", "--recipe", recipe, "--lr", 0.5, "--dry-run")
    rates = {player: {"learning_rate": 0.5} for player in ("generator", "critic")}
    assert json.loads(changed) == {**json.loads(out), "optimizers": rates}
    code, other, _ = command("train", "dragan", "--recipe", recipe, "--dry-run")
    assert json.loads(other) == {**json.loads(out), "variant": "dragan"}
    flat = tmp_path / "flat.json"  # As version 0.1 wrote them.
    flat.write_text(json.dumps({"data": str(data), "lr": 0.5, "guard": "warn"}))
    code, old, _ = command("train", "gan", "--recipe", flat, *SMALL, "--dry-run")
    assert json.loads(old)["optimizers"] == rates and json.loads(old)["run"]["guard"] == "warn"


FLAGS = [
    option
    for option in (
        *(o for entry in catalogue.VARIANTS.values() for o in entry.options),
        *catalogue.LOADING,
        *catalogue.PLAIN,
    )
    if option.kind == "flag" and option.shell
]


@pytest.mark.parametrize("option", FLAGS, ids=lambda option: option.name)
def test_a_flag_of_a_recipe_can_be_taken_back(command, data, tmp_path, option):
    variant = next((n for n, e in catalogue.VARIANTS.items() if option in e.options), "gan")
    given = ["train", variant, "--data", data, "--dry-run"]
    _, out, _ = command(*given, option.flag)
    (tmp_path / "recipe.json").write_text(out)
    back = option.flag.replace("--", "--no-", 1)
    code, again, err = command(*given, "--recipe", tmp_path / "recipe.json", back)
    assert code == 0, err
    _, never, _ = command(*given, back)
    assert f'"{option.name}": true' in out and json.loads(again) == json.loads(never)


def test_a_recipe_may_hold_what_the_command_line_mends(command, data, tmp_path):
    recipe = tmp_path / "recipe.json"
    stored = {"format": 2, "variant": "gan", "data": {"name_or_path": str(data)}}
    penalty = {"kind": "r1", "weight": 1.0, "every": 16}
    recipe.write_text(json.dumps({**stored, "augment": {"kind": "ada"}, "penalties": [penalty]}))
    given = ["train", "wgan", "--recipe", recipe, "--dry-run"]
    assert command(*given)[0] == 2
    code, out, err = command(*given, "--augment", "diffaugment", "--r1", 5)
    assert code == 0, err
    assert json.loads(out)["penalties"] == [{**penalty, "weight": 5.0}]


def test_a_path_in_a_recipe_holds_from_any_folder(command, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"model": "gan", "data": data.name}))
    code, out, err = command("train", "--recipe", recipe, "--dry-run")
    assert code == 0, err
    assert json.loads(out)["data"]["name_or_path"] == str(data.resolve())


def test_a_recipe_in_critic_steps_needs_epochs(command, data, tmp_path):
    recipe = tmp_path / "recipe.json"
    stored = {"format": 2, "variant": "gan", "data": {"name_or_path": str(data)}}
    recipe.write_text(json.dumps({**stored, "length": {"steps": 10}}))
    code, _, err = command("train", "--recipe", recipe, "--run-dir", tmp_path / "r")
    assert code == 2 and "--epochs is needed" in err and not (tmp_path / "r").exists()
    code, out, _ = command("train", "--recipe", recipe, "--epochs", 2, "--dry-run")
    assert code == 0 and json.loads(out)["length"] == {"epochs": 2}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "recipe.json: "),
        ("[1]", "must be a JSON object"),
        ('{"model": "gan", "epohcs": 3}', "epochs"),
        ('{"model": "gan", "data": "avatars", "epochs": "many"}', "many"),
        ('{"data": "avatars"}', "`model` must be one of"),
        ('{"model": "gan", "data": "avatars", "epochs": 2.9}', "`epochs` must be"),
        ('{"model": "gan", "data": "avatars", "latent_dim": true}', "`latent_dim` must be"),
        ('{"model": "gan", "data": "avatars", "conditional": "no"}', "`conditional` must be"),
        ('{"model": "gan", "data": ["img.npz"]}', "`name_or_path` must be"),
        ('{"model": "gan", "data": "avatars", "lr": "fast"}', "`learning_rate` must"),
        ('{"format": 2, "variant": "gan", "data": {"limit": 0}}', "`limit` must be"),
        ('{"format": 2, "variant": "gan", "colour": 1}', "colour"),
        ('{"format": 9, "variant": "gan"}', "a later kerasgan"),
        ('{"model": "gan"}', "--data is needed"),
        ('{"model": "gan", "data": "avatars", "guard": "maybe"}', "`guard` must be one of"),
        ('{"model": "gan", "data": "avatars", "grid_every": 0}', "`grid_every` must be"),
        ('{"format": 2, "variant": "gan", "run": {"colour": 1}}', "`run` must be a JSON object"),
        ('{"format": 2, "variant": "gan", "run": 3}', "`run` must be a JSON object"),
        ('{"format": 2, "variant": "gan", "networks": 3}', "`networks` must be a JSON object"),
        ('{"format": 2, "variant": "gan", "penalties": [3]}', "must be a JSON object"),
    ],
)
def test_bad_recipes(command, tmp_path, text, reason):
    recipe = tmp_path / "recipe.json"
    recipe.write_text(text)
    code, _, err = command("train", "--recipe", recipe, "--dry-run")
    assert code == 2 and reason in err


def test_a_run_goes_on_with_its_own_options_and_not_with_a_recipe(command, run_folder):
    recipe = run_folder / "options.json"
    code, _, err = command("train", "--resume", run_folder, "--recipe", recipe)
    assert code == 2 and "--recipe and --resume" in err


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


def test_existing_outputs_are_kept(command, run_folder, tmp_path):
    out = tmp_path / "grid.png"
    out.write_text("mine")
    code, _, err = command("sample", run_folder, "--out", out)
    assert code == 2 and "--overwrite" in err and out.read_text() == "mine"
    assert command("sample", run_folder, "--out", out, "--overwrite")[0] == 0
    assert Image.open(out).size[0] > 100


USAGE = [
    (["train", "wgan_pg", "--data", "mnist"], "nearest: wgan_gp"),
    (["train"], "MODEL is needed"),
    (["train", "gan"], "--data is needed"),
    (["train", "gan", "--data", "mnits"], "mnist"),
    (["train", "gan", "--data", "no/such/folder"], "no/such/folder"),
    (["train", "gan", "--data", "mnist", "--clip", "0.1"], "--clip is no option of gan"),
    (["train", "gan", "--data", "mnist", "--backend", "theano"], "theano"),
    (["train", "gan", "--data", "mnist", "--epochs", "0"], "--epochs"),
    (["train", "gan", "--data", "mnist", "--image-size", "30"], "28, 32, 64, 128"),
    (["train", "gan", "--data", "mnist", "--style", "r3gan"], "--style is no option of dcgan"),
    (["train", "gan", "--data", "mnist", "--network", "nice"], "--network of gan must be one of"),
    (["train", "gan", "--data", "mnist", "--conditioning", "concat"], "goes with --conditional"),
    (["train", "gan", "--data", "mnist", "--packing", "3"], "--batch-size must be divisible"),
    (["train", "infogan", "--data", "mnist", "--categorical", "10,0"], "--categorical must be"),
    (["train", "infogan", "--data", "mnist", "--categorical", "many"], "must be integers"),
    (["train", "infogan", "--data", "mnist", "--categorical", "1"], "--categorical must be"),
    (["train", "flow_gan", "--data", "mnist", "--critic-norm", "batch"], "is no option of flow"),
    (["train", "wgan_gp", "--data", "mnist", "--critic-norm", "batch"], "--critic-norm must not"),
    (["train", "wgan", "--data", "mnist", "--augment", "ada"], "--augment ada reads"),
    (["train", "gan", "--data", "no/such/folder", "--dry-run"], "must be a path that exists"),
    (["train", "gan", "--data", "images.npz", "--dry-run"], "must be a path that exists"),
    (["train", "gan", "--data", ".", "--split", "test"], "--split: goes with data of the kinds"),
    (["train", "gan", "--data", "mnist", "--guard", "off", "--guard-every", "9"], "--guard is off"),
    (["evaluate", "wgan_gp_fashion_mnist", "--data", "no/such/folder"], "a path that exists"),
    (["sample", "wgan_gp_fashion_minst"], "wgan_gp_fashion_minst"),
    (["sample", "missing/run"], "does not exist"),
    (["sample", "x", "--out", "picture.tiff"], ".png or .npz"),
    (["sample", "x", "--interpolate", "3"], "two seeds"),
    (["zoo", "show", "nothing"], "nothing"),
    (["nonsense"], "nonsense"),
]


def test_contradictions_are_found_without_keras(tmp_path):
    """Before data is read, and before Keras is imported, which takes seconds."""
    for options in (
        ["flow_gan", "--data", "avatars", "--adversarial-weight", "0", "--nll-weight", "0"],
        ["gan", "--data", "avatars", "--image-size", "30"],
        ["gan", "--data", str(tmp_path), "--split", "test"],
    ):
        code = (
            f"import sys; from kerasgan_cli import main\ntry: main({['train', *options]!r})\n"
            "except SystemExit as stop: sys.exit(stop.code if 'keras' not in sys.modules else 9)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 2, done.stderr


@pytest.mark.parametrize(("arguments", "words"), USAGE, ids=[" ".join(a) for a, _ in USAGE])
def test_usage_errors_exit_with_2(command, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*arguments)
    assert code == 2, out + err
    assert words in err
    assert not list(tmp_path.iterdir())


def folder_of(tmp_path, count, size=32):
    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype="uint8")
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i}.png")
    return folder


def failing(tmp_path):
    good = np.zeros((80, 12, 12), "float32")
    for name, images in {"nan": np.where(np.arange(80)[:, None, None] == 1, np.nan, good)}.items():
        np.save(tmp_path / f"{name}.npy", images)
    (tmp_path / "empty").mkdir()
    small = folder_of(tmp_path, 70)
    np.save(tmp_path / "few.npy", np.zeros((10, 12, 12), "uint8"))
    return {
        "NaN in the data": (["--data", tmp_path / "nan.npy"], "NaN"),
        "an empty folder": (["--data", tmp_path / "empty", "--image-size", 28], "empty"),
        "images smaller than asked": (["--data", small, "--image-size", 64], "--upscale|upscale"),
        "a batch larger than the data": (["--data", tmp_path / "few.npy"], "batch_size"),
    }


FAILURES = ["NaN in the data", "an empty folder", "images smaller than asked",
            "a batch larger than the data"]  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_failures_exit_with_1_and_write_nothing(command, tmp_path, monkeypatch, name):
    import re

    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))
    arguments, words = failing(tmp_path)[name]
    code, out, err = command("train", "gan", *arguments, "--run-dir", tmp_path / "r", *SMALL)
    assert code == 1, out + err
    assert re.search(words, err)
    assert not (tmp_path / "r").exists()


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_can_be_resumed(
    command, data, tmp_path, in_the_third_epoch, number
):
    in_the_third_epoch(lambda model: signal.raise_signal(number))
    code, out, err = command(
        "train", "gan", "--data", data, "--run-dir", tmp_path, *SMALL, "--epochs", 5,
        "--batch-size", 8,
    )  # fmt: skip
    run = tmp_path / "0001-gan-images"
    assert code == 130 and f"kerasgan train --resume {run}" in out, out + err
    steps = keras.saving.load_model(run / "checkpoint.keras").critic_steps
    assert 20 < steps < 30  # Within the third epoch of ten steps.
    in_the_third_epoch(lambda model: None)
    assert command("train", "--resume", run)[0] == 0
    assert keras.saving.load_model(run / "model.keras").critic_steps == 50


def test_a_diverging_training_keeps_the_last_good_state(
    command, data, tmp_path, in_the_third_epoch
):
    def destroy(model):
        weights = model.critic.get_weights()
        model.critic.set_weights([np.full_like(w, np.nan) for w in weights])

    in_the_third_epoch(destroy)
    code, _, err = command(
        "train", "wgan_gp", "--data", data, "--run-dir", tmp_path / "r", *SMALL,
        "--epochs", 60, "--batch-size", 8, "--guard", "off",
    )  # fmt: skip
    assert code == 1
    checkpoint = tmp_path / "r" / "0001-wgan_gp-images" / "checkpoint.keras"
    assert "diverged" in err and str(checkpoint) in err
    kept = keras.saving.load_model(checkpoint)
    assert kept.critic_steps == 2 * 10
    assert all(np.isfinite(w).all() for w in kept.get_weights())


def test_an_epoch_that_destroys_the_weights_is_not_kept(command, data, tmp_path):
    code, out, err = command(
        "train", "gan", "--data", data, "--run-dir", tmp_path / "r", *SMALL,
        "--epochs", 3, "--lr", 1e38, "--critic-lr", 1e-4, "--guard", "off",
    )  # fmt: skip
    assert code == 1 and "diverged" in err and "no good state" in err, out + err
    assert not list(tmp_path.glob("r/*/*.keras"))


def test_nan_within_an_epoch_ends_the_training(command, data, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (900, 12, 12), dtype="uint8")
    np.save(tmp_path / "many.npy", images)
    code, _, err = command(
        "train", "wgan_gp", "--data", tmp_path / "many.npy", "--run-dir", tmp_path / "r", *SMALL,
        "--batch-size", 4, "--lr", 1e30, "--guard", "off",
    )  # fmt: skip
    assert code == 1 and "in batch" in err and "no good state" in err


def test_the_guard_stops_a_training_without_a_healthy_state(command, data, tmp_path):
    code, out, err = command(
        "train", "gan", "--data", data, "--run-dir", tmp_path / "r", *SMALL,
        "--epochs", 60, "--lr", 1e18, "--batch-size", 8,
    )  # fmt: skip
    assert code == 3, out + err
    assert "ended collapsed" in err and "report.html" in err
    assert "guard: stop" in out
    run = tmp_path / "r" / "0001-gan-images"
    assert "What the guard did" in (run / "report.html").read_text()
    assert not list(run.glob("*.keras"))


def test_the_guard_shows_the_diversity_and_reports(command, data, run_folder):
    header, row = (run_folder / "metrics.csv").read_text().splitlines()
    found = dict(zip(header.split(","), row.split(","), strict=True))
    assert 0 <= float(found["diversity"]) <= 1.5
    (run_folder / "report.html").unlink()
    code, out, _ = command("report", run_folder)
    assert code == 0 and out.strip() == str(run_folder / "report.html")
    assert "Diversity" in (run_folder / "report.html").read_text()
    shutil.rmtree(run_folder / "guard")
    code, _, err = command("report", run_folder)
    assert code == 1 and "journal.json" in err and "Found: checkpoint.keras" in err
    assert "Errno" not in err


def test_without_a_guard_nothing_is_checked(command, data, tmp_path):
    code, out, _ = command(
        "train", "gan", "--data", data, "--run-dir", tmp_path / "r", *SMALL, "--guard", "off"
    )
    assert code == 0 and "diversity" not in out
    run = tmp_path / "r" / "0001-gan-images"
    assert not (run / "guard").exists() and not (run / "report.html").exists()


@pytest.fixture
def stored_trials(tmp_path):
    """A folder with three trials of the plain GAN and one of WGAN on the ring, of 20 steps."""
    from kerasgan.bench.modes.tasks import TASKS

    recipes = {recipe["name"]: recipe for recipe in TASKS["ring"].recipes()}
    scores = {"modes_covered": 4.0, "high_quality": 0.9, "mode_kl": 0.7}
    lines = [
        {
            "benchmark": "ring", "recipe": recipes[name], "seed": seed, "steps": 20,
            "moments": [{"step": 20, "ema": scores, "raw": scores}], "real": scores,
            "floor": {**scores, "modes_covered": 8.0}, "data": "points", "judge": "centres",
            "seconds": 60.0, "core_seconds": 60.0,
            "environment": {"backend": "jax", "machine": "a machine", "cores": 2},
        }
        for name, seed in (("gan", 0), ("gan", 1), ("gan", 2), ("wgan", 0))
    ]  # fmt: skip
    (tmp_path / "ring.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return tmp_path


def test_bench_makes_its_table_of_all_that_is_there(command, stored_trials):
    code, out, err = command(
        "bench",
        "ring",
        "--models",
        "gan",
        "--trials",
        "1",
        "--budget",
        "20",
        "--out",
        stored_trials,
    )
    assert code == 0, out + err
    assert "1 of 1 trials are there already" in out
    table = (stored_trials / "ring-20.md").read_text()
    assert "| GAN | 4.0 ± 0.0 |" in table and "| WGAN | 4.0 |" in table
    assert (stored_trials / "ring-20.png").exists() or "matplotlib" in out
    assert not (stored_trials / "ring.md").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--models", "gann"), "'gann' is no recipe of ring"),
        (("--budget", "hour"), "neither a number of steps nor short or paper"),
        (("--budget", "0"), "neither a number of steps"),
        (("--trials", "0"), "--trials"),
        (("--workers", "0"), "--workers"),
    ],
)
def test_bench_refuses_what_it_cannot_do(command, tmp_path, arguments, message):
    code, out, err = command("bench", "ring", *arguments, "--out", tmp_path)
    assert code == 2 and message in out + err
    assert not list(tmp_path.iterdir())


def test_bench_collapse_reruns_the_exam(command):
    code, out, err = command("bench", "collapse", "--half", "both")
    assert code == 0, err
    assert "AUROC" in out and "false alarms" in out
    code, _, err = command("bench", "collapse", "--only", "no such run")
    assert code == 2 and "no such run" in err
    assert command("bench", "collapse", "--policy", "stop")[0] == 2
    code, out, _ = command("bench", "collapse", "--rescues")
    assert code == 0 and "rescue: " in out and "mean modes" in out


def test_a_longer_end_is_remembered(command, data, run_folder, tmp_path):
    assert command("train", "--resume", run_folder, "--epochs", 2)[0] == 0
    options = json.loads((run_folder / "options.json").read_text())
    assert options["length"] == {"epochs": 2} and options["environment"]["backend"]
    rows = (run_folder / "metrics.csv").read_text().splitlines()
    assert len(rows) == 3


def test_a_run_goes_on_from_another_directory(command, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command("train", "gan", "--data", "images.npz", "--run-dir", "r", *SMALL)[0] == 0
    monkeypatch.chdir("/")
    run = tmp_path / "r" / "0001-gan-images"
    assert command("train", "--resume", run, "--epochs", 2)[0] == 0


def test_damaged_options_are_named(command, run_folder):
    (run_folder / "options.json").write_text("{}")
    code, _, err = command("train", "--resume", run_folder)
    assert code == 1 and "options.json is damaged" in err


def test_resume_refuses_other_options(command, run_folder):
    code, _, err = command("train", "--resume", run_folder, "--batch-size", 8)
    assert code == 2 and "--batch-size" in err
    code, _, err = command("train", "--resume", run_folder / "samples")
    assert code == 1 and "not a run folder: `kerasgan train` makes one" in err
    assert "options.json" in err and "Found: epoch_0001.png, epochs.webp" in err
    assert "Errno" not in err


def test_a_keras_file_with_code_is_refused(command, tmp_path):
    layer = keras.layers.Lambda(lambda x: x)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.save(tmp_path / "code.keras")
    code, _, err = command("sample", tmp_path / "code.keras", "--out", tmp_path / "o.png")
    assert code == 1 and "cannot be loaded" in err
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
    with open(tmp_path / "p" / "model.weights.h5", "ab") as file:
        file.write(b"x")
    code, _, err = command("sample", tmp_path / "p", "--out", tmp_path / "o.png")
    assert code == 1 and "SHA-256" in err


def test_an_unwritable_place_is_an_error(command, data, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = command("train", "gan", "--data", data, "--run-dir", tmp_path / "file/r", *SMALL)
    assert code == 1 and str(tmp_path / "file") in err


@pytest.mark.slow
def test_a_full_disk_keeps_the_last_good_state(data, tmp_path, backend_name):
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    # Enough for two checkpoints, of which one is being written, and for some pictures.
    train = [sys.executable, "-m", "kerasgan_cli", "train", "gan", "--data", data, *SMALL]
    train += ["--run-dir", disk, "--epochs", 40, "--guard", "off", "--backend", backend_name]
    keep = f'"$@"; code=$?; cp -r {shlex.quote(str(disk))} {shlex.quote(str(kept))}; exit $code'
    done = run_on_a_small_disk("400k", disk, ["sh", "-c", keep, "sh", *train])
    assert done.returncode == 1, done.stdout + done.stderr
    assert "No space left on device" in done.stderr and "Traceback" not in done.stderr
    assert f"kept in {disk / '0001-gan-images' / 'checkpoint.keras'}" in done.stderr
    run = kept / "0001-gan-images"
    model = keras.saving.load_model(run / "checkpoint.keras")
    rows = (run / "metrics.csv").read_text().splitlines()[1:]
    assert 1 < model.critic_steps <= len(rows) < 40  # One step an epoch.
    for path in (run / "samples").iterdir():
        Image.open(path).load()
    assert not [path for path in kept.rglob("*") if "tmp" in path.name]


def test_a_backend_that_is_not_installed_shows_the_pip_line(command, data, monkeypatch):
    from kerasgan_cli import common

    monkeypatch.setattr(common.importlib.util, "find_spec", lambda name: None)
    code, _, err = command("train", "gan", "--data", data, "--backend", "jax")
    assert code == 1 and "pip install 'kerasgan[jax]'" in err


def test_debug_shows_the_traceback(run_folder, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "gan", "--data", str(tmp_path / "images.npz"), *SMALL, "--debug",
              "--batch-size", "999", "--run-dir", str(tmp_path / "r")])  # fmt: skip
    assert stop.value.code == 1
    assert "Traceback" in capsys.readouterr().err


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
        for result in metadata["card"]["results"]:
            assert result["name"].replace("_", " ") in shown
        code, shown, _ = command("zoo", "show", name, "--json")
        assert code == 0 and json.loads(shown) == metadata


def test_evaluate_prints_baselines_and_writes_json(command, run_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))
    real = tmp_path / "real.npz"
    rng = np.random.default_rng(1)
    np.savez(
        real,
        images=rng.integers(0, 256, (240, 12, 12), dtype="uint8"),
        labels=np.arange(240) % 3,
    )
    out_file = tmp_path / "scores.json"
    options = ["--samples", 120, "--extractor", "random_projection", "--json", out_file]
    metrics = ["--metrics", "coverage,ms_ssim,classes"]
    code, out, err = command("evaluate", run_folder, "--data", real, *options, *metrics)
    assert code == 0, out + err
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["score", "real", "images", "floor"]
    assert {"coverage", "ms_ssim", "classes_covered", "class_kl", "class"} <= {
        line[0] for line in lines if line
    }
    assert "120 generated images (seed 0) against 120 real ones of real.npz" in out
    stored = json.loads(out_file.read_text())["results"]
    assert {r["name"] for r in stored} == {"coverage", "ms_ssim", "classes_covered", "class_kl"}
    assert all(r["provenance"]["samples"] == 120 for r in stored)
    code, _, err = command("evaluate", run_folder, "--data", real, *options)
    assert code == 2 and "--overwrite" in err


def test_evaluate_takes_a_runs_own_data(command, run_folder):
    code, _, err = command("evaluate", run_folder)
    assert code == 1 and "at least 200 real images" in err and "Received: 80" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics", "fid"], "nearest: "),
        (["--metrics", "classes"], "`labels` are needed for classes"),
        (["--samples", "5"], "--samples"),
        (["--extractor", "inception"], "--extractor"),
        (["--data", "mnits"], "mnist"),
    ],
)
def test_evaluate_refuses(command, run_folder, tmp_path, arguments, message):
    real = tmp_path / "real.npy"
    np.save(real, np.random.default_rng(1).integers(0, 256, (240, 12, 12), dtype="uint8"))
    given = arguments if "--data" in arguments else ["--data", real, *arguments]
    code, _, err = command("evaluate", run_folder, *given)
    assert code in (1, 2) and message in err


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
    metadata["files"]["golden.npz"]["sha256"] = storage.sha256(preset / "golden.npz")
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
