"""What the command line of `kerasgan train` asks for, before Keras is loaded."""

import dataclasses
import difflib
import re
import time
from pathlib import Path

import click

from kerasgan import catalogue
from kerasgan.files import expanded, read_json
from kerasgan.recipe import Recipe, recommended, run_settings
from kerasgan.recipe import options as flat
from kerasgan_cli import options as made
from kerasgan_cli.common import echo, nearest
from kerasgan_cli.runs import SETTINGS, Run
from kerasgan_cli.sources import find_data

# What may change when a run goes on.
MOVABLE = (
    "epochs",
    "steps",
    "accumulate",
    "data",
    "grid_every",
    "score_every",
    "keep_every",
    "animation",
    "tensorboard",
)
_UNITS = {"d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1}


@dataclasses.dataclass
class Asked:
    """A training that the command line asks for.

    Attributes:
        recipe: Its `Recipe`.
        settings: What the run has beside it; see `kerasgan_cli.runs.SETTINGS`.
        resume: The folder of a run that goes on, or None.
        given: Where the shell chooses what is not given: the options that are, by name. Else None.
        seconds: How long it may take, or None.
        parent: Folder of run folders.
        on_collapse: A command to run when the guard acts, or None.
        devices: On how many devices; 0 for all.
        dry_run: Whether the recipe is printed, and nothing trained.
        began: The moment of the question, by `time.perf_counter`.
    """

    recipe: Recipe
    settings: dict
    resume: Path | None = None
    given: dict | None = None
    seconds: float | None = None
    parent: Path = Path("runs")
    on_collapse: str | None = None
    devices: int = 1
    dry_run: bool = False
    began: float = dataclasses.field(default_factory=time.perf_counter)

    @property
    def planned(self):
        """Whether images are looked at, or steps timed, before the recipe is known."""
        return self.given is not None or self.seconds is not None

    @property
    def left(self):
        """The seconds that are left of those it may take, or None.

        Whatever it took to read the images, half of the time is for the training.
        """
        if self.seconds is None:
            return None
        return max(self.began + self.seconds - time.perf_counter(), self.seconds / 2)


class Duration(click.ParamType):
    """Seconds, given as 90s, 30m, 2h, 1h30m or 1d."""

    name = "TIME"

    def convert(self, value, param, ctx):
        if isinstance(value, (int, float)):
            return value
        parts = re.findall(r"(\d+(?:\.\d+)?)\s*(d|h|min|m|s)", value.lower())
        whole = "".join(number + unit for number, unit in parts)
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
        if whole != re.sub(r"\s", "", value.lower()) or not 1 <= seconds <= 365 * 86400:
            self.fail(f"must be a time such as 30m, 2h or 1h30m. Received: {value!r}", param, ctx)
        return seconds


def model_and_data(words, data):
    """Return the name of a variant, or None, and the data of `[MODEL] [DATA]` and `--data`."""
    words = list(words)
    model = words.pop(0) if words and words[0] in catalogue.VARIANTS else None
    if not words:
        return model, data
    if model is None and (len(words) > 1 or data is not None or _is_misspelt(words[0])):
        raise nearest("MODEL", words[0], list(catalogue.VARIANTS))
    if len(words) > 1 or data is not None:
        too_many = " ".join(words[1:] if data is None else words)
        raise click.UsageError(
            f"DATA must be one word, or be given by --data. Received besides: {too_many}"
        )
    return model, words[0]


def _is_misspelt(word):
    """Return whether a word is nearly the name of a variant, and no data that there are."""
    unknown = catalogue.source_of(word) in ("tfds", None)
    return unknown and bool(difflib.get_close_matches(word, catalogue.VARIANTS))


def from_nothing(model, file, given, seconds=None, start=None):
    """Return what a command line without `--resume` asks for.

    Args:
        model: Name of a variant, or None where a file says it or where the shell may choose.
        file: A recipe's JSON file, or None.
        given: The options of the command line, by name.
        seconds: What `--time` says, or None.
        start: What `--from` names, or None.
    """
    given = dict(given)
    settings = {**SETTINGS, "start": None if start is None else start_of(start)}
    chooses = file is None and model is None and start is None
    if chooses and "config" in given:
        raise click.UsageError("--config goes with MODEL: it says what would be chosen otherwise.")
    config = catalogue.CONFIGURATIONS.get(given.get("config"))
    if config is not None and config.conditional and not given.get("conditional"):
        echo(
            f"note: the authors' networks of --config {config.name} take labels; --conditional "
            "gives them to these.",
            err=True,
        )
    if file is not None:
        recipe, stored = _read(file, model)
        settings |= stored
    elif start is not None:
        recipe = _of_source(start, model, given)
    elif model is None and "data" not in given:
        raise click.UsageError(
            f"DATA is needed, what to train on; and MODEL may be one of "
            f"{', '.join(catalogue.VARIANTS)}."
        )
    else:
        recipe = Recipe(model or recommended.VARIANT)
        recipe = flat.apply(recipe, catalogue.VARIANTS[recipe.variant].usual)
    chosen = {name: given.pop(name) for name in SETTINGS if name in given}
    settings |= chosen
    _check_settings(settings, chosen)
    lengths = [f"--{name}" for name in ("epochs", "steps") if name in given]
    lengths += ["--time"] if seconds is not None else []
    if len(lengths) > 1:
        raise click.UsageError(f"{' and '.join(lengths)} do not go together.")
    try:
        run_settings(chosen)
        recipe = flat.apply(recipe, given)
    except ValueError as error:
        raise click.UsageError(made.with_flags(str(error))) from error
    if "name_or_path" not in recipe.data:
        raise click.UsageError("--data is needed: what to train on.")
    recipe.data["name_or_path"] = find_data(**recipe.data)
    if file is None and model is None and not lengths:
        seconds = recommended.SECONDS
    # What comes first over what is chosen: the data and the length are settled.
    first = {name: v for name, v in given.items() if name not in ("data", *flat.LENGTH)}
    return Asked(recipe, settings, given=first if chooses else None, seconds=seconds)


def _check_settings(settings, given):
    if settings["guard"] == "off" and "guard_every" in given:
        raise click.UsageError("--guard-every goes with a guard, and --guard is off.")
    for name in ("score_every", "score_extractor"):
        if settings["score"] is None and name in given:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --score.")


def _read(file, model):
    try:
        stored = read_json(file)
        if model is not None and isinstance(stored, dict):
            stored = {**stored, "variant" if "format" in stored else "model": model}
        return Recipe.from_json(stored, together=False), run_settings(stored)
    except (OSError, ValueError, TypeError) as error:
        raise click.BadParameter(f"{file}: {error}", param_hint="--recipe") from error


def of_run(model, resume, given, seconds=None):
    """Return what a run has itself; only the end, the grids and a place may differ.

    Args:
        model: What stands where MODEL does; nothing may.
        resume: The run's folder.
        given: The options of the command line, by name.
        seconds: How long it is to go on, or None.
    """
    fixed = [f"--{name.replace('_', '-')}" for name in given if name not in MOVABLE]
    if model is not None or fixed:
        received = ", ".join((["MODEL"] if model else []) + fixed)
        raise click.UsageError(
            "--resume goes on with the run's own options; only --epochs, --steps, --time, "
            "--accumulate, --grid-every, --score-every, --keep-every, --animation, --tensorboard "
            "and the place of its --data may change. "
            f"Received: {received}"
        )
    run = Run(resume)
    recipe, settings = run.recipe(), run.settings()
    before = recipe.length["epochs"]
    finished, each = run.finished(), recipe.length.get("steps_per_epoch", 0)
    for name, done in (("epochs", finished), ("steps", finished * each)):
        if name in given and given[name] < done:
            raise click.UsageError(
                f"--{name} must be at least {done}, those that the run has finished. Received: "
                f"{given[name]}"
            )
    _move_end(run, recipe, given.pop("epochs", None), given.pop("steps", None), seconds)
    if recipe.length["epochs"] > before and recipe.falls:
        echo("note: the learning rates stay at their last values in the added epochs.", err=True)
    if "accumulate" in given:
        try:
            recipe = flat.apply(recipe, {"accumulate": given.pop("accumulate")})
        except ValueError as error:
            raise click.UsageError(made.with_flags(str(error))) from error
    if "data" in given:
        recipe.data["name_or_path"] = given.pop("data")
        recipe.data["name_or_path"] = find_data(**recipe.data)
    _check_settings({**settings, **given}, given)
    return Asked(recipe, {**settings, **given}, resume)


def _move_end(run, recipe, epochs, steps, seconds):
    """Give the recipe of a run that goes on another number of epochs."""
    flags = {"--epochs": epochs, "--steps": steps, "--time": seconds}
    asked = [flag for flag, value in flags.items() if value is not None]
    if len(asked) > 1:
        raise click.UsageError(f"{' and '.join(asked)} do not go together.")
    if steps is not None:
        each = recipe.length.get("steps_per_epoch")
        if each is None:
            raise click.UsageError(
                "--steps goes with a run that was begun with --steps or --time; --epochs moves the "
                "end of this one."
            )
        epochs = -(-steps // each)
    if seconds is not None:
        done, took = run.finished(), run.seconds_of_an_epoch()
        if not done or not took:
            raise click.UsageError(
                "--time needs a run that has finished an epoch; --epochs moves the end of this one."
            )
        epochs = done + max(1, round(seconds / took))
    if epochs is not None:
        recipe.length = {**recipe.length, "epochs": epochs}


def _of_source(start, model, given):
    """Return the recipe that `--from` brings; this loads Keras, whose backend must be chosen."""
    from kerasgan_cli import fine_tuning

    fine_tuning.check_options(given)
    return fine_tuning.recipe(start, model)


def start_of(source):
    """Return what `--from` names, a path as an absolute one."""
    place, at, state = source.rpartition("@")
    for path, rest in ((source, ""), (place, at + state)):  # A run's state comes behind its folder.
        if path and expanded(path).exists():
            return f"{expanded(path).resolve()}{rest}"
    return source
