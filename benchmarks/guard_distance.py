"""What the guard calls far from the data: the presets of the zoo, and real images that are spoiled.

    python benchmarks/guard_distance.py [--data fashion_mnist avatars]

It writes `guard_distance.json`.

A check has 1,000 images. Held-out real ones are handed in as they are, with noise, blurred, and as
the means of two; then a generator that was never trained, and the presets of the same data. `near`
is the share of the real images with one of them near in colours and textures, `fidelity` how close
the fine structure is; both are 1 for other real images. The two limits of
`kerasgan.collapse.diversity` lie between what looks like the data and what does not.
"""

import experiment
import keras
import numpy as np
from scipy import ndimage

import kerasgan
from kerasgan import presets
from kerasgan.collapse import DiversityMetric
from kerasgan.collapse.diversity import COARSE, FAR
from kerasgan.data import from_uint8
from kerasgan.environment import describe
from kerasgan.files import read_json, write_json
from kerasgan.recipe import Recipe
from kerasgan.storage import read_metadata

TAKES = "4 minutes"
DATA = {"fashion_mnist": {}, "avatars": {"image_size": 64}}
SAMPLES = 1000
NOISES = (0.05, 0.1, 0.2, 0.3)
BLURS = (1, 2)


def spoiled(real, rng):
    """Yield real images as they are and in worse states, each with what was done to them."""
    yield "other real images", real
    for sd in NOISES:
        noisy = real + sd * rng.standard_normal(real.shape, dtype="float32")
        yield f"with noise of sd {sd}", np.clip(noisy, -1, 1)
    for width in BLURS:
        yield (
            f"blurred by {width} pixel{'s' * (width > 1)}",
            ndimage.gaussian_filter(real, (0, width, width, 0)),
        )
    yield "means of two", (real + real[rng.permutation(len(real))]) / 2
    yield "noise alone", np.clip(rng.standard_normal(real.shape, dtype="float32"), -1, 1)


def measure(name):
    """Return the figures of one data set, a list of rows."""
    images = kerasgan.data.load(name, batch_size=1, **DATA[name]).images
    metric = DiversityMetric(images, SAMPLES)
    rng = np.random.default_rng(1)
    real = from_uint8(np.asarray(images[np.sort(rng.permutation(len(images))[:SAMPLES])]))
    rows = [_row(*case, metric) for case in spoiled(real, rng)]
    keras.utils.set_random_seed(0)
    untrained = Recipe("gan").build(images.shape[1:])
    rows.append(_row("a generator before its training", untrained.sample(SAMPLES, seed=0), metric))
    for preset, folder in presets.presets().items():
        if read_metadata(folder)["card"]["data"]["name_or_path"] == name:
            generated = kerasgan.from_preset(folder).sample(SAMPLES, seed=0)
            rows.append(_row(f"`{preset}`", generated, metric))
    return rows


def _row(what, images, metric):
    found = metric.measure(images)
    numbers = {key: getattr(found, key) for key in ("diversity", "near", "fidelity")}
    return {"images": what, **numbers, "far": found.far}


def run(data=tuple(DATA), out=experiment.RESULTS):
    """Measure the data sets, and write the figures."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "guard_distance.json"
    found = read_json(path) if path.exists() else {"data": {}}
    for name in data:
        found["data"][name] = measure(name)
    found["environment"] = describe(keras.backend.backend())
    write_json(path, found)


def table(folder=experiment.RESULTS):
    """Return the figures, a part for each data set, what is nearest to the data first."""
    [found] = experiment.stored("guard_distance.json", folder)
    rows = [
        [name, *_cells(row)]
        for name, measured in found["data"].items()
        for row in sorted(measured, key=lambda row: -row["near"])
    ]
    head = ["Data", "Images", "Diversity", "Near", "Fine structure", "Far from the data"]
    return (
        f"{experiment.markdown(head, rows)}\n\nFar are images with near below {FAR} or fine "
        f"structure below {COARSE}. N: {SAMPLES:,} images in a check. By "
        f"`benchmarks/guard_distance.py`, {experiment.where(found)}, "
        f"{experiment.day(found['environment'])}."
    )


def _cells(row):
    numbers = (f"{row[key]:.2f}" for key in ("diversity", "near", "fidelity"))
    return [row["images"], *numbers, "far" if row["far"] else ""]


if __name__ == "__main__":
    parser = experiment.parser(__doc__)
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    options = parser.parse_args()
    run(**vars(options))
    print(table(options.out))
