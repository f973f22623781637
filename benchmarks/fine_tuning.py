"""What a preset is worth on other data: one that drew garments learns digits, beside a new one.

    python benchmarks/fine_tuning.py [--seed 0] [--out DIR]

It writes `fine_tuning.json` and `.png`, by default into `benchmarks/results/`.

`r3gan_fashion_mnist` with its weights, and the same networks with new ones; both are compiled alike
and fitted to MNIST for as many steps. Measured on the moving average of the generator: the Fréchet
distance to MNIST, beside that of other real digits.
"""

import json

import command_line
import keras

import kerasgan
from kerasgan import pictures
from kerasgan.bench import training
from kerasgan.bench.environment import describe
from kerasgan.files import write_json

PRESET, DATA, BATCH, SAMPLES = "r3gan_fashion_mnist", "mnist", 64, 5000
MOMENTS = (100, 250, 500, 1000, 2000)
STARTS = {"the preset": True, "new weights": False}


def train(load_weights, data, evaluator, seed):
    """Return the distances after so many steps, the seconds, and ten images at each moment."""
    keras.utils.set_random_seed(seed)
    gan = kerasgan.from_preset(PRESET, load_weights=load_weights)
    gan.compile()
    found, shown = {"frechet_distance": {}}, []

    def look(step):
        [distance] = evaluator(gan)
        found["frechet_distance"][str(step)] = float(distance.value)
        found["real"] = float(distance.baseline)
        shown.append(gan.sample(10, seed=7))
        print(step, distance, flush=True)

    look(0)
    seconds, _ = training.train(gan, data, MOMENTS, look)
    return {**found, "seconds": round(seconds, 1)}, shown


def main():
    """Train both, write the figures, and draw what they draw: a row a moment, side by side."""
    options = command_line.arguments(__doc__, seed=0)
    kerasgan.backend.make_deterministic()
    data = kerasgan.data.load(DATA, batch_size=BATCH, seed=options.seed)
    evaluator = kerasgan.metrics.Evaluator(data, metrics=["frechet_distance"], samples=SAMPLES)
    result = {
        "protocol": f"{PRESET} fitted to {DATA}, batches of {BATCH}, its own optimizers, Fréchet "
        f"distance of {SAMPLES:,} samples, seed {options.seed}",
        "environment": describe(keras.backend.backend()),
        "starts": {},
    }
    columns = []
    for name, load_weights in STARTS.items():
        result["starts"][name], shown = train(load_weights, data, evaluator, options.seed)
        columns.append(shown)
    print(json.dumps(result["starts"]))
    write_json(options.out / "fine_tuning.json", result)
    rows = [image for pair in zip(*columns, strict=True) for images in pair for image in images]
    pictures.save_grid(options.out / "fine_tuning.png", rows, columns=20, scale=2)


if __name__ == "__main__":
    main()
