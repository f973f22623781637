"""The time and memory of the metrics, compared with those of other packages.

    python benchmarks/metrics.py [--samples 1000 5000 20000 50000] [--metrics NAME ...]

It writes `metrics.json` and needs `pip install 'kerasgan[references]'`. Rows that are not measured
again stay in the file.

Every measurement is a process of its own with a memory peak of its own. kerasgan and the reference
take turns, and the shortest time of each counts. Both get the same features: float32, normal, with
a spectrum that falls as that of a network's features does. A reference that would need more memory
than the machine has is not run. A peak includes the features themselves and the imports.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

import experiment
import numpy as np

TAKES = "20 minutes"
GIB = 2**30


def features(n, width, seed):
    """Return random features `(n, width)`."""
    rng = np.random.default_rng(seed)
    scale = (1 / np.sqrt(1 + np.arange(width))).astype("float32")
    return rng.standard_normal((n, width), dtype="float32") * scale + scale


def ours(metric):
    """Return kerasgan's function of real and generated features."""
    from kerasgan import metrics

    return {
        "frechet": metrics.frechet_distance,
        "kernel": lambda x, y: metrics.kernel_distance(x, y)[0],
        "prdc": lambda x, y: list(metrics.prdc(x, y)),
        "coverage": metrics.coverage,
        "vendi": lambda x, y: metrics.vendi_score(y),
        "ndb": lambda x, y: list(metrics.ndb(x, y)),
        "duplicate_rate": metrics.duplicate_rate,
    }[metric]


