"""Figures of a card that belong to one variant: what codes and likelihoods say of test images."""

import numpy as np
import pytest

import kerasgan
from kerasgan import scorecard
from kerasgan.data import ImageDataset
from kerasgan.metrics import Result


@pytest.fixture
def splits(monkeypatch):
    """Eight by eight pixels of noise with labels 0 to 4, for the train and the test split."""

    def load(name_or_path, split="train"):
        draw = np.random.default_rng(len(split))
        images = draw.integers(0, 256, (400, 8, 8, 1), dtype="uint8")
        labels = draw.integers(0, 5, 400)
        return ImageDataset(images, labels, batch_size=50, name=name_or_path)

    monkeypatch.setattr(scorecard, "load", load)
    return load


def card_of(gan):
    card = scorecard.measure(gan, {"name_or_path": "noise"}, samples=150)
    return card, {r["name"]: Result.from_dict(r) for r in card["results"]}


def test_the_code_of_an_infogan_is_compared_with_the_classes(splits, monkeypatch):
    pair = kerasgan.InfoGAN.default_networks("mlp", image_size=8, channels=1, width=16)
    gan = kerasgan.InfoGAN(*pair, seed=0)
    labels = splits("noise", "test").labels

    def read(images):
        assert len(images) == len(labels)
        wrong = np.arange(len(labels)) % 10 == 0
        return {"categorical_0": 7 - np.where(wrong, (labels + 1) % 5, labels)}

    monkeypatch.setattr(gan, "read_codes", read)
    card, found = card_of(gan)
    result = found["code_agreement"]
    assert result.value == pytest.approx(0.9)
    assert result.provenance.data_name.endswith("test") and "0.20" in result.remark
    checks = {check.name: check for check in scorecard.check(gan, card)}
    assert checks["code_agreement"].passed
    monkeypatch.setattr(gan, "read_codes", lambda images: {"categorical_0": labels * 0})
    checks = {check.name: check for check in scorecard.check(gan, card)}
    assert not checks["code_agreement"].passed and checks["code_agreement"].now < 0.4


def test_the_likelihood_of_a_flow_is_that_of_test_images(splits):
    pair = kerasgan.FlowGAN.default_networks("nice", image_size=8, channels=1, width=16)
    gan = kerasgan.FlowGAN(*pair, seed=0)
    test = splits("noise", "test")
    card, found = card_of(gan)
    result = found["bits_per_dimension"]
    expected = gan.log_prob(test.take(400))["nats"] / -(64 * np.log(2))
    assert result.value == pytest.approx(expected.mean(), rel=1e-5)
    assert result.error == pytest.approx(expected.std() / 20, rel=1e-4)
    checks = {check.name: check for check in scorecard.check(gan, card)}
    assert checks["bits_per_dimension"].passed


def test_no_test_split_no_such_figure(splits, monkeypatch):
    def only_training(name_or_path, split="train"):
        if split == "test":
            raise kerasgan.data.DataError("no such split")
        return splits(name_or_path)

    monkeypatch.setattr(scorecard, "load", only_training)
    pair = kerasgan.FlowGAN.default_networks("nice", image_size=8, channels=1, width=16)
    _, found = card_of(kerasgan.FlowGAN(*pair, seed=0))
    assert "bits_per_dimension" not in found and "frechet_distance" in found


def test_what_real_images_score_may_move_as_the_score_does_and_no_further(splits):
    pair = kerasgan.GAN.default_networks("mlp", image_size=8, channels=1, width=16)
    gan = kerasgan.GAN(*pair, seed=0)
    card, _ = card_of(gan)
    [js] = [result for result in card["results"] if result["name"] == "ndb_js"]
    published = js["baseline"]
    for moved, passed in ((0.9, True), (1.1, False)):
        card["errors"]["ndb_js"] = 0.1 * published
        js["baseline"] = published + moved * card["errors"]["ndb_js"]
        checks = {check.name: check for check in scorecard.check(gan, card)}
        assert checks["ndb_js, real images"].passed is passed


def test_what_real_images_score_without_clusters_may_only_round(splits):
    pair = kerasgan.GAN.default_networks("mlp", image_size=8, channels=1, width=16)
    gan = kerasgan.GAN(*pair, seed=0)
    card, _ = card_of(gan)
    [distance] = [result for result in card["results"] if result["name"] == "frechet_distance"]
    card["errors"]["frechet_distance"] = distance["baseline"]
    distance["baseline"] *= 1.01
    checks = {check.name: check for check in scorecard.check(gan, card)}
    assert not checks["frechet_distance, real images"].passed
