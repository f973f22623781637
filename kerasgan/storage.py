"""Models on disk: the whole state in one file, and the folder of a preset.

Keras, h5py and NumPy are imported by the functions that need them, so that the metadata and the
checksums of a preset can be read without a backend.
"""

import contextlib
import datetime
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

from kerasgan.files import (
    atomic,
    check_archive,
    check_text,
    read_json,
    sha256,
    sweep,
    temporary_beside,
    write_json,
)
from kerasgan.foreign import check_arrays, unsafe_classes
from kerasgan.text import clipped, printable, short
from kerasgan.version import __version__

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
NOTES = "notes.json"
GOLDEN, GOLDEN_SEED, GOLDEN_COUNT = "golden.npz", 1, 16
FILES = (CONFIG, WEIGHTS, GOLDEN)
FORMAT = 1
LARGEST_FILE = 16 << 30  # Bytes of a file of a preset.
RESERVED = {"format", "files", "kerasgan_version", "keras_version", "date_saved", "parameter_count"}


class PresetError(ValueError):
    """A preset that is missing, damaged, or not a preset."""


def save_model(model, path, notes=None):
    """Write the whole state of `model` (networks, optimizers, counters, seeds) to a .keras file.

    Args:
        model: An adversarial model.
        path: The file.
        notes: JSON values to keep in the file as well, as its member `NOTES`.
    """
    model.synchronize()
    with atomic(path) as temporary:
        model.save(temporary)
        if notes is not None:
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(NOTES, json.dumps(notes))


def write_preset(model, folder, metadata=None, half=False):
    """Write `model` as a preset: config.json, the weights of its networks, and metadata.json.

    Optimizers are left out. golden.npz holds a few samples of the written model, which `kerasgan
    zoo verify` compares with new ones. The metadata holds every file's size and SHA-256 and is
    written last: a folder without it is not a preset.

    Args:
        model: An adversarial model.
        folder: The preset's folder, made if it is missing.
        metadata: More entries for metadata.json, as JSON values. Of these, the command line reads
            `classes`, a list of the names of the classes of a conditional model.
        half: Whether the weights are rounded to float16, which halves the file. They are loaded as
            float32 again, and the samples differ a little from those of `model`.

    Returns:
        The metadata that was written.

    Raises:
        PresetError: If the metadata are not JSON values or have a reserved name, if the networks
            cannot be written as a configuration, or if the folder cannot be written.
    """
    metadata = dict(metadata or {})
    reserved = sorted(metadata.keys() & RESERVED)
    if reserved:
        raise PresetError(f"`metadata` must not have the entries {', '.join(reserved)}.")
    try:
        json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PresetError(f"`metadata` must hold JSON values: {error}") from error
    model.synchronize()
    try:
        return _write(model, Path(folder), metadata, half)
    except OSError as error:
        raise PresetError(f"{folder} cannot be written: {error}") from error


