"""What the demonstrations in benchmarks/ compute, against what is known in closed form."""

import math

import numpy as np
import pytest


@pytest.fixture(scope="module")
def divergences(script):
    return script("divergences")


@pytest.fixture(scope="module")
def two_gaussians(script):
    return script("two_gaussians")


@pytest.mark.parametrize("d", [0.0, 0.3, 1.0, 5.0, -8.0])
def test_integrals_of_gaussians_against_closed_forms(divergences, d):
    assert divergences.kl_of_gaussians(1.0, 1.0 + d) == pytest.approx(d**2 / 2, abs=1e-9)
    assert divergences.w1_of_gaussians(1.0, 1.0 + d) == pytest.approx(abs(d), abs=1e-9)


def test_js_of_gaussians(divergences):
    assert divergences.js_of_gaussians(2.0, 2.0) == pytest.approx(0.0, abs=1e-12)
    assert divergences.js_of_gaussians(0.0, 12.0) == pytest.approx(math.log(2), abs=1e-6)
    values = [divergences.js_of_gaussians(0.0, d) for d in (0.5, 1, 2, 4, 8)]
    assert values == sorted(values)
    assert values[-1] < math.log(2)
    # Near zero every f-divergence is its curvature times Fisher's information: d^2 / 8.
    assert divergences.js_of_gaussians(0.0, 0.01) == pytest.approx(0.01**2 / 8, rel=1e-3)


def test_js_against_sampling(divergences):
    x = np.random.default_rng(0).standard_normal(400_000)
    values = math.log(2) - np.logaddexp(0, 1.5 * x - 1.125)  # log p/m where q = N(1.5, 1).
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean() - divergences.js_of_gaussians(0.0, 1.5)) < 4 * error


def test_parallel_lines(divergences):
    assert divergences.parallel_lines(0) == {"js": 0.0, "kl": 0.0, "w1": 0.0}
    assert divergences.parallel_lines(0.25) == {"js": math.log(2), "kl": math.inf, "w1": 0.25}


def test_discriminator_and_critic_of_two_gaussians(two_gaussians):
    """The figures of a network that is known: the best discriminator, and a straight line."""

    def linear(slope):
        inputs = two_gaussians.keras.Input((1,))
        layer = two_gaussians.keras.layers.Dense(1)
        network = two_gaussians.keras.Model(inputs, layer(inputs))
        layer.set_weights([np.array([[slope]], "float32"), np.zeros(1, "float32")])
        return network

    real, fake = two_gaussians.normal(0, 20000) - 4, two_gaussians.normal(1, 20000) + 4
    best = two_gaussians.discriminator_figures(linear(-8.0), real, fake)
    assert best["JS, estimated"] == pytest.approx(best["JS, true"], abs=1e-4)
    assert best[two_gaussians.GRADIENT]["log(1 - D), the minimax loss"] < 0.01
    assert best[two_gaussians.GRADIENT]["-log D, the non-saturating loss"] > 7.9
    line = two_gaussians.critic_figures(linear(-1.0), 10.0, real, fake)
    assert line["W1, estimated"] == pytest.approx(8.0, abs=0.05)
    assert line[two_gaussians.GRADIENT] == pytest.approx(1.0)
    assert line["R^2 of a straight line between the means"] == pytest.approx(1.0)
