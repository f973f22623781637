"""What the commands share that make images with a model: its class and its sampling options."""

import click

from kerasgan.text import listed
from kerasgan_cli import options as made

label_option = click.option(
    "--label",
    metavar="NAME_OR_NUMBER",
    help="Class of all images of a conditional model: its name, where a run has names, or its "
    "number, from 0.",
)


def sampling_options(command):
    """Add the sampling options of all variants."""
    for entry, takers in reversed(made.sampling().values()):
        command = made.from_catalogue(entry, f"{', '.join(takers)}: {entry.help}")(command)
    return command


def given_sampling(options, model, source):
    """Return the sampling options that were given.

    Raises:
        click.UsageError: If one of them is none of the model's.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in model.sampling_options:
            own = ", ".join(f"--{option}" for option in model.sampling_options) or "none"
            takers = listed(made.sampling()[name][1])
            raise click.UsageError(
                f"--{name} is no option of {source}; its own: {own}. Variants with it: {takers}"
            )
    return given


def number_of(label, model, source, names):
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


def check_pictures(model, source, rule):
    """Raise a usage error if a model's images have too many channels to be shown.

    Args:
        model: The adversarial model.
        source: What the user gave for it.
        rule: What must be the case then, as the beginning of a sentence.
    """
    from kerasgan import pictures

    channels = model.image_shape[-1]
    if channels not in pictures.MODES:
        raise click.UsageError(
            f"{rule}: the images of {source} have {channels} channels, and pictures have 1 to "
            f"{max(pictures.MODES)}."
        )


def check_finite(images, source):
    """Raise an error unless generated images are finite."""
    import numpy as np

    if not np.isfinite(images).all():
        raise click.ClickException(
            f"{source} generates images that are not finite: it has diverged."
        )
