"""Filters along an axis: a matrix and a sum of shifted maps do what the definition says."""

import numpy as np
import pytest
from keras import ops

from kerasgan import filters

TAPS = (0.5, -1.0, 2.0, 0.25, 3.0, 1.5)
X = np.random.default_rng(0).standard_normal((2, 8, 10, 12)).astype("float32")


def by_definition(vector, border, step):
    wide = np.pad(vector, max(border, 0))[max(-border, 0) :]
    count = (len(vector) + 2 * border - len(TAPS)) // step + 1
    return np.array([wide[step * i :][: len(TAPS)] @ TAPS for i in range(count)])


@pytest.fixture(params=[0, 256], ids=["sum", "matrix"])
def _either(request, monkeypatch):
    monkeypatch.setattr(filters, "LARGEST", request.param)


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize(("border", "step"), [(0, 1), (2, 1), (2, 2), (-1, 2)])
def test_filtered(axis, border, step):
    found = ops.convert_to_numpy(
        filters.filtered(ops.convert_to_tensor(X), TAPS, axis, border, step)
    )
    expected = np.apply_along_axis(by_definition, axis, X, border, step)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("axis", [1, 2])
def test_doubled_is_the_transpose_of_halved(axis):
    """<filtered(y), x> = <y, doubled(x)> for all x and y."""
    y = np.repeat(X, 2, axis)[..., ::-1].copy()
    doubled = ops.convert_to_numpy(filters.doubled(ops.convert_to_tensor(X), TAPS, axis, 2))
    assert doubled.shape == y.shape
    halved = np.apply_along_axis(by_definition, axis, y, 2, 2)
    np.testing.assert_allclose((y * doubled).sum(), (halved * X).sum(), rtol=1e-4)
