"""What the zoo promises, held against the figures on its cards."""

import json

import pytest

from kerasgan import presets, storage
from kerasgan.metrics.result import number
from kerasgan_cli.train import train

pytestmark = pytest.mark.numpy
ZOO = presets.presets()
COLLAPSED = "gan_collapsed_fashion_mnist"
HEALTHY = [name for name in ZOO if name.endswith("_fashion_mnist") and name != COLLAPSED]


def card(name):
    return storage.read_metadata(ZOO[name])["card"]


def results(name):
    return {result["name"]: result for result in card(name)["results"]}


@pytest.mark.parametrize("name", ZOO)
def test_a_preset_has_its_recipe_and_its_proof(name):
    folder = ZOO[name]
    text = (folder / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ")]
    for result in results(name).values():
        own = [value for title, value in rows if title.split()[:1] == [result["name"]]]
        assert len(own) == 1 and own[0].split()[0] == number(float(result["value"]))
    about = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["about"]
    for words in about.values():
        assert words in text and words != "TO BE WRITTEN"
    options = train.make_context("train", ["--recipe", str(folder / "recipe.json")]).params
    assert f"`{options['model']}`" in text and f"`{options['data']}`" in text
    for picture in ("samples.png", "epochs.png", "failures.png"):
        assert f"({picture})" in text and (folder / picture).exists()
    training = (folder / "training.csv").read_text(encoding="utf-8").splitlines()
    assert training[0].startswith("epoch,") and len(training) == 1 + options["epochs"]


def test_weights_are_small_enough_for_a_package():
    sizes = [(folder / storage.WEIGHTS).stat().st_size for folder in ZOO.values()]
    assert max(sizes) <= 5e6
    assert sum(p.stat().st_size for folder in ZOO.values() for p in folder.iterdir()) <= 60e6


@pytest.mark.parametrize("name", HEALTHY)
def test_garments_of_every_class_nearer_than_noise_of_three_tenths(name):
    found = results(name)
    assert found["frechet_distance"]["value"] < card(name)["noise"]["0.3"]
    classes = found["classes_covered"]["details"]
    assert len(classes["shares"]) == 10
    for label, share in classes["shares"].items():
        assert share >= classes["real shares"][label] / 2, label


def test_the_best_garments_are_nearer_than_noise_of_a_tenth():
    distances = {name: results(name)["frechet_distance"]["value"] for name in HEALTHY}
    best = min(distances, key=distances.get)
    assert distances[best] < card(best)["noise"]["0.1"]


def test_the_collapsed_one_is_collapsed():
    assert results(COLLAPSED)["classes_covered"]["value"] < 10
    assert results(COLLAPSED)["coverage"]["value"] < 0.05


def test_garments_are_ranked_on_one_protocol():
    protocols = set()
    for name in (*HEALTHY, COLLAPSED):
        provenance = results(name)["frechet_distance"]["provenance"]
        protocols.add(json.dumps(provenance, sort_keys=True))
    assert len(protocols) == 1
