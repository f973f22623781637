"""One trial: a recipe and a seed in; modes over time, at the end, and samples out."""

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path

import keras
import numpy as np

from kerasgan.bench import processes, training
from kerasgan.bench.environment import describe
from kerasgan.bench.modes.tasks import TASKS
from kerasgan.data import ImageDataset
from kerasgan.files import atomic

_WORDS = ("title", "why", "published", "trials")  # Of a recipe: nothing that is trained.


def train(task, recipe, seed, steps):
    """Return the line of results of a trial, and its samples at each moment.

    Args:
        task: A `kerasgan.bench.modes.tasks.Task`.
        recipe: One of `task.recipes()`.
        seed: Of the weights, the order of the data and the samples.
        steps: Of the critic.
    """
    keras.utils.set_random_seed(seed)
    environment = describe(keras.backend.backend())
    model = training.build({**recipe, "seed": seed}, task.networks(recipe), steps)
    real = task.real(task.training, seed=[11, seed])
    dataset = ImageDataset(real, batch_size=recipe["batch_size"], seed=seed)
    z = model.latent_vectors(task.samples, seed)
    moments, samples, last = [], [], []

    def look(step):
        images = model.images_of(z)
        samples.append(images[: task.drawn])
        last[:] = task.score(images, seed)
        scores = {"ema": _values(last)}
        if step == steps:
            scores["raw"] = _values(task.score(model.images_of(z, raw=True), seed))
        moments.append({"step": step, "generator_steps": model.generator_steps, **scores})

    looks = [max(1, round(share * steps)) for share in task.moments]
    seconds, core_seconds = training.train(model, dataset, looks, look)
    line = {
        "benchmark": task.name,
        "recipe": recipe,
        "seed": seed,
        "steps": steps,
        "moments": moments,
        "real": {score.name: score.baseline for score in last},
        "floor": {score.name: score.floor for score in last},
        "data": task.data,
        "judge": task.judge,
        "seconds": round(seconds, 1),
        "core_seconds": round(core_seconds, 1),
        "environment": environment,
    }
    return line, np.stack(samples)


def _values(scores):
    return {score.name: round(score.value, 6) for score in scores}


def read(folder, task):
    """Return the finished trials in a folder; a last line that was cut off is left out."""
    found = []
    path = folder / f"{task.name}.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [line for line in found if isinstance(line, dict) and "recipe" in line]


def samples_of(folder, line):
    """Return the samples of a trial at each moment, or None where they were not kept."""
    try:
        with np.load(_samples_path(folder, line)) as stored:
            found = stored["samples"]
    except OSError:
        return None
    return found / 127.5 - 1 if found.dtype == np.uint8 else found.astype("float32")


def _samples_path(folder, line):
    # What other recipes or budgets drew must not pass for it.
    key = json.dumps([trained(line["recipe"]), line["steps"]], sort_keys=True).encode()
    name = f"{line['recipe']['name']}-{line['seed']}-{hashlib.sha256(key).hexdigest()[:8]}.npz"
    return folder / line["benchmark"] / name


def run(task, recipes, trials, steps, folder, workers, echo=print):
    """Run the trials that are not finished yet; the results are lines of JSON in the folder.

    Args:
        task: A `Task`.
        recipes: Some of its recipes.
        trials: How many of each, or None for as many as the recipe says.
        steps: Of the critic.
        folder: Where results go.
        workers: Processes at a time.
        echo: What is called with lines of text.

    Returns:
        The lines of these trials, in the order of the recipes.
    """
    (folder / task.name).mkdir(parents=True, exist_ok=True)
    wanted = [(recipe, seed) for recipe in recipes for seed in range(trials or recipe["trials"])]
    kept = read(folder, task)
    finished = [t for t in wanted if _find(kept, *t, steps) is not None]
    if finished:
        echo(f"{len(finished)} of {len(wanted)} trials are there already")
    jobs = [
        (
            f"{recipe['name']}, trial {seed + 1}",
            recipe["backend"],
            [task.name, recipe, seed, steps],
            folder / task.name / f"{recipe['name']}-{seed}-{os.getpid()}.json",
        )
        for recipe, seed in wanted
        if _find(kept, recipe, seed, steps) is None
    ]
    for *_, path in processes.run(__name__, jobs, workers, echo):
        with open(folder / f"{task.name}.jsonl", "a", encoding="utf-8") as file:
            # On a line of its own, also after one that was cut off.
            file.write(f"\n{path.read_text(encoding='utf-8').strip()}\n")
        path.unlink()
    kept = read(folder, task)
    return [_find(kept, *t, steps) for t in wanted]


def _find(lines, recipe, seed, steps):
    """Return the line of a trial, with the recipe's words of today, or None."""
    for line in reversed(lines):
        same = trained(line["recipe"]) == trained(recipe)
        if (line["seed"], line["steps"]) == (seed, steps) and same:
            return {**line, "recipe": recipe}
    return None


def trained(recipe):
    """Return what a recipe trains, without its words."""
    return {key: value for key, value in recipe.items() if key not in _WORDS}


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
