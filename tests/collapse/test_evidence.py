"""What the guard sees beside the layout: colours and textures, copies, sharpness, classes."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from kerasgan.collapse import Detector, DiversityMetric, Measurement, features
from kerasgan.collapse.space import Space

pytestmark = pytest.mark.numpy

DETECT = Detector()
KINDS = 8


def cloths(n, seed, side=32, channels=3):
    """Return striped images of eight kinds, which differ in colours and stripes, and the kinds."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(KINDS, size=n)
    own = np.random.default_rng(0)
    colours = own.uniform(-0.8, 0.8, (KINDS, 2, channels))
    waves = own.uniform(0.3, 1.2, (KINDS, 2))
    y, x = np.mgrid[:side, :side]
    images = np.empty((n, side, side, channels), "float32")
    for i, kind in enumerate(kinds):
        turn = rng.uniform(0, 2 * np.pi)
        wave = np.sin(waves[kind, 0] * x + waves[kind, 1] * y + turn)[..., None]
        tint = colours[kind] + rng.normal(0, 0.08, (2, channels))
        images[i] = tint[0] + (tint[1] - tint[0]) * (wave + 1) / 2
    noise = rng.normal(0, 0.03, images.shape)
    return np.clip(images + noise, -1, 1).astype("float32"), kinds


REAL, REAL_KINDS = cloths(3000, 0)
METRIC = DiversityMetric(REAL, samples=600, labels=REAL_KINDS)
HELD_OUT, KINDS_HELD_OUT = cloths(4000, 1)
WHOLE = METRIC.measure(HELD_OUT[:600], KINDS_HELD_OUT[:600])


def after_the_whole(images, labels=None):
    """Return the verdict on images after two checks that were as good as real images."""
    found = METRIC.measure(images, labels)
    return found, DETECT([WHOLE, WHOLE, found])


def test_held_out_real_images_are_healthy():
    for value in (WHOLE.layout, WHOLE.surface, WHOLE.distinct, WHOLE.fidelity, WHOLE.level):
        assert value == pytest.approx(1, abs=0.06)
    assert WHOLE.classes == pytest.approx([1] * KINDS, abs=0.15)
    found, verdict = after_the_whole(HELD_OUT[600:1200], KINDS_HELD_OUT[600:1200])
    assert verdict.state == "healthy" and verdict.evidence == () and found.level > 0.95


def test_kinds_that_are_missing_are_seen_on_the_surface():
    some = HELD_OUT[KINDS_HELD_OUT < 6][:600]
    found, verdict = after_the_whole(some)
    assert verdict.state != "healthy" and "surface" in verdict.evidence
    few, verdict = after_the_whole(HELD_OUT[KINDS_HELD_OUT < 2][:600])
    assert few.surface < found.surface < 0.85 and few.surface < 0.5
    assert verdict.state == "collapsed"


def test_what_all_images_share_is_no_loss_in_a_centred_space():
    rng = np.random.default_rng(0)
    real, images = rng.normal(size=(800, 5)).astype("float32"), rng.normal(size=(300, 5))
    moved = (images + np.array([3, 0, 0, -2, 0])).astype("float32")
    centred = Space(real, 20, 300, centred=True)
    found, after = centred.measure(images.astype("float32")), centred.measure(moved)
    assert after["overlap"] == pytest.approx(found["overlap"], abs=0.01)
    assert after["coverage"] == pytest.approx(found["coverage"], abs=0.01)
    assert Space(real, 20, 300).measure(moved)["overlap"] < 0.5 * found["overlap"]


@pytest.mark.parametrize("kept", [20, 100])
def test_few_images_that_come_again_are_copies(kept):
    rng = np.random.default_rng(2)
    found, verdict = after_the_whole(HELD_OUT[rng.integers(kept, size=600)])
    assert found.distinct < 0.1
    assert verdict.state == "collapsed" and "copies" in verdict.evidence


def test_copies_are_said_in_words():
    copied = dataclasses.replace(WHOLE, distinct=0.1)
    verdict = DETECT([WHOLE, WHOLE, copied])
    assert verdict.evidence == ("copies",)
    assert "images without a twin is 0.10; 1 check ago it was 1.0" in verdict.sentence


def test_a_blur_lowers_the_level_by_a_third_and_alarms():
    blurred = ndimage.gaussian_filter(HELD_OUT[:600], (0, 2, 2, 0))
    found, verdict = after_the_whole(blurred)
    assert found.level < 2 / 3 * WHOLE.level and found.sharpness < 0.6
    assert verdict.bad and "blur" in verdict.evidence


def test_noise_is_worse_than_sharp_images_but_no_blur():
    rng = np.random.default_rng(3)
    noisy = HELD_OUT[:600] + rng.normal(0, 0.1, HELD_OUT[:600].shape)
    found, verdict = after_the_whole(np.clip(noisy, -1, 1).astype("float32"))
    assert found.level < 0.95 * WHOLE.level and found.fidelity < 0.95 * WHOLE.fidelity
    assert "blur" not in verdict.evidence


