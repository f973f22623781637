"""`kerasgan sample`: images out of a preset, a run or a file."""

import os
from pathlib import Path

import click

from kerasgan.text import counted, listed
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


class _Seeds(click.ParamType):
    name = "A:B"

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        try:
            first, last = (int(part) for part in value.split(":"))
            if first < 0 or last < 0:
                raise ValueError
        except ValueError:
            self.fail(f"must be two seeds, such as 3:8. Received: {value!r}", param, ctx)
        return first, last


@click.command()
@click.argument("source", metavar="PRESET_OR_RUN_OR_FILE")
@click.option("-n", "count", type=click.IntRange(1, 10**6), default=100, show_default=True,
              help="Number of images.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True,
              help="Seed of the latent vectors.")  # fmt: skip
@click.option("--out", type=click.Path(), default="samples.png", show_default=True,
              help="A grid.png, a folder/ of single files, or an array.npz.")  # fmt: skip
@click.option("--interpolate", type=_Seeds(),
              help="Walk in -n steps between the latent vectors of two seeds.")  # fmt: skip
@label_option
@click.option("--columns", type=click.IntRange(1, 10**4), help="Images in a row of the grid.")
@click.option("--scale", type=click.IntRange(1, 16), default=1, show_default=True,
              help="Enlarge each pixel of a grid.")  # fmt: skip
@click.option("--batch-size", type=click.IntRange(1, 2**16), default=256, show_default=True,
              help="Images computed at a time.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@sampling_options
@backend_option
def sample(
    source,
    count,
    seed,
    out,
    interpolate,
    label,
    columns,
    scale,
    batch_size,
    overwrite,
    backend,
    **sampling,
):
    """Generate images with a pretrained model, a run's model or a .keras file.

    RUN@best and RUN@12 stand for states that a run keeps; see `kerasgan train --score` and
    --keep-every.
    """
    kind = _kind_of(out)
    out = Path(out)
    refuse_existing(out, overwrite)
    choose_backend(backend)
    model = open_model(source)
    if kind != "array":
        check_pictures(model, source, "--out must end in .npz")
    names = class_names(source)
    label = number_of(label, model, source, names)
    given = given_sampling(sampling, model, source)
    try:
        if interpolate is None:
            images = model.sample(count, seed, label, batch_size, **given)
        else:
            images = model.interpolate(count, *interpolate, label, batch_size, **given)
    except ValueError as error:
        raise click.UsageError(made.with_flags(str(error))) from error
    check_finite(images, source)
    out.parent.mkdir(parents=True, exist_ok=True)
    written = {"grid": _grid, "folder": _folder, "array": _array}[kind](out, images, columns, scale)
    echo(f"wrote {written}{_of_classes(label, model, names)}")


def _of_classes(label, model, names):
    """Return of which classes the images are, as words that follow what was written."""
    if model.num_classes is None or not names:
        return ""
    if label is None:
        return f"; classes drawn from {listed(names)}"
    return f"; class {names[label] if label < len(names) else label}"


def _kind_of(out):
    suffix = Path(out).suffix.lower()
    if out.endswith(os.sep) or suffix == "" or Path(out).is_dir():
        return "folder"
    if suffix in (".png", ".npz"):
        return {".png": "grid", ".npz": "array"}[suffix]
    raise click.BadParameter(
        f"must end in .png or .npz, or be a folder. Received: {out}", param_hint="--out"
    )


def _grid(out, images, columns, scale):
    from kerasgan import pictures

    pictures.save_grid(out, images, columns, scale)
    return f"{out}: a grid of {counted(len(images), 'image')}"


def _folder(out, images, columns, scale):
    from kerasgan import pictures

    out.mkdir(parents=True, exist_ok=True)
    digits = max(4, len(str(len(images) - 1)))
    for i, image in enumerate(images):
        pictures.save_grid(out / f"{i:0{digits}d}.png", image[None], scale=scale)
    return f"{counted(len(images), 'image')} into {out}"


def _array(out, images, columns, scale):
    import numpy as np

    from kerasgan.files import atomic

    with atomic(out) as temporary:
        np.savez_compressed(temporary, images=images)
    return f"{out}: `images`, float32 {images.shape} in [-1, 1]"
