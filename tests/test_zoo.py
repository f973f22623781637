"""What the zoo promises, held against the figures on its cards."""

import json

import pytest

from kerasgan import presets, storage
from kerasgan.recipe import Recipe

pytestmark = pytest.mark.numpy
ZOO = presets.presets()
EXPECTED = {
    *("conditional_gan_fashion_mnist", "dcgan_fashion_mnist", "flow_gan_fashion_mnist"),
    *("gan_collapsed_fashion_mnist", "gan_fashion_mnist", "infogan_fashion_mnist"),
    *("minibatch_gan_fashion_mnist", "pacgan_fashion_mnist", "r3gan_fashion_mnist"),
    *("unrolled_gan_fashion_mnist", "wgan_fashion_mnist", "wgan_gp_fashion_mnist"),
    *("flow_gan_mnist", "infogan_clipart", "infogan_mnist", "relativistic_gan_stacked_mnist"),
    *("r3gan_avatars", "r3gan_characters", "r3gan_emoji", "r3gan_moods", "r3gan_pixel_art"),
    *("stylegan2_personas", "wgan_avatars"),
}
COLLAPSED = "gan_collapsed_fashion_mnist"
HEALTHY = [name for name in ZOO if name.endswith("_fashion_mnist") and name != COLLAPSED]


def card(name):
    return storage.read_metadata(ZOO[name])["card"]


def results(name):
    return {result["name"]: result for result in card(name)["results"]}


def test_no_preset_is_missing():
    assert set(ZOO) == EXPECTED


@pytest.mark.parametrize("name", ZOO)
def test_the_figures_in_words_are_those_of_the_card(name, script):
    publishing = script("publish_preset")
    text = (ZOO[name] / "README.md").read_text(encoding="utf-8")
    stored = storage.read_metadata(ZOO[name])
    for part in (publishing.rows(card(name)), publishing.noise(card(name))):
        assert part in text
    for steps in (stored["critic_steps"], stored["generator_steps"]):
        assert f"{steps:,}" in text
    assert f" in {publishing.duration(stored['seconds'])} on " in text


@pytest.mark.parametrize("name", ZOO)
def test_a_preset_has_its_recipe_and_its_proof(name):
    folder = ZOO[name]
    text = (folder / "README.md").read_text(encoding="utf-8")
    about = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["about"]
    for words in filter(lambda value: isinstance(value, str), about.values()):
        assert words in text and words != "TO BE WRITTEN"
    recipe = Recipe.read(folder / "recipe.json")
    assert f"`{recipe.variant}`" in text and f"`{recipe.data['name_or_path']}`" in text
    for picture in ("samples.png", "epochs.png", "failures.png"):
        assert f"({picture})" in text and (folder / picture).exists()
    training = (folder / "training.csv").read_text(encoding="utf-8").splitlines()
    assert training[0].startswith("epoch,") and len(training) == 1 + recipe.length["epochs"]


def test_weights_are_small_enough_for_a_package():
    sizes = [(folder / storage.WEIGHTS).stat().st_size for folder in ZOO.values()]
    assert max(sizes) <= 5e6
    assert sum(p.stat().st_size for folder in ZOO.values() for p in folder.iterdir()) <= 78e6


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
