"""Generators for other programs: ONNX and SavedModel, checked after writing."""

import contextlib
import dataclasses
import json
import logging
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np

from kerasgan import validation
from kerasgan.backend import saved_model
from kerasgan.catalogue import EXPORTS
from kerasgan.files import atomic, atomic_folder
from kerasgan.text import printable
from kerasgan.version import __version__

TOLERANCE = 1e-3  # Of images in [-1, 1].
COUNTS = (16, 1)  # Images in a check: a batch of another size than the one that was traced.
SEED = 1
OUTPUT = "images"


class ExportError(ValueError):
    """What was written does not give the model's images, or could not be written."""


@dataclasses.dataclass(frozen=True)
class Exported:
    """A network that was written.

    Args:
        path: Where.
        inputs: What it takes: the shape of an item and the dtype, by name.
        difference: The greatest difference between its images and the model's, in [-1, 1].
    """

    path: Path
    inputs: dict
    difference: float


def write(model, path, format="onnx", classes=None, **sampling):
    """Write the network that `sample` uses as ONNX or as a SavedModel, and check it.

    The network takes `latent`, float32 latent vectors `(n, latent_dim)` that are drawn from the
    model's `prior`. Of a conditional model it takes `label`, int32 class numbers `(n,)`. Of an
    InfoGAN `latent` is the noise alone, and each code is an input by its name: a categorical one
    int32, a continuous one float32 in [-1, 1], both `(n,)`. The number n is free. The network gives
    `images`, float32 `(n, height, width, channels)` in [-1, 1]; `(images + 1) * 127.5` are the
    bytes of a picture.

    ONNX keeps all this as metadata, and a SavedModel in `assets.extra/kerasgan.json`. What was
    written is run by ONNX Runtime or by TensorFlow on random inputs, and compared.

    Args:
        model: An adversarial model.
        path: The file, or the folder of a SavedModel; it is replaced whole or not at all.
        format: "onnx" or "savedmodel".
        classes: The names of the classes, for the metadata.
        **sampling: The variant's sampling options, which become part of the network.

    Returns:
        An `Exported`.

    Raises:
        ExportError: If the network cannot be written, or its images differ from the model's by
            more than 1e-3. Nothing is left of it then.
        MissingPackage: If a package that this backend needs is not installed.
        ValueError: If an argument is unknown or out of range.
    """
    validation.choice("format", format, EXPORTS)
    kind = EXPORTS[format]
    sampling = model.checked_sampling(1, **sampling)
    kind.check(keras.backend.backend())
    path = Path(path)
    with _quiet(), (atomic_folder if kind.folder else atomic)(path) as temporary:
        try:
            put = {"onnx": _put_onnx, "savedmodel": _put_folder}[format]
            put(model, temporary, _about(model, classes, sampling), sampling)
            run = {"onnx": _run_onnx, "savedmodel": saved_model.run}[format]
            difference = max(_difference(model, temporary, run, n, sampling) for n in COUNTS)
        except ExportError:
            raise
        except Exception as error:  # Converters have their own for what they do not know.
            raise ExportError(
                f"{kind.title} cannot be written on {keras.backend.backend()}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if not difference <= TOLERANCE:
            raise ExportError(
                f"the images of what was written must differ from the model's by at most "
                f"{TOLERANCE:g}, and {printable(path)} is not kept. Received: a difference of "
                f"{difference:.2g}"
            )
    inputs = {name: (v.shape[1:], v.dtype.name) for name, v in _example(model, 1, sampling).items()}
    return Exported(path, inputs, difference)


def _example(model, n, sampling):
    """Return random inputs, arrays by name."""
    labels = None
    if model.num_classes is not None:
        labels = np.arange(n, dtype="int32") % model.num_classes
    return model.export_inputs(model.latent_vectors(n, SEED), labels, **sampling)


def _difference(model, path, run, n, sampling):
    """Return the greatest difference between the model's images and those of what was written."""
    labels = None if model.num_classes is None else np.arange(n) % model.num_classes
    z = model.latent_vectors(n, SEED)
    expected = model.decode_latents(z, labels, noise_seed=SEED, **_for(n, sampling))
    found = run(path, _example(model, n, sampling))
    if found.shape != expected.shape:
        raise ExportError(
            f"what was written must give images of shape {expected.shape}. Received: {found.shape}"
        )
    return float(np.abs(found - expected).max())


def _for(n, sampling):
    """Return sampling options that were checked for one image as those of `n`."""
    return {
        name: keras.tree.map_structure(
            lambda v: np.repeat(v, n, axis=0) if getattr(v, "ndim", 0) else v, value
        )
        for name, value in sampling.items()
    }


def _about(model, classes, sampling):
    """Return what the metadata say."""
    about = {
        "kerasgan": __version__,
        "model": type(model).__name__,
        "prior": model.prior,
        "range": "[-1, 1]",
        "layout": "NHWC",
    }
    if classes:
        about["classes"] = json.dumps(list(classes))
    if sampling:
        about["sampling"] = ", ".join(sorted(sampling))
    return about


def _put_onnx(model, path, about, sampling):
    """Write a model as one ONNX file, with metadata, and with an output called "images"."""
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.onnx"  # Some converters write weights beside it.
        model.export(str(place), EXPORTS["onnx"].keras, verbose=False, **sampling)
        stored = onnx.load(place)
    graph = stored.graph
    old = graph.output[0].name
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = OUTPUT
    graph.output[0].name = OUTPUT
    onnx.helper.set_model_props(stored, about)
    onnx.checker.check_model(stored)
    onnx.save(stored, path)


def _put_folder(model, path, about, sampling):
    """Write a model as a SavedModel, with metadata in the folder that it has for other files."""
    model.export(str(path), EXPORTS["savedmodel"].keras, verbose=False, **sampling)
    folder = Path(path) / "assets.extra"
    folder.mkdir()
    (folder / "kerasgan.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _run_onnx(path, inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run([OUTPUT], inputs)[0]


@contextlib.contextmanager
def _quiet():
    """Hold back what converters log and warn of that nobody can act on."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
