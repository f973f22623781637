"""`kerasgan evaluate`: how good a generator is, with what real images score beside it."""

from pathlib import Path

import click

from kerasgan.files import write_json
from kerasgan_cli import stages
from kerasgan_cli.common import backend_option, choose_backend, echo, refuse_existing
from kerasgan_cli.measuring import (
    chosen_extractor,
    data_of,
    fitting_of,
    real_images,
    scoring_options,
    terms,
)
from kerasgan_cli.sources import class_names, find_data, most_images, open_model


@click.command()
@click.argument("source", metavar="PRESET_RUN_OR_FILE")
@click.option("--data", metavar="NAME_OR_PATH",
              help="The real images.  [default: those that a run was trained on]")  # fmt: skip
@click.option("--split", help="Split of a TFDS data set.  [default: train]")
@click.option("--limit", type=click.IntRange(min=1), help="Use only the first so many images.")
@click.option("--upscale/--no-upscale", default=None,
              help="Enlarge images that are smaller than the model's.")  # fmt: skip
@click.option("--bit-depth", type=click.IntRange(9, 16),
              help="Bits that the values of 16-bit images use.")  # fmt: skip
@scoring_options
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the scores there too.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@backend_option
def evaluate(
    source,
    data,
    split,
    limit,
    upscale,
    bit_depth,
    metrics,
    samples,
    seed,
    extractor,
    json_file,
    overwrite,
    backend,
):
    """Score a pretrained model, a run or a .keras file against real images.

    The real images are divided. The generated images are compared with one half; the other half
    is scored in the same way, as a reference. The floor is what a perfect generator scores in the
    mean, where it is known. A run's own data were trained on; a test split is better.

    RUN@best and RUN@12 stand for states that a run keeps; see `kerasgan train --score` and
    --keep-every.
    """
    if json_file is not None:
        refuse_existing(json_file, overwrite)
    if data is not None:
        find_data(data, split)
    choose_backend(backend)
    from kerasgan import metrics as library

    model = open_model(source)
    given = {"split": split, "limit": limit, "upscale": upscale, "bit_depth": bit_depth}
    if data is None:
        data, given = data_of(source, given)
    else:
        given |= fitting_of(source)
    features = chosen_extractor(library, extractor, model.image_shape)
    # As early as can be: images may take long to read.
    shape = (most_images(data, given.get("limit")), *model.image_shape)
    library.check_samples(metrics, samples, shape, features)
    real, called = real_images(model, data, given)
    library.check_samples(metrics, samples, real.images.shape, features)
    results = library.evaluate(
        model,
        real,
        metrics=metrics,
        samples=samples,
        seed=seed,
        extractor=features,
        name=called,
        progress=stages.progress,
    )
    names = real.class_names or class_names(source)
    echo(_text(results, names))
    if json_file is not None:
        found = {"source": source, "class_names": names}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, {**found, "results": [r.as_dict() for r in results]})


def _text(results, class_names):
    from kerasgan.metrics import table

    about = terms(results)
    lines = [
        table(results),
        "",
        f"{about.samples:,} generated images (seed {about.seed}) against {about.real_samples:,} "
        f"real ones of {about.data_name} ({about.data});",
        f"features: {about.extractor}; resize: {about.resize}. Real images: as many others of the "
        "same data.",
    ]
    for result in results:
        if "shares" in result.details:
            lines += ["", *_shares(result.details, class_names)]
    return "\n".join(lines)


def _shares(details, class_names):
    """Return a line for each class: its share of the generated and of the real images."""
    names = {str(i): name for i, name in enumerate(class_names or ())}
    rows = [("class", "generated", "real images")]
    for label, share in details["shares"].items():
        real = details["real shares"][label]
        rows.append((names.get(label, label), f"{share:.2%}", f"{real:.2%}"))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for first, *cells in rows:
        yield "  ".join(
            [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells, widths[1:], strict=True))]
        )
