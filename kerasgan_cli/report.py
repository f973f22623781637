"""`kerasgan report`: the page about a run, made anew."""

from pathlib import Path

import click

from kerasgan.files import check_own
from kerasgan_cli.common import choose_any_backend, echo
from kerasgan_cli.runs import Run


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
def report(run):
    """Write RUN/report.html again from what the run's folder holds.

    The page shows the generated images, the diversity with alarms and rescues, the parts of the
    data that were lost, and what to try next. Training writes it too.
    """
    if not (run / "guard" / "journal.json").is_file():
        raise click.ClickException(
            f"{run} holds no guard/journal.json, which `kerasgan train` writes into the folder of "
            f"a run with a guard. Found: {Run(run).content()}"
        )
    check_own(run)
    choose_any_backend()
    from kerasgan import report as library

    echo(library.write(run))
