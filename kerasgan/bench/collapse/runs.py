"""The trainings of the detector's exam: each recipe becomes a history of checks."""

import dataclasses
import io
import json
import sys
from pathlib import Path

import keras
import numpy as np

from kerasgan import catalogue
from kerasgan.bench import mixtures, processes, training
from kerasgan.bench.collapse import oracle, pictures
from kerasgan.callbacks import CollapseGuard
from kerasgan.callbacks.real_images import labels_like
from kerasgan.collapse import DiversityMetric
from kerasgan.data import ImageDataset, from_uint8, to_uint8
from kerasgan.files import write_json
from kerasgan.recipe import Recipe

HERE = Path(__file__).parent
RECIPES = {"small": HERE / "recipes.json", "pictures": HERE / "recipes_of_pictures.json"}
# Entries of a recipe of the exam beside those of `kerasgan.recipe.Recipe`.
OWN = ("name", "half", "every", "pictures", "events", "before")

MIXTURES = {"ring": (mixtures.ring(), 0.03), "grid": (mixtures.grid(), 0.03)}


def training_of(recipe):
    """Return the `Recipe` in a recipe of the exam."""
    return Recipe.from_json({key: value for key, value in recipe.items() if key not in OWN})


def real_data(recipe, folder=None):
    """Return the `ImageDataset` of a training.

    Args:
        recipe: A recipe of an exam. Its `data` are those of `kerasgan.data.load`, or `{"mixture":
            name}` with a key of `MIXTURES`, unless it has `pictures`, arguments of `pictures.load`.
        folder: Where the pictures are.
    """
    chosen = training_of(recipe)
    options = {"batch_size": chosen.batch_size, "seed": chosen.seed}
    if "pictures" in recipe:
        images, parts, classes = pictures.load(folder, **recipe["pictures"])
        return pictures.ChangingData(images, classes, parts, recipe.get("events", []), **options)
    if "mixture" in chosen.data:
        points, _ = mixtures.sample(*MIXTURES[chosen.data["mixture"]], 20_000, seed=99)
        return ImageDataset(points, **options)
    return ImageDataset(chosen.load().images, **options)


def oracles(recipe, dataset, folder=None):
    """Return the oracles that know the modes of a training's data.

    Args:
        recipe: A recipe of an exam.
        dataset: Its `real_data`.
        folder: Where the pictures are.

    Returns:
        A dictionary: "modes" and, where there are classes, "class 0", "class 1", ....
    """
    if "pictures" in recipe:
        return _of_pictures(recipe, dataset, Path(folder))
    if "mixture" in recipe["data"]:
        classify = oracle.of_mixture(*MIXTURES[recipe["data"]["mixture"]])
        return {"modes": oracle.Oracle(classify, dataset.images)}
    name = recipe["data"]["name_or_path"]
    classify = oracle.of_avatars if name == "avatars" else oracle.of_classes(name == "mnist")
    return {"modes": oracle.Oracle(classify, dataset.take(min(4000, dataset.num_examples)))}


def _of_pictures(recipe, dataset, folder):
    given = recipe["pictures"]
    small = pictures.shrunk(dataset.images, pictures.SIDE)
    key = "-".join(str(given[name]) for name in ("kind", "sources", "limit") if given.get(name))
    network = pictures.taught(folder / f"oracle-{key}.keras", small, dataset.parts)
    truths = {"modes": oracle.Oracle(pictures.Cells(network, small), small)}
    for c in np.unique([] if dataset.labels is None else dataset.labels):
        own = small[dataset.labels == c]
        cells = pictures.Cells(network, own, pictures.CLASS_CELLS)
        truths[f"class {c}"] = oracle.Oracle(cells, own)
    return truths


def build(recipe, image_shape, num_classes=None):
    """Return the compiled model of a `Recipe`.

    Args:
        recipe: A `Recipe`.
        image_shape: `(height, width, channels)` of the real images.
        num_classes: Classes of the labels of a conditional recipe.
    """
    keras.utils.set_random_seed(recipe.seed)
    if "mixture" not in recipe.data:
        return recipe.build(image_shape, num_classes)
    variant = catalogue.resolve(catalogue.VARIANTS[recipe.variant].path)
    packing = recipe.arguments.get("packing", variant.packs)
    return recipe.build(networks=mixtures.networks(packing=packing))


