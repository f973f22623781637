"""`kerasgan sample`: images out of a preset, a run or a file."""

import os
from pathlib import Path

import click

from kerasgan_cli import options as made
from kerasgan_cli.common import backend_option, choose_backend, refuse_existing
from kerasgan_cli.sources import open_model


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


def _sampling_options(command):
    """Add the sampling options of all variants."""
    for entry, takers in reversed(made.sampling().values()):
        command = made.from_catalogue(entry, f"{', '.join(takers)}: {entry.help}")(command)
    return command


@click.command()
@click.argument("source", metavar="PRESET_OR_RUN_OR_FILE")
@click.option("-n", "count", type=click.IntRange(min=1), default=100, show_default=True,
              help="Number of images.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Seed of the latent vectors.")  # fmt: skip
@click.option("--out", type=click.Path(), default="samples.png", show_default=True,
              help="A grid.png, a folder/ of single files, or an array.npz.")  # fmt: skip
@click.option("--interpolate", type=_Seeds(),
              help="Walk in -n steps between the latent vectors of two seeds.")  # fmt: skip
@click.option("--label", type=click.IntRange(min=0),
              help="Class of all images of a conditional model.")  # fmt: skip
@click.option("--columns", type=click.IntRange(min=1), help="Images in a row of the grid.")
@click.option("--scale", type=click.IntRange(1, 16), default=1, show_default=True,
              help="Enlarge each pixel of a grid.")  # fmt: skip
@click.option("--batch-size", type=click.IntRange(min=1), default=256, show_default=True,
              help="Images computed at a time.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@_sampling_options
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
    """Generate images with a pretrained model, a run's model or a .keras file."""
    kind = _kind_of(out)
    out = Path(out)
    refuse_existing(out, overwrite)
    choose_backend(backend)
    import numpy as np

    model = open_model(source)
    _check_label(label, model, source)
    given = {name: value for name, value in sampling.items() if value is not None}
    for name in given:
        if name not in model.sampling_options:
            own = ", ".join(f"--{option}" for option in model.sampling_options) or "none"
            raise click.UsageError(f"--{name} is no option of {source}; its own: {own}")
    try:
        if interpolate is None:
            images = model.sample(count, seed, label, batch_size, **given)
        else:
            images = model.interpolate(count, *interpolate, label, batch_size, **given)
    except ValueError as error:
        raise click.UsageError(made.with_flags(str(error))) from error
    if not np.isfinite(images).all():
        raise click.ClickException(
            f"{source} generates images that are not finite: it has diverged."
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    written = {"grid": _grid, "folder": _folder, "array": _array}[kind](out, images, columns, scale)
    click.echo(f"wrote {written}")


def _check_label(label, model, source):
    if label is None:
        return
    if model.num_classes is None:
        raise click.UsageError(f"--label is for conditional models, and {source} has no classes.")
    if label >= model.num_classes:
        raise click.UsageError(
            f"--label must lie in 0..{model.num_classes - 1}, the classes of {source}. Received: "
            f"{label}"
        )


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
    return f"{out}: a grid of {len(images)} images"


def _folder(out, images, columns, scale):
    from kerasgan import pictures

    out.mkdir(parents=True, exist_ok=True)
    digits = max(4, len(str(len(images) - 1)))
    for i, image in enumerate(images):
        pictures.save_grid(out / f"{i:0{digits}d}.png", image[None], scale=scale)
    return f"{len(images)} images into {out}"


def _array(out, images, columns, scale):
    import numpy as np

    from kerasgan.files import atomic

    with atomic(out) as temporary:
        np.savez_compressed(temporary, images=images)
    return f"{out}: `images`, float32 {images.shape} in [-1, 1]"
