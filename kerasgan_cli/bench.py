"""`kerasgan bench`: the benchmarks, rerun from stored results or from nothing."""

from pathlib import Path

import click

from kerasgan_cli.common import backend_option, choose_backend

_workers = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Trainings at a time, each with its share of the cores.",
)


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
    help="Train every run again into FOLDER; finished ones are kept. About an hour for one half.",
)
@click.option(
    "--policy",
    type=click.Choice(["none", "stop", "rescue"]),
    default="none",
    show_default=True,
    help="With --repeat: train with a guard of this policy.",
)
@_workers
@click.option("--rescues", is_flag=True, help="How runs that collapse end under each policy.")
@click.option("--only", metavar="TEXT", help="Only the runs whose name holds TEXT.")
@backend_option
def collapse(half, repeat, policy, workers, rescues, only, backend):
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
        histories = runs.repeat(recipes, repeat, policy, workers, echo=click.echo)
    chosen = [h for h in histories if only is None or only in h["recipe"]["name"]]
    if not chosen:
        raise click.UsageError(f"no run's name holds {only!r}.")
    click.echo(exam.table([exam.sit(history) for history in chosen]))


def _modes(name, help, options=(), budgets=""):
    """Add the command of a benchmark of `kerasgan.bench.modes`."""

    @click.option(
        "--models",
        default="all",
        show_default=True,
        metavar="NAMES",
        help="Recipes, with commas between them.",
    )
    @click.option(
        "--trials",
        type=click.IntRange(min=1),
        help="Of each recipe.  [default: what the recipe says, 3 or 10]",
    )
    @click.option(
        "--budget",
        default="short",
        show_default=True,
        metavar="BUDGET",
        help=f"Critic steps of every method: a number, short, or as many as the paper{budgets}.",
    )
    @click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("bench"),
        show_default=True,
        metavar="FOLDER",
        help="Where results go; trials that are there already are kept.",
    )
    @_workers
    def command(models, trials, budget, out, workers, small_critic=False):
        # The trials choose their own backends, in processes of their own; here it counts modes.
        choose_backend(None)
        from kerasgan.bench.modes import tasks

        task = tasks.TASKS[f"{name}-small" if small_critic else name]
        try:
            recipes = task.recipes(None if models == "all" else models.split(","))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--models") from error
        _run_modes(task, recipes, trials, _steps(budget, task.protocol), out, workers)

    for option in options:
        command = option(command)
    return bench.command(name, help=help)(command)


def _steps(budget, protocol):
    budgets = protocol["budgets"]
    if budget in budgets:
        return budgets[budget]
    if not budget.isdecimal() or int(budget) < 1:
        raise click.BadParameter(
            f"{budget!r} is neither a number of steps nor {' or '.join(budgets)}.",
            param_hint="--budget",
        )
    return int(budget)


def _run_modes(task, recipes, trials, steps, out, workers):
    from kerasgan.bench.modes import tables
    from kerasgan.bench.modes import trials as modes

    try:
        modes.run(task, recipes, trials, steps, out, workers, click.echo)
        # Of all that are there, and not of those alone that were asked for.
        lines = modes.latest(modes.read(out, task), task.recipes(), steps)
        text = tables.markdown(lines, task.protocol)
        stem = task.stem(steps)
        (out / f"{stem}.md").write_text(text + "\n", encoding="utf-8")
    except (OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"\n{text}\n\ntable: {out / f'{stem}.md'}")
    try:
        tables.draw(lines, lambda line: modes.samples_of(out, line), out / f"{stem}.png")
    except ImportError:
        click.echo("no pictures: matplotlib is not installed. pip install 'kerasgan[plots]'")
    else:
        click.echo(f"pictures: {out / f'{stem}.png'}")


_modes(
    "ring",
    """Eight Gaussians on a ring: how many modes each variant keeps.

    The protocol of PacGAN (Lin et al. 2018), with networks and a budget that two cores can do.
    """,
)
_modes(
    "grid",
    """Twenty-five Gaussians on a grid: how many modes each variant keeps.

    The protocol of PacGAN (Lin et al. 2018), with networks and a budget that two cores can do.
    """,
)
_modes(
    "stacked-mnist",
    """Three digits as the channels of an image, 1,000 modes: how many each variant draws.

    The protocol of VEEGAN and PacGAN, or with --small-critic that of Unrolled GAN.
    """,
    options=[
        click.option(
            "--small-critic",
            is_flag=True,
            help="Metz et al.'s protocol: a critic of a quarter of the size.",
        )
    ],
    budgets="; hour is that of the best recipe, about an hour on two cores",
)