def train(recipe, policy="none", images_file=None, folder=None):
    """Return the history of a recipe.

    Args:
        recipe: An entry of a file in `RECIPES`: `name`; `half`, "design", "exam" or
            "later"; `every`, the critic steps between two checks; `pictures`, arguments of
            `pictures.load`; `events`, see `pictures.ChangingData`; `before`, pictures of another
            training and its `steps`, from whose end this one starts; and the fields of a `Recipe`.
        policy: The policy of a `CollapseGuard` that watches the training; "none" for no guard.
        images_file: A .npy file for the images of all checks, or None.
        folder: Where the pictures are.
    """
    if policy != "none" and any("generated" in event for event in recipe.get("events", ())):
        raise ValueError(
            "a guard sees the generator itself, and not what is imposed on its images. "
            f"Received: policy={policy!r} and the recipe {recipe['name']}"
        )
    chosen, every = training_of(recipe), recipe["every"]
    dataset = real_data(recipe, folder)
    truths = oracles(recipe, dataset, folder)
    labels = dataset.labels
    model = build(chosen, dataset.image_shape, None if labels is None else int(labels.max()) + 1)
    if "before" in recipe:
        earlier, _, classes = pictures.load(folder, **recipe["before"]["pictures"])
        first = ImageDataset(earlier, classes, batch_size=chosen.batch_size, seed=chosen.seed)
        training.train(model, first, [recipe["before"]["steps"]], lambda step: None)
    metric = DiversityMetric(dataset.images, labels=labels)
    wanted = _wanted(metric, labels)
    records, seen = [], []

    def check(step):
        generated = model.sample(metric.samples, seed=0, labels=wanted)
        if "events" in recipe:
            generated = pictures.imposed(generated, recipe["events"], step, wanted)
        if images_file is not None:
            seen.append(_stored(generated))
        shown = truths["modes"].measure(generated)
        covered = {name: round(share, 4) for name, share in shown.items()}
        if labels is not None:
            own = [truths[f"class {c}"](generated[wanted == c]) for c in np.unique(labels)]
            covered["covered"] = [round(share, 4) for share in own]
        measurement = metric.measure(generated, wanted)
        records.append({"step": step, **covered, **_rounded(measurement)})

    callbacks = []
    if "events" in recipe:
        callbacks.append(pictures.Changing(dataset))
    guard = None
    if policy != "none":
        guard = CollapseGuard(policy, every=every, stream=io.StringIO())
        callbacks.append(guard)
    steps = range(every, chosen.critic_steps() + 1, every)
    seconds, _ = training.train(model, dataset, steps, check, callbacks)
    if images_file is not None:
        np.save(images_file, np.stack(seen))
    found = {"recipe": recipe, "policy": policy, "looks": records}
    if guard is not None:
        found["decisions"] = [dataclasses.asdict(d) for d in guard.journal.decisions]
        final = model.sample(metric.samples, seed=1, labels=wanted)
        measured = metric.measure(final)
        found["final"] = {
            "modes": truths["modes"](final),
            "coverage": measured.coverage,
            "diversity": measured.diversity,
        }
    return {**found, "seconds": round(seconds, 1)}


def remeasure(path, folder=None):
    """Return the history in a file, with the images that were kept beside it measured anew.

    Args:
        path: The JSON file of a run, with the images in a .npy file of the same name.
        folder: Where the pictures are.
    """
    history = json.loads(path.read_text(encoding="utf-8"))
    recipe = history["recipe"]
    dataset = real_data(recipe, folder)
    metric = DiversityMetric(dataset.images, labels=dataset.labels)
    wanted = _wanted(metric, dataset.labels)
    images = np.load(path.with_suffix(".npy"), mmap_mode="r")
    for generated, record in zip(images, history["looks"], strict=True):
        if record["finite"]:
            generated = np.asarray(generated)
            floats = from_uint8(generated) if generated.dtype == np.uint8 else generated
            record.update(_rounded(metric.measure(floats, wanted)))
    return history


def _wanted(metric, labels):
    """Return the classes that are asked for in each check, or None."""
    return None if labels is None else labels_like(labels, metric.samples)


def _rounded(measurement):
    """Return a measurement as JSON values of four digits, without the shares of the cells."""
    found = dataclasses.asdict(measurement)
    del found["shares"]
    return {name: _four_digits(value) for name, value in found.items()}


def _four_digits(value):
    if isinstance(value, tuple):
        return [_four_digits(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def _stored(images):
    """Return generated images as bytes, and points of a mixture as they are."""
    return images if images.shape[1] < 8 else to_uint8(np.nan_to_num(images))


def recipes(half=None, only=None, which="small"):
    """Return the recipes of an exam.

    Args:
        half: "design", "exam" or "later"; None for all.
        only: Text that the names of the recipes must hold, or None.
        which: A key of `RECIPES`.
    """
    found = json.loads(RECIPES[which].read_text(encoding="utf-8"))
    return [r for r in found if half in (None, r["half"]) and (only or "") in r["name"]]


def repeat(chosen, folder, policy="none", workers=1, echo=print, pictures=None, keep=False):
    """Train recipes in processes of their own, and return their histories.

    Args:
        chosen: Recipes of an exam.
        folder: The folder with a JSON file for each history. A recipe whose file is there already
            is not trained again.
        policy: See `train`.
        workers: How many processes run at a time.
        echo: A callable that is called with lines of text.
        pictures: The folder of the pictures, of an exam that has them.
        keep: Whether the generated images of all checks are kept beside the history, some 80 MB of
            a run. If they are there already, they are measured anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{r['name']}-{r['seed']}-{policy}.json" for r in chosen]
    pictures = pictures and str(pictures)
    jobs = [
        processes.Job(
            path.stem,
            recipe["name"],
            recipe["backend"],
            [recipe, policy, str(path.with_suffix(".npy")) if keep else None, pictures],
            path,
        )
        for recipe, path in zip(chosen, paths, strict=True)
        if not path.exists()
        or json.loads(path.read_text())["recipe"] != recipe
        or (keep and not path.with_suffix(".npy").exists())
    ]
    for path in paths if keep else ():
        if path not in {job.path for job in jobs}:
            write_json(path, remeasure(path, pictures))
    for _ in processes.run(__name__, jobs, workers, echo):
        pass
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


if __name__ == "__main__":
    given, target = sys.argv[1:]
    write_json(Path(target), train(*json.loads(given)))
