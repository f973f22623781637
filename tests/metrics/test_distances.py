"""Metrics of features against their definitions, written out; and against published packages."""

import numpy as np
import pytest

from kerasgan import metrics
from kerasgan.metrics import MetricError, clusters, duplicates
from kerasgan.metrics.kernel import unbiased_discrepancy
from kerasgan.metrics.ndb import different
from kerasgan.metrics.prdc import expected_coverage

pytestmark = pytest.mark.numpy

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((600, 8)).astype("float32")
OTHER = (1.2 * RNG.standard_normal((500, 8)) + 0.3).astype("float32")
SETS = {
    "one": np.repeat(OTHER[:1], 500, axis=0),
    "five": np.repeat(OTHER[:5], 100, axis=0),
    "fifty": np.repeat(OTHER[:50], 10, axis=0),
}


def between(x, y):
    return np.sqrt(((x[:, None].astype("float64") - y[None]) ** 2).sum(-1))


# Fréchet.


def test_frechet_distance_of_known_gaussians(rng):
    n, sd, shift = 200_000, np.array([1.0, 2.0, 0.5]), np.array([0.0, 1.0, -2.0])
    x = rng.standard_normal((n, 3))
    y = rng.standard_normal((n, 3)) * sd + shift
    expected = (shift**2).sum() + ((1 - sd) ** 2).sum()
    assert metrics.frechet_distance(x, y) == pytest.approx(expected, rel=0.01)


def test_frechet_distance_equals_the_formula_with_a_matrix_root():
    linalg = pytest.importorskip("scipy.linalg")
    covariances = [np.cov(x.astype("float64"), rowvar=False) for x in (REAL, OTHER)]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = ((REAL.mean(0, "float64") - OTHER.mean(0, "float64")) ** 2).sum()
    expected += np.trace(covariances[0] + covariances[1] - 2 * root)
    assert metrics.frechet_distance(REAL, OTHER) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_a_set_to_itself_and_of_singular_sets():
    assert metrics.frechet_distance(REAL, REAL) == pytest.approx(0, abs=1e-6)
    flat = REAL * [1, 1, 1, 1, 0, 0, 0, 0]
    assert metrics.frechet_distance(flat, flat) == pytest.approx(0, abs=1e-6)
    for collapsed in SETS.values():
        assert metrics.frechet_distance(REAL, collapsed) > 5 * metrics.frechet_distance(
            REAL[:300], REAL[300:]
        )


def test_frechet_distance_says_how_many_samples_it_needs():
    with pytest.raises(MetricError, match=r"at least 9 samples. Received: 8"):
        metrics.frechet_distance(REAL, OTHER[:8])


# Kernel.


def test_kernel_distance_equals_its_definition():
    x, y = REAL[:40].astype("float64"), OTHER[:40].astype("float64")

    def k(a, b):
        return (a @ b / 8 + 1) ** 3

    same = [
        np.mean([k(s[i], s[j]) for i in range(40) for j in range(40) if i != j]) for s in (x, y)
    ]
    across = np.mean([k(a, b) for a in x for b in y])
    assert unbiased_discrepancy(REAL[:40], OTHER[:40]) == pytest.approx(
        sum(same) - 2 * across, rel=1e-9
    )


def test_kernel_distance_is_zero_in_the_mean_for_one_distribution(rng):
    x, y = rng.standard_normal((2, 5000, 6))
    value, error = metrics.kernel_distance(x, y)
    assert abs(value) < 3 * error
    value, error = metrics.kernel_distance(x, y + 0.3)
    assert value > 5 * error


def test_kernel_distance_equals_that_of_torchmetrics():
    kid = pytest.importorskip("torchmetrics.image.kid")
    torch = pytest.importorskip("torch")
    metric = kid.KernelInceptionDistance(torch.nn.Identity(), subsets=1, subset_size=300)
    metric.update(torch.tensor(REAL[:300]), real=True)
    metric.update(torch.tensor(OTHER[:300]), real=False)
    expected = float(metric.compute()[0])
    assert unbiased_discrepancy(REAL[:300], OTHER[:300]) == pytest.approx(expected, rel=1e-4)


# Precision, recall, density, coverage.


def definition(x, y, k):
    reach = [np.sort(between(s, s), axis=1)[:, k] for s in (x, y)]
    across = between(x, y)
    in_real, in_generated = across < reach[0][:, None], across < reach[1]
    return (
        in_real.any(0).mean(),
        in_generated.any(1).mean(),
        in_real.sum(0).mean() / k,
        in_real.any(1).mean(),
    )


