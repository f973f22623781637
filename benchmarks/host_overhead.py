"""The host's time of a train step of kerasgan, against training loops written by hand.

    python benchmarks/host_overhead.py [--backend all]

It writes `host_overhead/BACKEND.json`.

An accelerator that is faster than its host waits for it: for Python, and for each operation to be
handed over. A CPU shows that time where the networks are so small that their arithmetic vanishes.
So this is `step_overhead.py`, with its contenders and turns, on a DCGAN of width 1 with two images
of 32 pixels in a batch.
"""

import json
import subprocess
import sys

import experiment
import step_overhead

TAKES = "2 minutes a backend"
FOLDER = experiment.RESULTS / "host_overhead"
MODELS = ["wgan_gp", "r1_r2"]
TARGETS = {"tensorflow": 1.25, "jax": 1.25, "torch": 1.1}  # At most this over the own layers.
AT_ONCE_TARGET = 1.05


def run(options):
    """Measure one backend in this process, or each in a process of its own; write the report."""
    if options.backend == "all":
        for backend in experiment.BACKENDS:
            command = [sys.executable, __file__, *sys.argv[1:], "--backend", backend]
            subprocess.run(command, check=True)
        return
    options.models = MODELS
    options.width, options.image_size, options.channels, options.batch_size = 1, 32, 3, 2
    options.rounds, options.threads = None, None
    options.tolerance = 0.6  # So few weights and images move by chance.
    options.out.mkdir(parents=True, exist_ok=True)
    for options.at_once in (1, 16):
        if options.at_once > 1 and options.backend == "torch":
            continue
        report = step_overhead.measure(options)
        path = options.out / f"{options.backend}-{options.at_once}.json"
        path.write_text(json.dumps([report], indent=2), encoding="utf-8")


def table(folder=FOLDER):
    """Return milliseconds of a critic step and ratios, a row for each backend and model."""
    rows, places = [], []
    for backend, title in experiment.BACKENDS.items():
        for path in sorted(
            folder.glob(f"{backend}-*.json"), key=lambda p: int(p.stem.split("-")[1])
        ):
            (report,) = json.loads(path.read_text())
            places.append(report["environment"])
            at_once = report["settings"]["at_once"]
            target = TARGETS[backend] if at_once == 1 else AT_ONCE_TARGET
            rows += [
                [title, step_overhead.MODELS[model], str(at_once), *_figures(found), f"{target}"]
                for model, found in report["models"].items()
            ]
    head = ["Backend", "Model", "Steps at once", "`fit`, ms", "own layers, ms", "ratio", "target"]
    return (
        f"{experiment.markdown(head, rows)}\n\nBy `benchmarks/host_overhead.py`: DCGAN of width 1, "
        f"batches of two images of 32 pixels; medians, interleaved; {experiment.cores(places[0])}, "
        f"{experiment.day(places[0])}."
    )


def _figures(found):
    median = step_overhead.statistics.median
    return (
        f"{median(found['milliseconds']['fit']):.2f}",
        f"{median(found['milliseconds']['native']):.2f}",
        f"{median(found['ratios']['native']):.2f}",
    )


if __name__ == "__main__":
    arguments = experiment.parser(__doc__, out=FOLDER)
    arguments.add_argument("--backend", choices=["all", *experiment.BACKENDS], default="all")
    arguments.add_argument("--repeats", type=int, default=15, help="turns of each contender")
    options = arguments.parse_args()
    run(options)
    if options.backend == "all":
        print(table(options.out))
