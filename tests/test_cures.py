"""The measurement of cures in benchmarks/: it trains with the options that its tables name."""

import numpy as np
import pytest

import kerasgan
from kerasgan.metrics import extractors

pytestmark = pytest.mark.numpy


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
        plain = cures.options(cures.NOTHING, plan["base"], 3)
        assert plain["model"] == "gan" and plain["seed"] == 3 and plain["width"] == 4
        for cure in plan["cures"][1:]:
            found = cures.options(cure, plan["base"], 3)
            changed = {name for name in found if found[name] != plain[name]}
            words = cure.removeprefix("wgan_gp").split()
            asked = {word[2:].replace("-", "_") for word in words if word.startswith("--")}
            assert changed == asked | ({"model"} if cure.startswith("wgan_gp") else set())
            assert changed


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
    model, taken = cures.made(cures.options(cure, plan["base"], 0))
    assert taken.num_examples == 70
    assert model.packing == (2 if "packing" in cure else 1)
    assert isinstance(model, kerasgan.WGANGP) == cure.startswith("wgan_gp")
    assert [type(penalty).__name__ for penalty in model.added_penalties] == ["R1"] * ("r1" in cure)
    normalised = any("normalization" in layer.name for layer in model.critic._flatten_layers())
    assert normalised == (cure in ("nothing", "--packing 2"))


def test_how_much_moved(cures):
    assert cures.moved({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}) == 0
    assert cures.moved({"a": 1.0}, {"b": 1.0}) == 1
    assert cures.moved({"a": 0.75, "b": 0.25}, {"a": 0.25, "b": 0.75}) == 0.5
