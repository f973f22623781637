"""What `kerasgan train` chooses for images, a machine and a time."""

import json
import types

import keras
import numpy as np
import pytest
from PIL import Image
from small_runs import SMALL

from kerasgan import sizes
from kerasgan.recipe import recommended
from kerasgan.text import counted
from kerasgan_cli import asked, plan
from kerasgan_cli.plan import Speed, in_epochs
from kerasgan_cli.runs import Run


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(40):
        pixels = rng.integers(0, 256, (40 + i, 40, 3), dtype="uint8")
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def small(monkeypatch):
    """Networks and measurements that take no time."""
    monkeypatch.setattr(recommended, "WIDTHS", (1, 2))
    monkeypatch.setattr(plan, "ROUNDS", 6)
    monkeypatch.setattr(plan, "SHORTEST", 1.0)
    monkeypatch.setattr(plan, "EPOCH_STEPS", 1)


def only(folder):
    (run,) = folder.iterdir()
    return run, json.loads((run / "options.json").read_text())


def test_a_folder_is_all_that_is_needed(command, photos, small, tmp_path):
    code, out, err = command("train", photos, "--time", "6s", "--run-dir", tmp_path / "r")
    assert code == 0, err
    run, options = only(tmp_path / "r")
    assert options["variant"] == "r3gan" and options["data"]["image_size"] == 32
    assert options["batch_size"] == 32 and options["augment"] == {"kind": "diffaugment"}
    assert options["arguments"]["burn_in"] == {"share": 0.9}
    assert options["networks"]["width"] in (1, 2)
    epochs, each = options["length"]["epochs"], options["length"]["steps_per_epoch"]
    gan = keras.saving.load_model(run / "model.keras")
    assert gan.critic_steps == epochs * each and gan.burn_in == round(0.9 * epochs * each)
    rows = (run / "metrics.csv").read_text().splitlines()
    assert len(rows) == epochs + 1
    told = {line.split()[0]: line for line in out.splitlines() if line[:1].isalpha()}
    assert {"run", "data", "model", "device", "length", "settings", "guard", "time"} < set(told)
    assert f"{counted(epochs * each, 'critic step')} of 32 images" in told["length"]
    assert "ms a step" in told["time"]
    assert err.count("reading the images") == 1


def test_what_is_given_comes_first_and_a_dry_run_shows_the_rest(command, photos, small, tmp_path):
    given = ["--width", 2, "--batch-size", 8, "--image-size", 28, "--steps", 100]
    code, out, err = command("train", photos, *given, "--run-dir", tmp_path / "r", "--dry-run")
    assert code == 0, err
    recipe = json.loads(out)
    assert recipe["networks"]["width"] == 2 and recipe["batch_size"] == 8
    assert recipe["data"]["image_size"] == 28 and recipe["arguments"]["gamma"] == 0.25
    assert recipe["length"] == {"epochs": 50, "steps_per_epoch": 2}
    assert "100 critic steps" in err and "ms a step" in err
    assert not (tmp_path / "r").exists()
    # What it shows is a recipe, with which nothing is chosen any more.
    (tmp_path / "recipe.json").write_text(out)
    code, again, err = command("train", "--recipe", tmp_path / "recipe.json", "--dry-run")
    assert code == 0 and json.loads(again) == recipe, err


def test_a_variant_in_front_keeps_its_own_settings(command, photos, small, tmp_path):
    code, out, err = command("train", "wgan", photos, "--image-size", 28, "--dry-run")
    assert code == 0, err
    recipe = json.loads(out)
    assert recipe["variant"] == "wgan" and recipe["length"] == {"epochs": 50}
    assert recipe["arguments"] == {} and recipe["augment"] is None


