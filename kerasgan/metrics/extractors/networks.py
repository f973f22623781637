"""Features of Keras networks."""

import hashlib
import inspect
import math
import sys

import keras
import numpy as np

from kerasgan import backend
from kerasgan.backend import private
from kerasgan.metrics import checks
from kerasgan.metrics.extractors.base import BICUBIC, Extractor, as_grey, as_rgb, resized
from kerasgan.storage import in_float32

PIXELS = 2**20  # Pixels in a batch: 256 images of 64 x 64, or 20 of 224 x 224.


class Network(Extractor):
    """The output of any Keras model, flattened.

    Images are resized to the size of its input, and made grey or RGB by its number of channels.

    Args:
        model: A Keras model of images `(n, height, width, 1 or 3)`.
        name: Name and version for the provenance; by default the model's name and a hash of its
            layers and weights.
        preprocess: A function from images in [-1, 1] to the model's input, or None. It needs a
            `name` that describes it.
    """

    def __init__(self, model, name=None, preprocess=None):
        shape = tuple(getattr(model, "input_shape", ()))
        if len(shape) != 4 or shape[1] is None or shape[1] != shape[2] or shape[3] not in (1, 3):
            raise checks.MetricError(
                "`model` must take square images (n, side, side, 1 or 3). "
                f"Received: input shape {shape}"
            )
        if preprocess is not None and name is None:
            raise checks.MetricError(
                "`name` must be given with `preprocess`, and describe it. Received: none"
            )
        self.model = model
        self.side, self.channels = shape[2:]
        # Eager backends keep the output of each layer until the end, gigabytes for large images.
        self.batch_size = min(self.batch_size, max(8, PIXELS // self.side**2))
        self.preprocess = preprocess
        self.resize = f"{BICUBIC}, to {self.side}"
        self.name = name or f"{model.name} {digest(model)}"

    def width(self, image_shape):
        shape = tuple(self.model.output_shape[1:])
        return None if None in shape else math.prod(shape)

    def extract(self, images):
        images = resized(as_grey(images) if self.channels == 1 else as_rgb(images), self.side)
        if self.preprocess is not None:
            images = self.preprocess(images)
        short = self.batch_size - len(images)  # Padded: one shape is compiled only once.
        padded = np.pad(images, [(0, short), (0, 0), (0, 0), (0, 0)])
        found = keras.ops.convert_to_numpy(backend.forward(self.model, padded))
        return found[: len(images)].reshape(len(images), -1).astype("float32")


def application(name, **arguments):
    """Return a pooled network of `keras.applications` with its ImageNet weights.

    Args:
        name: Name of the network, such as "MobileNetV2" or "EfficientNetB0".
        **arguments: More arguments of the network's function.
    """
    builder = getattr(keras.applications, name, None)
    module = sys.modules.get(getattr(builder, "__module__", None))
    if not inspect.isfunction(builder) or not hasattr(module, "preprocess_input"):
        raise checks.MetricError(f"`keras.applications` must have the network. Received: {name!r}")
    arguments = {"include_top": False, "pooling": "avg", "weights": "imagenet", **arguments}
    arguments.setdefault("input_shape", (224, 224, 3))
    with in_float32():
        model = builder(**arguments)
    return Network(
        model,
        name=f"keras.applications.{name} ({arguments['weights']}) {digest(model)}",
        preprocess=lambda images: module.preprocess_input((images + 1) * 127.5),
    )


def digest(model):
    """Return twelve hexadecimal digits of a hash of a model's layers and weights."""
    found = hashlib.sha256()
    for layer in private.flat_layers(model)[1:]:
        config = {k: v for k, v in layer.get_config().items() if not isinstance(v, dict)}
        config.pop("name", None)
        found.update(f"{type(layer).__name__} {config}".encode())
    for weight in model.weights:
        found.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return found.hexdigest()[:12]
