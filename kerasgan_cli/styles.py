"""`kerasgan mix` and `kerasgan directions`: grids of mixed and of edited images."""

import re
from pathlib import Path

import click

from kerasgan.text import counted
from kerasgan_cli import options as made
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

MOST = 100  # Seeds along a side.


class _Numbers(click.ParamType):
    """Some numbers with commas between them, as 1,5,9, or a range of them, as 4-7."""

    name = "A,B,..."

    def __init__(self, words=()):
        self.words = words

    def convert(self, value, param, ctx):
        if isinstance(value, list) or value in self.words:
            return value
        found = []
        for part in value.split(","):
            ends = re.fullmatch(r" *(\d{1,10})(?:-(\d{1,10}))? *", part, re.ASCII)
            first, last = (int(end) for end in (ends[1], ends[2] or ends[1])) if ends else (1, 0)
            if not first <= last < min(2**32, first + MOST):
                words = f"{', '.join(self.words)}, or " if self.words else ""
                self.fail(
                    f"must be {words}numbers with commas between them, such as 1,5,9 or 4-7. "
                    f"Received: {value!r}",
                    param,
                    ctx,
                )
            found += range(first, last + 1)
        if len(found) > MOST:
            self.fail(f"must be at most {MOST} numbers. Received: {len(found)}", param, ctx)
        return found


def _common(command):
    for option in reversed(_COMMON):
        command = option(command)
    return command


_COMMON = (
    click.argument("source", metavar="PRESET_OR_RUN_OR_FILE"),
    label_option,
    click.option("--scale", type=click.IntRange(1, 16), default=1, show_default=True,
                 help="Enlarge each pixel."),
    click.option("--overwrite", is_flag=True, help="Replace an existing output."),
    sampling_options,
    backend_option,
)  # fmt: skip


def _out(default):
    return click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=default,
                        show_default=True, help="The picture.png.")  # fmt: skip


_LEVELS = ("coarse", "middle", "fine")


@click.command()
@click.option("--rows", type=_Numbers(), default="1,2,3,4", show_default=True,
              help="Seeds of the images that most comes from; they stand on the left.")  # fmt: skip
@click.option("--columns", type=_Numbers(), default="5,6,7,8", show_default=True,
              help="Seeds of the images that the styles of --levels come from; they stand on "
              "top.")  # fmt: skip
@click.option("--levels", type=_Numbers(_LEVELS), default="coarse", show_default=True,
              help="Layers whose style is that of the column: coarse, middle, fine, or numbers "
              "from 0, as 4-7.")  # fmt: skip
@_out("mix.png")
@_common
def mix(source, rows, columns, levels, out, label, scale, overwrite, backend, **sampling):
    """Mix the styles of images: what is coarse of one and the rest of another.

    It takes a StyleGAN2. Each image is the one that `kerasgan sample -n 1 --seed` makes.
    """
    import numpy as np

    model, label, given = _opened(source, label, out, overwrite, backend, sampling)
    try:
        inside = model.mix(rows, columns, levels, label, **given)
        sides = [
            np.concatenate([model.sample(1, seed, label, **given) for seed in seeds])
            for seeds in (rows, columns)
        ]
    except ValueError as error:
        raise click.UsageError(made.with_flags(str(error))) from error
    blank = np.ones_like(inside[:1, 0])
    above = np.concatenate([blank, sides[1]])[None]
    _write(out, np.concatenate([above, np.concatenate([sides[0][:, None], inside], 1)]), scale,
           source)  # fmt: skip
    echo(f"wrote {out}: {len(rows)}x{len(columns)} mixed images beside those that they come from")


@click.command()
@click.option("-k", "count", type=click.IntRange(1, MOST), default=5, show_default=True,
              help="How many directions, the strongest first; each has a row.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True,
              help="Seed of the image that is edited.")  # fmt: skip
@click.option("--steps", type=click.IntRange(2, MOST), default=7, show_default=True,
              help="Images in a row.")  # fmt: skip
@click.option("--range", "reach", type=click.FloatRange(0, 1e3, min_open=True), default=3.0,
              show_default=True,
              help="How far the first and the last image are moved.")  # fmt: skip
@click.option("--levels", type=_Numbers(_LEVELS),
              help="Of a StyleGAN2: layers whose style is moved; see `kerasgan mix`.  "
              "[default: all]")  # fmt: skip
@_out("directions.png")
@_common
def directions(source, count, seed, steps, reach, levels, out, label, scale, overwrite, backend,
               **sampling):  # fmt: skip
    """Show what an image changes to along the strongest directions of a generator.

    The directions are read off the generator's weights (SeFa), so nothing is trained. Each row
    goes from one side of the image to the other.
    """
    import numpy as np

    model, label, given = _opened(source, label, out, overwrite, backend, sampling)
    amounts = np.linspace(-reach, reach, steps)
    try:
        if label is None and model.num_classes is not None:
            label = 0
        styles = model.styles(1, seed, label, **given)
        given.pop("truncation", None)  # The styles have it.
        images = [
            model.edit(styles, direction, amounts, levels, label, **given)[0]
            for direction in model.directions(count, levels)
        ]
    except ValueError as error:
        text = str(error).replace("`k`", "-k")
        raise click.UsageError(made.with_flags(text)) from error
    _write(out, np.stack(images), scale, source)
    echo(f"wrote {out}: {counted(count, 'direction')}, from {-reach:g} to {reach:g}")


def _opened(source, label, out, overwrite, backend, sampling):
    """Return a model, the number of a class or None, and the sampling options that were given."""
    if out.suffix.lower() != ".png":
        raise click.BadParameter(f"must end in .png. Received: {out}", param_hint="--out")
    refuse_existing(out, overwrite)
    choose_backend(backend)
    model = open_model(source)
    check_pictures(model, source, "--out is a picture")
    label = number_of(label, model, source, class_names(source))
    return model, label, given_sampling(sampling, model, source)


def _write(out, images, scale, source):
    """Write images `(rows, columns, ...)` as a grid."""
    from kerasgan import pictures

    check_finite(images, source)
    out.parent.mkdir(parents=True, exist_ok=True)
    pictures.save_grid(out, images.reshape(-1, *images.shape[2:]), images.shape[1], scale)
