"""Scores with their provenance."""

import dataclasses
import json
import math

from kerasgan import validation
from kerasgan.files import read_json_member
from kerasgan.storage import NOTES


class ProvenanceError(ValueError):
    """Scores that must not be compared; the message says how their provenances differ."""


@dataclasses.dataclass(frozen=True)
class Provenance:
    """Everything that a score depends on besides the generator.

    Scores can be compared only if their provenances are equal.

    Args:
        metric: Name of the metric, with its parameters: "coverage (k=5)".
        data: Content hash of the real images, and of their labels if the metric uses them.
        extractor: Name and version of the feature extractor.
        resize: The method that resized images to the extractor's size.
        samples: Number of generated images.
        real_samples: Number of real images.
        seed: Seed of the sampling, of the choice of real images and of the metric.
        data_name: Name of the data; it is ignored when provenances are compared.
    """

    metric: str
    data: str
    extractor: str
    resize: str
    samples: int
    real_samples: int
    seed: int
    data_name: str = dataclasses.field(default="images", compare=False)

    def __str__(self):
        return (
            f"{self.metric}; {self.extractor}, resize {self.resize}; {self.samples:,} images "
            f"against {self.real_samples:,} of {self.data_name} {self.data}; seed {self.seed}"
        )


@dataclasses.dataclass(frozen=True)
class Result:
    """One score.

    `<` and `>` compare values; `better_than` takes the direction into account. All raise
    `ProvenanceError` for scores of different provenance.

    Args:
        name: Name of the score, as "frechet_distance".
        value: The score.
        provenance: A `Provenance`.
        better: "lower" or "higher", or "baseline" if the best value is that of real images.
        error: Standard error of the score, or None if it has no simple one.
        baseline: The score of real images against other real images, or None.
        floor: Mean score of a perfect generator, or None if it is not known.
        remark: A remark on the value, as text.
        details: Further findings of the metric, JSON values by name.
    """

    name: str
    value: float
    provenance: Provenance
    better: str = "lower"
    error: float | None = None
    baseline: float | None = None
    floor: float | None = None
    remark: str = ""
    details: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        validation.choice("better", self.better, ("lower", "higher", "baseline"))
        if self.better == "baseline" and self.baseline is None:
            raise ValueError('`baseline` must be given with better="baseline". Received: None')

    def __float__(self):
        return float(self.value)

    def __lt__(self, other):
        self._check(other)
        return self.value < other.value

    def __gt__(self, other):
        self._check(other)
        return self.value > other.value

    def __le__(self, other):
        self._check(other)
        return self.value <= other.value

    def __ge__(self, other):
        self._check(other)
        return self.value >= other.value

    def better_than(self, other):
        """Return whether this score is better than another of the same provenance."""
        self._check(other)
        return self._badness() < other._badness()

    def _badness(self):
        if math.isnan(self.value):
            return math.inf
        if self.better == "baseline":
            return abs(self.value - self.baseline)
        return self.value if self.better == "lower" else -self.value

    def _check(self, other):
        if not isinstance(other, Result):
            raise TypeError(
                f"a `Result` can be compared only with a `Result`. Received: {type(other).__name__}"
            )
        if self.provenance != other.provenance:
            mine, others = (dataclasses.asdict(r.provenance) for r in (self, other))
            differ = [f"{k}: {mine[k]!r} and {others[k]!r}" for k in mine if mine[k] != others[k]]
            raise ProvenanceError(
                "scores can be compared only if everything that they depend on is the same. "
                f"Received: {'; '.join(differ)}"
            )

    def __str__(self):
        parts = [f"{self.name} {number(self.value)}"]
        if self.error is not None:
            parts[0] += f" ± {number(self.error)}"
        if self.baseline is not None:
            parts.append(f"real {number(self.baseline)}")
        if self.floor is not None:
            parts.append(f"floor {number(self.floor)}")
        if self.remark:
            parts.append(self.remark)
        return ", ".join(parts) + f" ({self.provenance})"

    def to_json(self):
        """Return the result as a JSON object in text; infinite values as text."""
        return json.dumps(self.as_dict())

    def as_dict(self):
        """Return the result as a dictionary of JSON values."""
        found = dataclasses.asdict(self)
        for key in ("value", "error", "baseline", "floor"):
            if isinstance(found[key], float) and not math.isfinite(found[key]):
                found[key] = str(found[key])
        return found

    @classmethod
    def from_json(cls, text):
        """Return the result that `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, found):
        """Return the result that `as_dict` describes."""
        found = dict(found)
        for key in ("value", "error", "baseline", "floor"):
            if isinstance(found.get(key), str):
                found[key] = float(found[key])
        return cls(**{**found, "provenance": Provenance(**found["provenance"])})


def read_record(path):
    """Return the epoch, from 1, and the `Result` of a state that `kerasgan.callbacks.Scores` kept.

    Args:
        path: The .keras file.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it holds no score.
    """
    notes = read_json_member(path, NOTES)
    try:
        epoch, result = notes["epoch"], Result.from_dict(notes["score"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"its {NOTES} is no score: {error}") from error
    if not _is_score(epoch, result):
        raise ValueError(f"its {NOTES} has values that a score cannot have")
    return epoch, result


def _is_score(epoch, result):
    """Return whether an epoch and a score are of their kinds; they may come from somebody else."""
    about = result.provenance
    values = result.value, 0.0 if result.baseline is None else result.baseline
    return (
        all(type(count) is int and 1 <= count < 2**63 for count in (epoch, about.samples))
        and all(type(value) in (int, float) and not abs(value) >= 2**63 for value in values)
        and all(type(text) is str for text in (result.name, about.extractor, about.metric))
    )


def rank(results):
    """Return results of one provenance, the best first and NaN last."""
    results = list(results)
    for other in results[1:]:
        results[0]._check(other)
    return sorted(results, key=Result._badness)


def table(results):
    """Return results as a table in text: score, score of real images, floor, and N.

    N is the number of generated images, and of the real ones where it is another.
    """
    rows = [("", "score", "real images", "floor", "N", "")]
    for r in results:
        error = "" if r.error is None else f" ± {number(r.error)}"
        words = {"lower": "lower is better", "higher": "higher is better"}
        better = words.get(r.better, "best is the real images'")
        rows.append(
            (
                r.name,
                number(r.value) + error,
                number(r.baseline),
                number(r.floor),
                _counts(r.provenance),
                r.remark or better,
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = []
    for first, *cells, last in rows:
        middle = "  ".join(c.rjust(w) for c, w in zip(cells, widths[1:], strict=True))
        lines.append(f"{first.ljust(widths[0])}  {middle}  {last}".rstrip())
    return "\n".join(lines)


def _counts(provenance):
    """Return the number of generated images, and of real ones if it is another, as text."""
    both = dict.fromkeys((provenance.samples, provenance.real_samples))
    return " / ".join(f"{count:,}" for count in both)


def number(value):
    """Return a number in four significant digits; a dash for None."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(value)
    if value and (abs(value) >= 1e5 or abs(value) < 1e-4):
        return f"{value:.3e}"
    digits = 4 if value == 0 else max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 4)}f}"
