"""`kerasgan train`: a run from nothing, or the rest of one."""

import json
from pathlib import Path

import click

from kerasgan import catalogue
from kerasgan.environment import require
from kerasgan.files import read_json
from kerasgan.recipe import Recipe, run_settings
from kerasgan.recipe import options as flat
from kerasgan_cli import options as made
from kerasgan_cli.common import GroupedCommand, choose_backend, echo, nearest, options_group
from kerasgan_cli.options import option
from kerasgan_cli.runs import SETTINGS, Run
from kerasgan_cli.sources import find_data

# What may change when a run goes on.
MOVABLE = ("epochs", "accumulate", "data", "grid_every", "animation", "tensorboard")
_SOURCES = ", ".join(name for name, entry in catalogue.SOURCES.items() if entry.named)


HELP = f"""Train MODEL into a numbered run folder, or resume one.

MODEL is one of {", ".join(catalogue.VARIANTS)}.

Exit code: 0 done, 1 diverged (without a guard) or failed, 3 ended collapsed, 130 interrupted.
"""


def _devices(context, parameter, value):
    """Return a number of devices; 0 stands for all."""
    if value in (None, "all"):
        return 1 if value is None else 0
    if not (value.isascii() and value.isdigit() and len(value) < 5 and int(value)):
        raise click.BadParameter(f"must be all, or a number from 1 to 9999. Received: {value!r}")
    return int(value)


@click.command(cls=GroupedCommand, help=HELP)
@click.argument("model", required=False)
@options_group(
    "Recipe",
    option("--recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path),
           metavar="FILE",
           help="A recipe as JSON, as --dry-run prints it and a run's options.json holds it. What "
           "the command line gives comes first."),
)  # fmt: skip
@options_group(
    "Data",
    option("--data", metavar="NAME_OR_PATH",
           help=f"A folder of images, an .npz or .npy file, {_SOURCES}, or a TFDS name."),
    *(made.from_catalogue(entry) for entry in catalogue.LOADING if entry.shell),
)  # fmt: skip
@options_group(
    "Networks",
    made.architecture(),
    *made.networks(),
)  # fmt: skip
@options_group(
    "Training",
    *(made.from_catalogue(entry) for entry in catalogue.LENGTH if entry.shell),
    *(made.from_catalogue(entry) for entry in catalogue.OPTIMIZERS),
    *(made.from_catalogue(entry) for entry in catalogue.PLAIN),
)  # fmt: skip
@options_group(
    "Device",
    # Where a run goes on may have others.
    option("--devices", metavar="N", callback=_devices,
           help="Train on so many devices, or on all of them; each takes its part of a batch. 1 by "
           "default. A run that is resumed does not remember it."),
)  # fmt: skip
@options_group("Variant (by default as in its paper)", *made.variants())
@options_group("Any variant", *made.shared())
@options_group(
    "Collapse",
    *(made.from_catalogue(entry) for entry in catalogue.RUN if entry.name.startswith("guard")),
    # No recipe and no run's file has it: what they hold may come from somebody else.
    option("--on-collapse", metavar="COMMAND",
           help="Run this command of the shell when the guard acts. It is told of what happened by "
           "$KERASGAN_ACTION, $KERASGAN_SENTENCE, $KERASGAN_EPOCH, $KERASGAN_STEP and "
           "$KERASGAN_FOLDER, and has 60 seconds. A run that is resumed does not remember it."),
)  # fmt: skip
@options_group(
    "Output",
    option("--run-dir", type=click.Path(file_okay=False, path_type=Path), default=Path("runs"),
           show_default=True, help="Where the numbered run folders go."),
    option("--resume", type=click.Path(exists=True, file_okay=False, path_type=Path),
           metavar="RUN",
           help="Go on with this run where it stopped; --epochs may move its end. --data gives the "
           "new place of its images, where they were moved."),
    *(made.from_catalogue(entry) for entry in catalogue.RUN if not entry.name.startswith("guard")),
    click.option("--dry-run", is_flag=True, help="Print the recipe and stop."),
)  # fmt: skip
@click.pass_context
def train(context, model, recipe, resume, run_dir, dry_run, on_collapse, devices, **options):
    """Train, or resume, as HELP says."""
    given = {name: value for name, value in options.items() if value is not None}
    if resume is None:
        chosen, settings = asked(model, recipe, given)
    elif recipe is not None:
        raise click.UsageError("--recipe and --resume do not go together.")
    else:
        chosen, settings = _resumed(model, resume, given)
    if on_collapse is not None and settings["guard"] == "off":
        raise click.UsageError("--on-collapse goes with a guard, and --guard is off.")
    if settings["tensorboard"]:
        require("--tensorboard", ["tensorboardX"], "tensorboard")
    if dry_run:
        echo(json.dumps({**chosen.to_json(), "run": settings}, indent=2))
        return
    chosen.backend = choose_backend(chosen.backend, always=True)
    from kerasgan_cli import training  # Imports Keras.

    context.exit(training.run(chosen, settings, run_dir, resume, on_collapse, devices))


