"""What a training is to be where the command line leaves it open, and how long it takes."""

import dataclasses
import datetime
import math
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from kerasgan import backend, catalogue, storage
from kerasgan.adversarial.each_step import EachStep
from kerasgan.data import survey
from kerasgan.files import expanded
from kerasgan.recipe import options as flat
from kerasgan.recipe import recommended
from kerasgan.text import duration
from kerasgan_cli import stages
from kerasgan_cli.common import echo

EPOCHS = 60  # In so many a training is cut that is measured in steps or in time,
EPOCH_SECONDS = 15.0  # none of which is to be shorter than this.
LOOKED_AT = 200  # Files whose sizes tell those of all.
MEASURED = 20.0  # Seconds for which steps are timed, at most,
ROUNDS = 40  # and how many rounds of them.
GUARD = 1.05  # What the guard's checks add to a training's time, as a factor.
POWER = 1.6  # With this power of the width the time of a step grows, near enough to choose one.


@dataclasses.dataclass(frozen=True)
class Speed:
    """How long the parts of a training take.

    Args:
        start: Seconds until the second step begins.
        step: Seconds of a critic step, with its share of the generator's.
        epoch: Seconds of what follows an epoch.
    """

    start: float
    step: float
    epoch: float

    def steps(self, seconds, factor=1.0):
        """Return for how many critic steps there is time.

        Args:
            seconds: Of the whole training.
            factor: How many times as long a step takes.
        """
        left = seconds - self.start - epochs_in(seconds) * self.epoch
        return max(1, int(left / (GUARD * factor * self.step)))

    def seconds(self, length):
        """Return how long a training of this length takes, `Recipe.length` in epochs."""
        epoch = self.epoch + GUARD * self.step * length["steps_per_epoch"]
        return self.start + length["epochs"] * epoch


def epochs_in(seconds):
    """Return in how many epochs a training of that long is cut."""
    return min(EPOCHS, max(1, int(seconds / EPOCH_SECONDS)))


def advised(recipe, given, load):
    """Return a recipe with what goes with its images, but its width and its length, and these.

    Args:
        recipe: A `Recipe` of the advised variant.
        given: The options of the command line, by name, which come first.
        load: A callable that returns the `ImageDataset` of a recipe.
    """
    recipe = _of_size(recipe, _side(recipe))
    found = load(dataclasses.replace(recipe, batch_size=1, accumulate=1))
    recipe = _of_size(recipe, found.image_shape[0])
    side = recipe.data.get("image_size") or found.image_shape[0]
    advised = flat.apply(recipe, {**recommended.options(side, found.num_examples), **given})
    advised.length = recipe.length  # It is in epochs already.
    with warnings.catch_warnings():  # They were said.
        warnings.simplefilter("ignore")
        return advised, advised.load()


def _of_size(recipe, side):
    """Return a recipe that says the side of its images, if they have one and it says none yet."""
    if recipe.data.get("image_size") is not None or side is None:
        return recipe
    sizes = catalogue.ARCHITECTURES[recipe.architecture].sizes
    size = recommended.image_size(side, backend.accelerated(), sizes)
    return recipe if size is None else flat.apply(recipe, {"image_size": size})


def settle(recipe, dataset, seconds, widths, build):
    """Return a recipe with the length that a time allows, and its `Speed`.

    Args:
        recipe: A `Recipe`.
        dataset: Its `ImageDataset`; an epoch of it becomes as long as the recipe says.
        seconds: How long the training may take.
        widths: Whether its width is open.
        build: A callable that returns the model of a recipe and a number of critic steps.
    """
    recipe, speed = _as_wide_as_time_allows(recipe, dataset, seconds, widths, build)
    recipe.length = in_epochs(speed.steps(seconds), epochs_in(seconds))
    dataset.steps_per_epoch = recipe.length["steps_per_epoch"]
    return recipe, speed


def _as_wide_as_time_allows(recipe, dataset, seconds, widths, build):
    """Return a recipe with its width, and its `Speed`."""
    if not widths or recipe.architecture != "dcgan":
        return recipe, measure(recipe, dataset, build)
    middle = recommended.WIDTHS[1]
    found = flat.apply(recipe, {"width": middle})
    speed = measure(found, dataset, build)

    def steps(width):
        return speed.steps(seconds, (width / middle) ** POWER)

    width = recommended.width(dataset.image_shape[0], steps)
    if width == middle:
        return found, speed
    found = flat.apply(recipe, {"width": width})
    return found, measure(found, dataset, build)


