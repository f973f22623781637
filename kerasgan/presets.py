"""The zoo: pretrained models by name, by folder, or by a handle on the hub."""

import contextlib
import difflib
from pathlib import Path

from kerasgan import hub, storage
from kerasgan.files import expanded
from kerasgan.storage import PresetError
from kerasgan.text import quoted


def presets():
    """Return the presets that come with the package, name to folder, sorted by name.

    A folder that lacks one of its files is listed too; loading or verifying it raises the error.
    """
    package = Path(__file__).resolve().parent
    inside = package / "zoo"
    # In a checkout the zoo stands beside the package.
    root = inside if inside.is_dir() else package.parent / "zoo"
    names = (storage.METADATA, *storage.FILES)
    folders = sorted({path.parent for name in names for path in root.glob(f"[!.]*/{name}")})
    return {folder.name: folder for folder in folders}


def find(preset, names=(storage.CONFIG, storage.WEIGHTS)):
    """Return the folder of a preset given by its name, its own folder, or a handle.

    Args:
        preset: The preset. A name of the zoo comes before a folder of the same name; give the
            folder as `./name` or as a `pathlib.Path`.
        names: The files to download beside the metadata, for a handle.

    Raises:
        PresetError: If there is no such preset; similar names are listed.
    """
    if hub.is_handle(preset):
        return hub.fetch(preset, names)
    known = presets()
    if isinstance(preset, str) and preset in known:
        return known[preset]
    folder = Path(preset)
    with contextlib.suppress(OSError, ValueError):  # No possible file name.
        folder = expanded(folder)
        if folder.is_dir():
            return folder
    near = difflib.get_close_matches(str(preset), list(known), n=3, cutoff=0.4)
    found = f"Nearest: {', '.join(near)}" if near else "`kerasgan zoo list` shows the names"
    raise PresetError(
        f"`preset` must be one of the zoo's names, a preset's folder or hf://user/name. {found}. "
        f"Received: {quoted(str(preset))}"
    )


def read(preset, load_weights=True, kind=None):
    """Return the model of a preset; see `kerasgan.from_preset` and `storage.read_preset`."""
    names = (storage.CONFIG, storage.WEIGHTS) if load_weights else (storage.CONFIG,)
    return storage.read_preset(find(preset, names), load_weights, kind)
