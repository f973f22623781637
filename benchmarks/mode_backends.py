"""Which backend trains the networks of the mode benchmarks fastest on this machine.

    python benchmarks/mode_backends.py [--out benchmarks/results/mode_backends.json]

The plain GAN's step of each benchmark in milliseconds, on one core and on all; TensorFlow with
oneDNN and without. Each in a process of its own, one after another, on a machine that does nothing
else.
"""

import json
import time

import command_line

from kerasgan.bench.environment import cores, describe
from kerasgan.files import write_json

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
    model = training.build({**recipe, "seed": 0}, task.networks(recipe), 20_000)
    dataset = ImageDataset(task.real(10_000, 0), batch_size=recipe["batch_size"])
    moments, steps = [], STEPS[benchmark]
    z = model.latent_vectors(1)

    def look(_):
        model.images_of(z)  # It waits for the steps before, which JAX only queues.
        moments.append(time.perf_counter())

    training.train(model, dataset, (BEFORE, BEFORE + steps), look)
    return 1000 * (moments[1] - moments[0]) / steps


def measure(benchmark, way, threads):
    """Return the milliseconds of a step, in a process of its own with so many threads."""
    variables = {**WAYS[way], "KERAS_BACKEND": way.split()[0]}
    [found] = command_line.apart(__file__, benchmark, threads, **variables)
    return round(found["ms"], 1)


def main():
    """Measure all and write them, or one in this process."""
    arguments = command_line.measuring(__doc__).parse_args()
    if arguments.one:
        print(json.dumps({"ms": step_time(arguments.one)}))
        return
    found = {"unit": "ms a critic step", "environment": describe("jax"), "results": []}
    for benchmark in STEPS:
        for way in WAYS:
            for threads in sorted({1, cores()}):
                row = {"benchmark": benchmark, "backend": way, "cores": threads}
                row["ms"] = measure(benchmark, way, threads)
                found["results"].append(row)
                print(row, flush=True)
    if arguments.out:
        write_json(arguments.out, found)


if __name__ == "__main__":
    main()
