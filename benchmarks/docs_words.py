"""What the tables of the documentation share."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
# Metrics in words.
METRICS = {
    "frechet_distance": "Fréchet distance",
    "mode_kl": "KL",
    "modes_covered": "Modes",
    "coverage": "Coverage",
    "precision": "Precision",
    "recall": "Recall",
    "classes_covered": "Classes",
    "code_agreement": "Code agreement",
    "bits_per_dimension": "Bits per dimension",
    "moved": "Moved",
}


def stored(pattern):
    """Return what the files under `benchmarks/results/` hold that a pattern names, in their order.

    Raises:
        FileNotFoundError: If there is none.
    """
    paths = sorted(RESULTS.glob(pattern))
    if not paths:
        raise FileNotFoundError(f"no results in {RESULTS / pattern}")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def table(head, rows):
    """Return a Markdown table; the cells of a row are text."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines)


def figure(metric, value):
    """Return a metric's value as text."""
    if value is None:
        return "-"
    whole = metric.endswith("_covered") or abs(float(value)) >= 100
    return f"{float(value):,.0f}" if whole else f"{float(value):#.3g}"


def where(found):
    """Return where the results of a script were measured, in words."""
    place = found["environment"]
    return f"on {cores(place)} ({place['machine']}, {place['backend']})"


def cores(environment):
    """Return how many cores there were, in words."""
    n = environment["cores"]
    return f"{n} core{'s' * (n > 1)}"


def slug(options):
    """Return options of the shell as a part of a file's name."""
    return "-".join(options.replace("--", "").split())
