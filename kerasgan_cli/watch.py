"""`kerasgan watch`: follow the training of any program by the pictures that it writes."""

import time
from pathlib import Path

import click

from kerasgan.text import printable
from kerasgan_cli.common import choose_any_backend, echo, short_warnings
from kerasgan_cli.options import Number, Size, with_flags
from kerasgan_cli.sources import find_data

COLLAPSED = 3


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--real", metavar="NAME_OR_PATH", required=True,
              help="The real images of the training: a folder, a zip or an array file, or a name, "
              "as for `kerasgan train --data`.")  # fmt: skip
@click.option("--image-size", type=Size(),
              help="Side in pixels of one generated image, or its height and width, to which the "
              "real ones are resized. [default: that of the real images]")  # fmt: skip
@click.option("--channels", type=click.Choice(["1", "3", "4"]),
              help="Whether images are grey, in colour, or in colour with transparency. [default: "
              "grey if all real ones are, else colour]")  # fmt: skip
@click.option("--pattern", default="*", metavar="GLOB",
              help="Which pictures to read, as 'fakes*.png'.")  # fmt: skip
@click.option("--gap", type=click.IntRange(0, 1024),
              help="Pixels between the images of a grid. [default: found out]")  # fmt: skip
@click.option("--samples", type=click.IntRange(32, 10**6),
              help="Images in a check. [default: a grid, or 100 single images]")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path),
              help="Where report.html goes. [default: FOLDER-watch]")  # fmt: skip
@click.option("--once", is_flag=True, help="Read what is there and end, without waiting for more.")
@click.option("--interval", type=Number(0.1, 86400), default=5.0, show_default=True,
              metavar="SECONDS", help="Time between two readings of the folder.")  # fmt: skip
@click.option("--idle", type=Number(0, min_open=True), metavar="SECONDS",
              help="End when nothing new has come for this time.")  # fmt: skip
@click.option("--on-collapse", metavar="COMMAND",
              help="Run this command of the shell on a collapse, and go on watching. It is told of "
              "it as with `kerasgan train --on-collapse`.")  # fmt: skip
def watch(
    folder,
    real,
    image_size,
    channels,
    pattern,
    gap,
    samples,
    out,
    once,
    interval,
    idle,
    on_collapse,
):
    """Watch the pictures that any program writes into FOLDER during a GAN's training.

    Each grid of samples, or every hundred single images, is compared with the real images. The
    command says what the guard of `kerasgan train` would say, writes report.html, and ends when the
    generator has lost what it had, unless --on-collapse is given. Pictures are read in the order of
    their names. Those without a number in their names, or that begin with "real", are left out.

    Exit code: 0 nothing was lost, 1 nothing could be checked, 3 the training has collapsed, 130
    interrupted.
    """
    find_data(real, flag="--real")
    out = out or folder.resolve().parent / f"{folder.resolve().name}-watch"
    choose_any_backend()
    from kerasgan import data
    from kerasgan.metrics import MetricError
    from kerasgan.watch import Pictures, PicturesError, Watcher

    with short_warnings():
        chosen = {} if image_size is None else {"image_size": image_size, "upscale": True}
        chosen |= {} if channels is None else {"channels": int(channels)}
        try:
            dataset = data.load(real, batch_size=1, **chosen)
        except data.DataError as error:
            raise click.ClickException(with_flags(str(error))) from error
    found = Pictures(folder, dataset.image_shape, samples, gap, pattern, out)
    told, shown, watcher = 0, [], None
    changed = time.monotonic()
    try:
        while True:
            for path, images in found.new(last=once):
                changed = time.monotonic()
                if watcher is None:
                    watcher = Watcher(dataset.images, len(images), out, on_collapse)
                    _say_where(watcher, len(images), real)
                verdict = watcher.check(images[: watcher.samples])
                shown.append(path)
                watcher.write_report(shown)
                name = printable(path.relative_to(folder))
                echo(f"{name}  {verdict.state}: {verdict.sentence}")
                if verdict.bad and on_collapse is None and not once:
                    _say_what_is_left_out(folder, found.skipped[told:])
                    return _conclude(watcher, out)
            _say_what_is_left_out(folder, found.skipped[told:])
            told = len(found.skipped)
            if once or (idle is not None and time.monotonic() - changed >= idle):
                return _conclude(watcher, out)
            time.sleep(interval)
    except (PicturesError, MetricError) as error:
        raise click.ClickException(with_flags(str(error))) from error


def _say_what_is_left_out(folder, skipped):
    for path, reason in skipped:
        name = printable(path.relative_to(folder))
        echo(f"left out {name}: {printable(reason)}", err=True)


def _say_where(watcher, given, real):
    few = "; with so few, the verdicts are less certain" if watcher.samples < 300 else ""
    echo(f"checks of {watcher.samples} images against {real}{few}")
    if watcher.samples < given:
        echo(
            f"note: a check takes {watcher.samples} of {given} images, a third of the real ones.",
            err=True,
        )


def _conclude(watcher, out):
    if watcher is None:
        raise click.ClickException("no pictures were found that can be checked.")
    echo(f"see {out / 'report.html'}")
    if watcher.verdict.bad:
        echo(f"Error: the training has collapsed: {watcher.verdict.sentence}.", err=True)
        click.get_current_context().exit(COLLAPSED)
