"""A flow on MNIST trained by likelihood alone, by a critic alone, and by both.

    python benchmarks/flow_objectives.py [--epochs 4] [--seed 0]

It writes `flow_objectives.json` and a picture for each training. Trainings that are in the JSON
file already are kept.

The three `FlowGAN`s (NICE) follow table 1 of Grover et al. 2018, https://arxiv.org/abs/1705.08868.
They differ in `adversarial_weight` and `nll_weight` alone: 1 and 0 is adversarial training, 0 and 1
is maximum likelihood, 1 and 0.01 is the hybrid with the weights of the presets. Two things are
measured on the moving average of the generator: the bits per dimension of the test images, and the
scores of its samples against as many training images.
"""

import json
import time

import experiment
import keras
import numpy as np

import kerasgan
from kerasgan import pictures
from kerasgan.environment import describe
from kerasgan.recipe import Recipe

TAKES = "an hour"
WIDTH, RATE, N_CRITIC, BATCH, SAMPLES = 96, (5e-4, 2e-5), 2, 64, 10_000
SCORES = ("frechet_distance", "prdc", "classes")
OBJECTIVES = {
    "maximum likelihood": {"adversarial_weight": 0.0, "nll_weight": 1.0},
    "adversarial": {"adversarial_weight": 1.0, "nll_weight": 0.0},
    "hybrid": {"adversarial_weight": 1.0, "nll_weight": 0.01},
}


def train(weights, data, epochs, seed):
    """Train one of the three and return it with the seconds that it took."""
    keras.utils.set_random_seed(seed)
    recipe = Recipe("flow_gan", seed=seed).with_options(
        network="nice",
        width=WIDTH,
        n_critic=N_CRITIC,
        learning_rate=RATE[0],
        final_learning_rate=RATE[1],
        **weights,
    )
    gan = recipe.build(data.image_shape, steps=epochs * data.batches_per_epoch)
    began = time.perf_counter()
    gan.fit(data, epochs=epochs, verbose=2)
    return gan, time.perf_counter() - began


def measure(gan, test, evaluator):
    """Return the figures of a trained flow, by name."""
    bits = gan.log_prob(kerasgan.data.from_uint8(test.images))["bits_per_dimension"]
    found = {"bits_per_dimension": float(np.mean(bits))}
    found["error"] = float(np.std(bits) / np.sqrt(len(bits)))
    results = evaluator(gan)
    found["samples"] = {result.name: float(result.value) for result in results}
    found["real"] = {result.name: float(result.baseline) for result in results}
    return found


def _kept(path, result):
    """Return stored results of the same protocol and backend, or else `result`."""
    if not path.exists():
        return result
    before = json.loads(path.read_text(encoding="utf-8"))
    backends = [one["environment"]["backend"] for one in (before, result)]
    same = before["protocol"] == result["protocol"] and backends[0] == backends[1]
    return before if same else result


def run(epochs=4, seed=0, out=experiment.RESULTS):
    """Train all three, write the figures, and write forty samples of each."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "flow_objectives.json"
    kerasgan.backend.make_deterministic()
    data = kerasgan.data.load("mnist", batch_size=BATCH)
    test = kerasgan.data.load("mnist", split="test")
    evaluator = kerasgan.metrics.Evaluator(data, metrics=SCORES, samples=SAMPLES)
    result = {
        "protocol": f"NICE of width {WIDTH}, {epochs} epochs of batches of {BATCH}, "
        f"n_critic {N_CRITIC}, Adam {RATE[0]:g} falling to {RATE[1]:g}, seed {seed}",
        "environment": describe(keras.backend.backend()),
        "objectives": {},
    }
    result = _kept(path, result)
    for name, weights in OBJECTIVES.items():
        if name in result["objectives"]:
            continue
        gan, seconds = train(weights, data, epochs, seed)
        found = {**weights, **measure(gan, test, evaluator), "seconds": round(seconds)}
        found["environment"] = describe(keras.backend.backend())
        result["objectives"][name] = found
        picture = out / f"flow_objectives-{name.split()[-1]}.png"
        pictures.save_grid(picture, gan.sample(40, seed=7), columns=20)
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def table(folder=experiment.RESULTS):
    """Return the likelihoods and the scores, a row for each objective."""
    [found] = experiment.stored("flow_objectives.json", folder)
    names = ("frechet_distance", "precision", "recall", "coverage", "classes_covered")
    metrics = {name: experiment.METRICS[name] for name in names}
    rows = [
        [
            name,
            f"{one['bits_per_dimension']:.2f} ± {one['error']:.2f}",
            *(experiment.figure(metric, one["samples"][metric]) for metric in metrics),
        ]
        for name, one in found["objectives"].items()
    ]
    real = next(iter(found["objectives"].values()))["real"]
    rows.append(
        ["*real images*", "-", *(experiment.figure(metric, real[metric]) for metric in metrics)]
    )
    head = ["Objective", "Bits per dimension, test images", *metrics.values()]
    objectives = found["objectives"].values()
    places = {experiment.where({**found, **one}): None for one in objectives}
    note = (
        f"{found['protocol']}; {', and '.join(places)}. Likelihood alone has no critic steps: it "
    )
    note += "moves the flow in every batch."
    return f"{experiment.markdown(head, rows)}\n\n{note}"


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("--epochs", type=int, default=4)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    run(**vars(options))
    print(table(options.out))
