"""The measurement of cures in benchmarks/: it trains with the options that its tables name."""

import numpy as np
import pytest

import kerasgan
from kerasgan.metrics import extractors

pytestmark = pytest.mark.numpy


def penalties(*kinds):
    return {"penalties": [{"kind": kind, "weight": 1} for kind in kinds]}


RATE = {"learning_rate": 5e-5}
# What each cure changes in the recipe.
CURES = {
    "--augment diffaugment": {"augment": {"kind": "diffaugment"}},
    "--augment ada": {"augment": {"kind": "ada"}},
    "--r1 1": penalties("r1"),
    "--r1 1 --r2 1": penalties("r1", "r2"),
    "--critic-norm none": {"networks": {"width": 4, "critic_norm": None}},
    "--minibatch stddev": {"networks": {"width": 4, "minibatch": "stddev"}},
    "--minibatch discrimination": {"networks": {"width": 4, "minibatch": "discrimination"}},
    "--packing 2": {"arguments": {"packing": 2}},
    "--lr 5e-5": {"optimizers": {"generator": RATE, "critic": RATE}},
    "--ema 0": {"arguments": {"ema": None}},
    "--n-critic 2": {"arguments": {"n_critic": 2}},
    "wgan_gp": {"variant": "wgan_gp"},
    "wgan_gp --n-critic 1": {"variant": "wgan_gp", "arguments": {"n_critic": 1}},
}


@pytest.fixture
def cures(script, monkeypatch, tmp_path):
    """The script, with little data and slim networks."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (240, 28, 28, 1), "uint8")
    np.savez(tmp_path / "noise.npz", images=images, labels=np.arange(240) % 3)
    cures = script("cures")
    for name, value in {"DATA": str(tmp_path / "noise.npz"), "WIDTH": 4, "SAMPLES": 100}.items():
        monkeypatch.setattr(cures, name, value)
    return cures


def test_every_cure_changes_what_it_names(cures):
    for plan in cures.PLANS.values():
        plain = cures.recipe_of(cures.NOTHING, plan["base"], 3)
        assert (plain.variant, plain.seed, plain.networks) == ("gan", 3, {"width": 4})
        for cure in plan["cures"][1:]:
            found = cures.recipe_of(cure, plan["base"], 3)
            asked = CURES[cure]
            before, after = plain.to_json(), found.to_json()
            assert {k: v for k, v in after.items() if v != before[k]} == asked, cure


@pytest.mark.slow
@pytest.mark.parametrize("cure", ["nothing", "--packing 2", "--r1 1", "wgan_gp --n-critic 1"])
def test_a_training_is_scored_at_its_moments(cures, cure):
    plan = {"base": ["--limit", "70"], "moments": [1, 3]}
    data = kerasgan.data.load(cures.DATA)
    evaluator = kerasgan.metrics.Evaluator(
        data, metrics=["prdc", "classes"], samples=100, extractor=extractors.RandomProjection(8)
    )
    found, images = cures.trained(plan, cure, evaluator, 0)
    assert list(found["moments"]) == ["1", "3"] and images.shape == (20, 28, 28, 1)
    first, last = found["moments"].values()
    assert "moved" not in first and 0 <= last["moved"] <= 1 and 0 <= last["recall"] <= 1
    model, taken = cures.made(cures.recipe_of(cure, plan["base"], 0))
    assert taken.num_examples == 70
    assert model.packing == (2 if "packing" in cure else 1)
    assert isinstance(model, kerasgan.WGANGP) == cure.startswith("wgan_gp")
    assert [type(penalty).__name__ for penalty in model.added_penalties] == ["R1"] * ("r1" in cure)
    normalised = any("normalization" in layer.name for layer in model.critic.layers)
    assert normalised == (cure in ("nothing", "--packing 2"))


def test_how_much_moved(cures):
    assert cures.moved({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}) == 0
    assert cures.moved({"a": 1.0}, {"b": 1.0}) == 1
    assert cures.moved({"a": 0.75, "b": 0.25}, {"a": 0.25, "b": 0.75}) == 0.5