def reference(metric):
    """Return another package's function of real and generated features."""
    if metric == "frechet":
        from scipy import linalg

        def frechet(x, y):
            a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
            root = linalg.sqrtm(a @ b).real
            shift = x.mean(0, dtype="float64") - y.mean(0, dtype="float64")
            return float(shift @ shift + np.trace(a) + np.trace(b) - 2 * np.trace(root))

        return frechet
    if metric == "kernel":
        import torch
        from torchmetrics.image.kid import KernelInceptionDistance

        def kernel(x, y):
            metric = KernelInceptionDistance(
                feature=torch.nn.Identity(),
                subsets=max(len(x) // 1000, 10),
                subset_size=min(1000, len(x) // 10),
            )
            metric.update(torch.tensor(x), real=True)
            metric.update(torch.tensor(y), real=False)
            return float(metric.compute()[0])

        return kernel
    if metric in ("prdc", "coverage"):
        from prdc import compute_prdc
        from prdc.prdc import compute_nearest_neighbour_distances, compute_pairwise_distance

        def prdc(x, y):
            found = compute_prdc(x, y, nearest_k=5)
            return [found[name] for name in ("precision", "recall", "density", "coverage")]

        def coverage(
            x, y
        ):  # The package computes all four in one function; these are its parts for this one.
            reach = compute_nearest_neighbour_distances(x, 5)
            return float((compute_pairwise_distance(x, y).min(axis=1) < reach).mean())

        return coverage if metric == "coverage" else prdc
    from vendi_score import vendi

    return lambda x, y: float(vendi.score_dual(y, normalize=True))


REFERENCES = {
    "frechet": "scipy's sqrtm", "kernel": "torchmetrics", "prdc": "prdc", "coverage": "prdc",
    "vendi": "vendi-score",
}  # fmt: skip
METRICS = (*REFERENCES, "ndb", "duplicate_rate")


def bytes_needed(metric, n, width):
    """Return the least memory of a reference: prdc holds n x n distances and their order."""
    matrices = 12 * n * n if metric in ("prdc", "coverage") else 0
    return matrices + 4 * 4 * n * width


def measure(metric, who, n, width):
    """Measure in this process, and print the seconds, the memory peak and the value."""
    function = (ours if who == "kerasgan" else reference)(metric)
    x, y = features(n, width, 0), features(n, width, 1)
    began = time.perf_counter()
    value = function(x, y)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB
    print(json.dumps({"seconds": seconds, "peak": peak, "value": value}))


def in_a_process(*arguments):
    """Run `measure` in a process and return what it prints."""
    command = [sys.executable, __file__, "--measure", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"failed": lines[-1][-200:]}
    return json.loads(done.stdout.splitlines()[-1])


def compare(metric, n, options):
    """Return the shortest of several turns of each."""
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    runs = {"kerasgan": []}
    if metric in REFERENCES and bytes_needed(metric, n, options.width) < 0.8 * available:
        runs["reference"] = []
    turns = options.turns if n <= 10_000 else 1
    for _ in range(turns):
        for who, found in runs.items():
            found.append(in_a_process(metric, who, n, options.width))
    row = {"metric": metric, "samples": n, "measured": time.strftime("%F %H:%M UTC", time.gmtime())}
    for who, found in runs.items():
        good = [run for run in found if "seconds" in run]
        row[who] = min(good, key=lambda run: run["seconds"]) if good else found[-1]
    return row


def run(options):
    """Measure the metrics and numbers of samples of the options, and write all rows."""
    import keras

    from kerasgan.environment import describe

    path = options.out / "metrics.json"
    rows = []
    if path.exists():
        stored = json.loads(path.read_text(encoding="utf-8"))["rows"]
        rows = [
            row
            for row in stored
            if row["metric"] not in options.metrics or row["samples"] not in options.samples
        ]
    for metric in options.metrics:
        for n in options.samples:
            rows.append(compare(metric, n, options))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    rows.sort(key=lambda row: (METRICS.index(row["metric"]), row["samples"]))
    report = {"environment": describe(keras.backend.backend()), "rows": rows}
    options.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")


def _cells(found):
    """Return the seconds and the memory of one measurement as cells, and why it has none."""
    if found is None:
        return ["-", "-"]
    if "failed" in found:
        return ["failed", "-"]
    return [f"{found['seconds']:.2f}", f"{found['peak']:.2f}"]


def table(folder=experiment.RESULTS):
    """Return the seconds and the memory, a row for each metric and number of samples."""
    [found] = experiment.stored("metrics.json", folder)
    rows = []
    for row in found["rows"]:
        own, other = row["kerasgan"], row.get("reference")
        name = REFERENCES.get(row["metric"], "-")
        if other is None and name != "-":
            name = f"{name}: does not fit in memory"
        ratio = "-"
        if "seconds" in own and other and "seconds" in other:
            ratio = f"{other['seconds'] / own['seconds']:.1f}"
        rows.append(
            [row["metric"], f"{row['samples']:,}", *_cells(own), name, *_cells(other), ratio]
        )
    head = ["Metric", "Samples", "Seconds", "GiB", "Reference", "Seconds", "GiB", "Times faster"]
    return f"{experiment.markdown(head, rows)}\n\n{_note(found)}"


def _note(found):
    """Return how and where the rows were measured."""
    note = "Features have 2,048 values. GiB are the peak of the process."
    rows = {(row["metric"], row["samples"]): row for row in found["rows"]}
    kernel = rows.get(("kernel", 20_000), {})
    if "peak" in kernel.get("reference", {}):
        memory = kernel["kerasgan"]["peak"] / kernel["reference"]["peak"]
        note += (
            " The kernel distance is computed in float64 here and in float32 by `torchmetrics`; at "
            f"20,000 samples it takes {memory:.1f} times as much memory."
        )
    place = found["environment"]
    return f"{note} By `benchmarks/metrics.py`, {experiment.where(found)}, {experiment.day(place)}."


def _parse():
    parser = experiment.parser(__doc__)
    parser.add_argument("--samples", type=int, nargs="+", default=[1000, 5000, 20_000, 50_000])
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=list(METRICS))
    parser.add_argument("--width", type=int, default=2048, help="features of a sample")
    parser.add_argument("--turns", type=int, default=3, help="of each, up to 10,000 samples")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    options = _parse()
    if options.measure:
        metric, who, n, width = options.measure
        measure(metric, who, int(n), int(width))
    else:
        run(options)
        print(table(options.out))
