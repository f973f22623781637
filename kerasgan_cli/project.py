"""`kerasgan project`: the vectors whose images look like given pictures."""

from pathlib import Path

import click

from kerasgan.files import atomic, expanded
from kerasgan.text import counted, printable
from kerasgan_cli import options as made
from kerasgan_cli import stages
from kerasgan_cli.common import backend_option, choose_backend, echo, refuse_existing
from kerasgan_cli.sampling import check_pictures, label_option, number_of
from kerasgan_cli.sources import class_names, open_model

MOST = 64  # Pictures, which are projected together.


@click.command()
@click.argument("source", metavar="PRESET_OR_RUN_OR_FILE")
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...",
                type=click.Path(exists=True, dir_okay=False))  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default="projected",
              show_default=True, help="A folder.")  # fmt: skip
@click.option("--steps", type=click.IntRange(1, 10**6), default=500, show_default=True,
              help="Steps of the search.")  # fmt: skip
@click.option("--distance", type=click.Choice(["features", "pixels"]),
              help="What is to be alike: features of EfficientNet-Lite0, or pixels alone.  "
              "[default: features, where they are installed]")  # fmt: skip
@label_option
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True,
              help="Seed of the search.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@backend_option
def project(source, pictures, out, steps, distance, label, seed, overwrite, backend):
    """Find the vectors of a model whose images look most like pictures.

    Each picture is cropped to the shape of the model's images first. The folder gets projected.png,
    with the pictures above what was found, and styles.npz with the vectors, as `gan.styles` returns
    them.
    """
    if len(pictures) > MOST:
        raise click.UsageError(f"PICTURE... must be at most {MOST}. Received: {len(pictures)}")
    out = expanded(out)
    for name in ("projected.png", "styles.npz"):
        refuse_existing(out / name, overwrite)
    choose_backend(backend)
    import numpy as np

    from kerasgan import pictures as written

    model = open_model(source)
    check_pictures(model, source, "PICTURE... are pictures")
    label = number_of(label, model, source, class_names(source))
    targets = np.stack([_read(path, model) for path in pictures])
    out.mkdir(parents=True, exist_ok=True)  # Before minutes are spent.
    stages.say("preparing the search", always=True)
    try:
        found = model.project(
            targets,
            steps,
            distance,
            label,
            seed,
            lambda done, total: stages.say(f"step {done}/{total}"),
        )
    except ValueError as error:
        raise click.UsageError(made.with_flags(str(error))) from error
    stages.clear()
    both = np.concatenate([targets.astype("float32") / 127.5 - 1.0, found.images])
    written.save_grid(out / "projected.png", both, len(targets))
    with atomic(out / "styles.npz") as temporary:
        np.savez_compressed(temporary, styles=found.styles, distances=found.distances)
    for path, distance in zip(pictures, found.distances, strict=True):
        echo(f"  {printable(path)}: {distance:.4g} away, by {found.distance}")
    echo(f"wrote {out}: projected.png and styles.npz of {counted(len(targets), 'picture')}")


def _read(path, model):
    """Return a picture as uint8 of a model's shape."""
    from kerasgan.data import fitting
    from kerasgan.data.picture_files import open_picture

    *sides, channels = model.image_shape
    try:
        with open_picture(path) as image:
            image = fitting.upright(image)
            if [image.height, image.width] != sides:
                echo(
                    f"note: {printable(path)} has {image.width}x{image.height} pixels; it is "
                    f"cropped and resized to the model's {sides[1]}x{sides[0]}.",
                    err=True,
                )
            return fitting.fitted(image, {"image_size": sides, "upscale": True}, channels)
    except (OSError, ValueError, SyntaxError) as error:
        raise click.UsageError(f"{printable(path)} is no picture: {error}") from error
