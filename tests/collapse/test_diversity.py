"""The numbers that the detector reads: what they see, and what they refuse."""

import numpy as np
import pytest

from kerasgan.collapse import DiversityMetric
from kerasgan.data import to_uint8
from kerasgan.metrics import MetricError

pytestmark = pytest.mark.numpy


def blobs(n, seed, side=16, kinds=9):
    """Return images of one bright spot near one of nine places, and the place."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(kinds, size=n)
    at = np.array([[y, x] for y in (3, 8, 13) for x in (3, 8, 13)])[labels]
    at = (at + rng.uniform(-1.5, 1.5, (n, 2))) * side / 16
    y, x = np.mgrid[:side, :side]
    r = (y - at[:, 0, None, None]) ** 2 + (x - at[:, 1, None, None]) ** 2
    return (2 * np.exp(-r / 6) - 1).astype("float32")[..., None], labels


REAL, LABELS = blobs(4000, 0)
METRIC = DiversityMetric(REAL, samples=800)
RELATIVE = ("diversity", "cells", "coverage", "vendi", "spread")


def test_real_images_score_as_held_out_ones():
    found = METRIC.measure(blobs(800, 7)[0])
    for name in RELATIVE:
        assert getattr(found, name) == pytest.approx(1, abs=0.05)
    assert found.js < 0.01 and found.finite
    assert sum(found.shares) == pytest.approx(1) and METRIC.lost(found) == []


def test_a_lost_mode_is_seen_and_named():
    images, labels = blobs(2000, 7)
    found = METRIC.measure(images[labels != 4][:800])
    whole = METRIC.measure(images[:800])
    assert found.diversity < whole.diversity - 0.05
    cells = METRIC.lost(found)
    assert cells
    losses = METRIC.real_shares[cells] - np.asarray(found.shares)[cells]
    assert (np.diff(losses) <= 1e-12).all()  # The greatest loss first.
    for cell in cells:
        middle = METRIC.exemplars[cell][0]
        assert set(LABELS[(middle == REAL).all(axis=(1, 2, 3))]) == {4}


@pytest.mark.parametrize("points", [1, 5, 50])
def test_a_set_collapsed_to_a_few_points_is_seen(points):
    images = blobs(points, 3)[0]
    found = METRIC.measure(np.repeat(images, 800 // points, axis=0))
    assert found.coverage < 0.75
    if points < 50:
        assert found.diversity < 0.3 and found.cells < 0.3 and found.js > 0.3
    if points == 1:
        assert found.vendi < 0.3 and found.spread == pytest.approx(0, abs=1e-6)


def test_bytes_and_floats_are_the_same_data():
    rounded = to_uint8(REAL)
    first = DiversityMetric(rounded, samples=300).measure(REAL[:300])
    second = DiversityMetric(rounded.astype("float32") / 127.5 - 1, samples=300).measure(REAL[:300])
    assert first == second
    assert first == DiversityMetric(rounded, samples=300).measure(REAL[:300])


def test_large_and_coloured_images_are_shrunk():
    images = np.repeat(blobs(400, 0, side=50)[0], 3, axis=-1)
    metric = DiversityMetric(images, samples=100)
    assert metric.measure(images[:100]).coverage == pytest.approx(1, abs=0.1)
    assert metric._layout.directions.shape[0] <= 1024


def test_images_that_are_not_finite_are_broken():
    broken = REAL[:800].copy()
    broken[3] = np.nan
    found = METRIC.measure(broken)
    assert not found.finite and found.diversity == 0


def test_few_images_are_enough_or_refused():
    metric = DiversityMetric(REAL[:60])
    assert metric.samples == 20 and len(metric.real_shares) == 4
    assert metric.measure(REAL[:20]).finite
    assert all(1 <= len(images) <= 5 for images in metric.exemplars)
    with pytest.raises(MetricError, match=r"at least 40 real images .* Received: 39"):
        DiversityMetric(REAL[:39])
    with pytest.raises(MetricError, match="constant"):
        DiversityMetric(np.zeros((100, 8, 8, 1), "float32"))
    with pytest.raises(ValueError, match="`samples`"):
        DiversityMetric(REAL, samples=0)
