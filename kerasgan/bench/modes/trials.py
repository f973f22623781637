"""Trials: the trainings of a benchmark's recipes, each with a seed, and their results."""

import contextlib
import hashlib
import json
import math
import os
import sys
from pathlib import Path

import keras
import numpy as np

from kerasgan.bench import processes, training
from kerasgan.bench.modes.tasks import TASKS, WORDS
from kerasgan.data import ImageDataset
from kerasgan.environment import describe
from kerasgan.files import atomic

_FIELDS = {"benchmark", "recipe", "seed", "steps", "moments"}


def train(task, recipe, seed, steps):
    """Train a model, and return its line of results and its samples at each moment.

    Args:
        task: A `kerasgan.bench.modes.tasks.Task`.
        recipe: One of `task.recipes()`.
        seed: Seed of the weights, of the order of the data and of the samples.
        steps: Critic steps of the training.

    Returns:
        A dictionary of JSON values, and an array of images `(moments, task.kept, *image_shape)`.
    """
    keras.utils.set_random_seed(seed)
    environment = {**describe(keras.backend.backend()), "threads": processes.threads()}
    model = task.build(recipe, seed, steps)
    real = task.real(task.training, seed=[11, seed])
    dataset = ImageDataset(real, batch_size=recipe["batch_size"], seed=seed)
    z = model.latent_vectors(task.samples, seed)
    moments, samples, last = [], [], []

    def check(step):
        images = model.decode_latents(z)
        samples.append(images[: task.kept])
        last[:] = task.score(images, seed)
        scores = {"ema": _values(last)}
        if step == steps:
            scores["raw"] = _values(task.score(model.decode_latents(z, raw=True), seed))
        moments.append({"step": step, "generator_steps": model.generator_steps, **scores})

    checks = [max(1, round(share * steps)) for share in task.moments]
    seconds, core_seconds = training.train(model, dataset, checks, check)
    line = {
        "benchmark": task.name,
        "recipe": recipe,
        "seed": seed,
        "steps": steps,
        "moments": moments,
        "real": {score.name: score.baseline for score in last},
        "floor": {score.name: score.floor for score in last},
        "data": task.data,
        "judge": task.classifier,
        "seconds": round(seconds, 1),
        "core_seconds": round(core_seconds, 1),
        "environment": environment,
    }
    return line, np.stack(samples)


def _values(scores):
    values = {score.name: score.value for score in scores}
    return {k: round(v, 6) if math.isfinite(v) else None for k, v in values.items()}


def read(folder, task):
    """Return the lines of finished trials in a folder.

    Lines of another form, such as a last line that was cut off, are left out.

    Args:
        folder: The folder of results.
        task: A `Task`.
    """
    found = []
    path = folder / f"{task.name}.jsonl"
    for line in path.read_bytes().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):
            line = json.loads(line)
            if not isinstance(line, dict) or not line.keys() >= _FIELDS:
                continue
            if isinstance(line["recipe"], dict) and "name" in line["recipe"]:
                found.append(_numbers(line))
    return found


def _numbers(line):
    """Return a line of results with infinity where strict JSON has null."""
    for moment in line["moments"]:
        for scores in (moment["ema"], moment.get("raw", {})):
            scores.update({k: math.inf for k, value in scores.items() if value is None})
    return line


def latest(lines, recipes, steps=None):
    """Return the last line of each trial of some recipes.

    A line belongs to a recipe if both describe the same training. It is returned with the recipe's
    texts.

    Args:
        lines: Lines of results, from `read`.
        recipes: Recipes of the task.
        steps: Critic steps of the trials; by default trials of any number of steps.

    Returns:
        The lines, ordered by steps, recipe and seed.
    """
    known = {recipe["name"]: (place, recipe) for place, recipe in enumerate(recipes)}
    found = {}
    for line in lines:
        place, recipe = known.get(line["recipe"]["name"], (None, None))
        if recipe is not None and trained(recipe) == trained(line["recipe"]):
            found[line["steps"], place, line["seed"]] = {**line, "recipe": recipe}
    return [found[key] for key in sorted(found) if steps in (None, key[0])]


def samples_of(folder, line):
    """Return the stored samples of a trial at each moment, or None if there are none."""
    try:
        with np.load(_samples_path(folder, line)) as stored:
            found = stored["samples"]
    except OSError:
        return None
    return found / 127.5 - 1 if found.dtype == np.uint8 else found.astype("float32")


def _samples_path(folder, line):
    # The hash tells apart the samples of other recipes and other numbers of steps.
    key = json.dumps([trained(line["recipe"]), line["steps"]], sort_keys=True).encode()
    name = f"{line['recipe']['name']}-{line['seed']}-{hashlib.sha256(key).hexdigest()[:8]}.npz"
    return folder / line["benchmark"] / name


def run(task, recipes, trials, steps, folder, workers, echo=print):
    """Run the trials that are not finished yet, and append their results to a file in the folder.

    Args:
        task: A `Task`.
        recipes: Some of its recipes.
        trials: How many trials of each recipe; None for the recipe's own number.
        steps: Critic steps of each training.
        folder: The folder of results.
        workers: How many processes run at a time.
        echo: A callable that is called with lines of text.

    Returns:
        The lines of these trials, in the order of the recipes.
    """
    (folder / task.name).mkdir(parents=True, exist_ok=True)
    wanted = [(recipe, seed) for recipe in recipes for seed in range(trials or recipe["trials"])]

    def finished():
        lines = latest(read(folder, task), recipes, steps)
        return {(line["recipe"]["name"], line["seed"]): line for line in lines}

    kept = finished()
    missing = [(r, seed) for r, seed in wanted if (r["name"], seed) not in kept]
    if len(missing) < len(wanted):
        echo(f"{len(wanted) - len(missing)} of {len(wanted)} trials are there already")
    jobs = [
        processes.Job(
            name=f"{recipe['name']}, trial {seed + 1}",
            kind=recipe["name"],
            backend=recipe["backend"],
            payload=[task.name, recipe, seed, steps],
            path=folder / task.name / f"{recipe['name']}-{seed}-{os.getpid()}.json",
        )
        for recipe, seed in missing
    ]
    for job in processes.run(__name__, jobs, workers, echo):
        with open(folder / f"{task.name}.jsonl", "a", encoding="utf-8") as file:
            # The last line of the file may have been cut off.
            file.write(f"\n{job.path.read_text(encoding='utf-8').strip()}\n")
        job.path.unlink()
    kept = finished()
    return [kept[recipe["name"], seed] for recipe, seed in wanted]


def trained(recipe):
    """Return the entries of a recipe that its training depends on."""
    return {key: value for key, value in recipe.items() if key not in WORDS}


def _main(payload, path):
    name, recipe, seed, steps = json.loads(payload)
    line, samples = train(TASKS[name], recipe, seed, steps)
    path = Path(path)
    points = samples.shape[-1] == 2
    if points:
        kept = samples.astype("float16")
    else:
        kept = np.round((np.nan_to_num(samples) + 1) * 127.5).astype("uint8")
    with atomic(_samples_path(path.parent.parent, line)) as temporary, open(temporary, "wb") as f:
        np.savez_compressed(f, samples=kept)
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(line) + "\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _main(*sys.argv[1:])
