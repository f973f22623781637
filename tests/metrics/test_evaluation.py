"""The evaluator on images: baselines, floors, provenance, and what it refuses."""

import math

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan import metrics
from kerasgan.metrics import Evaluator, MetricError
from kerasgan.metrics.catalogue import CHEAP, DEFAULT, METRICS
from kerasgan.metrics.extractors import Network, Pixels, RandomProjection, application

SMALL = RandomProjection(16)


def blobs(n, seed, kinds=4):
    """Return images of one bright spot in one of four places, and the place."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(kinds, size=n)
    at = np.array([[4, 4], [4, 11], [11, 4], [11, 11]])[labels] + rng.uniform(-2, 2, (n, 2))
    y, x = np.mgrid[:16, :16]
    r = (y - at[:, 0, None, None]) ** 2 + (x - at[:, 1, None, None]) ** 2
    return (2 * np.exp(-r / 6) - 1).astype("float32")[..., None], labels


REAL, LABELS = blobs(1200, 0)


def evaluator(**arguments):
    arguments = {"samples": 400, "extractor": SMALL, "seed": 1, **arguments}
    return Evaluator(REAL, **arguments)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_CACHE", str(tmp_path))
    return tmp_path


def by_name(results):
    return {result.name: result for result in results}


def test_another_sample_of_the_data_scores_like_its_baseline():
    found = by_name(evaluator(labels=LABELS)(blobs(400, 5)[0]))
    assert set(found) == {key for name in DEFAULT for key in METRICS[name].better}
    for name in ("precision", "recall", "coverage", "vendi_score"):
        assert found[name].value == pytest.approx(found[name].baseline, rel=0.1)
    kernel = found["kernel_distance"]
    assert abs(kernel.value - kernel.floor) < 4 * kernel.error
    assert found["classes_covered"].value == 4
    assert found["class_kl"].value < 6 * found["class_kl"].floor
    shares = found["classes_covered"].details
    assert set(shares) == {"shares", "real shares"} and list(shares["shares"]) == list("0123")


def test_a_lost_mode_shows_in_every_score_of_diversity():
    images, labels = blobs(1000, 5)
    whole = by_name(evaluator(labels=LABELS)(images[:400]))
    lost = by_name(evaluator(labels=LABELS)(images[labels > 1][:400]))
    assert lost["classes_covered"].value == 2
    assert lost["class_kl"].value == pytest.approx(math.log(2), abs=0.1)
    assert lost["precision"].value > 0.8
    for name in ("recall", "coverage"):
        assert lost[name].value < 0.7 * whole[name].value
    for name in ("frechet_distance", "kernel_distance", "ndb", "ndb_js", "class_kl"):
        assert whole[name].better_than(lost[name])


def test_provenance_says_what_was_done():
    first, second = (evaluator(seed=seed, metrics=["ndb"])(REAL[:400]) for seed in (0, 1))
    about = first[0].provenance
    assert about.metric == "ndb (k=40)" and about.samples == about.real_samples == 400
    assert about.extractor == "random projection (dimensions=16, seed=0)"
    with pytest.raises(metrics.ProvenanceError, match="seed: 0 and 1"):
        assert first[0] < second[0]
    again = evaluator(seed=0, metrics=["ndb"])(REAL[:400])
    assert again == first


def test_a_model_is_sampled_with_the_seed():
    gan = kerasgan.GAN(*kerasgan.networks.mlp(16, 1, latent_dim=4, width=8, depth=1))
    score = evaluator(metrics=["frechet_distance"])
    assert score(gan) == score(gan.sample(400, seed=1))


def test_scores_during_fit_reach_other_callbacks():
    gan = kerasgan.GAN(*kerasgan.networks.mlp(16, 1, latent_dim=4, width=8, depth=1))
    gan.compile()
    seen = []
    scores = kerasgan.callbacks.Scores(REAL, samples=300, every=2, extractor=SMALL)
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs))
    history = gan.fit(REAL[:128], epochs=3, verbose=0, callbacks=[scores, note]).history
    names = {key for name in CHEAP for key in METRICS[name].better}
    # After each second epoch, and after the last one.
    assert names <= set(history) and names <= set(seen[1])
    assert len(history["coverage"]) == 2 and not names & set(seen[0])
    assert {result.name for result in scores.results} == names


def test_real_features_are_computed_once(cache):
    calls = []

    class Counting(Pixels):
        name = "counting 1"

        def extract(self, images):
            calls.append(len(images))
            return super().extract(images)[:, ::16]

    for _ in range(2):
        evaluator(extractor=Counting(), metrics=["coverage"])
    assert sum(calls) == 800
    stored = sorted((cache / "features").iterdir())
    assert len(stored) == 2
    stored[0].write_bytes(b"damaged")
    evaluator(extractor=Counting(), metrics=["coverage"])
    assert sum(calls) == 1200


def test_what_does_not_suit_the_images_is_left_out_and_said():
    tiny = np.random.default_rng(0).uniform(-1, 1, (400, 8, 8, 1)).astype("float32")
    found = by_name(metrics.evaluate(tiny[:200], tiny, extractor=SMALL, samples=200))
    assert math.isnan(found["ms_ssim"].value) and "at least 11 pixels" in found["ms_ssim"].remark
    alone = Evaluator(tiny, metrics=["coverage"], extractor=SMALL, samples=200)
    assert found["coverage"] == alone(tiny[:200])[0]
    named = Evaluator(tiny, metrics=["coverage", "ms_ssim"], extractor=SMALL, samples=200)
    with pytest.raises(MetricError, match="at least 11 pixels"):
        named(tiny[:200])
    wide = metrics.evaluate(tiny, tiny, extractor=RandomProjection(300), samples=200)
    assert "at least 301 samples. Received: 200" in by_name(wide)["frechet_distance"].remark


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"data": REAL[:150]}, "at least 200 real images.*Received: 150"),
        ({"samples": 50}, "`samples` must be at least 100. Received: 50"),
        ({"metrics": ["fid"]}, r"`metrics` must be one of .*Received: metrics='fid'"),
        ({"metrics": ["classes"]}, "`labels` are needed for classes"),
        ({"data": np.full((300, 16, 16, 1), np.nan, "float32")}, "must be finite"),
        ({"data": np.full((300, 16, 16, 1), 300)}, r"integers in 0..255"),
        ({"data": REAL[..., 0]}, r"shape \(n, height, width, 1, 3 or 4\)"),
        ({"data": object()}, "must be an array or a kerasgan.data.ImageDataset"),
        ({"labels": LABELS[:5]}, "one entry for each of the 1200 images"),
        ({"seed": -1}, "`seed` must be"),
    ],
)
def test_bad_arguments_are_refused(arguments, rule):
    with pytest.raises(ValueError, match=rule):
        Evaluator(**{"data": REAL, "extractor": SMALL, "samples": 300, **arguments})


def test_bad_generated_images_are_refused():
    score = evaluator(metrics=["coverage"])
    for images, rule in (
        (REAL[:100], "there must be 400 generated images.*Received: 100"),
        (REAL[:400, :8], r"the shape of the real ones, \(16, 16, 1\). Received: \(8, 16, 1\)"),
        (REAL[:400] * np.nan, "`generated` must be finite"),
        (REAL[:400] * 127, r"`generated` must be floats in \[-1, 1\]"),
    ):
        with pytest.raises(MetricError, match=rule):
            score(images)


def test_scores_finds_out_before_training_what_cannot_be_measured():
    wide = RandomProjection(300)
    with pytest.warns(UserWarning, match="frechet_distance is left out: .*at least 301 samples"):
        scores = kerasgan.callbacks.Scores(REAL, samples=200, extractor=wide)
    assert "frechet_distance" not in scores.evaluator.metrics
    with pytest.raises(MetricError, match="at least 301 samples"):
        kerasgan.callbacks.Scores(REAL, ["frechet_distance"], samples=200, extractor=wide)
    gan = kerasgan.GAN(*kerasgan.networks.mlp(16, 1, latent_dim=4, width=8, depth=1), ema=None)
    gan.generator.set_weights([w * np.nan for w in gan.generator.get_weights()])
    scores.set_model(gan)
    logs = {}
    scores.on_epoch_begin(0)
    scores.on_epoch_end(0, logs)
    assert math.isnan(logs["coverage"]) and scores.results == []


def test_provenance_tells_labels_and_bytes_from_floats():
    pixels = kerasgan.data.to_uint8(REAL)
    floats = kerasgan.data.from_uint8(pixels)
    options = {"samples": 300, "extractor": SMALL, "metrics": ["coverage", "classes"]}
    first, second, other = (
        by_name(Evaluator(images, labels, **options)(REAL[:300]))
        for images, labels in ((pixels, LABELS), (floats, LABELS), (floats, LABELS // 2))
    )
    assert first["coverage"].provenance == second["coverage"].provenance
    assert first["coverage"].provenance == other["coverage"].provenance
    assert first["class_kl"].provenance == second["class_kl"].provenance
    with pytest.raises(metrics.ProvenanceError, match="data: "):
        assert first["class_kl"] < other["class_kl"]


def test_extractors_have_names_of_their_own():
    images = keras.Input((12, 12, 1))
    pools = [keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D]
    models = [keras.Model(images, pool()(images), name="pool") for pool in pools]
    first, second = map(Network, models)
    assert first.name != second.name
    assert Network(keras.Model(images, pools[0]()(images), name="pool")).name == first.name
    with pytest.raises(MetricError, match="`name` must be given with `preprocess`"):
        Network(models[0], preprocess=lambda x: x)

    class Nameless(Pixels):
        name = None

    with pytest.raises(MetricError, match="must have a `name`"):
        evaluator(extractor=Nameless())


@pytest.mark.slow
def test_networks_of_keras_applications():
    extractor = application("MobileNetV2", weights=None, input_shape=(32, 32, 3), alpha=0.35)
    assert extractor.side == 32 and "keras.applications.MobileNetV2 (None)" in extractor.name
    assert extractor(REAL[:3]).shape == (3, 1280)
    for name in ("MobileNetV9", "resnet"):
        with pytest.raises(MetricError, match=f"must have the network. Received: '{name}'"):
            application(name)


def test_any_keras_model_is_an_extractor():
    images = keras.Input((12, 12, 3))
    model = keras.Model(images, keras.layers.GlobalAveragePooling2D()(images), name="mean_colour")
    extractor = Network(model)
    grey = np.random.default_rng(0).uniform(-1, 1, (300, 12, 12, 1)).astype("float32")
    found = extractor(grey)
    assert found.shape == (300, 3) and extractor.name.startswith("mean_colour ")
    np.testing.assert_allclose(found, grey.mean((1, 2)).repeat(3, axis=1), atol=1e-5)
    larger = grey.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(extractor(larger), found, atol=0.02)
    with pytest.raises(MetricError, match="must take square images"):
        Network(keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]))


def test_too_few_samples_are_refused_before_features_are_computed():
    class Lazy(RandomProjection):
        def extract(self, images):
            raise AssertionError("features were computed")

    with pytest.raises(MetricError, match=r"at least 501 samples.*Received: 400 samples and 1,200"):
        metrics.evaluate(
            REAL[:400], REAL, metrics=["frechet_distance"], samples=400, extractor=Lazy(500)
        )


@pytest.mark.parametrize(
    ("extractor", "width"), [(SMALL, 16), (Pixels(), 256), (metrics.extractors.Extractor(), None)]
)
def test_extractors_know_how_many_features_they_make(extractor, width):
    assert extractor.width((16, 16, 1)) == width
    if width is not None:
        assert extractor(REAL[:2]).shape == (2, width)


def test_a_random_projection_warns_where_a_network_could_be_installed(monkeypatch):
    extractors = metrics.extractors
    monkeypatch.setattr(extractors.EfficientNetLite0, "installed", staticmethod(lambda: False))
    with pytest.warns(UserWarning, match="random projection of the pixels.*efficientnet"):
        Evaluator(np.repeat(REAL, 3, axis=-1), metrics=["coverage"], samples=200)
    assert extractors.advice(Pixels()) is None
    monkeypatch.setattr(extractors.EfficientNetLite0, "installed", staticmethod(lambda: True))
    assert extractors.advice(SMALL) is None
