"""Whether seeds of a small GAN train faster side by side, by JAX's `vmap` over their states.

    python benchmarks/mode_vmap.py [--out benchmarks/results/mode_vmap.json]

The plain GAN of the ring on one core: milliseconds a step and seed, of seeds one after another and
of several in one program, as medians of turns that all take in order. Beside them how far the
weights of the seeds in one program are from those that they reach alone, after 200 steps from the
same start with the same batches.
"""

import json
import statistics
import time

import command_line

from kerasgan.bench.environment import describe
from kerasgan.files import write_json

SEEDS, TURNS, STEPS = (1, 2, 4, 8), 5, 200


def trainings(seeds):
    """Return a pure train step, and the state of so many seeds with their batches."""
    import keras
    import numpy as np

    from kerasgan.bench import training
    from kerasgan.bench.modes.tasks import TASKS

    task, found = TASKS["ring"], []
    recipe = task.recipes(["gan"])[0]
    size = recipe["batch_size"]
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        model = training.build({**recipe, "seed": seed}, task.networks(recipe), 20_000)
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
    """Yield for each turn of each number of seeds what a step of a seed took, and the distance."""
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


def main():
    """Measure in a process of its own on one core, and write what it gave."""
    arguments = command_line.measuring(__doc__).parse_args()
    if arguments.one:
        for found in turns():
            print(json.dumps(found), flush=True)
        return
    rows = {}
    for seeds, ms, apart in command_line.apart(__file__, "ring", 1, KERAS_BACKEND="jax"):
        row = rows.setdefault(str(seeds), {"turns": []})
        row["turns"].append(round(ms, 3))
        row["ms a step and seed"] = statistics.median(row["turns"])
        row["farthest weight from the seed alone"] = apart
    result = {"seeds": rows, "environment": describe("jax")}
    print(json.dumps(result, indent=1))
    if arguments.out:
        write_json(arguments.out, result)


if __name__ == "__main__":
    main()
