"""Score a preset, run or file against held-out real images; writes what a model card shows.

    python benchmarks/preset_scores.py SOURCE --data fashion_mnist [--samples 10000] [--json FILE]

The score is the Fréchet distance between Gaussians fitted to the first 64 principal components of
the pixels (fitted on the training images, values in [-1, 1]), between generated images and the
test images. It is comparable with nothing but itself: beside it stand the same distance for as
many real training images, and for the test images with Gaussian noise of four strengths, which
make it readable. The losses on the test images are those of `evaluate`.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from kerasgan.bench.environment import describe

COMPONENTS = 64
NOISE = (0.05, 0.1, 0.2, 0.3)


def principal_components(images):
    """Return a function from images to their first components, fitted on `images`."""
    flat = images.reshape(len(images), -1).astype("float64")
    centre = flat.mean(0)
    _, vectors = np.linalg.eigh(np.cov(flat - centre, rowvar=False))
    basis = vectors[:, -COMPONENTS:]
    return lambda x: (x.reshape(len(x), -1).astype("float64") - centre) @ basis


def score(model, data, samples, seed):
    """Return the distances and losses of `model`, with the baselines beside them."""
    from kerasgan.data import load
    from kerasgan.metrics import frechet_distance

    train, test = load(data), load(data, split="test")
    samples = min(samples, test.num_examples)
    real = test.take(samples)
    project = principal_components(train.take(min(20000, train.num_examples)))
    target = project(real)
    noise = np.random.default_rng(seed)
    noisy = {
        f"test images with noise of sd {sd}": frechet_distance(
            project(np.clip(real + sd * noise.standard_normal(real.shape), -1, 1)), target
        )
        for sd in NOISE
    }
    return {
        "protocol": f"Fréchet distance, {COMPONENTS} principal components of pixels in [-1, 1]",
        "samples": samples,
        "seed": seed,
        "generated": frechet_distance(project(model.sample(samples, seed=seed)), target),
        "real training images": frechet_distance(project(train.take(samples)), target),
        **noisy,
        "losses on the test images": model.evaluate(real, verbose=0) if model.compiled else None,
    }


def main():
    """Score one source and print or write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="+", help="presets, runs or .keras files")
    parser.add_argument("--data", required=True)
    parser.add_argument("--samples", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    import keras

    from kerasgan_cli.sources import open_model

    results = []
    for source in arguments.source:
        model = open_model(source)
        if not model.compiled:
            model.compile()
        keras.utils.set_random_seed(arguments.seed)
        result = {
            "source": Path(source).name,
            "data": arguments.data,
            **score(model, arguments.data, arguments.samples, arguments.seed),
            "environment": describe(keras.backend.backend()),
        }
        results.append(result)
        print(json.dumps(result, indent=2), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
