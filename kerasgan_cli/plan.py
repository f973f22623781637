"""What a training is to be where the command line leaves it open, and how long it takes."""

import dataclasses
import datetime
import math
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from kerasgan import backend, catalogue, sizes, storage
from kerasgan.adversarial.each_step import EachStep
from kerasgan.callbacks.steps import at_once
from kerasgan.collapse.diversity import FEWEST
from kerasgan.data import arrays, avatars, survey
from kerasgan.files import expanded
from kerasgan.recipe import options as flat
from kerasgan.recipe import recommended
from kerasgan.text import counted, duration
from kerasgan_cli import stages
from kerasgan_cli.common import echo

EPOCHS = 60  # In so many a training is cut that is measured in steps or in time,
SHORTEST, LONGEST = 15.0, 600.0  # if each takes so many seconds,
FEW_STEPS = 500  # Of which somebody who has time for no more is told.
EPOCH_STEPS = 10  # and has so many steps.
LOOKED_AT = 200  # Files whose sizes tell those of all.
MEASURED = 20.0  # Seconds for which rounds of steps are timed, if they were enough then,
ROUNDS, ENOUGH = 40, 18  # and how many of them, at most and at least: some make programs first.
SHARE = 0.1  # Of the training's time, which the measurement never exceeds much.
FEWEST_ROUNDS = 4  # Of which the first makes a program, however short the training.
GUARD = 1.05  # What the guard's checks add to a training's time, as a factor.
POWER = 1.6  # With this power of the width the time of a step grows, near enough to choose one.


