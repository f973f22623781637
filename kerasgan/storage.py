"""Models on disk: the whole state in one file, and the folder of a preset."""

import datetime
import json
from pathlib import Path

import keras

from kerasgan.files import atomic, sha256, write_json
from kerasgan.version import __version__

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
FORMAT = 1


class PresetError(ValueError):
    """A preset that is missing, damaged, or not a preset."""


def save_model(model, path):
    """Write the whole state of `model` (networks, optimizers, counters, seeds) to a .keras file."""
    model.synchronize()
    with atomic(path) as temporary:
        model.save(temporary)


def write_preset(model, folder, metadata=None):
    """Write `model` as a preset: config.json, the weights of its networks, and metadata.json.

    Optimizers are left out. The metadata names every file's size and SHA-256 and is written
    last, so that a folder without it is not a preset.

    Args:
        model: An adversarial model.
        folder: Made if it is missing.
        metadata: More entries for metadata.json, as JSON values.

    Returns:
        The metadata that was written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model.synchronize()
    bare = type(model).from_config(model.get_config())  # The same networks, uncompiled.
    for source, target in zip(model.layers, bare.layers, strict=True):
        target.set_weights(source.get_weights())
    write_json(folder / CONFIG, keras.saving.serialize_keras_object(bare))
    with atomic(folder / WEIGHTS) as temporary:
        bare.save_weights(temporary)
    written = {
        "format": FORMAT,
        "kerasgan_version": __version__,
        "keras_version": keras.__version__,
        "date_saved": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d@%H:%M:%S"),
        "parameter_count": {
            "generator": model.generator.count_params(),
            "critic": model.critic.count_params(),
        },
        **(metadata or {}),
        "files": {
            name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)}
            for name in (CONFIG, WEIGHTS)
        },
    }
    write_json(folder / METADATA, written)
    return written


def read_metadata(folder):
    """Return the metadata of the preset in `folder`, without looking at its weights.

    Raises:
        PresetError: If there is none, or it is not readable, or it is newer than this version.
    """
    path = Path(folder) / METADATA
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PresetError(
            f"`preset` must be a folder with {METADATA}, {CONFIG} and {WEIGHTS}. Received: "
            f"{folder}, which has no {METADATA}"
        ) from None
    except (OSError, ValueError) as error:
        raise PresetError(f"The preset's {path} cannot be read: {error}") from error
    version = metadata.get("format") if isinstance(metadata, dict) else None
    if not isinstance(version, int) or not isinstance(metadata.get("files"), dict):
        raise PresetError(f"{path} is not the metadata of a kerasgan preset.")
    if version > FORMAT:
        raise PresetError(
            f"{path} has format {version}; this kerasgan {__version__} reads up to {FORMAT}: "
            "pip install --upgrade kerasgan"
        )
    return metadata


def read_preset(folder, load_weights=True):
    """Return the model of the preset in `folder`, every file checked before it is used.

    Raises:
        PresetError: If a file is missing, damaged or altered.
    """
    folder = Path(folder)
    files = read_metadata(folder)["files"]
    for name in (CONFIG, WEIGHTS) if load_weights else (CONFIG,):
        _verify(folder / name, files.get(name))
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    except (ValueError, TypeError, KeyError) as error:
        raise PresetError(f"{folder / CONFIG} describes no model: {error}") from error
    if load_weights:
        model.load_weights(folder / WEIGHTS)
    return model


def _verify(path, expected):
    if not isinstance(expected, dict) or "sha256" not in expected:
        raise PresetError(f"{path.parent / METADATA} names no checksum for {path.name}.")
    if not path.is_file():
        raise PresetError(f"The preset lacks a file: {path}")
    found = sha256(path)
    if found != expected["sha256"]:
        raise PresetError(
            f"{path} is damaged or was altered: its SHA-256 must be {expected['sha256']}. "
            f"Received: {found} over {path.stat().st_size} bytes"
        )
