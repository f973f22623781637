"""`kerasgan train`: a run from nothing, or the rest of one."""

import json
from pathlib import Path

import click

from kerasgan import catalogue
from kerasgan.environment import require
from kerasgan_cli import asked
from kerasgan_cli import options as made
from kerasgan_cli.common import GroupedCommand, choose_backend, echo, options_group
from kerasgan_cli.options import option

# The options with which --help begins, by name: --time is called seconds, and --from start.
FIRST = ("data", "seconds", "start", "image_size", "width", "score", "guard", "resume")
_SOURCES = ", ".join(name for name, entry in catalogue.SOURCES.items() if entry.named)


HELP = f"""Train MODEL on DATA into a numbered run folder, or resume one.

MODEL is one of {", ".join(catalogue.VARIANTS)}. Without it, what is not given is chosen for the
images, the machine and the time, and said. DATA is what --data says.

Exit code: 0 done, 1 diverged (without a guard) or failed, 3 ended collapsed, 130 interrupted.
"""


def _devices(context, parameter, value):
    """Return a number of devices; 0 stands for all."""
    if value in (None, "all"):
        return 1 if value is None else 0
    if not (value.isascii() and value.isdigit() and len(value) < 5 and int(value)):
        raise click.BadParameter(f"must be all, or a number from 1 to 9999. Received: {value!r}")
    return int(value)


@click.command(cls=GroupedCommand, first=FIRST, help=HELP)
@click.argument("words", nargs=-1, metavar="[MODEL] [DATA]")
@options_group(
    "More on the recipe",
    option("--recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path),
           metavar="FILE",
           help="A recipe as JSON, as --dry-run prints it and a run's options.json holds it. What "
           "the command line gives comes first."),
    option("--from", "start", metavar="SOURCE",
           help="Begin with the networks of a preset, a run or a .keras file, and with the recipe "
           "that made them, at the learning rates with which it ended."),
)  # fmt: skip
@options_group(
    "More on the data",
    option("--data", metavar="NAME_OR_PATH",
           help=f"A folder of images, a .zip, .npz or .npy file, {_SOURCES}, "
           "avatars:STYLE,STYLE, or a TFDS name."),
    *(made.from_catalogue(entry) for entry in catalogue.LOADING if entry.shell),
)  # fmt: skip
@options_group(
    "More on the networks",
    made.architecture(),
    *made.networks(),
)  # fmt: skip
@options_group(
    "More on the training",
    *(made.from_catalogue(entry) for entry in catalogue.LENGTH if entry.shell),
    option("--time", "seconds", type=asked.Duration(),
           help="Train about so long, as 20m or 2h: a few steps are timed first. 30m by default "
           "where MODEL is not given. A run that is resumed goes on for so long."),
    *(made.from_catalogue(entry) for entry in catalogue.OPTIMIZERS),
    *(made.from_catalogue(entry) for entry in catalogue.PLAIN),
)  # fmt: skip
@options_group(
    "More on the device",
    # Where a run goes on may have others.
    option("--devices", metavar="N", callback=_devices,
           help="Train on so many devices, or on all of them; each takes its part of a batch. 1 by "
           "default. A run that is resumed does not remember it."),
)  # fmt: skip
@options_group(
    "More on the variant (by default as in its paper)", *made.variants(), made.configuration()
)
@options_group("More on any variant", *made.shared())
@options_group(
    "More on collapse",
    *(made.from_catalogue(entry) for entry in catalogue.RUN if entry.name.startswith("guard")),
    # No recipe and no run's file has it: what they hold may come from somebody else.
    option("--on-collapse", metavar="COMMAND",
           help="Run this command of the shell when the guard acts. It is told of what happened by "
           "$KERASGAN_ACTION, $KERASGAN_SENTENCE, $KERASGAN_EPOCH, $KERASGAN_STEP and "
           "$KERASGAN_FOLDER, and has 60 seconds. A run that is resumed does not remember it."),
)  # fmt: skip
@options_group(
    "More on the output",
    option("--run-dir", type=click.Path(file_okay=False, path_type=Path), default=Path("runs"),
           show_default=True, help="Where the numbered run folders go."),
    option("--resume", type=click.Path(exists=True, file_okay=False, path_type=Path),
           metavar="RUN",
           help="Go on with this run where it stopped; --epochs, --steps or --time may move its "
           "end. --data gives the new place of its images, where they were moved."),
    *(
        made.from_catalogue(entry)
        for entry in catalogue.RUN
        if entry.shell and not entry.name.startswith("guard")
    ),
    click.option("--dry-run", is_flag=True, help="Print the recipe and stop."),
)  # fmt: skip
@click.pass_context
def train(context, words, recipe, resume, run_dir, dry_run, on_collapse, devices, **options):
    """Train, or resume, as HELP says."""
    given = {name: value for name, value in options.items() if value is not None}
    seconds, start = given.pop("seconds", None), given.pop("start", None)
    model, data = asked.model_and_data(words, given.get("data"))
    if data is not None:
        given["data"] = data
    if start is not None:  # The recipe stands beside a model.
        choose_backend(given.get("backend"), always=True)
    if resume is None:
        job = asked.from_nothing(model, recipe, given, seconds, start)
    elif recipe is not None or start is not None:
        other = "--recipe" if recipe is not None else "--from"
        raise click.UsageError(f"{other} and --resume do not go together.")
    else:
        job = asked.of_run(model, resume, given, seconds)
    if on_collapse is not None and job.settings["guard"] == "off":
        raise click.UsageError("--on-collapse goes with a guard, and --guard is off.")
    if job.settings["tensorboard"]:
        require("--tensorboard", ["tensorboardX"], "tensorboard")
    job.parent, job.on_collapse, job.devices, job.dry_run = run_dir, on_collapse, devices, dry_run
    if dry_run and not job.planned:
        echo(json.dumps({**job.recipe.to_json(), "run": job.settings}, indent=2))
        return
    job.recipe.backend = choose_backend(job.recipe.backend, always=start is None)
    from kerasgan_cli import training  # Imports Keras.

    context.exit(training.run(job))
