"""What PRESET_OR_RUN_OR_FILE and NAME_OR_PATH can be."""

from pathlib import Path

import click

from kerasgan import catalogue
from kerasgan.files import expanded
from kerasgan.text import listed, told
from kerasgan_cli.common import nearest
from kerasgan_cli.runs import Run


def open_model(source):
    """Return the model of a preset, of a run, of one of a run's states, or of a .keras file.

    Args:
        source: A preset's name, folder or handle, the folder of a run, `RUN@best` or `RUN@12` (see
            `kerasgan_cli.runs.Run.states`), or a file.
    """
    from kerasgan import from_preset, presets, storage

    path = expanded(source)
    if _is_preset(source):
        return from_preset(source)
    if "@" in source and not path.exists():
        return _open_state(source)
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


def _open_state(source):
    """Return the model of a run in one of its states, of `RUN@STATE`."""
    place, _, name = source.rpartition("@")
    path = expanded(place)
    if _is_preset(place):
        raise click.UsageError(
            f"@ goes with a run, which may keep several states; the preset {place} has one. "
            f"Received: {source}"
        )
    if not path.exists():
        raise click.UsageError(f"{place} does not exist. Received: {source}")
    if not Run.is_run(path):
        raise click.UsageError(f"@ goes with the folder of a run. Received: {source}")
    run = Run(path)
    states = run.states()
    file = states.get(str(int(name)) if name.isdecimal() else name)
    if file is None:
        kept = f"it keeps {listed(states, 40)}" if states else "it keeps none yet"
        raise click.UsageError(
            f"@ must name a state of the run: best, which `kerasgan train --score` keeps, or an "
            f"epoch that was kept, as by --keep-every. Received: {source}; {kept}"
        )
    if file.suffix == ".keras":
        return load_file(file)
    return _with_snapshot(load_file(run.model_file()), file)


def _with_snapshot(model, file):
    """Return a model in a state that the guard of its training kept."""
    from kerasgan.collapse import snapshot

    found = snapshot.Snapshot.read(file)
    if not snapshot.fits(found, model):
        raise click.ClickException(f"{file} does not fit the run's model: its training changed it.")
    snapshot.put_back(found, model)
    return model


def class_names(source):
    """Return the names of the classes that a model of `open_model` generates, or None."""
    from kerasgan import presets, storage

    if not _is_preset(source):
        run = run_of(source)
        return None if run is None else run.classes()
    names = storage.read_metadata(presets.find(source, ())).get("classes")
    named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if named else None


def run_of(source):
    """Return the `Run` that what `open_model` opens belongs to, or None."""
    return None if _is_preset(source) else Run.of(source)


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
    return str(path.resolve()) if catalogue.SOURCES[source].path else name_or_path


def most_images(name_or_path, limit=None):
    """Return how many images there are at most, or None where only reading them would tell.

    Args:
        name_or_path: Their name or path.
        limit: How many are asked for, or None.
    """
    count = None
    if catalogue.source_of(name_or_path) == "folder":
        from kerasgan.data.folder_files import list_files

        count = len(list_files(expanded(name_or_path))[0])
    return min((n for n in (count, limit) if n is not None), default=None)


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
