"""The time of several seeds of a small GAN in one program, by JAX's `vmap` over their states.

    python benchmarks/mode_vmap.py

It writes `mode_vmap.json`.

The plain GAN of the ring trains on one core. The time of a step and seed is the median of turns
that one seed alone, and several seeds in one program, take in order. The results also have the
largest difference between the weights of a seed in the program and those of the same seed alone,
after 200 steps from the same start with the same batches.
"""

import argparse
import json
import statistics
import time

import experiment

from kerasgan.environment import describe
from kerasgan.files import write_json

TAKES = "a minute"
SEEDS, TURNS, STEPS = (1, 2, 4, 8), 5, 200


def trainings(seeds):
    """Return a pure train step, and the state of so many seeds with their batches."""
    import keras
    import numpy as np

    from kerasgan.bench.modes.tasks import TASKS

    task, found = TASKS["ring"], []
    recipe = task.recipes(["gan"])[0]
    size = recipe["batch_size"]
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        model = task.build(recipe, seed, 20_000)
        real = np.asarray(task.real(size * STEPS, [11, seed]), "float32")
        model.fit(real[:size], batch_size=size, epochs=1, verbose=0)  # Its optimizers are built.
        groups = (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )
        state = tuple([np.asarray(v.value) for v in group] for group in groups)
        found.append((state, real.reshape(STEPS, size, *real.shape[1:])))
    return model.train_step, found


def turns():
    """Yield, for each turn, the number of seeds, the ms of a step and seed, and the difference."""
    import jax
    import numpy as np

    step, found = trainings(max(SEEDS))
    alone = jax.jit(step)
    together = jax.jit(jax.vmap(step))

    def train(program, state, batches):
        start = time.process_time()
        for batch in batches:
            _, state = program(state, batch)
        jax.block_until_ready(state)
        return state, time.process_time() - start

    for turn in range(TURNS + 1):  # The first compiles.
        for seeds in SEEDS:
            if seeds == 1:
                state, seconds = train(alone, *found[0])
                lone, apart = state, 0.0
            else:
                states, batches = zip(*found[:seeds], strict=True)
                stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *states)
                state, seconds = train(together, stacked, np.stack(batches, axis=1))
                pairs = zip(lone[0], state[0], strict=True)
                apart = max(float(abs(a - b[0]).max()) for a, b in pairs)
            if turn:
                yield seeds, 1000 * seconds / (STEPS * seeds), apart


def run(out=experiment.RESULTS):
    """Measure in a process of its own on one core, and write the figures."""
    rows = {}
    for seeds, ms, apart in experiment.apart(__file__, "ring", 1, KERAS_BACKEND="jax"):
        row = rows.setdefault(str(seeds), {"turns": []})
        row["turns"].append(round(ms, 3))
        row["ms a step and seed"] = statistics.median(row["turns"])
        row["farthest weight from the seed alone"] = apart
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "mode_vmap.json", {"seeds": rows, "environment": describe("jax")})


def table(folder=experiment.RESULTS):
    """Return the milliseconds of a step and seed, a row for each number of seeds."""
    [found] = experiment.stored("mode_vmap.json", folder)
    rows = [
        [seeds, f"{row['ms a step and seed']:.2f}",
         f"{row['farthest weight from the seed alone']:.2g}"]
        for seeds, row in found["seeds"].items()
    ]  # fmt: skip
    head = ["Seeds in one program", "ms a step and seed", "Largest difference of a weight"]
    note = f"The plain GAN of the ring, {experiment.where(found)}."
    return f"{experiment.markdown(head, rows)}\n\n{note}"


if __name__ == "__main__":
    parser = experiment.parser(__doc__)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        for found in turns():
            print(json.dumps(found), flush=True)
    else:
        run(options.out)
        print(table(options.out))
