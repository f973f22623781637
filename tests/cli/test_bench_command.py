"""`kerasgan bench`."""

import json

import pytest


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
    code, out, err = command("bench", "collapse", "--runs", "all")
    assert code == 0, err
    assert "AUROC" in out and "false alarms" in out
    code, _, err = command("bench", "collapse", "--only", "no such run")
    assert code == 2 and "no such run" in err
    assert command("bench", "collapse", "--policy", "stop")[0] == 2
    code, _, err = command("bench", "collapse", "--runs", "later")
    assert code == 2 and "--exam pictures" in err
    code, out, err = command("bench", "collapse", "--exam", "pictures", "--runs", "later")
    assert code == 0 and "29 did not" in out, err
    code, out, _ = command("bench", "collapse", "--rescues")
    assert code == 0 and "rescue: " in out and "mean modes" in out
