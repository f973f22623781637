"""`kerasgan bench`: the benchmarks, from stored results or trained again."""

from pathlib import Path

import click

from kerasgan_cli.common import Group, backend_option, choose_backend, echo

_workers = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many trainings run at a time; each gets an equal share of the cores.",
)


@click.group(cls=Group)
def bench():
    """Repeat the benchmarks of this project."""


@bench.command()
@click.option(
    "--exam",
    "which",
    type=click.Choice(["small", "pictures"]),
    default="small",
    show_default=True,
    help="small: mixtures, digits, garments, avatars; pictures: photographs and drawings.",
)
@click.option(
    "--runs",
    "wanted",
    type=click.Choice(["design", "exam", "later", "all"]),
    default="exam",
    show_default=True,
    help="Which runs: design, those that the detector was made with; exam, those that it was "
    "then tried on; later, with --exam pictures, those trained after its last change; or all.",
)
@click.option(
    "--repeat",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Train every run again into FOLDER, in up to two hours; finished runs are kept.",
)
@click.option(
    "--pictures",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="With --exam pictures --repeat: the folder that tools/exam_pictures.py wrote.",
)
@click.option(
    "--keep-images",
    is_flag=True,
    help="With --repeat: keep the images of all checks, and measure those of finished runs anew.",
)
@click.option(
    "--policy",
    type=click.Choice(["none", "stop", "rescue"]),
    default="none",
    show_default=True,
    help="With --repeat: the policy of a collapse guard.",
)
@_workers
@click.option("--rescues", is_flag=True, help="Show how runs that collapse end under each policy.")
@click.option("--only", metavar="TEXT", help="Only runs whose name contains TEXT.")
@backend_option
def collapse(which, wanted, repeat, pictures, keep_images, policy, workers, rescues, only, backend):
    """The exam of the collapse detector: its verdicts on runs that collapse and runs that do not.

    The truth is found by means that the detector does not have: the centres of a mixture, a
    classifier of the images, the known colours of the avatars, or a network that was taught which
    photograph or group of drawings a picture is from.
    """
    for option, given in (
        ("--policy", policy != "none"),
        ("--pictures", pictures is not None),
        ("--keep-images", keep_images),
    ):
        if given and repeat is None:
            raise click.UsageError(f"{option} goes with --repeat.")
    if repeat is not None and (which == "pictures") != (pictures is not None):
        raise click.UsageError("--exam pictures --repeat and --pictures go together.")
    if wanted == "later" and which != "pictures":
        raise click.UsageError("--runs later goes with --exam pictures.")
    choose_backend(backend)
    from kerasgan.bench.collapse import exam

    if rescues and which != "small":
        raise click.UsageError("--rescues goes with --exam small.")
    if rescues:
        echo(exam.policy_table(exam.rescues()))
        return
    half = None if wanted == "all" else wanted
    if repeat is None:
        histories = exam.histories(half, which)
    else:
        from kerasgan.bench.collapse import runs

        histories = runs.repeat(
            runs.recipes(half, only, which),
            repeat,
            policy,
            workers,
            echo=click.echo,
            pictures=pictures,
            keep=keep_images,
        )
    chosen = [h for h in histories if only is None or only in h["recipe"]["name"]]
    if not chosen:
        raise click.UsageError(f"no run's name contains {only!r}.")
    echo(exam.table([exam.examine(history) for history in chosen]))


def _modes(name, help, options=(), budgets=""):
    """Add the command of a benchmark of `kerasgan.bench.modes`."""

    @click.option(
        "--models",
        default="all",
        show_default=True,
        metavar="NAMES",
        help="Names of recipes, with commas between them.",
    )
    @click.option(
        "--trials",
        type=click.IntRange(min=1),
        help="How many trials of each recipe.  [default: the recipe's own number, 3 or 10]",
    )
    @click.option(
        "--budget",
        default="short",
        show_default=True,
        metavar="BUDGET",
        help=f"Critic steps of each trial: a number, short, or paper, the paper's number{budgets}.",
    )
    @click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("bench"),
        show_default=True,
        metavar="FOLDER",
        help="Folder of the results; trials that are in it are not run again.",
    )
    @_workers
    def command(models, trials, budget, out, workers, small_critic=False):
        # The trials run in processes of their own, with the backends of their recipes.
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
        # The table holds all trials in the folder, also those that were not asked for now.
        lines = modes.latest(modes.read(out, task), task.recipes(), steps)
        text = tables.markdown(lines, task.protocol)
        stem = task.stem(steps)
        (out / f"{stem}.md").write_text(text + "\n", encoding="utf-8")
    except (OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    echo(f"\n{text}\n\ntable: {out / f'{stem}.md'}")
    try:
        tables.plot(lines, lambda line: modes.samples_of(out, line), out / f"{stem}.png")
    except ImportError:
        echo("no pictures: matplotlib is not installed. pip install 'kerasgan[plots]'")
    else:
        echo(f"pictures: {out / f'{stem}.png'}")


_modes(
    "ring",
    """Eight Gaussians on a ring: how many modes each method covers.

    The protocol is PacGAN's (Lin et al. 2018), with smaller networks and fewer steps.
    """,
)
_modes(
    "grid",
    """Twenty-five Gaussians on a grid: how many modes each method covers.

    The protocol is PacGAN's (Lin et al. 2018), with smaller networks and fewer steps.
    """,
)
_modes(
    "stacked-mnist",
    """Three digits as the channels of an image, 1,000 modes: how many each method covers.

    The protocol is VEEGAN's and PacGAN's; with --small-critic it is Unrolled GAN's.
    """,
    options=[
        click.option(
            "--small-critic",
            is_flag=True,
            help="The protocol of Metz et al.: a critic of a quarter of the size.",
        )
    ],
    budgets="; or hour, with which the best recipe takes about an hour on two cores",
)