def in_epochs(steps, epochs=EPOCHS):
    """Return a recipe's length of so many critic steps, in about so many epochs.

    A number of epochs that divides the steps comes first.
    """
    epochs = min(epochs, steps)
    near = range(max(1, epochs * 2 // 3), min(epochs * 4 // 3, steps) + 1)
    exact = [n for n in near if steps % n == 0]
    count = min(exact, key=lambda n: abs(n - epochs)) if exact else epochs
    each = math.ceil(steps / count)
    return {"epochs": math.ceil(steps / each), "steps_per_epoch": each}


def measure(recipe, dataset, build):
    """Return the `Speed` of a training: some of its steps are taken by a model that is then gone.

    Args:
        recipe: A `Recipe`.
        dataset: Its `ImageDataset`, which is left at its beginning.
        build: A callable that returns the model of a recipe and a number of critic steps.
    """
    stages.say("measuring how long a step takes", always=True)
    began = time.perf_counter()
    model = build(recipe, 10**6)
    times = _Times(ROUNDS * model.critic_steps_per_round(0))
    model.fit(dataset, epochs=times.most, verbose=0, callbacks=[times])
    dataset.seek(0)
    dataset.seconds = 0.0
    between = np.diff(times.begun)
    step = float(np.mean(between[len(between) // 2 :]))
    return Speed(times.begun[1] - began, step, _after_an_epoch(model))


def _after_an_epoch(model):
    """Return the seconds of a grid of samples and of a checkpoint."""
    model.sample(64, seed=0)  # It may compile.
    began = time.perf_counter()
    model.sample(64, seed=0)
    with tempfile.TemporaryDirectory() as place:
        storage.save_model(model, Path(place) / "model.keras")
    return time.perf_counter() - began


class _Times(EachStep):
    """Notes when steps begin, and ends the training after some."""

    def __init__(self, most):
        super().__init__()
        self.most = max(most, 3)
        self.begun = []

    def on_train_batch_begin(self, batch, logs=None):
        self.begun.append(time.perf_counter())
        over = self.begun[-1] - self.begun[0] > MEASURED and len(self.begun) > 2
        if over or len(self.begun) >= self.most:
            self.model.stop_training = True


def _side(recipe):
    """Return the side that nearly all images have at least, or None where that is not known."""
    name = recipe.data["name_or_path"]
    source = catalogue.source_of(name)
    if source == "avatars":
        return 64
    if source not in ("folder", "zip"):
        return None
    fit = recipe.data.get("fit") or "crop"
    sides = survey.some_sides(expanded(name), source, LOOKED_AT, fit)
    return sides[len(sides) // 20] if sides else None


def describe(recipe, dataset, settings, speed):
    """Print how a settled training is cut, what is kept of it, and how long it takes.

    Args:
        recipe: A settled `Recipe`.
        dataset: Its `ImageDataset`.
        settings: What the run has beside it.
        speed: Its `Speed`, or None.
    """
    length, side = recipe.length, dataset.image_shape[0]
    steps = length["epochs"] * length["steps_per_epoch"]
    passes = steps / dataset.batches_per_pass
    epochs = f"{length['epochs']} epochs of {length['steps_per_epoch']:,}"
    echo(
        f"length    {steps:,} critic steps of {recipe.batch_size} images in {epochs}, "
        f"{passes:,.3g} passes over the data"
    )
    changed = {"diffaugment": "DiffAugment on what the critic sees", "ada": "ADA"}
    words = [f"width {recipe.networks['width']}"] if "width" in recipe.networks else []
    words += [changed[recipe.augment["kind"]]] if recipe.augment else []
    echo(f"settings  {', '.join([recipe.architecture, *words])}; all in options.json")
    echo(f"guard     {_GUARDS[settings['guard']]}")
    if speed is None:
        return
    seconds = speed.seconds(length)
    ends = datetime.datetime.now() + datetime.timedelta(seconds=seconds)
    each = f"{1000 * speed.step:.0f} ms a step"
    echo(f"time      {duration(seconds)}, until about {ends:%H:%M}, at {each}")
    if steps < recommended.fewest_steps(side):
        wanted = recommended.fewest_steps(side)
        minutes = math.ceil(speed.seconds(in_epochs(wanted)) / 60)
        echo(
            f"note      better pictures need {wanted:,} steps or more: --time {minutes}m, or a GPU"
        )
    else:
        echo("note      more --time makes better pictures, and so does a GPU")


_GUARDS = {
    "rescue": "puts the last healthy state back after a collapse, changes something and goes on",
    "stop": "ends the training after a collapse, and keeps the best state",
    "warn": "says when the training collapses",
    "off": "off",
}
