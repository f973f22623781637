"""What a step of each method of the mode benchmarks costs, all on one machine and interleaved.

    python benchmarks/mode_costs.py [--only ring] [--out benchmarks/results/mode_costs.json]

Milliseconds of one core a critic step, its share of the generator's included: the median of turns
that all methods take one after another. Trials are run when there is time for them, on whatever
machine there is; ratios of their minutes would be ratios of machines.
"""

import json
import statistics
import time

import command_line

from kerasgan.bench.environment import describe
from kerasgan.files import write_json

BENCHMARKS = {"ring": 200, "stacked-mnist": 20, "stacked-mnist-small": 40}  # Steps in a turn.
TURNS, BEFORE = 5, 5


def turns(benchmark):
    """Yield the name of each recipe and what a step of it takes, again and again."""
    from kerasgan.bench import training
    from kerasgan.bench.modes.tasks import TASKS
    from kerasgan.data import ImageDataset

    task, steps = TASKS[benchmark], BENCHMARKS[benchmark]
    models = {}
    for recipe in task.recipes():
        model = training.build({**recipe, "seed": 0}, task.networks(recipe), 20_000)
        dataset = ImageDataset(task.real(10_000, 0), batch_size=recipe["batch_size"])
        models[recipe["name"]] = model, dataset

    for _ in range(TURNS):
        for name, (model, dataset) in models.items():
            moments, z = [], model.latent_vectors(1)

            def look(_, model=model, z=z, moments=moments):
                model.images_of(z)  # It waits for the steps before, which JAX only queues.
                moments.append(time.process_time())

            training.train(model, dataset, (BEFORE, BEFORE + steps), look)
            yield name, 1000 * (moments[1] - moments[0]) / steps


def measure(benchmark):
    """Return the milliseconds of each recipe's turns, from a process of its own on one core."""
    from kerasgan.bench.modes.tasks import TASKS

    backend = TASKS[benchmark].protocol["recipe"]["backend"]
    found = {}
    variables = {"KERAS_BACKEND": backend, "TF_ENABLE_ONEDNN_OPTS": "1"}
    for name, ms in command_line.apart(__file__, benchmark, 1, **variables):
        found.setdefault(name, []).append(round(ms, 2))
    steps = {n: {"ms": statistics.median(ms), "turns": ms} for n, ms in found.items()}
    return {"steps": steps, "environment": describe(backend)}


def main():
    """Measure all and write them, or one benchmark's anew, or one in this process."""
    parser = command_line.measuring(__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, help="the others stay as they are in --out")
    arguments = parser.parse_args()
    if arguments.one:
        for turn in turns(arguments.one):
            print(json.dumps(turn), flush=True)
        return
    found = {"unit": "ms of one core a critic step", "results": {}}
    if arguments.only and arguments.out and arguments.out.exists():
        found = json.loads(arguments.out.read_text(encoding="utf-8"))
    for benchmark in [arguments.only] if arguments.only else BENCHMARKS:
        found["results"][benchmark] = measure(benchmark)
        print(benchmark, found["results"][benchmark], flush=True)
    if arguments.out:
        write_json(arguments.out, found)


if __name__ == "__main__":
    main()