@pytest.mark.parametrize("k", [1, 3, 5])
def test_prdc_equals_its_definition(k, monkeypatch):
    monkeypatch.setattr("kerasgan.metrics.distances.BLOCK_BYTES", 4 * 500 * 70)  # Uneven blocks.
    found = metrics.prdc(REAL, OTHER, k)
    assert found == pytest.approx(definition(REAL, OTHER, k), abs=1e-6)
    assert metrics.coverage(REAL, OTHER, k) == found.coverage


def test_prdc_equals_the_authors_package():
    package = pytest.importorskip("prdc")
    expected = package.compute_prdc(REAL, OTHER, nearest_k=5)
    found = metrics.prdc(REAL, OTHER)._asdict()
    assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-4)


def test_precision_and_recall_are_the_right_way_round():
    shrunken, spread = metrics.prdc(REAL, 0.2 * OTHER), metrics.prdc(REAL, 4 * OTHER)
    assert shrunken.precision > 0.95 and shrunken.recall < 0.2
    assert spread.precision < 0.2 and spread.recall > 0.8


def test_equal_sets_score_perfectly():
    assert metrics.prdc(REAL, REAL) == pytest.approx((1, 1, 1, 1), abs=1e-3)
    assert metrics.ndb(REAL, REAL, k=20) == (0, 0)
    copies = np.repeat(REAL[:60], 10, axis=0)  # Their fifth neighbours are copies too.
    assert metrics.prdc(copies, copies)[:2] == (1, 1) and metrics.coverage(copies, copies) == 1


def test_a_perfect_generator_covers_as_expected(rng):
    for n, m in ((400, 400), (600, 200)):
        x, y = (rng.standard_normal((20, size, 3)) for size in (n, m))
        found = [metrics.coverage(*sets) for sets in zip(x, y, strict=True)]
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        assert np.mean(found) == pytest.approx(expected_coverage(n, m), abs=4 * error)


