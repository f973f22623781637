"""What the guard sees of real images from which something was taken away.

    python benchmarks/guard_sight.py FOLDER [--kinds photographs emoji clipart]

FOLDER holds the pictures that `tools/exam_pictures.py` makes. It writes `guard_sight.json`.

Held-out real images are handed to the guard as if a generator had made them: with parts of the data
missing, with a few of them over and over, blurred, or with noise. Where fewer images are left than
a check has, the check has these alone, so that none comes twice. The history before is two checks
of whole real images. For photographs the same images are measured in other features too, each with
150 cells and principal components that are half whitened: shrunken pixels, colours alone, textures
alone, both (which the guard uses), and those of EfficientNet-Lite0, where it is installed, with
fewer images.
"""

import json
from pathlib import Path

import experiment
import keras
import numpy as np
from scipy import ndimage

from kerasgan.bench.collapse import pictures
from kerasgan.collapse import Detector, DiversityMetric, features
from kerasgan.collapse.space import Space
from kerasgan.data import from_uint8
from kerasgan.environment import describe
from kerasgan.metrics import frechet
from kerasgan.metrics.extractors import EfficientNetLite0

TAKES = "10 minutes"
SIDES = {"photographs": 64, "emoji": 32, "clipart": 64}
SHARES = {"half of the parts missing": 0.5, "three quarters": 0.25, "nine tenths": 0.1}
COPIES = {"300 different images": 300, "100 different images": 100, "20 different images": 20}
BLURS = {"blurred by 1 pixel": 1, "blurred by 2 pixels": 2}
NOISES = {"noise of 0.1": 0.1, "noise of 0.3": 0.3}
CELLS = 150
FEW = 300  # Images of a case that EfficientNet-Lite0 sees,
REFERENCE = 1500  # and real images.


def cases(images, parts, samples, rng):
    """Return real images for the guard, and those that are handed in, by what was done to them."""
    half = len(images) // 2
    real, rest, parts = images[half:], images[:half], parts[:half]
    order = rng.permutation(parts.max() + 1)

    def drawn(rows):
        return from_uint8(rest[rng.permutation(rows)[:samples]])

    whole = drawn(np.arange(half))
    found = {"whole": whole}
    for name, share in SHARES.items():
        left = order[: max(1, round(share * len(order)))]
        found[name] = drawn(np.flatnonzero(np.isin(parts, left)))
    for name, count in COPIES.items():
        few = rng.permutation(half)[:count]
        found[name] = from_uint8(rest[rng.choice(few, samples)])
    for name, width in BLURS.items():
        found[name] = ndimage.gaussian_filter(whole, (0, width, width, 0))
    for name, width in NOISES.items():
        noise = rng.normal(0, width, whole.shape)
        found[name] = np.clip(whole + noise, -1, 1).astype("float32")
    return real, found


def verdicts(real, given, samples):
    """Return what the guard says of each case."""
    metric = DiversityMetric(real, samples)
    whole = metric.measure(given["whole"])
    rows = []
    for name, images in given.items():
        found = metric.measure(images)
        verdict = Detector()([whole, whole, found])
        rows.append(
            {
                "case": name,
                "level": found.level,
                "layout": found.layout,
                "surface": found.surface,
                "distinct": found.distinct,
                "sharpness": found.sharpness,
                "state": verdict.state,
                "score": verdict.score,
                "evidence": list(verdict.evidence),
            }
        )
    return rows


class Components:
    """Principal components of some features, half whitened."""

    def __init__(self, found):
        self.mean, covariance = frechet.moments(found)
        values, vectors = np.linalg.eigh(covariance)
        kept = values > 1e-6 * values[-1]
        values, vectors = values[kept][::-1][:64], vectors[:, kept][:, ::-1][:, :64]
        self.directions = vectors / np.sqrt(np.sqrt(values))

    def __call__(self, found):
        """Return the components of features `(n, d)`."""
        return ((found - self.mean) @ self.directions).astype("float32")


def candidates(real, given, samples):
    """Return how much each case shows, in each kind of features."""
    surface = features.Surface(real)
    seen = {
        "shrunken pixels": (features.Layout._shrunk, len(real), samples),
        "colours": (lambda x: surface._parts(x)[0], len(real), samples),
        "textures": (lambda x: surface._parts(x)[1], len(real), samples),
        "colours and textures": (lambda x: surface._joined(surface._parts(x)), len(real), samples),
    }
    if EfficientNetLite0.installed():
        seen["EfficientNet-Lite0"] = EfficientNetLite0(), REFERENCE, FEW
    found = {}
    for name, (extract, reference, count) in seen.items():
        made = extract(real[:reference])
        components = Components(made)
        cells = min(CELLS, count // 6)
        space = Space(components(made), cells, count, centred=True)
        scores = {}
        for case, images in given.items():
            filled = space.measure(components(extract(images[:count])))
            shown = (filled["overlap"] + filled["cells"]) / 2 * filled["coverage"] ** 0.5
            scores[case] = shown / (scores["whole"] if case != "whole" else 1)
        found[name] = {**scores, "whole": 1.0, "images": count}
    return found


def run(folder, kinds=tuple(SIDES), out=experiment.RESULTS):
    """Measure every case of each kind of picture and write the figures."""
    out.mkdir(parents=True, exist_ok=True)
    found = {"environment": describe(keras.backend.backend()), "kinds": {}}
    for kind in kinds:
        images, parts, _ = pictures.load(folder, kind, SIDES[kind])
        samples = min(1000, len(images) // 6)
        real, given = cases(images, parts, samples, np.random.default_rng(1))
        found["kinds"][kind] = verdicts(real, given, samples)
        if kind == "photographs":
            found["candidates"] = candidates(real, given, samples)
    (out / "guard_sight.json").write_text(json.dumps(found, indent=1) + "\n")


def table(folder=experiment.RESULTS):
    """Return what the guard says of each case."""
    [found] = experiment.stored("guard_sight.json", folder)
    kinds = found["kinds"]
    rows = []
    for i, row in enumerate(next(iter(kinds.values()))):
        own = [kinds[kind][i] for kind in kinds]
        rows.append([row["case"], *(f"{x['level']:.2f}, {x['state']}" for x in own)])
    head = ["Real images, handed in as generated", *(f"{kind}, {SIDES[kind]} px" for kind in kinds)]
    return experiment.markdown(head, rows)


def candidates_table(folder=experiment.RESULTS):
    """Return how much of the photographs each case shows, in each kind of features."""
    [found] = experiment.stored("guard_sight.json", folder)
    names = found["candidates"]
    cases = [case for case in next(iter(names.values())) if case not in ("images", "whole")]
    rows = [[case, *(f"{names[name][case]:.2f}" for name in names)] for case in cases]
    return experiment.markdown(["Photographs", *names], rows)


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--kinds", nargs="+", choices=list(SIDES), default=list(SIDES))
    options = arguments.parse_args()
    run(**vars(options))
    print(table(options.out))
