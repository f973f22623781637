import numpy as np
import pytest


@pytest.fixture
def rng():
    """Draws of a test's own: they do not depend on which tests ran before."""
    return np.random.default_rng(1)
