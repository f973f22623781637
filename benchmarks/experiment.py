"""What the experiments share: arguments, processes, stored results, and tables of them.

This module is not an experiment. Each experiment has a `run(...)`, which measures and writes JSON
into `benchmarks/results/`, and a `table(...)`, which returns the Markdown table of the stored
results. `tools/docs/pages.py` writes these tables into the pages.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

# Experiments import Keras before kerasgan, which would turn oneDNN on.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
# The titles of the metrics.
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
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


def parser(doc, out=RESULTS):
    """Return the parser of an experiment's arguments, with `--out` for its results.

    Args:
        doc: The experiment's docstring.
        out: Where the committed results are: a folder or a file.
    """
    found = argparse.ArgumentParser(description=doc.splitlines()[0])
    found.add_argument("--out", type=Path, default=out, help="where the results go")
    return found


def apart(script, benchmark, threads, **variables):
    """Return the JSON lines that `script --one benchmark` prints, in a process of its own.

    Args:
        script: Path of the script.
        benchmark: The value of `--one`.
        threads: Number of threads of every library. With one, the process is held on one core.
        **variables: More environment variables for the process.
    """
    environment = {**os.environ, **variables}
    for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        environment[variable] = str(threads)
    command = [sys.executable, script, "--one", benchmark]
    if threads == 1:  # JAX asks the operating system how many cores it may use.
        command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), *command]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-1000:])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("[", "{"))]


def stored(pattern, folder=RESULTS):
    """Return the contents of the JSON files in a folder that match a pattern, sorted by name.

    Raises:
        FileNotFoundError: If no file matches.
    """
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise FileNotFoundError(f"no results in {folder / pattern}")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def markdown(head, rows):
    """Return a Markdown table; every cell of `head` and of the rows is text."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines)


def figure(metric, value):
    """Return a metric's value as text."""
    if value is None:
        return "-"
    whole = metric.endswith("_covered") or abs(float(value)) >= 100
    return f"{float(value):,.0f}" if whole else f"{float(value):#.3g}"


def where(found):
    """Return the machine and the backend of stored results, as text."""
    place = found["environment"]
    return f"on {cores(place)} ({place['machine']}, {place['backend']})"


def cores(environment):
    """Return the number of cores of a stored environment, as text."""
    n = environment["cores"]
    return f"{n} core{'s' * (n > 1)}"


def day(environment):
    """Return the date of a measurement, without the time of day."""
    return environment["date"].partition(" ")[0]


def slug(options):
    """Return options of the shell as a part of a file name."""
    return "-".join(options.replace("--", "").split())
