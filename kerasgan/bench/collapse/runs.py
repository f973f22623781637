"""One training of the detector's exam: a recipe in, its looks and the truth out."""

import dataclasses
import functools
import io
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import keras

from kerasgan import gans, penalties
from kerasgan.bench import mixtures
from kerasgan.bench.collapse import oracle
from kerasgan.callbacks import CollapseGuard
from kerasgan.collapse import Gauge
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
    seed = recipe["seed"]
    keras.utils.set_random_seed(seed)
    variant = gans.VARIANTS[recipe["model"]]
    arguments = dict(recipe.get("arguments", {}))
    size = dict(recipe.get("networks", {}))
    packing = arguments.get("packing", variant.packs)
    if recipe["data"] in MIXTURES:
        pair = mixtures.networks(packing=packing, **size)
    else:
        colour = {"channels": 3 if recipe["data"] == "avatars" else 1}
        pair = variant.default_networks(
            **{"image_size": IMAGES[recipe["data"]], "latent_dim": 64, **colour, **size}
        )
    added = [getattr(penalties, kind)(weight) for kind, weight in recipe.get("penalties", ())]
    model = variant(*pair, penalties=added, seed=seed, **arguments)
    optimizers = model.default_optimizers()
    for optimizer, player in zip(optimizers, ("generator", "critic"), strict=True):
        rate = recipe.get(player)
        if isinstance(rate, dict):
            optimizer.learning_rate = keras.optimizers.schedules.PiecewiseConstantDecay(**rate)
        elif rate is not None:
            optimizer.learning_rate = rate
        optimizer.beta_1 = recipe.get("beta_1", getattr(optimizer, "beta_1", None))
    model.compile(*optimizers)
    return model


class Looks(keras.callbacks.Callback):
    """Looks at the generator every so many steps and asks the oracle.

    Args:
        gauge: A `Gauge`.
        truth: An `Oracle`.
        every: Steps from one look to the next.
        steps: Steps of the run.
    """

    def __init__(self, gauge, truth, every, steps):
        super().__init__()
        self.gauge = gauge
        self.truth = truth
        self.every = every
        self.steps = steps
        self.records = []
        self.seen = 0

    def on_train_batch_begin(self, batch, logs=None):
        if self.seen and self.seen % self.every == 0:
            self._look()
        if self.seen >= self.steps:
            self.model.stop_training = True
        self.seen += 1

    def _look(self):
        images = self.model.sample(self.gauge.samples, seed=0)
        found = dataclasses.asdict(self.gauge.measure(images))
        del found["shares"]
        rounded = {k: v if isinstance(v, bool) else round(v, 4) for k, v in found.items()}
        modes = round(self.truth(images), 4)
        self.records.append({"step": self.seen, "modes": modes, **rounded})


def train(recipe, policy="none"):
    """Return the history of a recipe.

    Args:
        recipe: An entry of `recipes.json`.
        policy: Of a `CollapseGuard` beside it; "none" for no guard.
    """
    images, truth = real_data(recipe["data"], recipe.get("limit"))
    model = build(recipe)
    dataset = ImageDataset(images, batch_size=recipe.get("batch_size", 64), seed=recipe["seed"])
    looks = Looks(Gauge(images), truth, recipe["every"], recipe["steps"])
    watchers = [looks]
    guard = None
    if policy != "none":
        guard = CollapseGuard(policy, every=recipe["every"], stream=io.StringIO())
        watchers = [guard, looks]
    epochs = math.ceil((recipe["steps"] + 1) / dataset.batches_per_epoch)
    started = time.perf_counter()
    model.fit(dataset, epochs=epochs, verbose=0, callbacks=watchers)
    found = {"recipe": recipe, "policy": policy, "looks": looks.records}
    if guard is not None:
        found["decisions"] = [dataclasses.asdict(d) for d in guard.journal.decisions]
        final = model.sample(looks.gauge.samples, seed=1)
        look = looks.gauge.measure(final)
        found["final"] = {
            "modes": truth(final),
            "coverage": look.coverage,
            "diversity": look.diversity,
        }
    return {**found, "seconds": round(time.perf_counter() - started, 1)}


def recipes(half=None, only=None):
    """Return the recipes of a half, or all."""
    found = json.loads(RECIPES.read_text(encoding="utf-8"))
    return [r for r in found if half in (None, r["half"]) and (only or "") in r["name"]]


def repeat(chosen, folder, policy="none", echo=print):
    """Train recipes in processes of their own and return their histories; finished ones are kept.

    Args:
        chosen: Recipes.
        folder: Where a JSON file for each goes.
        policy: See `train`.
        echo: What is called with a line of text for each run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, recipe in enumerate(chosen, 1):
        path = folder / f"{recipe['name']}-{recipe['seed']}-{policy}.json"
        if not path.exists() or json.loads(path.read_text())["recipe"] != recipe:
            command = [sys.executable, "-m", __name__, json.dumps(recipe), policy, str(path)]
            environment = {**os.environ, "KERAS_BACKEND": recipe["backend"]}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"{recipe['name']}: {done.stderr.strip()[-500:]}")
        found.append(json.loads(path.read_text(encoding="utf-8")))
        echo(f"{number}/{len(chosen)} {path.stem}: {found[-1]['seconds']:.0f} s")
    return found


if __name__ == "__main__":
    given, chosen_policy, target = sys.argv[1:]
    write_json(Path(target), train(json.loads(given), chosen_policy))