@dataclasses.dataclass(frozen=True)
class Speed:
    """How long the parts of a training take.

    Args:
        start: Seconds that are needed once, as to make programs.
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
    return max(1, min(EPOCHS, int(seconds / SHORTEST)), math.ceil(seconds / LONGEST))


def advised(recipe, given, load):
    """Return a recipe with what goes with its images, but its width and its length, and these.

    Args:
        recipe: A `Recipe` of the advised variant.
        given: The options of the command line, by name, which come first.
        load: A callable that returns the `ImageDataset` of a recipe.
    """
    recipe = _of_size(recipe, _sides(recipe))
    found = load(dataclasses.replace(recipe, batch_size=1, accumulate=1))
    recipe = _of_size(recipe, survey.counted_sides([found.image_shape[1::-1]]))
    chosen = recommended.options(
        recipe.data["image_size"], found.num_examples, given.get("network")
    )
    recipe = flat.apply(recipe, {**chosen, **given})
    return recipe, _loaded(recipe)


def _of_size(recipe, sides):
    """Return a recipe that says the side of its images, if they have one and it says none yet."""
    if recipe.data.get("image_size") is not None or not sides:
        return recipe
    size, enlarged = sizes.advised(sides, backend.accelerated())
    return flat.apply(recipe, {"image_size": size, "upscale": True if enlarged else None})


def settle(recipe, dataset, seconds, given, build):
    """Return a recipe with the length that a time allows, its data set, and its `Speed`.

    Args:
        recipe: A `Recipe`.
        dataset: Its `ImageDataset`.
        seconds: How long the training may take, with what is measured here; None where its length
            is given.
        given: The options that are not to be chosen, by name; None where all are settled.
        build: A callable that returns the model of a recipe and a number of critic steps.
    """
    began = time.perf_counter()
    side = dataset.image_shape[:2]
    widths = given is not None and "width" not in given and recipe.architecture == "dcgan"
    batches = given is not None and "batch_size" not in given
    width = recommended.WIDTHS[1 if seconds is not None else len(recommended.WIDTHS) // 2]
    found = flat.apply(recipe, {"width": width}) if widths else recipe
    speed = measure(found, dataset, build, seconds)
    if seconds is None:
        return found, dataset, speed
    left = seconds - (time.perf_counter() - began)
    batch, wider = recipe.batch_size, None

    def steps(w):
        return speed.steps(left, batch / recipe.batch_size * (w / width) ** POWER)

    if batches:
        most = steps(recommended.WIDTHS[0] if widths else width)
        batch = recommended.batch_size(side, batch, most)
    if widths:
        wider = recommended.width(side, steps)
    wanted = flat.apply(found, {"batch_size": batch, "width": wider})
    if wanted != found:
        if batch != recipe.batch_size:
            dataset = _loaded(wanted)
        found = wanted
        speed = measure(found, dataset, build, seconds)
    left = seconds - (time.perf_counter() - began)
    found.length = in_epochs(speed.steps(left), epochs_in(seconds))
    dataset.steps_per_epoch = found.length["steps_per_epoch"]
    return found, dataset, speed


def _loaded(recipe):
    """Return the data set of a recipe whose images have been read before."""
    with warnings.catch_warnings():  # They were said.
        warnings.simplefilter("ignore")
        return recipe.load()


def in_epochs(steps, epochs=EPOCHS):
    """Return a recipe's length of so many critic steps, in about so many epochs.

    A number of epochs that divides the steps comes first.
    """
    epochs = max(1, min(epochs, steps // EPOCH_STEPS))
    near = range(max(1, epochs * 2 // 3), min(epochs * 4 // 3, steps) + 1)
    exact = [n for n in near if steps % n == 0]
    count = min(exact, key=lambda n: abs(n - epochs)) if exact else epochs
    each = math.ceil(steps / count)
    return {"epochs": math.ceil(steps / each), "steps_per_epoch": each}


def measure(recipe, dataset, build, seconds=None):
    """Return the `Speed` of a training: some of its steps are taken by a model that is then gone.

    Args:
        recipe: A `Recipe`.
        dataset: Its `ImageDataset`, which is left at its beginning.
        build: A callable that returns the model of a recipe and a number of critic steps.
        seconds: How long the training may take, or None.
    """
    stages.say("measuring how long a step takes", always=True)
    began = time.perf_counter()
    model = build(recipe, 10**6)
    times = Times(model.critic_steps_per_round(0), at_once(model), seconds)
    model.fit(dataset, epochs=times.most + 1, verbose=0, callbacks=[times])
    dataset.seek(0)
    dataset.seconds = 0.0
    step = times.step()
    steps, ended = times.marks[-1]
    start = ended - began - step * steps
    return Speed(max(start, 0.0), step, _after_an_epoch(model))


def _after_an_epoch(model):
    """Return the seconds of a grid of samples and of a checkpoint."""
    model.sample(100, seed=0)  # It may compile.
    began = time.perf_counter()
    model.sample(100, seed=0)
    with tempfile.TemporaryDirectory() as place:
        storage.save_model(model, Path(place) / "model.keras")
    return time.perf_counter() - began


class Times(EachStep):
    """Notes when steps begin, and ends the training after some.

    Args:
        a_round: Critic steps of a round, of which the last is the generator's too.
        together: Critic steps that are one program.
        seconds: How long the training may take, or None.

    Attributes:
        marks: How many steps were taken, and the moment, whenever a program was run.
        most: How many steps are taken at most.
    """

    def __init__(self, a_round, together=1, seconds=None):
        super().__init__()
        self._every = a_round // math.gcd(a_round, together)  # Programs that are whole rounds.
        some = self._every * together
        self.most = max(ROUNDS * a_round, 4 * some)
        self._enough, self._fewest = max(ENOUGH * a_round, 3 * some), FEWEST_ROUNDS * some
        self._two = 2 * some  # Of which the first makes a program.
        # On PyTorch programs are made later, and take their time then.
        self._known = (backend.WARM_UP + 4) * some if backend.WARM_UP else self._fewest
        self._longest = math.inf if seconds is None else max(SHARE * seconds, 5.0)
        self.marks = []

    def on_epoch_begin(self, epoch, logs=None):
        self._before = epoch * (self.params.get("steps") or 0)

    def on_train_batch_begin(self, batch, logs=None):
        taken, now = self._before + batch, time.perf_counter()
        self.marks.append((taken, now))
        stages.say(f"measuring how long a step takes, {taken}/{self.most}")
        passed = now - self.marks[0][1]
        enough = taken >= self._enough and passed > MEASURED
        if enough or taken >= self.most or self._is_long(taken, passed):
            self.model.stop_training = True

    def _is_long(self, taken, passed):
        """Return whether so many steps have taken too long to take others."""
        needed = ((1, self._known), (2, self._fewest), (4, self._two))
        return any(passed > n * self._longest and taken >= steps for n, steps in needed)

    def step(self):
        """Return the seconds of a step: of the last third of the rounds the middle one's.

        Where there were few, programs were made in some of these, so their faster half counts.
        """
        steps, moments = np.array(self.marks[:: self._every]).T
        rounds = np.diff(moments) / np.diff(steps)
        last = np.sort(rounds[len(rounds) * 2 // 3 :])
        if len(rounds) < ENOUGH:
            last = last[: (len(last) + 1) // 2]
        return float(np.median(last))


def _sides(recipe):
    """Return the sides of some of the images; empty where they are not known yet."""
    name, fit = recipe.data["name_or_path"], recipe.data.get("fit") or "crop"
    source = catalogue.source_of(name)
    if source == "avatars":
        return [avatars.IMAGE_SIZE]
    if source == "array":
        return survey.counted_sides([arrays.image_shape(expanded(name))[:2]], fit)
    if source not in ("folder", "zip"):
        return []
    return survey.some_sides(expanded(name), source, LOOKED_AT, fit)


def describe(recipe, dataset, settings, speed, err=False):
    """Print how a training is cut, what is kept of it, and how long it takes.

    Args:
        recipe: A settled `Recipe`.
        dataset: Its `ImageDataset`.
        settings: What the run has beside it.
        speed: Its `Speed`, or None.
        err: Whether to print to stderr.
    """
    length = {"steps_per_epoch": dataset.batches_per_epoch, **recipe.length}
    steps = length["epochs"] * length["steps_per_epoch"]
    passes = steps * recipe.batch_size / dataset.num_examples
    echo(
        f"length    {counted(steps, 'critic step')} of {counted(recipe.batch_size, 'image')}, "
        f"{length['epochs']} x {length['steps_per_epoch']:,} (epochs x steps), {passes:,.3g} times "
        "the data",
        err,
    )
    changed = {"diffaugment": "DiffAugment on what the critic sees", "ada": "ADA"}
    words = [f"width {recipe.networks['width']}"] if "width" in recipe.networks else []
    words += [changed[recipe.augment["kind"]]] if recipe.augment else []
    echo(f"settings  {', '.join([recipe.architecture, *words])}; all in options.json", err)
    few = dataset.num_examples < FEWEST and settings["guard"] != "off"
    guard = f"cannot check with fewer than {FEWEST} images" if few else _GUARDS[settings["guard"]]
    echo(f"guard     {guard}", err)
    if speed is None:
        return
    seconds = speed.seconds(length)
    ends = datetime.datetime.now() + datetime.timedelta(seconds=seconds)
    each = f"{1000 * speed.step:.0f} ms a step"
    echo(f"time      {duration(seconds)}, until about {ends:%H:%M}, at {each}", err)
    if steps < FEW_STEPS:
        echo(
            f"note      {counted(steps, 'step')} make little: give more --time, or a smaller "
            "--width, --image-size or --batch-size",
            err,
        )
        return
    if recipe.variant != recommended.VARIANT or settings["start"] is not None:
        return
    wanted = recommended.fewest_steps(dataset.image_shape[:2])
    if steps < wanted:
        minutes = math.ceil(speed.seconds(in_epochs(wanted)) / 60)
        echo(
            f"note      better pictures need {wanted:,} steps or more: --time {minutes}m, or a GPU",
            err,
        )
    else:
        echo("note      more --time makes better pictures, and so does a GPU", err)


_GUARDS = {
    "rescue": "puts the last healthy state back after a collapse, changes something and goes on",
    "stop": "ends the training after a collapse, and keeps the best state",
    "warn": "says when the training collapses",
    "off": "off",
}
