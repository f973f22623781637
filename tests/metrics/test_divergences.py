"""Divergences, modes and their floors, against closed forms and scipy."""

import math

import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.metrics import MetricError, divergences

pytestmark = pytest.mark.numpy


def test_divergences_by_hand():
    p, q = [1, 1, 2], [2, 1, 1]
    kl = 0.25 * math.log(0.5) + 0.5 * math.log(2)
    assert divergences.kl(p, q) == pytest.approx(kl)
    middle = [0.375, 0.25, 0.375]
    js = (divergences.kl(p, middle) + divergences.kl(q, middle)) / 2
    assert divergences.js(p, q) == pytest.approx(js) == divergences.js(q, p)
    assert divergences.wasserstein_1(p, q) == pytest.approx(0.5)
    assert divergences.wasserstein_1(p, q, [0, 10, 30]) == pytest.approx(0.25 * 10 + 0.25 * 20)
    assert divergences.kl([1, 1], [1, 0]) == math.inf
    assert divergences.js([1, 0], [0, 1]) == math.log(2)
    assert divergences.kl(p, p) == divergences.js(p, p) == divergences.wasserstein_1(p, p) == 0


def test_divergences_of_samples(rng):
    x, y = rng.standard_normal(4000), rng.standard_normal(3000) + 2
    assert divergences.wasserstein_1_of_samples(x, y) == pytest.approx(2, abs=0.1)
    assert divergences.wasserstein_1_of_samples([0, 1], [3, 4, 4, 3]) == pytest.approx(3)
    counts = divergences.histograms(x, y, bins=40)
    assert counts[0].sum() == 4000 and counts[1].sum() == 3000 and len(counts[2]) == 40
    binned = divergences.wasserstein_1(*counts)
    assert binned == pytest.approx(divergences.wasserstein_1_of_samples(x, y), rel=0.05)
    stats = pytest.importorskip("scipy.stats")
    expected = stats.wasserstein_distance(x, y)
    assert divergences.wasserstein_1_of_samples(x, y) == pytest.approx(expected, rel=1e-9)
    p, q = counts[0] + 1.0, counts[1] + 1.0
    assert divergences.kl(p, q) == pytest.approx(stats.entropy(p, q), rel=1e-9)


def test_sliced_distance_of_a_shift(rng):
    x = rng.standard_normal((500, 3))
    # The mean of |cos| between a direction and an axis is 1/2 in three dimensions.
    found = divergences.sliced_wasserstein_1(x, x + np.array([4.0, 0, 0]), projections=2000)
    assert found == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(
    ("p", "q", "rule"),
    [
        ([1, 2], [1, 2, 3], "the same number of bins"),
        ([0, 0], [1, 1], "a positive sum"),
        ([1, -1], [1, 1], "non-negative"),
        ([1, np.nan], [1, 1], "non-negative"),
    ],
)
def test_bad_histograms_are_refused(p, q, rule):
    for divergence in (divergences.kl, divergences.js, divergences.wasserstein_1):
        with pytest.raises(MetricError, match=rule):
            divergence(p, q)


# Modes.

RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
GRID = np.stack(np.meshgrid(*[np.arange(-4.0, 5, 2)] * 2), axis=-1).reshape(-1, 2)


def stacked_digits(seed):
    """Return the modes of 26,000 stacks of three digits, drawn evenly."""
    digits = np.random.default_rng(seed).integers(10, size=(26_000, 3))
    return metrics.modes_of_labels(digits @ [100, 10, 1], 1000)


def mixture(centres, sigma, seed):
    rng = np.random.default_rng(seed)
    x = centres[rng.integers(len(centres), size=2500)]
    return metrics.modes_of_mixture(x + sigma * rng.standard_normal(x.shape), centres, sigma)


@pytest.mark.parametrize(
    ("sampler", "samples"),
    [
        (lambda seed: mixture(RING, 0.01, seed), 2500),
        (lambda seed: mixture(GRID, 0.05, seed), 2500),
        (stacked_digits, 26_000),
    ],
    ids=["ring", "grid", "stacked digits"],
)
def test_a_perfect_sampler_scores_at_its_floor(sampler, samples):
    real, *trials = (sampler(seed) for seed in range(41))
    found = [
        metrics.mode_results(modes, real, samples, "a mixture", "its modes") for modes in trials
    ]
    for i, name in enumerate(("modes_covered", "mode_kl")):
        values = [results[i].value for results in found]
        error = np.std(values, ddof=1) / math.sqrt(len(values))
        assert found[0][i].name == name
        assert np.mean(values) == pytest.approx(found[0][i].floor, abs=max(2 * error, 1e-6))
    if sampler is not stacked_digits:
        values = [results[2].value for results in found]
        error = np.std(values, ddof=1) / math.sqrt(len(values))
        assert np.mean(values) == pytest.approx(1 - math.exp(-4.5), abs=2 * error)


