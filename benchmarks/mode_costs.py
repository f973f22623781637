"""The time of a step of each method of the mode benchmarks, on one machine and interleaved.

    python benchmarks/mode_costs.py [--only ring]

It writes `mode_costs.json`; with `--only` the other benchmarks in it stay as they are.

The unit is milliseconds of one core for a critic step, with its share of the generator's step. Each
figure is the median of several measurements, which are interleaved over all methods. The minutes of
the trials cannot be compared instead: trials are run on whatever machine is free.
"""

import argparse
import json
import statistics
import time

import experiment

from kerasgan.environment import describe
from kerasgan.files import write_json

TAKES = "20 minutes"
BENCHMARKS = {"ring": 200, "stacked-mnist": 20, "stacked-mnist-small": 40}  # Steps in a turn.
TURNS, BEFORE = 5, 5


def turns(benchmark):
    """Yield the name of each recipe and the milliseconds of its step, once a turn."""
    from kerasgan.bench import training
    from kerasgan.bench.modes.tasks import TASKS
    from kerasgan.data import ImageDataset

    task, steps = TASKS[benchmark], BENCHMARKS[benchmark]
    models = {}
    for recipe in task.recipes():
        model = task.build(recipe, 0, 20_000)
        dataset = ImageDataset(task.real(10_000, 0), batch_size=recipe["batch_size"])
        models[recipe["name"]] = model, dataset

    for _ in range(TURNS):
        for name, (model, dataset) in models.items():
            moments, z = [], model.latent_vectors(1)

            def clock(_, model=model, z=z, moments=moments):
                model.decode_latents(z)  # It waits for the steps before, which JAX only queues.
                moments.append(time.process_time())

            training.train(model, dataset, (BEFORE, BEFORE + steps), clock)
            yield name, 1000 * (moments[1] - moments[0]) / steps


def measure(benchmark):
    """Return the milliseconds of each recipe's turns, from a process of its own on one core."""
    from kerasgan.bench.modes.tasks import TASKS

    backend = TASKS[benchmark].protocol["recipe"]["backend"]
    found = {}
    variables = {"KERAS_BACKEND": backend, "TF_ENABLE_ONEDNN_OPTS": "1"}
    for name, ms in experiment.apart(__file__, benchmark, 1, **variables):
        found.setdefault(name, []).append(round(ms, 2))
    steps = {n: {"ms": statistics.median(ms), "turns": ms} for n, ms in found.items()}
    return {"steps": steps, "environment": describe(backend)}


def run(only=None, out=experiment.RESULTS):
    """Measure all benchmarks, or only one, and write them."""
    path = out / "mode_costs.json"
    found = {"unit": "ms of one core a critic step", "results": {}}
    if only and path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
    for benchmark in [only] if only else BENCHMARKS:
        found["results"][benchmark] = measure(benchmark)
        print(benchmark, found["results"][benchmark], flush=True)
    out.mkdir(parents=True, exist_ok=True)
    write_json(path, found)


def ratio(benchmark, recipe, folder=experiment.RESULTS):
    """Return the time of a method's step divided by that of the plain GAN's, as text.

    Args:
        benchmark: Name of a benchmark. The grid has the networks and so the costs of the ring.
        recipe: Name of the method's recipe; "-" is returned for one that was not measured.
        folder: Where the results are.
    """
    [found] = experiment.stored("mode_costs.json", folder)
    steps = found["results"]["ring" if benchmark == "grid" else benchmark]["steps"]
    return f"{steps[recipe]['ms'] / steps['gan']['ms']:.1f}" if recipe in steps else "-"


def table(folder=experiment.RESULTS):
    """Return the milliseconds of a step, a row for each recipe."""
    [found] = experiment.stored("mode_costs.json", folder)
    results = found["results"]
    names = dict.fromkeys(name for result in results.values() for name in result["steps"])
    rows = [
        [name, *(f"{r['steps'][name]['ms']:.1f}" if name in r["steps"] else "-"
                 for r in results.values())]
        for name in names
    ]  # fmt: skip
    return (
        f"{experiment.markdown(['Recipe', *results], rows)}\n\nMilliseconds of one core for a "
        "critic step, with its share of the generator's."
    )


if __name__ == "__main__":
    parser = experiment.parser(__doc__)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=BENCHMARKS, help="keep the stored results of the others")
    options = parser.parse_args()
    if options.one:
        for turn in turns(options.one):
            print(json.dumps(turn), flush=True)
    else:
        run(options.only, options.out)
        print(table(options.out))