def test_steps_are_cut_into_epochs_and_go_on_exactly(command, data, tmp_path):
    small = [word for word in SMALL if word not in ("--epochs", "1")]
    options = ["train", "gan", data, *small, "--batch-size", 32, "--run-dir"]
    code, _, err = command(*options, tmp_path / "whole", "--steps", 40)
    assert code == 0, err
    whole, stored = only(tmp_path / "whole")
    assert stored["length"] == {"epochs": 4, "steps_per_epoch": 10}
    assert "4" in Run(whole).states() and not {"20", "40"} & set(Run(whole).states())
    code, _, err = command(*options, tmp_path / "parts", "--steps", 20)
    assert code == 0, err
    parts, _ = only(tmp_path / "parts")
    code, _, err = command("train", "--resume", parts, "--steps", 40)
    assert code == 0, err
    models = [keras.saving.load_model(run / "model.keras") for run in (whole, parts)]
    assert [model.critic_steps for model in models] == [40, 40]
    for a, b in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_goes_on_for_a_time(command, run_folder):
    rows = ["epoch,seconds", *(f"{epoch},2.0" for epoch in range(1, 11))]
    (run_folder / "metrics.csv").write_text("\n".join(rows) + "\n")
    code, out, err = command("train", "--resume", run_folder, "--time", "1m", "--dry-run")
    assert code == 0 and json.loads(out)["length"] == {"epochs": 40}, err
    code, _, err = command("train", "--resume", run_folder, "--epochs", 3, "--dry-run")
    assert code == 2 and "--epochs must be at least 10" in err
    (run_folder / "metrics.csv").unlink()
    code, _, err = command("train", "--resume", run_folder, "--time", "1m", "--dry-run")
    assert code == 2 and "--time needs a run that has finished an epoch" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "DATA is needed"),
        (["xgan", "photos"], "MODEL must be one of the known names; nearest: gan"),
        (["wgangp"], "nearest: wgan_gp"),
        (["gan", "a", "b"], "Received besides: b"),
        (["gan", "mnist", "--data", "mnist"], "Received besides: mnist"),
        (["gan", "nowhere/"], "must be a path that exists"),
        (["gan", "mnist", "--time", "1h", "--epochs", 5], "--epochs and --time do not go together"),
        (["gan", "mnist", "--steps", 5, "--epochs", 5], "--epochs and --steps do not go together"),
        (["gan", "mnist", "--time", "soon"], "must be a time such as 30m"),
        (["gan", "mnist", "--time", "0s"], "must be a time such as 30m"),
        (["gan", "mnist", "--time", "5"], "must be a time such as 30m"),
    ],
)
def test_what_cannot_be_meant_is_refused(command, words, said):
    code, _, err = command("train", *words)
    assert code == 2 and said in err, err


def test_steps_of_a_run_in_passes_are_refused(command, run_folder):
    code, _, err = command("train", "--resume", run_folder, "--steps", 100)
    assert code == 2 and "--epochs moves the end of this one" in err


