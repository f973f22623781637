"""What metrics cost in time and memory, beside the packages that others use.

    pip install 'kerasgan[references]'
    python benchmarks/metrics.py [--samples 1000 5000 20000 50000] [--json FILE]

Every measurement is a process of its own, so that its peak of memory is its own; kerasgan and the
reference take turns, and the least time of each counts. Both are given the same features: float32,
normal with a spectrum that falls as that of a network's features does. A reference that would need
more memory than the machine has is not run. A peak includes the features themselves and the
imports.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

GIB = 2**30


def features(n, width, seed):
    """Return features `(n, width)`."""
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
    """Return the same of another package."""
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

        def coverage(x, y):  # The package has all four in one function: its parts for this one.
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
    """Return what a reference needs at least: prdc holds n x n distances and their order."""
    matrices = 12 * n * n if metric in ("prdc", "coverage") else 0
    return matrices + 4 * 4 * n * width


def measure(metric, who, n, width):
    """Print the seconds, the peak and the value, in this process."""
    function = (ours if who == "kerasgan" else reference)(metric)
    x, y = features(n, width, 0), features(n, width, 1)
    began = time.perf_counter()
    value = function(x, y)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB
    print(json.dumps({"seconds": seconds, "peak": peak, "value": value}))


def in_a_process(*arguments):
    """Return what `measure` prints."""
    command = [sys.executable, __file__, "--measure", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"failed": lines[-1][-200:]}
    return json.loads(done.stdout.splitlines()[-1])


def compare(metric, n, options):
    """Return the best of some turns of each."""
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


def markdown(report):
    """Return the report as a table."""
    lines = [
        "| metric | samples | kerasgan s | GiB | reference | s | GiB | times faster |",
        "|---|---:|---:|---:|---|---:|---:|---:|",
    ]
    for row in report["rows"]:
        mine, other = row["kerasgan"], row.get("reference")
        cells = [row["metric"], f"{row['samples']:,}"]
        if "failed" in mine:
            lines.append("| " + " | ".join([*cells, mine["failed"], *["-"] * 5]) + " |")
            continue
        cells += [f"{mine['seconds']:.2f}", f"{mine['peak']:.2f}"]
        name = REFERENCES.get(row["metric"], "-")
        if other is None:
            cells += [name, "does not fit" if name != "-" else "-", "-", "-"]
        elif "failed" in other:
            cells += [name, "failed", "-", "-"]
        else:
            ratio = other["seconds"] / mine["seconds"]
            cells += [name, f"{other['seconds']:.2f}", f"{other['peak']:.2f}", f"{ratio:.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[1000, 5000, 20_000, 50_000])
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=list(METRICS))
    parser.add_argument("--width", type=int, default=2048, help="features of a sample")
    parser.add_argument("--turns", type=int, default=3, help="of each, up to 10,000 samples")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        metric, who, n, width = options.measure
        measure(metric, who, int(n), int(width))
        return
    rows = []
    if options.json and os.path.exists(options.json):  # What is not measured anew stays there.
        with open(options.json) as file:
            rows = [
                row
                for row in json.load(file)["rows"]
                if row["metric"] not in options.metrics or row["samples"] not in options.samples
            ]
    for metric in options.metrics:
        for n in options.samples:
            rows.append(compare(metric, n, options))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    import keras

    from kerasgan.bench.environment import describe

    rows.sort(key=lambda row: (METRICS.index(row["metric"]), row["samples"]))
    report = {"environment": describe(keras.backend.backend()), "rows": rows}
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=1)
    print(markdown(report))


if __name__ == "__main__":
    main()
