"""The memory of a training after 1,000 steps, and after 10,000.

    python benchmarks/memory.py [--backend all] [--steps 10000]

It writes `memory.json`.

`kerasgan train` trains a small DCGAN with all that it does at an epoch's end: a grid, a checkpoint,
a row of figures, a check of the guard. An epoch has 100 steps. The memory is the resident set of
the process, read every tenth of a second. A figure is the median of three epochs. The guard only
warns, since a rescue compiles the steps once more.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import experiment
import numpy as np

from kerasgan.environment import describe

TAKES = "15 minutes a backend"
STEPS, SIZE, BATCH, CHANNELS = 100, 32, 20, 3  # Of an epoch; of an image; of a batch.
OPTIONS = ["--width", "4", "--latent-dim", "16", "--batch-size", str(BATCH), "--guard", "warn"]
FIRST = 10  # The epoch whose memory the last is compared with.


def measure(backend, steps):
    """Return the megabytes of memory in each epoch of a training of so many steps."""
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        shape = (STEPS * BATCH, SIZE, SIZE, CHANNELS)
        np.save(images, np.random.default_rng(0).integers(0, 256, shape, dtype="uint8"))
        command = [sys.executable, "-m", "kerasgan_cli", "train", "gan", *OPTIONS]
        command += ["--data", str(images), "--epochs", str(steps // STEPS), "--run-dir", folder]
        environment = {**os.environ, "KERAS_BACKEND": backend}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        readings = {}
        while process.poll() is None:
            epoch = sum(map(_rows, Path(folder).glob("*/metrics.csv")))
            readings.setdefault(epoch, []).append(_resident(process.pid))
            time.sleep(0.1)
        if process.returncode not in (0, 3):  # It may end collapsed: its images are noise.
            raise SystemExit(f"{command} ended with {process.returncode}")
    return {epoch: statistics.median(found) for epoch, found in readings.items()}


def _rows(path):
    with open(path, newline="") as file:
        return max(0, sum(1 for _ in csv.reader(file)) - 1)


def _resident(process):
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return 0.0
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000 if "VmRSS:" in status else 0.0


def run(backend="all", steps=10_000, out=experiment.RESULTS):
    """Measure one backend or all of them, and write the figures."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "memory.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    for name in experiment.BACKENDS if backend == "all" else [backend]:
        found[name] = {"environment": describe(name), "megabytes": measure(name, steps)}
        path.write_text(json.dumps(found, indent=1) + "\n")


def _around(megabytes, epoch):
    return statistics.median(megabytes[str(epoch + i)] for i in (-1, 0, 1))


def table(folder=experiment.RESULTS):
    """Return the memory at both moments, a row for each backend."""
    [found] = experiment.stored("memory.json", folder)
    rows = []
    for backend, title in experiment.BACKENDS.items():
        if backend not in found:
            continue
        megabytes = found[backend]["megabytes"]
        last = max(map(int, megabytes)) - 2
        before, after = _around(megabytes, FIRST), _around(megabytes, last)
        rows.append([title, f"{before:.0f}", f"{after:.0f}", f"{after / before - 1:+.1%}"])
    place = next(iter(found.values()))["environment"]
    head = ["Backend", f"After {FIRST * STEPS:,} steps, MB", "At the end, MB", "Growth"]
    return (
        f"{experiment.markdown(head, rows)}\n\nBy `benchmarks/memory.py`, "
        f"{experiment.cores(place)}, {experiment.day(place)}."
    )


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("--backend", choices=["all", *experiment.BACKENDS], default="all")
    arguments.add_argument("--steps", type=int, default=10_000)
    options = arguments.parse_args()
    run(**vars(options))
    print(table(options.out))
