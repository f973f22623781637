"""Scores can be compared only if everything that they depend on is the same."""

import dataclasses
import math

import pytest

from kerasgan.metrics import Provenance, ProvenanceError, Result, rank, table
from kerasgan.metrics.result import number

pytestmark = pytest.mark.numpy

HERE = Provenance("coverage (k=5)", "0123", "pixels", "none", 100, 100, 0, "mnist")


def score(value, provenance=HERE, **more):
    return Result("coverage", value, provenance, **more)


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Provenance) if f.compare])
def test_another_provenance_is_not_compared(field):
    value = getattr(HERE, field)
    other = dataclasses.replace(HERE, **{field: value + 1 if isinstance(value, int) else "else"})
    a, b = score(1.0), score(2.0, other)
    for compare in (lambda: a < b, lambda: a >= b, lambda: a.better_than(b), lambda: rank([a, b])):
        with pytest.raises(ProvenanceError, match=rf"{field}: "):
            compare()
    with pytest.raises(TypeError, match=r"only with a `Result`\. Received: float"):
        assert a < 3.0


def test_comparing_and_ranking():
    a, b = score(1.0), score(2.0)
    assert a < b and b > a and a <= a and b >= a and float(b) == 2
    assert a.better_than(b) and rank([b, a]) == [a, b]
    assert score(1.0) < score(2.0, dataclasses.replace(HERE, data_name="the same by another name"))
    with_nan = [score(v, better="higher") for v in (math.nan, 0.5, 0.9)]
    assert [r.value for r in rank(with_nan)][:2] == [0.9, 0.5]
    assert not with_nan[0] <= with_nan[1] and not with_nan[0] >= with_nan[1]
    for arguments in ({"better": "max"}, {"better": "baseline"}):
        with pytest.raises(ValueError, match="Received"):
            score(1.0, **arguments)
    high = [score(v, better="higher") for v in (0.5, 0.9, 0.7)]
    assert [r.value for r in rank(high)] == [0.9, 0.7, 0.5]
    near = [score(v, better="baseline", baseline=10.0) for v in (4.0, 11.0, 13.0)]
    assert [r.value for r in rank(near)] == [11.0, 13.0, 4.0]


@pytest.mark.parametrize("value", [0.25, math.inf, 3])
def test_json_and_back(value):
    result = score(value, error=0.1, floor=0.0, details={"shares": {"0": 0.5}})
    assert Result.from_json(result.to_json()) == result


def test_printing():
    text = str(score(0.51234, error=0.011, baseline=0.95, floor=0.96))
    assert text.startswith("coverage 0.5123 ± 0.0110, real 0.9500, floor 0.9600 (coverage (k=5);")
    assert "100 images against 100 of mnist 0123; seed 0" in text
    assert "at least, please (coverage" in str(score(1.0, remark="at least, please"))
    lines = table([score(0.5, baseline=0.9), score(12345.6, remark="at least")]).splitlines()
    assert [line.split() for line in lines] == [
        ["score", "real", "images", "floor", "N"],
        ["coverage", "0.5000", "0.9000", "-", "100", "lower", "is", "better"],
        ["coverage", "12,346", "-", "-", "100", "at", "least"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0.0000"), (1234.5, "1,234"), (1e-6, "1.000e-06"), (math.inf, "inf"),
     (0.01234, "0.0123"), (-5.5, "-5.500"), (1.0, "1.000")],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


def test_a_table_has_both_numbers_where_they_differ():
    found = score(0.5, baseline=0.9)
    other = dataclasses.replace(found.provenance, real_samples=250)
    line = table([found, dataclasses.replace(found, provenance=other)]).splitlines()[-1]
    assert "100 / 250" in line
