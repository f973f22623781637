"""Images that are diverse, but far from the data: what is measured, and what is said of it."""

import io

import numpy as np
import pytest

import kerasgan
from kerasgan import report
from kerasgan.callbacks import CollapseGuard
from kerasgan.collapse import Detector, DiversityMetric, Entry, Journal, Measurement
from kerasgan.collapse.advice import advice
from kerasgan.collapse.diversity import COARSE, FAR

NUMPY = pytest.mark.numpy


def pictures(n, seed, side=24):
    """Return discs and squares of many places and greys with a fine stripe in them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    at = rng.uniform(6, side - 6, (2, n, 1, 1))
    away = np.abs(y - at[0]), np.abs(x - at[1])
    disc = np.hypot(*away) < 5
    square = np.maximum(*away) < 4
    shape = np.where(rng.random((n, 1, 1)) < 0.5, disc, square)
    grey = rng.uniform(0, 0.8, (n, 1, 1)) + 0.2 * (x // 2 % 2)
    return np.where(shape, grey, -0.8).astype("float32")[..., None]


@pytest.fixture(scope="module")
def metric():
    return DiversityMetric(pictures(2400, 0), samples=600)


def spoiled(how):
    images = pictures(600, 1)
    if how == "real":
        return images
    if how == "noisy":
        noise = np.random.default_rng(2).normal(0, 0.3, images.shape)
        return np.clip(images + noise, -1, 1).astype("float32")
    if how == "blurred":
        for axis in (1, 2, 1, 2):
            images = sum(np.roll(images, by, axis) for by in (-1, 0, 1)) / 3
        return images
    y, x = np.mgrid[:24, :24]
    return np.clip(images + 0.2 * np.where((x + y) % 2, -1, 1)[..., None], -1, 1).astype("float32")


@NUMPY
@pytest.mark.parametrize("how", ["real", "noisy", "blurred", "woven"])
def test_what_all_images_share_is_seen_though_they_are_diverse(metric, how):
    found = metric.measure(spoiled(how))
    assert found.diversity > 0.85  # The layout alone tells nothing of it.
    assert found.far == (how != "real")
    verdict = Detector()([found] * 3)
    assert (verdict.state, verdict.far) == ("healthy", how != "real")
    assert ("diverse, but far from the data" in verdict.sentence) == (how != "real")


@NUMPY
def test_other_real_images_are_as_near_as_the_held_out_ones(metric):
    found = metric.measure(spoiled("real"))
    assert found.near == pytest.approx(1, abs=0.05)


@NUMPY
def test_it_is_not_known_of_small_images_and_old_journals():
    metric = DiversityMetric(pictures(400, 0)[:, 4:18, 4:18], samples=100)
    found = metric.measure(pictures(100, 1)[:, 4:18, 4:18])
    assert found.near is None and found.far is None
    assert not Detector()([found] * 3).far


def measured(near, detail=(), diversity=1.0):
    return Measurement(diversity, 1.0, 1.0, 1.0, 1.0, 0.0, near=near, detail=detail, surface=1.0)


@NUMPY
@pytest.mark.parametrize(
    ("near", "detail", "far"),
    [
        (FAR, (), False),
        (FAR - 0.01, (), True),
        (1.0, (0.25, 0.3, 0.35), True),  # The fidelity is 0.74.
        (1.0, (0.4, 0.4, 0.4), False),
        (None, (0.1, 0.1, 0.1), None),
    ],
)
def test_either_limit_makes_them_far(near, detail, far):
    found = measured(near, detail)
    assert found.far is far
    assert (found.fidelity < COARSE) == (detail[:1] in ((0.25,), (0.1,)))


@NUMPY
def test_what_is_not_diverse_is_only_far():
    sentence = Detector()([measured(0.1, diversity=0.6)] * 3).sentence
    assert "; far from the data: their colours and textures are near 0.10 of" in sentence


@NUMPY
def test_a_training_that_has_not_learned_yet_is_not_told_so():
    young = Measurement(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, near=0.0)
    verdict = Detector()([young] * 3)
    assert verdict.state == "learning" and not verdict.far and "far from" not in verdict.sentence


def page(folder, found):
    verdict = Detector()([found] * 3)
    journal = Journal()
    journal.add(Entry(3, 300, found, verdict.state, verdict.sentence))
    (folder / "guard").mkdir(parents=True)
    journal.write(folder / "guard" / "journal.json")
    assert Journal.read(folder / "guard" / "journal.json").entries[0].measurement.near == found.near
    return report.write(folder).read_text()


@NUMPY
def test_the_report_never_says_that_all_is_well_above_smears(tmp_path):
    far = page(tmp_path / "far", measured(0.03, (0.5, 0.5, 0.5)))
    assert '<div class="verdict far"><b>nothing lost, but far from the data</b>' in far
    assert "diverse, but far from the data: their colours and textures are near 0.03 of the" in far
    assert "do not look like the real ones" in far and "near those of the real images" not in far
    near = page(tmp_path / "near", measured(0.9))
    assert '<div class="verdict healthy"><b>healthy</b>' in near
    assert "colours and textures are near those of the real images" in near
    assert "was not measured" in page(tmp_path / "unknown", measured(None))
    assert "nothing is wrong" not in " ".join([far, near, *advice("healthy")]).lower()


def test_a_guard_says_so_at_the_end(monkeypatch):
    real = pictures(900, 0, side=16)
    gan = kerasgan.GAN(*kerasgan.networks.mlp(16, 1, latent_dim=4, width=8, depth=1))
    gan.compile()
    noise = np.random.default_rng(2).normal(0, 0.4, (300, 16, 16, 1))
    images = np.clip(pictures(300, 1, side=16) + noise, -1, 1).astype("float32")
    monkeypatch.setattr(type(gan), "sample", lambda self, n, **given: images[:n])
    stream = io.StringIO()
    guard = CollapseGuard("warn", every=2, stream=stream)
    gan.fit(real, batch_size=100, epochs=1, verbose=0, callbacks=[guard])
    assert guard.verdict.state == "healthy" and guard.verdict.far and guard.collapsed is None
    said = stream.getvalue()
    assert said.count("nothing was lost, but the images are not like the data: ") == 1
    assert "far from the data" in said
