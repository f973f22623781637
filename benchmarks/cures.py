"""What cures are worth on images, and what they cost: options of `kerasgan train`, one at a time.

    python benchmarks/cures.py PLAN --seed SEED [--out DIR]
    python benchmarks/cures.py PLAN --costs [--out DIR]

The first trains once with each cure and writes `PLAN-SEED.json`, by default into
`benchmarks/results/cures/`, and with seed 0 a picture of twenty samples each; trainings that are in
the JSON file already are kept. The second takes the time of a step of each, in turns, and writes
`PLAN-costs.json`. The committed results are of one core each, `taskset -c 0` with
`OMP_NUM_THREADS`, `TF_NUM_INTRAOP_THREADS` and `TF_NUM_INTEROP_THREADS` at 1; seconds of trainings
that ran side by side are not to be compared.

Fashion-MNIST, and `kerasgan train` as it is without options but for the width of its networks
(dcgan) and the guard, which is off. Each training takes the same number of critic steps; with more
of them in a round the generator takes fewer. `--r1` and `--r2` take the batch normalisation out of
the critic, as they do in `kerasgan train`; `--critic-norm none` does only that. In between the
model is scored as it is at that moment: against as many images of the whole training set, whatever
it is trained on, and on how much of the shares of the ten classes went from one to another since
the look before (half the sum of absolute differences; samples of real images differ as well).
"""

import argparse
import json
import shlex
import statistics
import time
from pathlib import Path

import command_line  # noqa: F401, it turns oneDNN on before Keras is imported.
import keras
import numpy as np
from docs_words import RESULTS, slug

import kerasgan
from kerasgan import pictures
from kerasgan.bench import training
from kerasgan.bench.environment import describe
from kerasgan.files import write_json
from kerasgan_cli.train import train
from kerasgan_cli.training import build

DATA, WIDTH, SAMPLES = "fashion_mnist", 24, 5000
METRICS = ("frechet_distance", "prdc", "classes")
NOTHING = "nothing"
PLANS = {  # What is tried, and with what all of it is trained.
    "few_images": {
        "base": ["--limit", "100"],
        "moments": [1000, 2000, 3000, 4000, 5000],
        "cures": [
            NOTHING, "--augment diffaugment", "--augment ada", "--r1 1", "--critic-norm none",
        ],
    },
    "healthy": {
        "base": [],
        "moments": [1500, 2000, 2500, 3000],
        "cures": [
            NOTHING, "--minibatch stddev", "--minibatch discrimination", "--packing 2",
            "--r1 1 --r2 1", "--lr 5e-5", "--ema 0", "--n-critic 2", "wgan_gp",
            "wgan_gp --n-critic 1", "--critic-norm none",
        ],
    },
}  # fmt: skip
BEFORE, STEPS, TURNS = 10, 30, 7


def options(cure, base, seed):
    """Return the options of `kerasgan train` that a training has.

    Args:
        cure: More options than `base`, or another model than gan before them.
        base: Options as words.
        seed: A number.
    """
    words = [] if cure == NOTHING else shlex.split(cure)
    model = "gan" if not words or words[0].startswith("-") else words.pop(0)
    shared = ["--data", DATA, "--width", str(WIDTH), "--epochs", "1", "--seed", str(seed)]
    return train.make_context("train", [model, *shared, *base, *words]).params


def made(chosen):
    """Return the compiled model that options describe, and its images."""
    keras.utils.set_random_seed(chosen["seed"])
    data = kerasgan.data.load(
        DATA, limit=chosen["limit"], batch_size=chosen["batch_size"], seed=chosen["seed"]
    )
    return build(chosen, data), data


def scores(evaluator, model):
    """Return the figures of a model, and the share of each class."""
    results = evaluator(model)
    shares = next(r.details["shares"] for r in results if "shares" in r.details)
    return {r.name: float(r.value) for r in results}, shares


def moved(before, after):
    """Return how much of the shares of classes went from one class to another."""
    classes = before.keys() | after.keys()
    return sum(abs(before.get(c, 0.0) - after.get(c, 0.0)) for c in classes) / 2


def trained(plan, cure, evaluator, seed):
    """Return what one training scored at each moment, its seconds, and twenty samples."""
    model, data = made(options(cure, plan["base"], seed))
    found, shares = {}, []

    def look(step):
        figures, now = scores(evaluator, model)
        shares.append(now)
        if len(shares) > 1:
            figures["moved"] = moved(*shares[-2:])
        found[str(step)] = figures

    _, seconds = training.train(model, data, plan["moments"], look)
    return {"moments": found, "core_seconds": round(seconds, 1)}, model.sample(20, seed=7)


def real(evaluator):
    """Return what other real images score in place of generated ones."""
    found = {}
    for metric in METRICS:
        found |= {name: float(score.value) for name, score in evaluator.baseline(metric).items()}
    shares = [np.bincount(part.classes) / SAMPLES for part in (evaluator.real, evaluator.held_out)]
    return {**found, "moved": float(abs(shares[0] - shares[1]).sum() / 2)}


def train_all(name, seed, out):
    """Train with each cure that is not in the results yet, and write them."""
    kerasgan.backend.make_deterministic()
    plan = PLANS[name]
    path = out / f"{name}-{seed}.json"
    result = {
        "protocol": f"{DATA}, dcgan of width {WIDTH}, {SAMPLES:,} samples, seed {seed}, options "
        + (shlex.join(plan["base"]) or NOTHING),
        "environment": describe(keras.backend.backend()),
        "cures": {},
    }
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["protocol"] == result["protocol"]:
            result = before
    evaluator = kerasgan.metrics.Evaluator(
        kerasgan.data.load(DATA), metrics=METRICS, samples=SAMPLES
    )
    result["real"] = real(evaluator)
    for cure in plan["cures"]:
        if cure in result["cures"]:
            continue
        result["cures"][cure], images = trained(plan, cure, evaluator, seed)
        last = result["cures"][cure]["moments"][str(plan["moments"][-1])]
        print(name, seed, cure, last, result["cures"][cure]["core_seconds"], flush=True)
        if seed == 0:
            pictures.save_grid(out / f"{name}-{slug(cure)}.png", images, columns=20)
        write_json(path, result)


def costs(name, out):
    """Take the time of a critic step with each cure, all in turns, and write it.

    It is of the whole data set: of few images each step would be an epoch with its overhead.
    """
    kerasgan.backend.make_deterministic()
    models = {cure: made(options(cure, [], 0)) for cure in PLANS[name]["cures"]}
    found = {cure: [] for cure in models}
    for _ in range(TURNS):
        for cure, (model, data) in models.items():
            moments = []
            training.train(
                model,
                data,
                (BEFORE, BEFORE + STEPS),
                lambda _, moments=moments: moments.append(time.process_time()),
            )
            found[cure].append(round(1000 * (moments[1] - moments[0]) / STEPS, 2))
    steps = {cure: {"ms": statistics.median(ms), "turns": ms} for cure, ms in found.items()}
    print({cure: step["ms"] for cure, step in steps.items()})
    environment = describe(keras.backend.backend())
    write_json(
        out / f"{name}-costs.json",
        {"unit": "ms of one core a critic step", "steps": steps, "environment": environment},
    )


def main():
    """Train, or take the time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plan", choices=PLANS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--costs", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS / "cures")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.costs:
        costs(arguments.plan, arguments.out)
    else:
        train_all(arguments.plan, arguments.seed, arguments.out)


if __name__ == "__main__":
    main()
