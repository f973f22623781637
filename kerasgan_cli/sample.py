"""`kerasgan sample`: images out of a preset, a run or a file."""

import os
from pathlib import Path

import click

from kerasgan.text import listed
from kerasgan_cli import options as made
from kerasgan_cli.common import backend_option, choose_backend, echo, refuse_existing
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


def _sampling_options(command):
    """Add the sampling options of all variants."""
    for entry, takers in reversed(made.sampling().values()):
        command = made.from_catalogue(entry, f"{', '.join(takers)}: {entry.help}")(command)
    return command


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
@click.option("--label", metavar="NAME_OR_NUMBER",
              help="Class of all images of a conditional model: its name, where a run has names, "
              "or its number, from 0.")  # fmt: skip
@click.option("--columns", type=click.IntRange(1, 10**4), help="Images in a row of the grid.")
@click.option("--scale", type=click.IntRange(1, 16), default=1, show_default=True,
              help="Enlarge each pixel of a grid.")  # fmt: skip
@click.option("--batch-size", type=click.IntRange(1, 2**16), default=256, show_default=True,
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
    """Generate images with a pretrained model, a run's model or a .keras file.

    RUN@best and RUN@12 stand for states that a run keeps; see `kerasgan train --score` and
    --keep-every.
    """
    kind = _kind_of(out)
    out = Path(out)
    refuse_existing(out, overwrite)
    choose_backend(backend)
    import numpy as np

    model = open_model(source)
    _check_pictures(kind, model, source)
    names = class_names(source)
    label = _number_of(label, model, source, names)
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
    echo(f"wrote {written}{_of_classes(label, model, names)}")


def _check_pictures(kind, model, source):
    from kerasgan import pictures

    channels = model.image_shape[-1]
    if kind != "array" and channels not in pictures.MODES:
        raise click.UsageError(
            f"--out must end in .npz: the images of {source} have {channels} channels, and "
            f"pictures have 1 to {max(pictures.MODES)}."
        )


def _number_of(label, model, source, names):
    """Return the number of a class that is given by its name or its number; None stays None."""
    if label is None:
        return None
    if model.num_classes is None:
        raise click.UsageError(f"--label is for conditional models, and {source} has no classes.")
    if label in (names or ()):  # A name first: it may be a number, too.
        return names.index(label)
    if not label.isdecimal():
        if names:
            raise click.UsageError(
                f"--label must be one of the classes of {source}, {listed(names)}, or a number. "
                f"Received: {label!r}"
            )
        raise click.UsageError(
            f"--label must be a number: {source} keeps no names of classes. Received: {label!r}"
        )
    if int(label) >= model.num_classes:
        last = model.num_classes - 1
        rule = f"lie in 0..{last}, the classes of" if last else "be 0, the only class of"
        raise click.UsageError(f"--label must {rule} {source}. Received: {label}")
    return int(label)


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
