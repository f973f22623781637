"""`kerasgan walk`: a film of the images between the latent vectors of some seeds."""

import collections.abc
import contextlib
import re
import sys
from pathlib import Path

import click

from kerasgan import film
from kerasgan.text import listed
from kerasgan_cli import options as made
from kerasgan_cli import stages
from kerasgan_cli.common import backend_option, choose_backend, echo, refuse_existing
from kerasgan_cli.sampling import (
    check_finite,
    check_pictures,
    given_sampling,
    label_option,
    number_of,
    sampling_options,
)
from kerasgan_cli.sources import class_names, open_model

MOST_SEEDS = 1000
MOST_IMAGES = 10_000  # In one picture.


class _Seeds(click.ParamType):
    name = "A,B,..."

    def convert(self, value, param, ctx):
        if isinstance(value, list):
            return value
        parts = value.split(",")
        numbers = all(re.fullmatch(r" *\d{1,10} *", part, re.ASCII) for part in parts)
        seeds = [int(part) for part in parts] if numbers else []
        if not 2 <= len(seeds) <= MOST_SEEDS or max(seeds) >= 2**32:
            self.fail(
                f"must be two to {MOST_SEEDS:,} seeds of 0..{2**32 - 1} with commas between them, "
                f"such as 1,5,9. Received: {value!r}",
                param,
                ctx,
            )
        return seeds


class _Grid(click.ParamType):
    name = "ROWSxCOLUMNS"

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([1-9]\d{0,2})x([1-9]\d{0,2})", value, re.ASCII)
        rows, columns = map(int, found.groups()) if found else (0, 0)
        if not 0 < rows * columns <= MOST_IMAGES:
            self.fail(
                f"must be two numbers with an x between them, such as 3x5, for at most "
                f"{MOST_IMAGES:,} images. Received: {value!r}",
                param,
                ctx,
            )
        return rows, columns


@click.command()
@click.argument("source", metavar="PRESET_OR_RUN_OR_FILE")
@click.option("--seeds", type=_Seeds(), required=True,
              help="Where the walk goes through. At each seed the film shows the picture that "
              "`kerasgan sample --seed` makes.")  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default="walk.webp",
              show_default=True,
              help="A film.webp, film.gif or film.mp4, which needs kerasgan[video].")  # fmt: skip
@click.option("--frames", type=click.IntRange(1, 10**4), default=50, show_default=True,
              help="Pictures from one seed to the next.")  # fmt: skip
@click.option("--fps", type=click.IntRange(1, 120), default=25, show_default=True,
              help="Pictures a second; at most 50 in a GIF and 100 in a WebP.")  # fmt: skip
@click.option("--loop/--no-loop", default=True, show_default=True,
              help="Go on from the last seed to the first one, and begin again.")  # fmt: skip
@label_option
@click.option("--grid", type=_Grid(), default="1x1", show_default=True,
              help="So many walks side by side, each through its own latent vector of every "
              "seed.")  # fmt: skip
@click.option("--scale", type=click.IntRange(1, 16),
              help="Enlarge each pixel.  [default: until the longer side has 256]")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing film.")
@sampling_options
@backend_option
def walk(source, seeds, out, frames, fps, loop, label, grid, scale, overwrite, backend, **sampling):
    """Make a film of a walk through a model's images.

    The latent vectors between two seeds lie on a great circle where the model draws them from a
    normal distribution, and else on a straight line. The codes of an InfoGAN change with them
    unless --codes keeps some. A conditional model needs a --label, since all pictures are of one
    class. The same command makes the same WebP or GIF, byte for byte, on one machine.
    """
    refuse_existing(out, overwrite)
    with _in_flags():
        film.check(out, fps)
    choose_backend(backend)
    model = open_model(source)
    check_pictures(model, source, "--out is a film")
    names = class_names(source)
    label = number_of(label, model, source, names)
    _check_label(label, model, source, names)
    given = given_sampling(sampling, model, source)
    rows, columns = grid
    with _in_flags():
        steps = model.walk(seeds, frames, rows * columns, loop, label, **given)
    out.parent.mkdir(parents=True, exist_ok=True)
    width, height = film.save(out, _Shown(steps, source), fps, columns, scale, loop)
    stages.clear()
    echo(
        f"wrote {out}: {len(steps)} pictures of {width}x{height}, {len(steps) / fps:.1f} s, "
        f"through the seeds {listed(seeds)}" + (" and back" if loop else "")
    )


@contextlib.contextmanager
def _in_flags():
    """Turn errors of the library into usage errors that name the options of the shell."""
    try:
        yield
    except ValueError as error:
        text = str(error).replace("`path`", "--out")
        raise click.UsageError(made.with_flags(text)) from error


def _check_label(label, model, source, names):
    if label is None and model.num_classes is not None:
        known = listed(names) if names else f"0..{model.num_classes - 1}"
        raise click.UsageError(
            f"--label is needed: all pictures of a walk are of one class, and {source} has "
            f"several: {known}."
        )


class _Shown(collections.abc.Sequence):
    """The steps of a walk, each of which is checked, and shown on a terminal as being made."""

    def __init__(self, steps, source):
        self.steps, self.source = steps, source

    def __len__(self):
        return len(self.steps)

    def __getitem__(self, step):
        if sys.stderr.isatty():
            stages.say(f"picture {step + 1}/{len(self)}")
        images = self.steps[step]
        check_finite(images, self.source)
        return images
