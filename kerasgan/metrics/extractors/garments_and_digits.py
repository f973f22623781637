"""The network that comes with the package, for small grey images."""

import functools
from pathlib import Path

import keras
import numpy as np
from keras import layers

from kerasgan.backend import PREFERRED_DATA_FORMAT, BatchNormalization, Conv2D
from kerasgan.files import sha256
from kerasgan.metrics import checks
from kerasgan.metrics.extractors.networks import Network
from kerasgan.storage import in_float32

SIDE, CLASSES, FEATURES = 28, 20, 64
WEIGHTS = Path(__file__).parent / "garments_and_digits.npz"
SHA256 = "a3b2d90678156512423e7a5f5748b23050dede1c44189f787147eeaaf7a7f036"
VERSION = "1"


class GarmentsAndDigits(Network):
    """64 features of a small network that classifies ten garments and ten digits.

    It was trained by `tools/train_garments_and_digits.py` on the training images of Fashion-MNIST
    and MNIST. Its card is `garments_and_digits.md`, in the folder of the weights. Images are
    resized to 28 pixels, and colour images are made grey.
    """

    def __init__(self):
        super().__init__(network()[0], name=f"garments_and_digits {VERSION} ({SHA256[:8]})")

    @staticmethod
    def classify(images, digits=False, batch_size=256):
        """Return the most likely class of each image, 0..9: a garment, or a digit with `digits`.

        Args:
            images: Grey images `(n, 28, 28, 1)`, integers in 0..255 or floats in [-1, 1].
            digits: Whether the classes are the digits; by default they are the garments.
            batch_size: Number of images at a time.
        """
        twenty = Network(network()[1], name="scores of garments_and_digits")
        twenty.batch_size = batch_size
        scores = twenty(images)
        return (scores[:, 10:] if digits else scores[:, :10]).argmax(axis=1)


def build(width=32):
    """Return the network of the features and that of the twenty class scores, untrained."""
    x = images = keras.Input((SIDE, SIDE, 1))
    inside = PREFERRED_DATA_FORMAT
    if inside == "channels_first":
        x = layers.Permute((3, 1, 2))(x)
    axis = 1 if inside == "channels_first" else -1
    for maps, size, stride in ((1, 4, 2), (2, 3, 1), (2, 4, 2), (4, 3, 1)):
        x = Conv2D(maps * width, size, stride, padding="same", use_bias=False, data_format=inside)(
            x
        )
        x = BatchNormalization(axis=axis)(x)
        x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D(data_format=inside)(x)
    x = layers.Dense(FEATURES)(x)
    features = keras.Model(images, x, name="garments_and_digits")
    scores = keras.Model(images, layers.Dense(CLASSES)(layers.ReLU()(x)))
    return features, scores


@functools.cache
def network():
    """Return both networks with the weights that come with the package.

    Raises:
        MetricError: If the file is not the published one.
    """
    digest = sha256(WEIGHTS)
    if digest != SHA256:
        raise checks.MetricError(f"{WEIGHTS} must have the SHA-256 {SHA256}. Received: {digest}")
    with in_float32():
        features, scores = build()
    with np.load(WEIGHTS) as stored:
        scores.set_weights([stored[str(i)].astype("float32") for i in range(len(stored.files))])
    return features, scores
