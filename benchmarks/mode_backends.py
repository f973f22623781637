"""The backend that trains the networks of the mode benchmarks fastest on this machine.

    python benchmarks/mode_backends.py

It writes `mode_backends.json`.

The time of the plain GAN's step is measured for each benchmark, on one core and on all, and on
TensorFlow with and without oneDNN. Each measurement is a process of its own, and the processes run
one after another. The machine should do nothing else.
"""

import argparse
import json
import time

import experiment

from kerasgan.environment import cores, describe
from kerasgan.files import write_json

TAKES = "5 minutes"
STEPS, BEFORE = {"ring": 240, "stacked-mnist": 24, "stacked-mnist-small": 24}, 8
WAYS = {"jax": {}, "torch": {}, "tensorflow": {"TF_ENABLE_ONEDNN_OPTS": "1"},
        "tensorflow without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"}}  # fmt: skip


def step_time(benchmark):
    """Return the milliseconds of a step of the plain GAN, in this process."""
    from kerasgan.bench import training
    from kerasgan.bench.modes.tasks import TASKS
    from kerasgan.data import ImageDataset

    task = TASKS[benchmark]
    recipe = task.recipes(["gan"])[0]
    model = task.build(recipe, 0, 20_000)
    dataset = ImageDataset(task.real(10_000, 0), batch_size=recipe["batch_size"])
    moments, steps = [], STEPS[benchmark]
    z = model.latent_vectors(1)

    def clock(_):
        model.decode_latents(z)  # It waits for the steps before, which JAX only queues.
        moments.append(time.perf_counter())

    training.train(model, dataset, (BEFORE, BEFORE + steps), clock)
    return 1000 * (moments[1] - moments[0]) / steps


def measure(benchmark, way, threads):
    """Return the milliseconds of a step, in a process of its own with so many threads."""
    variables = {**WAYS[way], "KERAS_BACKEND": way.split()[0]}
    [found] = experiment.apart(__file__, benchmark, threads, **variables)
    return round(found["ms"], 1)


def run(out=experiment.RESULTS):
    """Measure all and write them."""
    found = {"unit": "ms a critic step", "environment": describe("jax"), "results": []}
    for benchmark in STEPS:
        for way in WAYS:
            for threads in sorted({1, cores()}):
                row = {"benchmark": benchmark, "backend": way, "cores": threads}
                row["ms"] = measure(benchmark, way, threads)
                found["results"].append(row)
                print(row, flush=True)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "mode_backends.json", found)


def table(folder=experiment.RESULTS):
    """Return the milliseconds of a step, a row for each backend."""
    [found] = experiment.stored("mode_backends.json", folder)
    columns = list(dict.fromkeys((row["benchmark"], row["cores"]) for row in found["results"]))
    times = {(r["backend"], r["benchmark"], r["cores"]): r["ms"] for r in found["results"]}
    backends = dict.fromkeys(row["backend"] for row in found["results"])
    rows = [
        [backend, *(f"{times[backend, *column]:.1f}" for column in columns)] for backend in backends
    ]
    head = [f"{benchmark}, {n} core{'s' * (n > 1)}" for benchmark, n in columns]
    place = found["environment"]
    return (
        f"{experiment.markdown(['Backend', *head], rows)}\n\nMilliseconds of a critic step of the "
        f"plain GAN; {place['machine']}, {experiment.day(place)}."
    )


if __name__ == "__main__":
    parser = experiment.parser(__doc__)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps({"ms": step_time(options.one)}))
    else:
        run(options.out)
        print(table(options.out))
