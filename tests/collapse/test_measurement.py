"""The same weights give the same measurement on every backend."""

import numpy as np
import pytest
from guarded_training import healthy

from kerasgan import collapse

# What three backends find for weights from NumPy's generator.
MEASURED = (0.91800, 0.87755, 0.92256, 0.93358, 0.99541)


def test_the_same_weights_give_the_same_measurement_on_every_backend():
    rng = np.random.default_rng(0)
    gan, _ = healthy()
    weights = [rng.normal(0, len(w) ** -0.5, w.shape) for w in gan.generator.get_weights()]
    gan.generator.set_weights(weights)
    gan.ema_generator.set_weights(weights)
    metric = collapse.DiversityMetric(gan.sample(900, seed=1), samples=300)
    found = metric.measure(gan.sample(300, seed=2)[:150].repeat(2, axis=0))
    found = (found.diversity, found.cells, found.coverage, found.vendi, found.spread)
    assert found == pytest.approx(MEASURED, abs=1e-3)
