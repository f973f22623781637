"""The mode benchmarks: their data, scores, recipes, tables and stored results."""

import json

import numpy as np
import pytest
from PIL import Image

from kerasgan.backend import private
from kerasgan.bench import processes
from kerasgan.bench.modes import tables, tasks, trials

RING = tasks.TASKS["ring"]


@pytest.mark.numpy
@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_real_points_score_as_a_perfect_sampler(name, modes):
    task = tasks.TASKS[name]
    scores = {s.name: s for s in task.score(task.real(20_000, seed=1))}
    assert scores["modes_covered"].value == modes
    assert scores["high_quality"].value == pytest.approx(tables.HIGH_QUALITY, abs=0.003)
    assert scores["mode_kl"].value < 0.002


@pytest.mark.numpy
def test_a_ring_has_as_many_places_as_modes():
    points = RING.real(4000, seed=0).reshape(-1, 2) * 1.25
    assert np.abs(np.linalg.norm(points, axis=1) - 1).max() < 0.06
    angles = np.degrees(np.arctan2(*points.T[::-1])) % 45
    assert np.minimum(angles, 45 - angles).max() < 4


@pytest.mark.numpy
def test_a_lost_mode_and_scattered_points_lower_the_scores():
    rng = np.random.default_rng(0)
    points = RING.real(4000, seed=0)
    left = points[points[:, 0, 0, 0] < 0.75]
    scores = {s.name: s.value for s in RING.score(left[:2500])}
    assert scores["modes_covered"] == 7
    assert scores["mode_kl"] == pytest.approx(np.log(8 / 7), abs=0.01)
    cloud = rng.normal(0, 0.5, (2500, 1, 1, 2)).astype("float32")
    assert {s.name: s.value for s in RING.score(cloud)}["high_quality"] < 0.02


@pytest.mark.numpy
def test_a_model_that_diverged_has_no_mode():
    points = np.full((2500, 1, 1, 2), np.nan, "float32")
    scores = {s.name: s.value for s in RING.score(points)}
    assert scores == {"modes_covered": 0, "mode_kl": np.inf, "high_quality": 0}


@pytest.mark.numpy
def test_every_recipe_says_what_it_is():
    for task in tasks.TASKS.values():
        recipes = task.recipes()
        assert {"gan"} <= {recipe["name"] for recipe in recipes}
        titles = [recipe["title"] for recipe in recipes]
        assert len(set(titles)) == len(titles)
        assert all(recipe["why"] and recipe["trials"] >= 3 for recipe in recipes)
        assert {"short", "paper"} <= set(task.protocol["budgets"])


@pytest.mark.slow
@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_recipe_can_be_built(name):
    task = tasks.TASKS[name]
    for recipe in task.recipes():
        model = task.build(recipe, seed=0, steps=50)
        assert model.sample(2, seed=0).shape == (2, *model.image_shape)
        assert model.image_shape == ((1, 1, 2) if name in ("ring", "grid") else (28, 28, 3))


@pytest.mark.numpy
def test_an_unknown_recipe_is_refused_by_name():
    assert [r["name"] for r in RING.recipes(["gan", " wgan", "gan"])] == ["gan", "wgan"]
    with pytest.raises(ValueError, match=r"'foo' is no recipe of ring: .*gan"):
        RING.recipes(["foo"])


def small(**changes):
    recipe = RING.recipes(["relativistic_r1_r2"])[0]
    return {**recipe, "networks": {"latent_dim": 4, "width": 8, "depth": 1}, **changes}


def test_a_recipe_is_built_as_it_says():
    model = RING.build(small(), seed=0, steps=100)
    assert [(type(p).__name__, p.weight) for p in model.penalties] == [("R1", 0.01), ("R2", 0.01)]
    for optimizer in (model.optimizer.generator_optimizer, model.optimizer.critic_optimizer):
        rate = private.learning_rate_setting(optimizer)
        assert float(rate(0)) == pytest.approx(4e-3) and float(rate(100)) == pytest.approx(1e-5)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.99)


def test_null_is_the_variants_own():
    (recipe,) = RING.recipes(["r3gan"])
    assert recipe["optimizers"]["critic"] == {"learning_rate": None, "beta_1": None}
    model = RING.build(recipe, seed=0, steps=70)
    assert model.burn_in == 70  # The whole of the training.
    assert model.optimizer.critic_optimizer.beta_1 == model.default_optimizers()[1].beta_1


