"""The zoo: pretrained models by name, by folder, or by a handle on the hub."""

import difflib
from pathlib import Path

import keras

from kerasgan import hub, storage
from kerasgan.storage import PresetError


def presets():
    """Return the presets that come with the package, name to folder, sorted by name."""
    package = Path(__file__).resolve().parent
    inside = package / "zoo"
    root = inside if inside.is_dir() else package.parent / "zoo"  # A checkout has it beside.
    return {path.parent.name: path.parent for path in sorted(root.glob("*/metadata.json"))}


def find(preset, names=(storage.CONFIG, storage.WEIGHTS)):
    """Return the folder of a preset given by its name, its own folder, or a handle.

    Args:
        preset: The preset.
        names: The files that are needed, beside the metadata, if they must be downloaded.

    Raises:
        PresetError: If there is no such preset; the nearest names are listed.
    """
    if hub.is_handle(preset):
        return hub.fetch(preset, names)
    known = presets()
    if str(preset) in known:
        return known[str(preset)]
    folder = Path(preset).expanduser()
    if folder.is_dir():
        return folder
    near = difflib.get_close_matches(str(preset), list(known), n=3, cutoff=0.4)
    raise PresetError(
        f"`preset` must be one of the zoo's names, a preset's folder or hf://user/name. Nearest: "
        f"{', '.join(near or list(known)) or 'none, the zoo is empty'}. Received: {str(preset)!r}"
    )


def read(preset, load_weights=True, kind=keras.Model):
    """Return what a preset holds; see `kerasgan.from_preset` and `storage.read_preset`."""
    names = (storage.CONFIG, storage.WEIGHTS) if load_weights else (storage.CONFIG,)
    return storage.read_preset(find(preset, names), load_weights, kind)
