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
    monkeypatch.setattr(filters, "LONGEST_PRODUCT", request.param)


def along_both(x, border, step, data_format):
    for axis in (1, 2) if data_format == "channels_last" else (2, 3):
        x = np.apply_along_axis(by_definition, axis, x, border, step)
    return x


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("border", "step"), [(0, 1), (2, 1), (2, 2), (-1, 2)])
def test_filtered(data_format, border, step):
    found = filters.filtered(ops.convert_to_tensor(X), TAPS, border, step, data_format)
    expected = along_both(X, border, step, data_format)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, atol=1e-5)


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_doubled_is_the_transpose_of_halved(data_format):
    """<halved(y), x> = <y, doubled(x)> for all x and y."""
    doubled = filters.doubled(ops.convert_to_tensor(X), TAPS, data_format)
    doubled = ops.convert_to_numpy(doubled)
    y = np.random.default_rng(1).standard_normal(doubled.shape).astype("float32")
    halved = along_both(y, 2, 2, data_format)
    assert halved.shape == X.shape
    np.testing.assert_allclose((y * doubled).sum(), (halved * X).sum(), rtol=1e-4)