def test_several_processes_are_told_the_length(command, data, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    code, _, err = command("train", data, "--time", "1h")
    assert code == 1 and "MODEL and one of --steps and --epochs must be given" in err


@pytest.mark.parametrize("steps", [1, 2, 7, 59, 60, 61, 997, 1000, 9000, 12345, 10**6])
def test_epochs_make_the_steps(steps):
    length = in_epochs(steps, 60)
    total = length["epochs"] * length["steps_per_epoch"]
    assert steps <= total < steps + length["steps_per_epoch"] and length["epochs"] <= 80
    if steps in (60, 9000, 10**6):
        assert total == steps


def test_a_time_is_filled():
    speed = Speed(start=20.0, step=0.1, epoch=2.0)
    for seconds in (60, 600, 3600, 86400):
        length = in_epochs(speed.steps(seconds), plan.epochs_in(seconds))
        assert abs(speed.seconds(length) / seconds - 1) < 0.1
    assert speed.steps(600, 2.0) == pytest.approx(speed.steps(600) / 2, abs=1)
    assert speed.steps(1) == 1


def test_sizes_are_those_that_nearly_all_images_have():
    assert sizes.advised([300], accelerated=True) == (256, False)
    assert sizes.advised([300]) == (64, False)
    assert sizes.advised([63], accelerated=True) == (48, False)
    assert sizes.advised([]) == (64, False)
    assert tuple(recommended.SIZES) == sizes.ADVISED


def test_a_few_small_images_are_enlarged_and_icons_keep_their_size():
    assert sizes.advised([64] * 9 + [16]) == (64, False)
    assert sizes.advised([64] * 8 + [16] * 2) == (28, True)
    assert sizes.advised([64] * 4 + [16] * 6) == (16, False)
    assert [sizes.advised([side]) for side in (27, 20, 19, 8, 5)] == [
        (24, False), (20, False), (16, False), (8, False), (8, True)
    ]  # fmt: skip


def test_batches_are_smaller_where_there_is_time_for_few_steps():
    assert recommended.batch_size(64, 64, steps=4000) == 64
    assert recommended.batch_size(64, 64, steps=3999) == 32
    assert recommended.batch_size(64, 16, steps=1) == 16


def test_a_short_training_takes_small_batches(command, small, tmp_path):
    np.save(tmp_path / "images.npy", np.zeros((80, 32, 32, 3), "uint8"))
    asked = ["train", tmp_path / "images.npy", "--time", "6s", "--dry-run"]
    for given, size in ([], 32), (["--batch-size", 64], 64):
        code, out, err = command(*asked, *given)
        assert code == 0, err
        assert json.loads(out)["batch_size"] == size
        assert f" of {size} images, " in err


def test_widths_leave_steps_enough():
    assert recommended.width(64, lambda w: 10**6) == recommended.WIDTHS[-1]
    assert recommended.width(64, lambda w: 1) == recommended.WIDTHS[0]
    assert recommended.width(64, lambda w: 160_000 // w) == 32


def test_epochs_are_neither_short_nor_long():
    assert plan.epochs_in(60) == 4 and plan.epochs_in(1800) == 60 and plan.epochs_in(86400) == 144
    assert in_epochs(24) == {"epochs": 2, "steps_per_epoch": 12}


@pytest.fixture
def clock(monkeypatch):
    """A clock for `plan.Times` that stands still."""
    moments = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(plan.time, "perf_counter", lambda: moments.now)
    return moments


def timed(times, clock, each, together=1, epoch=64):
    """Call the hooks as a training does, whose step `i` takes `each(i)`; return the steps taken."""
    model = types.SimpleNamespace(stop_training=False)
    times.set_model(model)
    times.set_params({"steps": epoch})
    for step in range(10**6):
        if step % epoch == 0:
            times.on_epoch_begin(step // epoch)
        if step % epoch % together == 0:
            times.on_train_batch_begin(step % epoch)
        if model.stop_training:
            return step
        clock.now += each(step)


@pytest.mark.parametrize("a_round", [1, 5])
def test_steps_that_make_programs_are_not_counted(a_round, clock):
    """As on PyTorch, where the ninth to the eleventh step of a kind are traced."""

    def each(step):
        of_generator = 0.5 if a_round > 1 and step % a_round == a_round - 1 else 0.0
        return of_generator + (5.0 if step // a_round in (8, 9, 10) else 0.25)

    times = plan.Times(a_round)
    assert 18 * a_round <= timed(times, clock, each) < 40 * a_round
    assert times.step() == pytest.approx(0.25 if a_round == 1 else 0.35)


@pytest.mark.parametrize("a_round", [1, 3, 5])
@pytest.mark.parametrize("epoch", [10, 64, 1000])
def test_steps_are_timed_in_the_programs_of_the_training(a_round, epoch, clock):
    """One program of 16 steps makes them faster than 16 programs; the last of an epoch has less."""
    times = plan.Times(a_round, together=16)

    def each(step):
        return (60.0 if step < 16 else 0.0) + (0.02 if step % a_round == a_round - 1 else 0.01)

    taken = timed(times, clock, each, 16, epoch)
    assert 3 * 16 <= taken < times.most + 16
    assert times.marks[-1][0] == taken
    assert times.step() == pytest.approx(0.01 + 0.01 / a_round, rel=0.1)


def test_the_time_counts_from_the_question(clock):
    job = asked.Asked(None, {}, seconds=600.0, began=0.0)
    assert asked.Asked(None, {}).left is None
    for passed, left in (0, 600), (60, 540), (5000, 300):
        clock.now = passed
        assert job.left == left


def test_a_training_needs_no_package_that_it_does_not_use(command, data, tmp_path, monkeypatch):
    from kerasgan import callbacks

    def missing(*args):
        raise AssertionError("tensorboardX is not installed")

    monkeypatch.setattr(callbacks, "TensorBoard", missing)
    code, _, err = command("train", "gan", data, *SMALL, "--run-dir", tmp_path / "r")
    assert code == 0, err


def test_a_planned_run_goes_on_from_another_folder(command, photos, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = command("train", "photos/", "--steps", 4, "--width", 1, "--run-dir", "r")
    assert code == 0, err
    run, options = only(tmp_path / "r")
    assert options["data"]["name_or_path"] == str(photos)
    monkeypatch.chdir("/")
    code, _, err = command("train", "--resume", run, "--steps", 6)
    assert code == 0, err


def test_too_few_images_for_the_guard_are_said(command, tmp_path, small):
    images = np.random.default_rng(0).integers(0, 256, (30, 12, 12), dtype="uint8")
    np.save(tmp_path / "few.npy", images)
    code, out, err = command("train", tmp_path / "few.npy", "--steps", 3, "--run-dir", tmp_path)
    assert code == 0, err
    assert "cannot check with fewer than 40 images" in out and "could not write" not in err


@pytest.mark.parametrize("side", [20, 27, 37])
def test_images_of_any_size_are_trained_on(command, side, small, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (50, side, side, 3), dtype="uint8")
    np.save(tmp_path / "images.npy", images)
    given = ["--steps", 2, "--run-dir", tmp_path / "r"]
    code, _, err = command("train", tmp_path / "images.npy", *given)
    assert code == 0, err
    _, options = only(tmp_path / "r")
    assert options["data"]["image_size"] == {20: 20, 27: 24, 37: 32}[side]
    assert options["networks"]["architecture"] == "dcgan"


def test_the_step_that_makes_a_program_is_never_the_only_one_that_is_timed(clock):
    """A training of a minute has six seconds to measure, and a program takes longer."""
    times = plan.Times(1, seconds=60.0)
    assert 4 <= timed(times, clock, lambda step: 0.1 if step else 9.0) < 18
    assert times.step() == pytest.approx(0.1)


def test_programs_that_are_made_late_are_not_taken_for_the_pace(clock, monkeypatch):
    """As on PyTorch in a training of two minutes, with twelve seconds to measure."""
    monkeypatch.setattr(plan.backend, "WARM_UP", 8)
    times = plan.Times(1, seconds=120.0)
    slow = {0: 4.0, 8: 9.0, 9: 8.0}
    assert timed(times, clock, lambda step: slow.get(step, 0.1)) == 12
    assert times.step() == pytest.approx(0.1)
