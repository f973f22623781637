"""`kerasgan evaluate`."""

import json

import numpy as np
import pytest

from kerasgan_cli import measuring


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
    metrics = ["--metrics", "coverage,ms_ssim,class_kl,classes"]
    code, out, err = command("evaluate", run_folder, "--data", real, *options, *metrics)
    assert code == 0, out + err
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["score", "real", "images", "floor", "N"]
    rows = [line for line in lines if line and line[0] in ("coverage", "ms_ssim", "class_kl")]
    assert len(rows) == 3 and all("120" in row for row in rows)
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
        (["--metrics", "fid"], " frechet_distance, "),
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


@pytest.mark.parametrize("more", [[], ["--metrics", "frechet_distance"]])
def test_too_few_samples_are_found_before_the_work(
    command, run_folder, tmp_path, monkeypatch, more
):
    """The distance would be nan, after every image had been generated and measured."""
    monkeypatch.setattr("kerasgan.AdversarialModel.sample", None)
    real = tmp_path / "real.npy"
    np.save(real, np.random.default_rng(1).integers(0, 256, (1000, 12, 12), dtype="uint8"))
    given = ["evaluate", run_folder, "--data", real, "--extractor", "pixels", "--samples", 120]
    code, _, err = command(*given, *more)
    assert code == 1
    assert "frechet_distance needs at least 145 samples, since pixels has 144 features" in err
    assert "Received: 120 samples" in err


@pytest.mark.parametrize("more", [["--samples", 120], ["--limit", 240], []])
def test_too_few_samples_are_found_before_images_are_read(
    command, run_folder, tmp_path, monkeypatch, more
):
    monkeypatch.setattr("kerasgan.data.load", None)
    real = tmp_path / "real"
    real.mkdir()
    for i in range(280):
        (real / f"{i}.png").touch()
    code, _, err = command("evaluate", run_folder, "--data", real, "--extractor", "pixels", *more)
    assert code == 1 and "frechet_distance needs at least 145 samples" in err
    assert "Give more --samples, an --extractor of fewer features" in err
    assert "--metrics without frechet_distance" in err


def test_a_random_projection_says_that_a_network_exists(command, run_folder, tmp_path, monkeypatch):
    from kerasgan.metrics import extractors

    monkeypatch.setattr(extractors.EfficientNetLite0, "installed", staticmethod(lambda: False))
    monkeypatch.setattr(
        extractors, "default_extractor", lambda shape: extractors.RandomProjection()
    )
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path / "cache"))
    real = tmp_path / "real.npy"
    np.save(real, np.random.default_rng(1).integers(0, 256, (300, 12, 12), dtype="uint8"))
    given = ["evaluate", run_folder, "--data", real, "--metrics", "coverage"]
    code, _, err = command(*given)
    assert code == 0, err
    assert "note: the features are those of random_projection" in err
    assert "pip install 'kerasgan[efficientnet]'" in err
    assert "note:" not in command(*given, "--extractor", "random_projection")[2]


@pytest.mark.parametrize(
    ("asked", "measured"),
    [
        ("coverage", ["coverage"]),
        ("coverage,recall", ["prdc"]),
        ("recall,coverage,kernel_distance", ["prdc", "kernel_distance"]),
        ("frechet_distance,coverage", ["frechet_distance", "coverage"]),
    ],
)
def test_no_score_is_measured_twice(asked, measured):
    assert measuring._names(None, None, asked) == measured
