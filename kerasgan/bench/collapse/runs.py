"""The trainings of the detector's exam: each recipe becomes a history of checks."""

import dataclasses
import io
import json
import sys
from pathlib import Path

import keras

from kerasgan import catalogue
from kerasgan.bench import mixtures, processes, training
from kerasgan.bench.collapse import oracle
from kerasgan.callbacks import CollapseGuard
from kerasgan.collapse import DiversityMetric
from kerasgan.data import ImageDataset
from kerasgan.files import write_json
from kerasgan.recipe import Recipe

RECIPES = Path(__file__).with_name("recipes.json")
# Entries of a recipe of the exam beside those of `kerasgan.recipe.Recipe`.
OWN = ("name", "half", "every")

MIXTURES = {"ring": (mixtures.ring(), 0.03), "grid": (mixtures.grid(), 0.03)}


def training_of(recipe):
    """Return the `Recipe` in a recipe of the exam."""
    return Recipe.from_json({key: value for key, value in recipe.items() if key not in OWN})


def real_data(recipe):
    """Return the real images of a `Recipe`, and the `Oracle` of their modes.

    Args:
        recipe: A `Recipe`. Its `data` are those of `kerasgan.data.load`, or `{"mixture": name}`
            with a key of `MIXTURES`.
    """
    if "mixture" in recipe.data:
        centres, sigma = MIXTURES[recipe.data["mixture"]]
        points, _ = mixtures.sample(centres, sigma, 20_000, seed=99)
        return points, oracle.Oracle(oracle.of_mixture(centres, sigma), points)
    whole, name = recipe.load(), recipe.data["name_or_path"]
    classify = oracle.of_avatars if name == "avatars" else oracle.of_classes(name == "mnist")
    return whole.images, oracle.Oracle(classify, whole.take(min(4000, whole.num_examples)))


def build(recipe, image_shape):
    """Return the compiled model of a `Recipe`.

    Args:
        recipe: A `Recipe`.
        image_shape: `(height, width, channels)` of the real images.
    """
    keras.utils.set_random_seed(recipe.seed)
    if "mixture" not in recipe.data:
        return recipe.build(image_shape)
    variant = catalogue.resolve(catalogue.VARIANTS[recipe.variant].path)
    packing = recipe.arguments.get("packing", variant.packs)
    return recipe.build(networks=mixtures.networks(packing=packing))


def train(recipe, policy="none"):
    """Return the history of a recipe.

    Args:
        recipe: An entry of `recipes.json`: `name`; `half`, "design" or "exam"; `every`, the critic
            steps between two checks; and the fields of a `Recipe`.
        policy: The policy of a `CollapseGuard` that watches the training; "none" for no guard.
    """
    chosen, every = training_of(recipe), recipe["every"]
    images, truth = real_data(chosen)
    model = build(chosen, images.shape[1:])
    dataset = ImageDataset(images, batch_size=chosen.batch_size, seed=chosen.seed)
    metric = DiversityMetric(images)
    records = []

    def check(step):
        generated = model.sample(metric.samples, seed=0)
        measured = dataclasses.asdict(metric.measure(generated))
        del measured["shares"]
        rounded = {k: v if isinstance(v, bool) else round(v, 4) for k, v in measured.items()}
        records.append({"step": step, "modes": round(truth(generated), 4), **rounded})

    guard = None
    if policy != "none":
        guard = CollapseGuard(policy, every=every, stream=io.StringIO())
    steps = range(every, chosen.critic_steps() + 1, every)
    seconds, _ = training.train(model, dataset, steps, check, [guard] if guard else [])
    found = {"recipe": recipe, "policy": policy, "looks": records}
    if guard is not None:
        found["decisions"] = [dataclasses.asdict(d) for d in guard.journal.decisions]
        final = model.sample(metric.samples, seed=1)
        measured = metric.measure(final)
        found["final"] = {
            "modes": truth(final),
            "coverage": measured.coverage,
            "diversity": measured.diversity,
        }
    return {**found, "seconds": round(seconds, 1)}


def recipes(half=None, only=None):
    """Return the recipes of the exam.

    Args:
        half: "design" or "exam"; None for both halves.
        only: Text that the names of the recipes must hold, or None.
    """
    found = json.loads(RECIPES.read_text(encoding="utf-8"))
    return [r for r in found if half in (None, r["half"]) and (only or "") in r["name"]]


def repeat(chosen, folder, policy="none", workers=1, echo=print):
    """Train recipes in processes of their own, and return their histories.

    Args:
        chosen: Entries of `recipes.json`.
        folder: The folder with a JSON file for each history. A recipe whose file is there already
            is not trained again.
        policy: See `train`.
        workers: How many processes run at a time.
        echo: A callable that is called with lines of text.
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