@pytest.mark.numpy
def test_a_recipe_is_merged_over_what_all_share(tmp_path, monkeypatch):
    shared = {
        "batch_size": 8,
        "networks": {"width": 4, "depth": 1},
        "optimizers": {"critic": {"beta_1": 0.5, "learning_rate": {"cosine": [2.0, 1.0]}}},
    }
    own = {
        "networks": {"depth": 2},
        "penalties": [{"kind": "r1", "weight": 1.0}],
        "optimizers": {"critic": {"learning_rate": {"boundaries": [1], "values": [2.0, 1.0]}}},
    }
    (tmp_path / "ring").mkdir()
    (tmp_path / "ring" / "protocol.json").write_text(json.dumps({"recipe": shared}))
    (tmp_path / "ring" / "gan.json").write_text(json.dumps(own))
    monkeypatch.setattr(tasks, "RECIPES", tmp_path)
    rate = own["optimizers"]["critic"]["learning_rate"]
    assert RING.recipes() == [
        {
            "name": "gan",
            "batch_size": 8,
            "networks": {"width": 4, "depth": 2},
            "penalties": own["penalties"],
            "optimizers": {"critic": {"beta_1": 0.5, "learning_rate": rate}},
        }
    ]


def test_a_trial_scores_its_moments_and_repeats_itself():
    line, samples = trials.train(RING, small(), seed=3, steps=20)
    assert [m["step"] for m in line["moments"]] == [1, 2, 3, 4, 6, 10, 15, 20]
    assert line["moments"][-1]["generator_steps"] == 20
    assert set(line["moments"][-1]["raw"]) == set(line["moments"][-1]["ema"]) == set(tables.COLUMNS)
    assert samples.shape == (8, 600, 1, 1, 2)
    again, same = trials.train(RING, small(), seed=3, steps=20)
    np.testing.assert_array_equal(samples, same)
    assert again["moments"] == line["moments"]


PROTOCOL = {"paper": "a paper", "ours": "Ours.", "tuning": "None.", "backend": "Any."}


def lines_of(titles, seeds=2):
    moment = {"modes_covered": 8.0, "high_quality": 0.9, "mode_kl": 0.01}
    for number, title in enumerate(titles):
        for seed in range(seeds):
            score = {**moment, "modes_covered": 8.0 - number, "mode_kl": 0.01 * (seed + 1)}
            yield {
                "benchmark": "ring",
                "recipe": {"name": title.lower(), "title": title, "batch_size": 128},
                "seed": seed,
                "steps": 20,
                "moments": [
                    {"step": 10, "generator_steps": 10, "ema": score},
                    {"step": 20, "generator_steps": 20, "ema": score, "raw": score},
                ],
                "real": moment,
                "floor": {"modes_covered": 8.0, "high_quality": None, "mode_kl": 0.01},
                "data": "points",
                "judge": "centres",
                "seconds": 90.0,
                "core_seconds": 60.0,
                "environment": {"backend": "jax", "machine": "a machine", "cores": 2},
            }


@pytest.mark.numpy
def test_the_table_has_the_best_first_and_errors_over_trials():
    text = tables.markdown(list(lines_of(["Bad", "Worse"])), PROTOCOL)
    rows = text.splitlines()
    assert rows[2].startswith("| Bad | 8.0 ± 0.0 | 90.0% ± 0.0% | 0.0150 ± 0.0050 |")
    assert rows[3].startswith("| Worse | 7.0 ")
    assert "real data" in rows[4] and "98.9%" in rows[5]


@pytest.mark.numpy
def test_a_failure_is_not_left_out_of_a_mean():
    lines = list(lines_of(["A"], seeds=3))
    lines[0]["moments"][-1]["ema"] = {"modes_covered": 0.0, "high_quality": 0.0, "mode_kl": np.inf}
    assert "| ∞ in 1 of 3 |" in tables.markdown(lines, PROTOCOL)


@pytest.mark.numpy
def test_real_data_count_once_for_each_seed():
    lines = list(lines_of(["A", "B", "C"]))
    for line in lines:
        line["real"] = {**line["real"], "mode_kl": 0.01 * (1 + line["seed"])}
    (row,) = [r for r in tables.markdown(lines, PROTOCOL).splitlines() if "real data" in r]
    assert "0.0150 ± 0.0050" in row and "| 2 |" in row


@pytest.mark.numpy
def test_of_points_quality_orders_what_has_as_many_modes():
    lines = list(lines_of(["Sharp", "Even"]))
    for line in lines:
        line["moments"][-1]["ema"] = {
            "modes_covered": 8.0,
            "high_quality": 0.9 if line["recipe"]["title"] == "Sharp" else 0.1,
            "mode_kl": 0.02 if line["recipe"]["title"] == "Sharp" else 0.01,
        }
    assert list(tables.by_recipe(lines)) == ["Sharp", "Even"]
    images = [{**line, "benchmark": "stacked-mnist"} for line in lines]
    assert list(tables.by_recipe(images)) == ["Even", "Sharp"]


@pytest.mark.numpy
def test_an_infinite_kl_counts_as_that_of_one_mode():
    lines = list(lines_of(["A"]))
    lines[0]["moments"][0]["ema"] = {"modes_covered": 0.0, "high_quality": 0.0, "mode_kl": np.inf}
    np.testing.assert_allclose(tables.over_time(lines, "mode_kl")[0], (np.log(8) + 0.02) / 2)
    np.testing.assert_allclose(tables.over_time(lines, "modes_covered"), [4.0, 8.0])


