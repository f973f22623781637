"""`kerasgan report`: the page about a run, made anew."""

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
def report(run):
    """Write RUN/report.html again from what the run's folder holds.

    The page shows the generated images, the diversity with alarms and rescues, the parts of the
    data that were lost, and what to try next. Training writes it too.
    """
    import os

    from kerasgan_cli.common import choose_backend

    choose_backend(os.environ.get("KERAS_BACKEND"))
    from kerasgan import report as library

    click.echo(library.write(run))