def test_a_class_that_collapses_alone_is_named():
    images, labels = HELD_OUT[:600].copy(), KINDS_HELD_OUT[:600]
    images[labels == 3] = images[labels == 3][0]
    found, verdict = after_the_whole(images, labels)
    assert found.classes[3] < 0.5 * WHOLE.classes[3]
    assert verdict.bad and verdict.evidence[0] in ("class 3", "copies")
    assert "class 3" in verdict.evidence
    others = [e for e in verdict.evidence if e.startswith("class ")]
    assert others == ["class 3"]
    one = dataclasses.replace(WHOLE, classes=(1.0, 1.0, 1.0, 0.2))
    named = Detector(["red", "green", "blue", "striped"])([WHOLE, WHOLE, one])
    assert named.evidence == ("class 3",) and "class 3 (striped)" in named.sentence


def test_a_rare_class_and_images_without_labels_are_not_measured():
    labels = np.where(np.arange(3000) < 2990, REAL_KINDS, KINDS)
    metric = DiversityMetric(REAL, samples=600, labels=labels)
    assert len(metric.measure(HELD_OUT[:600], KINDS_HELD_OUT[:600]).classes) == KINDS
    assert metric.measure(HELD_OUT[:600]).classes == ()
    asked = np.zeros(600, int)  # Of the other classes there is no image.
    assert metric.measure(HELD_OUT[:600], asked).classes[1:] == (None,) * (KINDS - 1)


def test_young_generators_do_not_lose_what_their_noise_had():
    """Noise is sharp and has no twins, so a generator that begins to draw blobs would lose both."""
    young = Measurement(0.05, 0.05, 0.01, 0.5, 0.1, 0.5, distinct=1.1, detail=(1.5, 1.0, 1.0))
    blobs = Measurement(0.6, 0.6, 0.5, 0.5, 0.6, 0.2, distinct=0.5, detail=(0.02, 0.05, 0.1))
    assert DETECT([young, young, young, blobs, blobs]).state == "healthy"


def test_one_that_was_on_its_way_and_lost_it_has_collapsed():
    """The collapse of a plain GAN on emoji that was missed: diversity .01 .06 .21 .39 .21 .06."""
    seen = [Measurement(x, x, x, x, x, 0.5) for x in (0.01, 0.06, 0.21, 0.37, 0.39, 0.12, 0.06)]
    states = [DETECT(seen[: i + 1]).state for i in range(len(seen))]
    assert states[:5] == ["learning"] * 5 and states[5:] == ["collapsing", "collapsed"]


def test_one_that_wavers_on_a_low_level_has_not():
    levels = (0.4, 0.4, 0.25, 0.3, 0.2, 0.26, 0.38, 0.4)
    seen = [Measurement(x, x, x, x, x, 0.5) for x in levels]
    assert not any(DETECT(seen[: i + 1]).bad for i in range(len(seen)))


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_images_of_any_number_of_channels_have_a_surface(channels):
    real, _ = cloths(600, 0, channels=channels)
    metric = DiversityMetric(real, samples=200)
    assert metric.unseen is None
    assert metric.measure(cloths(200, 1, channels=channels)[0]).surface == pytest.approx(1, abs=0.2)


def test_points_and_tiny_images_have_none():
    points = np.random.default_rng(0).normal(0, 0.2, (300, 1, 1, 2)).astype("float32")
    found = DiversityMetric(points).measure(points[:100])
    assert found.surface is None and found.distinct is None and found.detail == ()
    assert found.fidelity == 1


def test_features_that_cannot_be_computed_are_said_and_the_layout_goes_on(monkeypatch):
    def broken(real, seed):
        raise np.linalg.LinAlgError("no convergence")

    monkeypatch.setattr(features, "Surface", broken)
    metric = DiversityMetric(REAL, samples=300)
    assert "colours and textures" in metric.unseen and "no convergence" in metric.unseen
    found = metric.measure(HELD_OUT[:300])
    assert found.surface is None and found.layout == pytest.approx(1, abs=0.1)


class Watched:
    """An array that notes how many images are read at a time."""

    def __init__(self, images):
        self.images = images
        self.shape = images.shape
        self.most = 0

    def __len__(self):
        return len(self.images)

    def __getitem__(self, rows):
        self.most = max(self.most, len(rows))
        return self.images[rows]


def test_no_more_than_a_block_of_a_memory_map_is_read():
    watched = Watched(REAL[:900])
    first = DiversityMetric(watched, samples=300).measure(HELD_OUT[:300])
    assert watched.most == features.BLOCK
    assert first == DiversityMetric(REAL[:900], samples=300).measure(HELD_OUT[:300])
