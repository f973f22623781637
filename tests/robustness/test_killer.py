"""A training that is killed at any moment ends as if nothing had happened; see `killer`."""

import pytest
from killer import rounds

pytestmark = pytest.mark.slow


def test_kills_at_random_moments(backend_name, tmp_path):
    found = dict(rounds(backend_name, tmp_path, range(2)))
    assert found == {seed: [] for seed in range(2)}