@pytest.mark.numpy
def test_only_trials_of_todays_form_are_read(tmp_path):
    (line, other) = lines_of(["A"])
    moment = dict.fromkeys(line["moments"][0]["ema"])
    line["moments"][0] = {"step": 10, "ema": moment}
    foreign = [{"recipe": 1}, {"recipe": {}}, [1], {**other, "recipe": {}}, {**other, "recipe": 1}]
    text = "\n".join(map(json.dumps, [*foreign, line, line, other])) + '\n{"torn": '
    (tmp_path / "ring.jsonl").write_bytes(text.encode() + b"\n\xff\xfe\n")
    found = trials.read(tmp_path, RING)
    assert len(found) == 3 and found[0]["moments"][0]["ema"]["mode_kl"] == np.inf
    recipes = [{**line["recipe"], "why": "today's words"}, {"name": "b"}]
    latest = trials.latest(found, recipes)
    assert [x["seed"] for x in latest] == [0, 1] and latest[0]["recipe"] == recipes[0]
    assert trials.latest(found, recipes, steps=21) == []
    assert trials.latest(found, [{**line["recipe"], "batch_size": 64}]) == []


@pytest.mark.numpy
def test_a_failure_keeps_what_succeeds_and_begins_nothing_more(tmp_path, monkeypatch):
    (tmp_path / "stub.py").write_text(
        "import sys, time, json, pathlib\n"
        "seconds, code = json.loads(sys.argv[1])\n"
        "pathlib.Path(sys.argv[2]).write_text('begun')\n"
        "time.sleep(seconds)\n"
        "sys.exit(code and 'it broke')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said, ended = [], []
    work = [(0.1, 1), (2.0, 0), (0.1, 0), (0.1, 0)]
    jobs = [
        processes.Job(f"job {i}", "stub", "jax", payload, tmp_path / str(i))
        for i, payload in enumerate(work)
    ]
    with pytest.raises(RuntimeError, match="job 0: it broke"):
        for job in processes.run("stub", jobs, 2, said.append):
            ended.append(job.name)
    assert ended == ["job 1"] and not (tmp_path / "3").exists()
    assert said[0] == "training job 0, job 1 ..." and "1/4 job 1" in said[1]


@pytest.mark.numpy
def test_the_time_left_knows_how_long_each_recipe_takes():
    slow, fast, new = (processes.Job("", kind, "jax", None, None) for kind in ("a", "b", "c"))
    took = {"a": [90.0, 110.0], "b": [10.0]}
    assert processes.left(took, []) == 0
    assert processes.left(took, [(slow, 30.0), (slow, 0.0), (fast, 0.0)]) == 180.0
    assert processes.left(took, [(fast, 40.0), (new, 0.0)]) == 55.0  # Late, but never below 0.
    assert processes.left(took, [(slow, 0.0), (fast, 0.0), (fast, 0.0)], workers=2) == 100.0
    assert processes.left(took, [(slow, 90.0), (slow, 0.0)], workers=3) == 100.0


@pytest.mark.numpy
def test_finished_trials_are_kept_and_torn_lines_left_out(tmp_path, monkeypatch):
    recipe = small(trials=2)
    done = []

    def run(module, jobs, workers, echo):
        for job in jobs:
            name, recipe, seed, steps = job.payload
            line = {"benchmark": name, "recipe": recipe, "seed": seed, "steps": steps}
            line["moments"] = []
            job.path.write_text(json.dumps(line) + "\n")
            done.append(seed)
            yield job

    monkeypatch.setattr(trials.processes, "run", run)
    assert [t["seed"] for t in trials.run(RING, [recipe], None, 20, tmp_path, 1, print)] == [0, 1]
    with open(tmp_path / "ring.jsonl", "a") as file:
        file.write('{"benchmark": "ri')
    assert len(trials.read(tmp_path, RING)) == 2
    trials.run(RING, [recipe], 3, 20, tmp_path, 1, print)
    assert done == [0, 1, 2]
    trials.run(RING, [{**recipe, "batch_size": 7}], 1, 20, tmp_path, 1, print)
    trials.run(RING, [recipe], 1, 30, tmp_path, 1, print)
    assert done == [0, 1, 2, 0, 0]
    found = trials.run(RING, [{**recipe, "why": "other words"}], 1, 30, tmp_path, 1, print)
    assert len(done) == 5 and found[0]["recipe"]["why"] == "other words"


def test_pictures_are_written(tmp_path):
    pytest.importorskip("matplotlib")
    points = np.random.default_rng(0).uniform(-1, 1, (2, 50, 1, 1, 2))
    tables.plot(list(lines_of(["A", "B"])), lambda line: points, tmp_path / "a.png")
    tables.plot(list(lines_of(["A"])), lambda line: None, tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        with Image.open(tmp_path / name) as picture:
            colours = picture.convert("RGB").getcolors(maxcolors=1 << 24)
        assert len(colours) > 20  # Lines and words, not one empty sheet.
