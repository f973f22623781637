"""Pretrained models by name."""

import difflib
from pathlib import Path

import kerasgan.gans
import kerasgan.networks
from kerasgan import hub, storage
from kerasgan.storage import PresetError


def presets():
    """Return the presets that come with the package, name to folder, sorted by name."""
    package = Path(__file__).resolve().parent
    inside = package / "zoo"
    root = inside if inside.is_dir() else package.parent / "zoo"  # A checkout has it beside.
    return {path.parent.name: path.parent for path in sorted(root.glob("*/metadata.json"))}


def find(preset, load_weights=True):
    """Return the folder of a preset given by its name, its own folder, or a handle.

    Raises:
        PresetError: If there is no such preset; the nearest names are listed.
    """
    if hub.is_handle(preset):
        return hub.fetch(preset, load_weights)
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


def from_preset(preset, load_weights=True):
    """Return a pretrained model, not compiled.

    Every file is checked against its SHA-256 before it is used.

    Args:
        preset: A name from `kerasgan zoo list`, such as "wgan_gp_fashion_mnist", or a folder
            that `save_to_preset` wrote, or a repository of the hub, "hf://user/name", with
            "@revision" behind it if need be (`pip install 'kerasgan[hub]'`).
        load_weights: False gives the same networks with new weights.

    Returns:
        The adversarial model; `sample(n, seed)` draws from it, `compile()` and `fit` go on
        training it.

    Raises:
        PresetError: A ValueError, if the preset is unknown, incomplete, damaged or altered.

    Example:
    ```python
    gan = kerasgan.from_preset("wgan_gp_fashion_mnist")
    images = gan.sample(100, seed=7)  # (100, 28, 28, 1) in [-1, 1]
    ```
    """
    folder = find(preset, load_weights)
    model = storage.read_preset(folder, load_weights)
    if not isinstance(model, kerasgan.gans.AdversarialModel):
        raise PresetError(
            f"{folder} must hold an adversarial model. Received: a {type(model).__name__}"
        )
    return model


def save_to_preset(model, folder, metadata=None, half=False):
    """Write `model` as a preset folder; see `kerasgan.storage.write_preset`."""
    return storage.write_preset(model, folder, metadata, half)


def push_to_hub(model, handle, private=False, metadata=None, half=False):
    """Write `model` as a preset into a repository of the hub; see `kerasgan.hub.push`."""
    return hub.push(model, handle, private, metadata, half)
