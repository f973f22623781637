"""One training of the detector's exam: a recipe in, its looks and the truth out."""

import dataclasses
import functools
import io
import json
import sys
from pathlib import Path

import keras

from kerasgan import gans
from kerasgan.bench import mixtures, processes, training
from kerasgan.bench.collapse import oracle
from kerasgan.callbacks import CollapseGuard
from kerasgan.collapse import DiversityMetric
from kerasgan.data import ImageDataset, load
from kerasgan.files import write_json

RECIPES = Path(__file__).with_name("recipes.json")

MIXTURES = {"ring": (mixtures.ring(), 0.03), "grid": (mixtures.grid(), 0.03)}
IMAGES = {"mnist": 28, "fashion_mnist": 28, "avatars": 32}


@functools.cache
def real_data(name, limit=None):
    """Return images and what judges their modes."""
    if name in MIXTURES:
        centres, sigma = MIXTURES[name]
        points, _ = mixtures.draw(centres, sigma, 20_000, seed=99)
        judge = oracle.of_mixture(centres, sigma)
        return points[:limit], oracle.Oracle(judge, points[:limit])
    whole = load(name, image_size=IMAGES[name], limit=4000 if name == "avatars" else None)
    judge = oracle.of_avatars if name == "avatars" else oracle.of_classes(name == "mnist")
    return whole.images[:limit], oracle.Oracle(judge, whole.take(limit or 4000))


def build(recipe):
    """Return the compiled model of a recipe."""
    keras.utils.set_random_seed(recipe["seed"])
    variant = gans.VARIANTS[recipe["model"]]
    size = dict(recipe.get("networks", {}))
    if recipe["data"] in MIXTURES:
        packing = recipe.get("arguments", {}).get("packing", variant.packs)
        pair = mixtures.networks(packing=packing, **size)
    else:
        colour = {"channels": 3 if recipe["data"] == "avatars" else 1}
        pair = variant.default_networks(
            **{"image_size": IMAGES[recipe["data"]], "latent_dim": 64, **colour, **size}
        )
    return training.build(recipe, pair)


def train(recipe, policy="none"):
    """Return the history of a recipe.

    Args:
        recipe: An entry of `recipes.json`.
        policy: Of a `CollapseGuard` beside it; "none" for no guard.
    """
    images, truth = real_data(recipe["data"], recipe.get("limit"))
    model = build(recipe)
    dataset = ImageDataset(images, batch_size=recipe.get("batch_size", 64), seed=recipe["seed"])
    metric = DiversityMetric(images)
    records = []

    def look_at(step):
        drawn = model.sample(metric.samples, seed=0)
        seen = dataclasses.asdict(metric.measure(drawn))
        del seen["shares"]
        rounded = {k: v if isinstance(v, bool) else round(v, 4) for k, v in seen.items()}
        records.append({"step": step, "modes": round(truth(drawn), 4), **rounded})

    guard = None
    if policy != "none":
        guard = CollapseGuard(policy, every=recipe["every"], stream=io.StringIO())
    moments = range(recipe["every"], recipe["steps"] + 1, recipe["every"])
    watchers = [guard] if guard else []
    seconds, _ = training.train(model, dataset, moments, look_at, watchers)
    found = {"recipe": recipe, "policy": policy, "looks": records}
    if guard is not None:
        found["decisions"] = [dataclasses.asdict(d) for d in guard.journal.decisions]
        final = model.sample(metric.samples, seed=1)
        measurement = metric.measure(final)
        found["final"] = {
            "modes": truth(final),
            "coverage": measurement.coverage,
            "diversity": measurement.diversity,
        }
    return {**found, "seconds": round(seconds, 1)}


def recipes(half=None, only=None):
    """Return the recipes of a half, or all."""
    found = json.loads(RECIPES.read_text(encoding="utf-8"))
    return [r for r in found if half in (None, r["half"]) and (only or "") in r["name"]]


def repeat(chosen, folder, policy="none", workers=1, echo=print):
    """Train recipes in processes of their own and return their histories; finished ones are kept.

    Args:
        chosen: Recipes.
        folder: Where a JSON file for each goes.
        policy: See `train`.
        workers: Processes at a time.
        echo: What is called with a line of text for each run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{r['name']}-{r['seed']}-{policy}.json" for r in chosen]
    jobs = [
        processes.Job(path.stem, recipe["name"], recipe["backend"], [recipe, policy], path)
        for recipe, path in zip(chosen, paths, strict=True)
        if not path.exists() or json.loads(path.read_text())["recipe"] != recipe
    ]
    for _ in processes.run(__name__, jobs, workers, echo):
        pass
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


if __name__ == "__main__":
    given, target = sys.argv[1:]
    write_json(Path(target), train(*json.loads(given)))
