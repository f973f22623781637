"""How much faster a preset of garments learns digits than the same networks with new weights.

    python benchmarks/fine_tuning.py [--seed 0]

It writes `fine_tuning.json` and `fine_tuning.png`.

`r3gan_fashion_mnist` is fitted to MNIST once with its weights and once with new ones. Both are
compiled alike and trained for the same number of steps. The Fréchet distance to MNIST is measured
on the moving average of the generator, and also for other real digits.
"""

import experiment
import keras

import kerasgan
from kerasgan import pictures
from kerasgan.bench import training
from kerasgan.environment import describe
from kerasgan.files import write_json

TAKES = "6 minutes"
PRESET, DATA, BATCH, SAMPLES = "r3gan_fashion_mnist", "mnist", 64, 5000
MOMENTS = (100, 250, 500, 1000, 2000)
STARTS = {"the preset": True, "new weights": False}


def train(load_weights, data, evaluator, seed):
    """Return the distances at each moment, the seconds, and ten images at each moment."""
    keras.utils.set_random_seed(seed)
    gan = kerasgan.from_preset(PRESET, load_weights=load_weights)
    gan.compile()
    found, shown = {"frechet_distance": {}}, []

    def measure(step):
        [distance] = evaluator(gan)
        found["frechet_distance"][str(step)] = float(distance.value)
        found["real"] = float(distance.baseline)
        shown.append(gan.sample(10, seed=7))
        print(step, distance, flush=True)

    measure(0)
    seconds, _ = training.train(gan, data, MOMENTS, measure)
    return {**found, "seconds": round(seconds, 1)}, shown


def run(seed=0, out=experiment.RESULTS):
    """Train both, and write the figures and the pictures, one row for each moment."""
    out.mkdir(parents=True, exist_ok=True)
    kerasgan.backend.make_deterministic()
    data = kerasgan.data.load(DATA, batch_size=BATCH, seed=seed)
    evaluator = kerasgan.metrics.Evaluator(data, metrics=["frechet_distance"], samples=SAMPLES)
    result = {
        "protocol": f"{PRESET} fitted to {DATA}, batches of {BATCH}, its own optimizers, Fréchet "
        f"distance of {SAMPLES:,} samples, seed {seed}",
        "environment": describe(keras.backend.backend()),
        "starts": {},
    }
    columns = []
    for name, load_weights in STARTS.items():
        result["starts"][name], shown = train(load_weights, data, evaluator, seed)
        columns.append(shown)
    write_json(out / "fine_tuning.json", result)
    rows = [image for pair in zip(*columns, strict=True) for images in pair for image in images]
    pictures.save_grid(out / "fine_tuning.png", rows, columns=20, scale=2)


def table(folder=experiment.RESULTS):
    """Return the Fréchet distances, one row for each start and one column for each moment."""
    [found] = experiment.stored("fine_tuning.json", folder)
    starts = found["starts"]
    rows = [
        [
            f"From {name}",
            *(experiment.figure("frechet_distance", d) for d in one["frechet_distance"].values()),
        ]
        for name, one in starts.items()
    ]
    first = next(iter(starts.values()))
    return (
        f"{experiment.markdown(['Critic steps', *first['frechet_distance']], rows)}\n\n"
        f"{found['protocol']}. Real digits score {first['real']:.2f}. "
        f"It ran {experiment.where(found)}."
    )


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    run(**vars(options))
    print(table(options.out))
