"""The images of a run: how they are read, and whether they are still the same."""

import shlex

import click

from kerasgan import catalogue, data
from kerasgan.data import advice, content, copies, labels
from kerasgan.files import atomic
from kerasgan.text import listed, printable
from kerasgan_cli import stages
from kerasgan_cli.common import echo, short_warnings
from kerasgan_cli.options import with_flags


def load(recipe, resume=None):
    """Return the `ImageDataset` of a recipe, of a run that goes on where `resume` is given."""
    stages.say("reading the images", always=True)
    try:
        with short_warnings():
            return recipe.load(lambda done, total: stages.say(f"reading images {done}/{total}"))
    except data.UnknownDataError as error:
        if resume:
            place = recipe.data["name_or_path"]
            raise _other_images(place, "there are none") from error
        raise click.BadParameter(with_flags(str(error)), param_hint="--data") from error
    except data.DataError as error:
        raise click.ClickException(with_flags(str(error))) from error


def classes(recipe, dataset):
    """Return the number of classes of a conditional recipe, or None."""
    if not recipe.conditional:
        return None
    if dataset.labels is None:
        raise ValueError(
            f"--conditional needs labels, and {dataset.name} has none: "
            f"{dataset.unlabelled or 'the source gives no labels'}."
        )
    if dataset.labels.min() < 0:
        raise ValueError(
            f"--conditional needs labels from 0 on. Received: {dataset.labels.min()} in "
            f"{dataset.name}"
        )
    return int(dataset.labels.max()) + 1


def check_same_data(folder, recipe, dataset):
    """Raise ValueError unless a run is resumed on its own images; see `kerasgan.data.content`."""
    then, place = folder.options(), recipe.data["name_or_path"]
    now, wanted = dataset.class_names, then.get("classes")
    found = []
    if dataset.num_examples != then["images"]:
        found.append(f"there are {dataset.num_examples:,} images, not {then['images']:,}")
    if "content" not in then:
        if now and catalogue.source_of(place) == "folder":
            wanted = sorted(now)  # The order in which earlier versions numbered the classes.
        if place != folder.recipe().data["name_or_path"]:
            echo(
                "note: an earlier version wrote this run, and did not note what identifies its "
                "images. Only their number can be compared.",
                err=True,
            )
    else:
        if sorted(wanted or ()) != sorted(now or ()):
            found.append(f"the classes are {_names(now)}, not {_names(wanted)}")
        found += content.differences(then["content"] or {}, dataset.content or {})
    if found:
        raise _other_images(place, "; ".join(found))
    if wanted and now:
        dataset.labels, dataset.class_names = labels.in_order(dataset.labels, now, wanted)


def _other_images(place, found):
    return ValueError(
        "--resume goes on with the images that the run began with; where they were moved, "
        f"--data gives their new place. Received: {place}, where {found}"
    )


def _names(classes):
    return listed(classes) if classes else "none"


def say_what_is_short(recipe, dataset):
    """Say that there are few images, or that some are there twice, in a line each."""
    place = recipe.data["name_or_path"]
    if dataset.num_examples < advice.FEW:
        loss = recipe.arguments.get("loss", catalogue.VARIANTS[recipe.variant].loss)
        augment = "ada" if catalogue.LOSSES[loss].has_zero else "diffaugment"
        helps = [] if recipe.augment else [f"--augment {augment}"]
        helps += [] if dataset.mirror else ["--mirror (where left and right mean nothing)"]
        helping = f" Of help: {' and '.join(helps)}." if helps else ""
        echo(f"note: {advice.few_images(dataset.num_examples)}{helping}", err=True)
    source = catalogue.source_of(place)
    if source is None or not catalogue.SOURCES[source].path:
        return  # Nobody would remove images from a data set with a name.
    if copies.few_enough(dataset.images):
        stages.say("looking for copies among the images")
        count = len(copies.pairs(copies.equal(dataset.images)))
        stages.clear()
        what = "is an exact copy of another" if count == 1 else "are exact copies of others"
        if count:
            echo(
                f"note: {count:,} of {dataset.num_examples:,} images {what}; `kerasgan data "
                f"{shlex.quote(str(place))}` lists them.",
                err=True,
            )


def list_skipped(folder, dataset):
    """Write into a run the files that could not be used, and say so."""
    if not dataset.skipped:
        return
    # A file's name may hold tabs and newlines, or be no text at all.
    lines = [f"{printable(path)}\t{printable(reason)}\n" for path, reason in dataset.skipped]
    with atomic(folder.skipped) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
    what = "unusable file or link" if len(lines) == 1 else "unusable files and links"
    echo(f"skipped {len(lines)} {what}, listed in {folder.skipped}", err=True)