def asked(model, file, given):
    """Return the `Recipe` and the settings of the run that a command line asks for.

    Args:
        model: Name of a variant, or None where the file says it.
        file: A recipe's JSON file, or None.
        given: The options of the command line, by name.
    """
    given = dict(given)
    settings = dict(SETTINGS)
    if model is not None and model not in catalogue.VARIANTS:
        raise nearest("MODEL", model, list(catalogue.VARIANTS))
    if file is not None:
        recipe, stored = _read(file, model)
        settings |= stored
    elif model is None:
        raise click.UsageError(f"MODEL is needed: one of {', '.join(catalogue.VARIANTS)}")
    else:
        recipe = Recipe(model)
    chosen = {name: given.pop(name) for name in SETTINGS if name in given}
    settings |= chosen
    _check_guard(settings, chosen)
    try:
        run_settings(chosen)
        recipe = flat.apply(recipe, given)
    except ValueError as error:
        raise click.UsageError(made.with_flags(str(error))) from error
    if "epochs" not in recipe.length:
        raise click.UsageError("--epochs is needed: the recipe counts steps.")
    if "name_or_path" not in recipe.data:
        raise click.UsageError("--data is needed: what to train on.")
    recipe.data["name_or_path"] = find_data(**recipe.data)
    return recipe, settings


def _check_guard(settings, given):
    if settings["guard"] == "off" and "guard_every" in given:
        raise click.UsageError("--guard-every goes with a guard, and --guard is off.")


def _read(file, model):
    try:
        stored = read_json(file)
        if model is not None and isinstance(stored, dict):
            stored = {**stored, "variant" if "format" in stored else "model": model}
        return Recipe.from_json(stored, together=False), run_settings(stored)
    except (OSError, ValueError, TypeError) as error:
        raise click.BadParameter(f"{file}: {error}", param_hint="--recipe") from error


def _resumed(model, resume, given):
    """Return a run's own recipe and settings; only the end, the grids and a place may differ."""
    fixed = [f"--{name.replace('_', '-')}" for name in given if name not in MOVABLE]
    if model is not None or fixed:
        received = ", ".join((["MODEL"] if model else []) + fixed)
        raise click.UsageError(
            "--resume goes on with the run's own options; only --epochs, --accumulate, "
            "--grid-every, --animation, --tensorboard and the place of its --data may change. "
            f"Received: {received}"
        )
    run = Run(resume)
    recipe, settings = run.recipe(), run.settings()
    epochs = given.pop("epochs", None)
    if epochs is not None:
        if epochs > recipe.length["epochs"] and recipe.falls:
            echo(
                "note: the learning rates stay at their last values in the added epochs.", err=True
            )
        recipe.length = {"epochs": epochs}
    if "accumulate" in given:
        try:
            recipe = flat.apply(recipe, {"accumulate": given.pop("accumulate")})
        except ValueError as error:
            raise click.UsageError(made.with_flags(str(error))) from error
    if "data" in given:
        recipe.data["name_or_path"] = given.pop("data")
        recipe.data["name_or_path"] = find_data(**recipe.data)
    return recipe, {**settings, **given}