def test_the_floor_of_data_whose_modes_are_not_equally_frequent(rng):
    shares = np.array([0.4, 0.3, 0.2, 0.05, 0.05])
    trials = [metrics.modes_of_labels(rng.choice(5, 500, p=shares), 5) for _ in range(400)]
    floor = metrics.mode_results(trials[0], trials[0], 500, "x", "y", sampled=shares)[1].floor
    values = [modes.kl for modes in trials]
    assert np.mean(values) == pytest.approx(floor, abs=3 * np.std(values) / 20)
    assert floor > 0.25  # Mostly the distance of the shares to equal ones.


def test_modes_are_compared_only_with_their_like():
    ring, grid = mixture(RING, 0.01, 0), mixture(GRID, 0.05, 0)
    first = metrics.mode_results(ring, ring, 2500, "ring", "nearest centre")
    assert [r.name for r in first] == ["modes_covered", "mode_kl", "high_quality"]
    assert not any(r.better_than(r) for r in first)
    lost = metrics.modes_of_mixture(np.repeat(RING[:1], 100, axis=0), RING, 0.01)
    worse = metrics.mode_results(lost, ring, 2500, "ring", "nearest centre")
    assert all(a.better_than(b) for a, b in zip(first, worse, strict=True))  # 100 % is too good.
    other = metrics.mode_results(grid, grid, 2500, "grid", "nearest centre")
    with pytest.raises(metrics.ProvenanceError, match="'ring' and 'grid'"):
        first[0].better_than(other[0])
    again = metrics.Result.from_json(first[1].to_json())
    assert again == first[1]


def test_floors_of_the_literature(rng):
    assert metrics.expected_kl(8, 2500) == pytest.approx(0.0014, abs=5e-5)
    assert metrics.expected_kl(25, 2500) == pytest.approx(0.0048, abs=5e-5)
    assert metrics.expected_kl(1000, 26_000) == pytest.approx(0.0194, abs=1e-4)
    assert metrics.expected_kl(1000, 10_000) == pytest.approx(0.0508, abs=2e-4)
    shares = np.array([0.5, 0.3, 0.2])
    values = [
        metrics.modes_of_labels(rng.choice(3, 200, p=shares), 3, shares).kl for _ in range(500)
    ]
    assert metrics.expected_kl(3, 200, shares) == pytest.approx(np.mean(values), rel=0.15)


def test_lost_modes_and_stray_samples():
    x = np.concatenate([RING[:3].repeat(50, axis=0), np.zeros((50, 2))])
    found = metrics.modes_of_mixture(x, RING, 0.01)
    assert (found.covered, found.high_quality) == (3, 0.75)
    assert found.kl == pytest.approx(math.log(8 / 3))
    nowhere = metrics.modes_of_mixture(np.zeros((5, 2)), RING, 0.01)
    assert (nowhere.covered, nowhere.high_quality, nowhere.kl) == (0, 0, math.inf)


def test_modes_of_labels():
    found = metrics.modes_of_labels([0, 0, 2, 2], 4)
    assert found.covered == 2 and found.kl == pytest.approx(math.log(2))
    assert found.shares == (0.5, 0, 0.5, 0)
    with pytest.raises(MetricError, match=r"must lie in 0..3. Received: labels from 0 to 4"):
        metrics.modes_of_labels([0, 4], 4)
    with pytest.raises(MetricError, match="must be integers"):
        metrics.modes_of_labels([0.5], 4)


def test_codes_agree_with_classes_as_far_as_they_tell_them():
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=20_000)
    renamed = rng.permutation(10)
    assert metrics.code_agreement(renamed[labels], labels) == 1.0
    flipped = np.where(rng.random(len(labels)) < 0.2, rng.integers(10, size=len(labels)), labels)
    assert metrics.code_agreement(flipped, labels) == pytest.approx(0.82, abs=0.01)
    noise = rng.integers(10, size=len(labels))
    assert metrics.code_agreement(noise, labels) == pytest.approx(0.1, abs=0.015)
    assert metrics.code_agreement(labels // 5, labels) == pytest.approx(0.2, abs=0.01)
    with pytest.raises(metrics.MetricError, match="`codes` must be as many"):
        metrics.code_agreement(labels[:-1], labels)
    with pytest.raises(metrics.MetricError, match="`codes` must be integers"):
        metrics.code_agreement(labels / 2, labels)