def _write(model, folder, metadata, half):
    import keras

    folder.parent.mkdir(parents=True, exist_ok=True)
    # Every new file is written, on the same disk, before the first file of an older preset is
    # replaced.
    beside = folder if folder.is_dir() else folder.parent
    sweep(beside)
    temporary = temporary_beside(beside / folder.name)
    temporary.mkdir()
    try:
        _write_files(model, temporary, half)
        written = {
            "format": FORMAT,
            "kerasgan_version": __version__,
            "keras_version": keras.__version__,
            "date_saved": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d@%H:%M:%S"),
            "parameter_count": {
                "generator": model.generator.count_params(),
                "critic": model.critic.count_params(),
            },
            **metadata,
            "files": {name: described(temporary / name) for name in FILES},
        }
        write_json(temporary / METADATA, written)
        folder.mkdir(exist_ok=True)
        for name in (*FILES, METADATA):
            os.replace(temporary / name, folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return written


def _write_files(model, folder, half):
    import keras
    import numpy as np

    with in_float32():  # For golden samples that do not depend on the policy of the training.
        try:
            bare = type(model).from_config(model.get_config())  # The same networks, uncompiled.
        except (ValueError, TypeError) as error:
            raise PresetError(f"the networks cannot be written as a preset: {error}") from error
    _copy_weights(model, bare)
    write_json(folder / CONFIG, keras.saving.serialize_keras_object(bare))
    read_config(folder)  # A configuration that could not be loaded must not be saved.
    bare.save_weights(folder / WEIGHTS)
    if half:
        _halve(folder / WEIGHTS)
        bare.load_weights(folder / WEIGHTS)
    golden = bare.sample(GOLDEN_COUNT, seed=GOLDEN_SEED).astype("float16")
    np.savez_compressed(folder / GOLDEN, images=golden, seed=GOLDEN_SEED)


def _copy_weights(source, target):
    """Give `target` the weights of `source`: those of its layers and those of the model itself."""
    if len(source.weights) == len(target.weights):
        target.set_weights(source.get_weights())
        return
    # `source` made weights in training that a new model of its configuration does not have.
    for layer, copied in zip(source.layers, target.layers, strict=True):
        copied.set_weights(layer.get_weights())


@contextlib.contextmanager
def in_float32():
    """Make the layers that are built inside the block compute in float32."""
    import keras

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def _halve(path):
    """Round the floats in an HDF5 file to float16, compressed."""
    import h5py
    import numpy as np

    stored = []

    def read(name, item):
        if isinstance(item, h5py.Dataset):
            value = item[()]
            stored.append((name, value.astype("float16") if value.dtype == "float32" else value))

    with h5py.File(path) as file, np.errstate(over="ignore"):
        file.visititems(read)
    for name, value in stored:
        if not np.isfinite(value).all():
            raise PresetError(f"{name} has values that float16 cannot hold; use half=False.")
    with h5py.File(path, "w") as file:
        for name, value in stored:
            packed = {"compression": "gzip", "shuffle": True} if value.ndim else {}
            file.create_dataset(name, data=value, **packed)


def golden_samples(folder):
    """Return the images of golden.npz, float32 in [-1, 1], and their seed.

    Raises:
        PresetError: If the file holds no such images.
    """
    import numpy as np

    path = Path(folder) / GOLDEN
    try:
        with np.load(check_archive(path), allow_pickle=False) as stored:
            images, seed = stored["images"].astype("float32"), int(stored["seed"])
    except Exception as error:  # NumPy raises many kinds of errors for files that are damaged.
        raise PresetError(f"{path} holds no golden samples: {short(error)}") from error
    if images.ndim != 4 or not len(images) or seed < 0:
        raise PresetError(f"{path} holds no golden samples: images of shape {images.shape}")
    return images, seed


def read_metadata(folder):
    """Return the metadata of the preset in `folder`; its other files are not read.

    Raises:
        PresetError: If the metadata are missing, unreadable, or of a newer format than this version
            reads.
    """
    path = Path(folder) / METADATA
    try:
        metadata = read_json(path)
    except FileNotFoundError:
        raise PresetError(
            f"`preset` must be a folder with {METADATA}, {CONFIG} and {WEIGHTS}. Received: "
            f"{folder}, which has no {METADATA}"
        ) from None
    except (OSError, ValueError) as error:
        raise PresetError(f"The preset's {path} cannot be read: {error}") from error
    version = metadata.get("format") if isinstance(metadata, dict) else None
    if type(version) is not int or version < 1 or not isinstance(metadata.get("files"), dict):
        raise PresetError(f"{path} is not the metadata of a kerasgan preset.")
    if version > FORMAT:
        raise PresetError(
            f"{path} has format {version}; this kerasgan {__version__} reads up to {FORMAT}: "
            "pip install --upgrade kerasgan"
        )
    return metadata


def read_config(folder):
    """Return the configuration of the preset in `folder`.

    Raises:
        PresetError: If it cannot be read, describes no model, or would run code.
    """
    path = Path(folder) / CONFIG
    try:
        config = read_json(path)
        unsafe = unsafe_classes(config)
    except (OSError, ValueError, RecursionError) as error:
        raise PresetError(f"{path} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise PresetError(f"{path} describes no model.")
    if unsafe:
        raise PresetError(f"{path} describes no model that is safe to load: {sorted(unsafe)}")
    return config


def read_preset(folder, load_weights=True, kind=None):
    """Return the model of the preset in `folder`, every file checked before it is used.

    Args:
        folder: The preset's folder.
        load_weights: Whether the stored weights are loaded; False gives new ones.
        kind: The class that the model must be an instance of; None takes any Keras model.

    Raises:
        PresetError: If a file is missing, damaged or altered, or the model is of another class.
    """
    import keras

    kind = keras.Model if kind is None else kind
    folder = Path(folder)
    verify_files(folder, (CONFIG, WEIGHTS) if load_weights else (CONFIG,))
    try:
        config = read_config(folder)
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    except PresetError:
        raise
    except MemoryError as error:
        raise PresetError(f"{folder / CONFIG} asks for more memory than there is.") from error
    except Exception as error:  # Each backend has its own for sizes that it cannot have.
        raise PresetError(f"{folder / CONFIG} describes no model: {short(error)}") from error
    if not isinstance(model, kind):
        raise PresetError(
            f"`preset` must hold a model of the class {kind.__name__}. Received: {folder}, which "
            f"holds a {type(model).__name__}"
        )
    if load_weights:
        try:
            check_arrays(folder / WEIGHTS, (folder / WEIGHTS).stat().st_size)
            model.load_weights(folder / WEIGHTS)
        except Exception as error:
            text = short(error)
            raise PresetError(f"{folder / WEIGHTS} does not fit {CONFIG}: {text}") from error
    return model


def load_model(path):
    """Return the model in a .keras file, which is looked at before anything in it is used.

    Raises:
        PresetError: If it is no such file, is damaged, would run code, would unpack to far more
            than its own size, or refers to other files.
    """
    import keras

    if Path(path).suffix != ".keras":  # Keras would read it as something else than what is checked.
        raise PresetError(f"a model's file must end in .keras. Received: {printable(path)}")
    try:
        with zipfile.ZipFile(check_archive(path)) as archive:
            check_text(archive.getinfo(CONFIG).file_size)
            config = json.loads(archive.read(CONFIG))
            with archive.open(WEIGHTS) as weights:
                check_arrays(io.BytesIO(weights.read()), os.stat(path).st_size)
        unsafe = unsafe_classes(config)
    except Exception as error:
        raise PresetError(
            f"{path} is not a .keras file, or it is damaged: {short(error)}"
        ) from error
    if unsafe:
        raise PresetError(f"{path} holds no model that is safe to load: {sorted(unsafe)}")
    try:
        return keras.saving.load_model(path, safe_mode=True)
    except Exception as error:
        raise PresetError(f"{path} cannot be loaded: {short(error)}") from error


def critic_steps(path):
    """Return how many critic steps the model in a .keras file has taken.

    Raises:
        PresetError: If it is no such file.
    """
    import h5py

    try:
        with (
            zipfile.ZipFile(check_archive(path)) as archive,
            archive.open(WEIGHTS) as weights,
            h5py.File(weights, "r") as stored,
        ):
            return int(stored["vars"]["schedule"][0])
    except Exception as error:
        raise PresetError(
            f"{path} is not a .keras file, or it is damaged: {short(error)}"
        ) from error


def verify_files(folder, names=FILES):
    """Compare files of a preset with the checksums in its metadata.

    Args:
        folder: The preset's folder.
        names: Names of the files to compare.

    Raises:
        PresetError: If a file is missing, damaged or altered.
    """
    files = read_metadata(folder)["files"]
    for name in names:
        _verify(Path(folder) / name, files.get(name))


def described(path):
    """Return what the metadata of a preset say of a file: its size and its checksum."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _verify(path, expected):
    if not isinstance(expected, dict) or "sha256" not in expected:
        raise PresetError(f"{path.parent / METADATA} names no checksum for {path.name}.")
    if not path.is_file():
        raise PresetError(f"The preset lacks a file: {path}")
    size, wanted = path.stat().st_size, expected.get("bytes", "so many")
    if size != wanted or size > LARGEST_FILE:
        raise PresetError(
            f"{path} is damaged or was altered: it must have {_short(wanted)} bytes, at most "
            f"{LARGEST_FILE:,}. Received: {size} bytes"
        )
    found = sha256(path)
    if found != expected["sha256"]:
        raise PresetError(
            f"{path} is damaged or was altered: its SHA-256 must be {_short(expected['sha256'])}. "
            f"Received: {found} over {size} bytes"
        )


def _short(value):
    """Return a value of somebody's metadata as text for a message."""
    return clipped(printable(value), 100)
