"""`kerasgan compare`: trainings side by side, in a table and on a page."""

from pathlib import Path

import click

from kerasgan.files import check_own
from kerasgan.text import printable
from kerasgan_cli import stages
from kerasgan_cli.common import (
    backend_option,
    choose_any_backend,
    choose_backend,
    echo,
    refuse_existing,
)
from kerasgan_cli.measuring import (
    chosen_extractor,
    data_of,
    fitting_of,
    real_images,
    scoring_options,
    terms,
)
from kerasgan_cli.runs import Run
from kerasgan_cli.sources import find_data, open_model

_LOADING = ("split", "limit", "upscale", "bit_depth")


@click.command()
@click.argument("folders", metavar="RUN RUN...", nargs=-1, required=True,
                type=click.Path(exists=True, file_okay=False, path_type=Path))  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default="compare.html",
              show_default=True, help="The page.")  # fmt: skip
@click.option("--score", is_flag=True,
              help="Score all on equal terms: the same number of images, seed, features and real "
              "images. --metrics and --data ask for it, too.")  # fmt: skip
@click.option("--data", metavar="NAME_OR_PATH",
              help="The real images.  [default: those that all were trained on]")  # fmt: skip
@scoring_options
@click.option("--overwrite", is_flag=True, help="Replace an existing page.")
@backend_option
def compare(folders, out, score, data, metrics, samples, seed, extractor, overwrite, backend):
    """Compare runs: what they are, what they reached, and in which options they differ.

    The page has the last grid of each run, the losses and scores over the steps, and the options
    that differ. Nothing is trained, and without --score nothing is generated.
    """
    refuse_existing(out, overwrite)
    if len(folders) < 2:
        raise click.UsageError(f"there must be two runs or more. Received: {folders[0]}")
    for folder in folders:
        Run(folder).recipe()  # Or an error says that it is no run.
        check_own(folder)
    score = score or data is not None or metrics is not None
    if score:
        data, given = _real(folders, data)
        choose_backend(backend)
    else:
        choose_any_backend()
    from kerasgan.report import Comparison

    found = Comparison(folders)
    names = [side.name for side in found.sides]
    scores, note = None, ""
    if score:
        scores, note = _scored(folders, data, given, metrics, samples, seed, extractor)
    rows = [("", names), *found.facts()]
    echo(_lines(rows))
    differences = found.differences()
    if differences:
        options = _lines([("", names), *differences])
        echo(f"\nwhat differs in the options (- is the default)\n\n{options}")
    if scores:
        echo(f"\n{_lines(_score_rows(names, scores))}\n\n{note}")
    out.parent.mkdir(parents=True, exist_ok=True)
    found.write(out, scores, note)
    echo(f"\nwrote {out}")


def _real(folders, data):
    """Return the real images to compare with, and how they are loaded."""
    if data is not None:
        find_data(data)
        return data, fitting_of(folders[0])
    first, *others = folders
    for other in others:
        if _images(other) != _images(first):
            raise click.UsageError(
                "--data is needed: the runs were trained on different images, and scores on equal "
                f"terms need one set. Received: {printable(first)} and {printable(other)}"
            )
    return data_of(first, dict.fromkeys(_LOADING))


def _images(folder):
    """Return what identifies the images of a run; of an early version's it is their place."""
    options = Run(folder).options()
    own = options.get("content") or Run(folder).recipe().data["name_or_path"]
    return options["images"], own


def _scored(folders, data, given, metrics, samples, seed, extractor):
    """Return the scores of each run, and a sentence on what they depend on."""
    from kerasgan import metrics as library

    models = []
    for folder in folders:
        stages.say(f"loading {printable(folder)}")
        models.append(open_model(str(folder)))
    stages.clear()
    shapes = [model.image_shape for model in models]
    for folder, shape in zip(folders, shapes, strict=True):
        if shape != shapes[0]:
            sizes = "x".join(map(str, shapes[0])), "x".join(map(str, shape))
            raise click.UsageError(
                "--score compares runs whose images have one size. Received: "
                f"{printable(folders[0])} of {sizes[0]} and {printable(folder)} of {sizes[1]}"
            )
    features = chosen_extractor(library, extractor, shapes[0])
    real, called = real_images(models[0], data, given)
    library.check_samples(metrics, samples, real.images.shape, features)
    evaluator = library.Evaluator(
        real,
        metrics=metrics,
        samples=samples,
        seed=seed,
        extractor=features,
        name=called,
        progress=stages.progress,
    )
    scores = [evaluator(model) for model in models]
    about = terms(scores[0])
    note = (
        f"{about.samples:,} generated images of each (seed {about.seed}) against "
        f"{about.real_samples:,} real ones of {about.data_name} ({about.data}); features: "
        f"{about.extractor}. Real images: as many others of the same data."
    )
    return scores, note


def _score_rows(names, scores):
    from kerasgan.report.compare import scores_text

    yield "score", [*names, "real images", ""]
    for name, cells, real, better, best in scores_text(names, scores):
        marked = [cell + (" *" if i in best else "") for i, cell in enumerate(cells)]
        yield name, [*marked, real, better]


def _lines(rows):
    """Return rows of a name and some texts as lines with aligned columns."""
    table = [[name, *values] for name, values in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
