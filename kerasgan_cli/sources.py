"""What PRESET_OR_RUN_OR_FILE and NAME_OR_PATH can be."""

from pathlib import Path

import click

from kerasgan import catalogue
from kerasgan.files import expanded
from kerasgan.text import told
from kerasgan_cli.common import nearest
from kerasgan_cli.runs import Run


def open_model(source):
    """Return the model of a preset's name, folder or handle, of a run, or of a .keras file."""
    from kerasgan import from_preset, presets, storage

    path = expanded(source)
    if _is_preset(source):
        return from_preset(source)
    if path.is_dir():
        if not Run.is_run(path):
            raise click.UsageError(
                f"{source} is neither a run folder (options.json, checkpoint.keras) nor a "
                f"preset's folder ({storage.METADATA})."
            )
        return load_file(Run(path).model_file())
    if path.is_file():
        return load_file(path)
    if path.suffix or "/" in source:
        raise click.UsageError(f"{source} does not exist.")
    raise nearest("PRESET", source, list(presets.presets()))


def class_names(source):
    """Return the names of the classes that a model of `open_model` generates, or None."""
    from kerasgan import presets, storage

    if not _is_preset(source):
        run = Run.of(source)
        return None if run is None else run.classes()
    names = storage.read_metadata(presets.find(source, ())).get("classes")
    named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if named else None


def about(source):
    """Return the title of what `open_model` takes, and lines about its licence and its images."""
    from kerasgan import presets, storage

    if not _is_preset(source):
        run = Run.of(source)
        name = expanded(source).name or source
        if run is None:
            return told(name), []
        recipe = run.recipe()
        images = Path(recipe.data["name_or_path"]).name
        kind = catalogue.VARIANTS[recipe.variant].title
        return told(run.folder.resolve().name), [told(f"{kind}, trained on {images}")]
    metadata = storage.read_metadata(presets.find(source, ()))
    words = {"license": "Licence of the weights", "attribution": "Training images"}
    lines = [f"{word}: {told(metadata[key])}" for key, word in words.items() if key in metadata]
    return told(metadata.get("title", source)), lines


def _is_preset(source):
    from kerasgan import hub, presets, storage

    known = source in presets.presets() or hub.is_handle(source)
    return known or (expanded(source) / storage.METADATA).exists()


def find_data(name_or_path, split=None, flag="--data", **others):
    """Return the name or the path of images, a path as an absolute one; they are not read.

    Args:
        name_or_path: What the user gave.
        split: What `--split` is given.
        flag: Where the user gave it.
        **others: Other arguments of `kerasgan.data.load`, which are not looked at.
    """
    source = catalogue.source_of(name_or_path)
    if source is None:
        raise click.BadParameter(
            "must be a path that exists, or the name of a data set, such as avatars or mnist. "
            f"Received: {name_or_path}",
            param_hint=flag,
        )
    if split not in (None, "train") and not catalogue.SOURCES[source].splits:
        takers = [key for key, entry in catalogue.SOURCES.items() if entry.splits]
        raise click.BadParameter(
            f"goes with data of the kinds {' and '.join(takers)}. Received: {split} of "
            f"{name_or_path}",
            param_hint="--split",
        )
    path = expanded(name_or_path)
    return str(path.resolve()) if source in ("folder", "array") else name_or_path


def load_file(path):
    """Return the adversarial model in a .keras file; see `kerasgan.storage.load_model`."""
    from kerasgan import AdversarialModel, storage

    try:
        model = storage.load_model(path)
    except storage.PresetError as error:
        raise click.ClickException(str(error)) from error
    if not isinstance(model, AdversarialModel):
        raise click.ClickException(
            f"{path} must hold an adversarial model. Received: a {type(model).__name__}"
        )
    return model
