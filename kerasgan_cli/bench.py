"""`kerasgan bench`: the benchmarks, rerun from stored results or from nothing."""

from pathlib import Path

import click

from kerasgan_cli.common import backend_option, choose_backend


@click.group()
def bench():
    """Repeat what this project's figures rest on."""


@bench.command()
@click.option(
    "--half",
    type=click.Choice(["design", "exam", "both"]),
    default="exam",
    show_default=True,
    help="The half that the detector was made with, or the other.",
)
@click.option(
    "--repeat",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Train every run again into FOLDER; finished ones are kept. About an hour.",
)
@click.option(
    "--policy",
    type=click.Choice(["none", "stop", "rescue"]),
    default="none",
    show_default=True,
    help="With --repeat: train with a guard of this policy.",
)
@click.option("--rescues", is_flag=True, help="How runs that collapse end under each policy.")
@click.option("--only", metavar="TEXT", help="Only the runs whose name holds TEXT.")
@backend_option
def collapse(half, repeat, policy, rescues, only, backend):
    """The collapse detector's exam: what it says of runs that collapse and of runs that do not.

    The truth comes from an oracle that the detector never sees: the mixture's centres, a
    classifier, the avatars' known colours.
    """
    if policy != "none" and repeat is None:
        raise click.UsageError("--policy goes with --repeat.")
    choose_backend(backend)
    from kerasgan.bench.collapse import exam

    if rescues:
        click.echo(exam.policy_table(exam.rescues()))
        return
    wanted = None if half == "both" else half
    if repeat is None:
        histories = exam.histories(wanted)
    else:
        from kerasgan.bench.collapse import runs

        recipes = runs.recipes(wanted, only)
        histories = runs.repeat(recipes, repeat, policy, echo=click.echo)
    chosen = [h for h in histories if only is None or only in h["recipe"]["name"]]
    if not chosen:
        raise click.UsageError(f"no run's name holds {only!r}.")
    click.echo(exam.table([exam.sit(history) for history in chosen]))