def test_the_order_of_the_samples_does_not_matter(rng):
    """Real images often come sorted by class."""
    classes = np.arange(1000)[:, None] // 100 + rng.standard_normal((1000, 8))
    mixed = rng.permutation(np.arange(1000)[:, None] // 100 + rng.standard_normal((1000, 8)))
    value, error = metrics.kernel_distance(classes, mixed)
    assert abs(value) < 4 * error
    rate = metrics.duplicate_rate(np.sort(classes, axis=0), mixed[:200])
    assert rate < 0.05


@pytest.mark.parametrize(
    ("metric", "arguments"),
    [
        (metrics.prdc, {"k": 0}), (metrics.coverage, {"k": 0}), (metrics.ndb, {"k": 0}),
        (metrics.ndb, {"k": 5, "alpha": 0}), (metrics.kernel_distance, {"min_blocks": 1}),
        (metrics.kernel_distance, {"block_size": 1}), (metrics.duplicate_rate, {"quantile": 2}),
    ],
)  # fmt: skip
def test_bad_parameters_are_refused(metric, arguments):
    with pytest.raises(ValueError, match=f"`{list(arguments)[-1]}` must be"):
        metric(REAL, OTHER, **arguments)


@pytest.mark.parametrize("name", SETS)
def test_a_collapsed_set_scores_as_collapsed(name):
    collapsed, held_out = SETS[name], REAL[100:]
    baseline = metrics.prdc(REAL, OTHER)
    found = metrics.prdc(REAL, collapsed)
    assert found.recall < 0.1 * baseline.recall
    assert found.coverage < 0.6 * baseline.coverage
    assert metrics.vendi_score(collapsed) < 0.96 * metrics.vendi_score(OTHER)
    bins, js = metrics.ndb(REAL, collapsed, k=20)
    assert bins > 0.3 and js > 2 * metrics.ndb(REAL, OTHER, k=20).js
    assert metrics.duplicate_rate(REAL, collapsed) == 1
    assert metrics.duplicate_rate(REAL, held_out) < 0.05
    size, at_least, _ = metrics.support_size(REAL, collapsed)
    assert not at_least
    points = {"one": 1, "five": 5, "fifty": 50}[name]
    assert size == pytest.approx(points, rel=0.15)
    assert metrics.support_size(REAL, held_out).size > 1000
    assert (
        metrics.kernel_distance(REAL, collapsed)[0] > 1.5 * metrics.kernel_distance(REAL, OTHER)[0]
    )


@pytest.mark.parametrize(
    "metric",
    [
        metrics.frechet_distance,
        metrics.kernel_distance,
        metrics.prdc,
        metrics.duplicate_rate,
        metrics.support_size,
        lambda x, y: metrics.ndb(x, y, k=5),
    ],
)
def test_bad_features_are_refused(metric):
    constant = np.ones_like(REAL)
    with pytest.raises(MetricError, match=r"`real` must not be constant.*600 equal rows"):
        metric(constant, constant)
    with pytest.raises(MetricError, match=r"the same number of features\. Received: 8 and 7"):
        metric(REAL, OTHER[:, :7])
    broken = OTHER.copy()
    broken[3, 2], broken[7, 0] = np.nan, np.inf
    with pytest.raises(MetricError, match=r"`generated` must be finite. .*in 2 of 500 samples"):
        metric(REAL, broken)
    with pytest.raises(MetricError, match=r"at least \d+ samples. Received: 1"):
        metric(REAL, OTHER[:1])
    with pytest.raises(MetricError, match="must be a matrix of numbers"):
        metric(REAL, OTHER[:, 0])


# Vendi.


def test_vendi_score_equals_its_definition(rng):
    for x in (REAL[:50], rng.standard_normal((5, 40))):
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        values = np.linalg.eigvalsh((unit @ unit.T).astype("float64") / len(x))
        values = values[values > 1e-10]
        expected = np.exp(-(values * np.log(values)).sum())
        assert metrics.vendi_score(x) == pytest.approx(expected, rel=1e-4)


def test_vendi_score_equals_the_authors_package():
    vendi = pytest.importorskip("vendi_score.vendi")
    unit = OTHER / np.linalg.norm(OTHER, axis=1, keepdims=True)
    assert metrics.vendi_score(OTHER) == pytest.approx(vendi.score_dual(unit), rel=1e-4)


def test_vendi_score_counts_directions():
    assert metrics.vendi_score(np.eye(7).repeat(3, axis=0)) == pytest.approx(7, rel=1e-5)
    assert metrics.vendi_score(np.ones((9, 4))) == pytest.approx(1, rel=1e-5)
    zeros = np.zeros((4, 2))
    assert metrics.vendi_score(zeros) == pytest.approx(1, rel=1e-5)
    assert metrics.vendi_score(np.concatenate([zeros, np.ones((4, 2))])) == pytest.approx(2)


# Cells.


def test_kmeans_finds_separate_groups(rng):
    groups = 20 * np.arange(6)[:, None] + rng.standard_normal((6, 50))
    x = groups.reshape(-1, 1)
    centres = np.sort(clusters.kmeans(x, 6, seed=3)[:, 0])
    np.testing.assert_allclose(centres, groups.mean(axis=1), rtol=1e-4, atol=1e-4)
    cells, squares = clusters.assign(x, centres[:, None])
    assert (cells == np.repeat(np.arange(6), 50)).all()
    np.testing.assert_allclose(squares, ((x - centres[cells, None]) ** 2)[:, 0], atol=1e-3)


def test_kmeans_is_as_good_as_scikit_learns():
    sklearn = pytest.importorskip("sklearn.cluster")
    centres = clusters.kmeans(REAL, 12, seed=0)
    ours = clusters.assign(REAL, centres)[1].sum()
    theirs = sklearn.KMeans(12, n_init=1, random_state=0).fit(REAL).inertia_
    assert ours < 1.03 * theirs


def test_kmeans_needs_as_many_different_samples():
    with pytest.raises(MetricError, match="at least 3 different samples for 3 cells"):
        clusters.kmeans(np.repeat([[0.0], [1.0]], 5, axis=0), 3)


def test_the_test_of_two_proportions_equals_a_hand_calculation():
    first, second = np.array([30, 70]), np.array([45, 55])
    # z = -0.15 / sqrt(0.375 * 0.625 * 0.02) = -2.191, beyond 1.96 but not beyond 2.576.
    assert different(first, second, alpha=0.05).all()
    assert not different(first, second, alpha=0.01).any()
    assert not different(np.array([5, 0]), np.array([7, 0])).any()  # Never 0/0.


def test_ndb_of_one_distribution_is_near_its_level(rng):
    x, y = rng.standard_normal((2, 10_000, 4)).astype("float32")
    found = metrics.ndb(x, y, k=50)
    assert found.bins < 0.14 and found.js < 0.003
    lost = y[y[:, 0] < 1]
    missing = metrics.ndb(x, lost, k=50)
    assert missing.bins > 2 * found.bins and missing.js > 5 * found.js


def test_real_samples_have_duplicates_at_the_given_rate():
    assert duplicates.duplicate_rate(REAL, REAL, quantile=0.1) == pytest.approx(0.1, abs=0.01)
    far = 1000 * np.arange(500.0)[:, None] * np.ones((1, 8))
    size, at_least, pairs = metrics.support_size(REAL, far)
    assert at_least and pairs == 0 and size == 500 * 499 / 2
    far[1] = far[0]
    assert metrics.support_size(REAL, far) == (500 * 499 / 4, False, 1)
    with pytest.raises(MetricError, match="at least as many"):
        metrics.duplicate_rate(REAL[:200], OTHER)
