"""What a flow learns by likelihood alone, by a critic alone, and by both, on MNIST.

    python benchmarks/flow_objectives.py [--epochs 4] [--seed 0] [--out DIR]

It writes `flow_objectives.json` and a picture of each, by default into `benchmarks/results/`;
trainings that are in the JSON file already are kept.

Three `FlowGAN`s (NICE) that differ in `adversarial_weight` and `nll_weight` alone, as table 1 of
Grover et al. 2018, https://arxiv.org/abs/1705.08868: 1 and 0 is the adversarial game, 0 and 1
maximum likelihood, 1 and 0.01, as the presets have it, the hybrid. Measured on the moving average
of the generator: bits per dimension of the test images, and what samples score beside as many
training images.
"""

import json
import time

import command_line
import keras
import numpy as np

import kerasgan
from kerasgan import pictures
from kerasgan.bench.environment import describe
from kerasgan.gans.optimizer import falling

WIDTH, RATE, N_CRITIC, BATCH, SAMPLES = 96, (5e-4, 2e-5), 2, 64, 10_000
METRICS = ("frechet_distance", "prdc", "classes")
OBJECTIVES = {
    "maximum likelihood": {"adversarial_weight": 0.0, "nll_weight": 1.0},
    "adversarial": {"adversarial_weight": 1.0, "nll_weight": 0.0},
    "hybrid": {"adversarial_weight": 1.0, "nll_weight": 0.01},
}


def train(weights, data, epochs, seed):
    """Train one of the three and return it with its seconds."""
    keras.utils.set_random_seed(seed)
    networks = kerasgan.FlowGAN.default_networks("nice", image_size=28, channels=1, width=WIDTH)
    gan = kerasgan.FlowGAN(*networks, n_critic=N_CRITIC, seed=seed, **weights)
    steps = epochs * data.batches_per_epoch
    generator, critic = gan.default_optimizers()
    generator.learning_rate = falling(*RATE, steps // N_CRITIC)
    critic.learning_rate = falling(*RATE, steps)
    gan.compile(generator, critic)
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


def main():
    """Train all three, print and write the figures, and draw what they draw."""
    options = command_line.arguments(__doc__, epochs=4, seed=0)
    path = options.out / "flow_objectives.json"
    kerasgan.backend.make_deterministic()
    data = kerasgan.data.load("mnist", batch_size=BATCH)
    test = kerasgan.data.load("mnist", split="test")
    evaluator = kerasgan.metrics.Evaluator(data, metrics=METRICS, samples=SAMPLES)
    result = {
        "protocol": f"NICE of width {WIDTH}, {options.epochs} epochs of batches of {BATCH}, "
        f"n_critic {N_CRITIC}, Adam {RATE[0]:g} falling to {RATE[1]:g}, seed {options.seed}",
        "environment": describe(keras.backend.backend()),
        "objectives": {},
    }
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["protocol"] == result["protocol"] and all(
            before["environment"][key] == result["environment"][key]
            for key in ("backend", "machine", "cores", "versions")
        ):
            result = before
    for name, weights in OBJECTIVES.items():
        if name in result["objectives"]:
            continue
        gan, seconds = train(weights, data, options.epochs, options.seed)
        found = {**weights, **measure(gan, test, evaluator), "seconds": round(seconds)}
        result["objectives"][name] = found
        print(name, found)
        picture = options.out / f"flow_objectives-{name.split()[-1]}.png"
        pictures.save_grid(picture, gan.sample(40, seed=7), columns=20)
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
