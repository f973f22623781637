"""`kerasgan export`: a generator for other programs."""

import importlib.util
from pathlib import Path

import click

from kerasgan import catalogue
from kerasgan.environment import MissingPackage
from kerasgan.files import expanded
from kerasgan.text import listed
from kerasgan_cli import options as made
from kerasgan_cli import stages
from kerasgan_cli.common import choose_backend, echo, refuse_existing, without_import_chatter
from kerasgan_cli.sampling import given_sampling, sampling_options
from kerasgan_cli.sources import class_names, open_model

_BACKENDS = sorted({name for kind in catalogue.EXPORTS.values() for name in kind.packages})


@click.command()
@click.argument("source", metavar="PRESET_OR_RUN_OR_FILE")
@click.option("--format", "name", type=click.Choice(list(catalogue.EXPORTS)), default="onnx",
              show_default=True, help="ONNX is a file, a SavedModel a folder.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="A file.onnx, or the folder of a SavedModel.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@sampling_options
@click.option("--backend", type=click.Choice(_BACKENDS),
              help="Keras backend that writes it; by default the installed one that does it "
              "best.")  # fmt: skip
def export(source, name, out, overwrite, backend, **sampling):
    """Write a model's generator as ONNX or as a TensorFlow SavedModel.

    It is the moving average of the generator, as `kerasgan sample` uses it. Its inputs are
    `latent`, and where the model has them `label` and the codes of an InfoGAN; --codes keeps some
    at one value. Its output is `images`, in [-1, 1]. What was written is run on random inputs and
    compared with the model; a difference above 1e-3 is an error, and nothing is kept. Without
    --backend the command takes the installed backend that exports best.
    """
    kind = catalogue.EXPORTS[name]
    out = expanded(out)
    _check_out(kind, out, overwrite)
    try:
        backend = backend or _best(kind)
        kind.check(backend)
    except ValueError as error:
        raise click.UsageError(str(error).replace("`backend`", "--backend")) from error
    choose_backend(backend)
    from kerasgan import serving

    model = open_model(source)
    given = given_sampling(sampling, model, source)
    names = class_names(source)
    try:
        model.checked_sampling(1, **given)
    except ValueError as error:
        raise click.UsageError(made.with_flags(str(error))) from error
    out.parent.mkdir(parents=True, exist_ok=True)
    stages.say(f"writing {kind.title} and comparing it with the model", always=True)
    with without_import_chatter():  # Converters bring other libraries.
        written = serving.write(model, out, name, names, **given)
    stages.clear()
    echo("\n".join(_told(written, kind, model, names, backend)))


def _check_out(kind, out, overwrite):
    refuse_existing(out, overwrite)
    if kind.folder and out.exists():
        own = out.is_dir() and (not any(out.iterdir()) or (out / "saved_model.pb").is_file())
        if not own:
            raise click.UsageError(
                f"--overwrite replaces a {kind.title} alone. Received: {out}, which is something "
                "else"
            )
    if not kind.folder and (out.suffix != ".onnx" or out.is_dir()):
        raise click.UsageError(f"--out must be a file that ends in .onnx. Received: {out}")


def _best(kind):
    """Return the first backend that is installed with all that the format needs there."""
    installed = [name for name in kind.packages if importlib.util.find_spec(name) is not None]
    for name in installed:
        try:
            kind.check(name)
        except MissingPackage:
            continue
        return name
    return (installed or list(kind.packages))[0]


def _told(written, kind, model, names, backend):
    """Return in lines what was written."""
    yield f"wrote {written.path}: {kind.title}, written on {backend}"
    for name, (shape, dtype) in written.inputs.items():
        yield f"  takes {name}: {dtype} {_batch(shape)}{_of_input(name, model, names)}"
    yield f"  gives images: float32 {_batch(model.image_shape)} in [-1, 1]"
    yield f"  its images differ from the model's by at most {written.difference:.1e}"


def _batch(shape):
    return f"({', '.join(map(str, ('n', *shape)))})" if shape else "(n,)"


def _of_input(name, model, names):
    """Return what an input may be, as words that follow its shape."""
    if name == "latent":
        words = {"normal": "from N(0, 1)", "uniform": "from U(-1, 1)"}
        return f", {words.get(model.prior, f'from a {model.prior} distribution')}"
    if name == "label":
        return f", {listed(names) if names else f'0 to {model.num_classes - 1}'}"
    if name.startswith("categorical"):
        return f", 0 to {model.categorical[int(name.rpartition('_')[2])] - 1}"
    return ", in [-1, 1]"
