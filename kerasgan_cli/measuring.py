"""What the commands share that score generators."""

from pathlib import Path

import click

from kerasgan import catalogue
from kerasgan_cli.common import echo, nearest, short_warnings
from kerasgan_cli.sources import run_of


def _names(context, parameter, value):
    if not value:
        return None
    metrics = {score: entry.name for entry in catalogue.METRICS.values() for score in entry.scores}
    metrics.update((name, name) for name in catalogue.METRICS)
    names = [name.strip() for name in value.split(",")]
    for name in names:
        if name not in metrics:
            raise nearest("--metrics", name, list(metrics))
    found = dict.fromkeys(metrics[name] for name in names)
    given = {name: set(catalogue.METRICS[name].scores) for name in found}
    # `coverage` alone is cheaper than the metric that has it among others.
    return [name for name in found if not any(given[name] < other for other in given.values())]


def scoring_options(command):
    """Add the options that say what is scored, and how."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--metrics",
        callback=_names,
        metavar="A,B,...",
        help=f"Some of {', '.join(catalogue.METRICS)}, or of their scores, as recall.  "
        "[default: all]",
    ),
    click.option(
        "--samples",
        type=click.IntRange(100, 10**6),
        default=10000,
        show_default=True,
        help="Generated images; at most half of the real ones.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**32 - 1),
        default=0,
        show_default=True,
        help="Seed of samples, choice of real images and metrics.",
    ),
    click.option(
        "--extractor",
        type=click.Choice(["auto", *catalogue.EXTRACTORS]),
        default="auto",
        show_default=True,
        help="What makes features of the images.",
    ),
)


def chosen_extractor(library, name, image_shape):
    """Return the extractor that is asked for, and say where a better one could be installed."""
    if name != "auto":
        return library.extractors.EXTRACTORS[name]()
    extractor = library.extractors.default_extractor(image_shape)
    if library.extractors.advice(extractor):
        echo(f"note: {library.extractors.advice(extractor)}.", err=True)
    return extractor


def data_of(source, given):
    """Return the data that a run was trained on, and how they were loaded unless `given` says."""
    run = run_of(source)
    if run is None:
        raise click.UsageError("--data is needed: the real images to compare with.")
    own = dict(run.recipe().data)
    kept = (*given, "max_bad", "fit", "background", "name_or_path")
    own = {name: own.get(name) for name in kept}
    data = own.pop("name_or_path")
    return data, {**own, **{k: v for k, v in given.items() if v is not None}}


def fitting_of(source):
    """Return how a run's images got their shape and became opaque, for other ones; {} of no run."""
    run = run_of(source)
    own = {} if run is None else run.recipe().data
    return {name: own.get(name) for name in ("fit", "background")}


def real_images(model, data, given):
    """Return real images of a model's size, and what they are called beside scores.

    Args:
        model: The adversarial model.
        data: A name or a path.
        given: Other arguments of `kerasgan.data.load`; those that are None are left out.
    """
    from kerasgan.data import load

    *sides, channels = model.image_shape
    chosen = {name: value for name, value in given.items() if value is not None}
    with short_warnings():
        real = load(data, image_size=sides, channels=channels, batch_size=1, **chosen)
    called, split = Path(real.name).name, chosen.get("split", "train")
    return real, called if split == "train" else f"{called} {split}"


def terms(results):
    """Return the provenance of scores: of one that looks at features, if there is one."""
    return max(results, key=lambda r: r.provenance.extractor != "pixels").provenance
