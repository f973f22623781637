"""Writes pickles of networks as the code of R3GAN's authors does.

The names in them are written as they are: neither PyTorch nor the authors' code is needed.
"""

import collections
import dataclasses
import zlib

import numpy as np
from keras.ops import convert_to_numpy as array
from written_networks import Instance, Name, dumped, tensor

FILTER = (np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64).astype("float32")
MODULES = {
    "ModuleList": "torch.nn.modules.container",
    "Conv2d": "torch.nn.modules.conv",
    "Linear": "torch.nn.modules.linear",
    "BiasedActivationCUDA": "R3GAN.FusedOperators",
    "InterpolativeUpsamplerCUDA": "R3GAN.Resamplers",
    "InterpolativeDownsamplerCUDA": "R3GAN.Resamplers",
}


@dataclasses.dataclass
class Module:
    """A module of PyTorch, with what the file says of it.

    Args:
        kind: The name of its class.
        tensors: Its parameters by name.
        parts: The modules in it by name.
        attributes: Its numbers.
        module: The module of its class, where that is not the usual one.
        buffers: Its buffers by name.
    """

    kind: str
    tensors: dict = dataclasses.field(default_factory=dict)
    parts: dict = dataclasses.field(default_factory=dict)
    attributes: dict = dataclasses.field(default_factory=dict)
    module: str | None = None
    buffers: dict = dataclasses.field(default_factory=dict)

    def drawn(self, prefix=""):
        """Draw each tensor from a generator that its name seeds, as the golden arrays were."""
        for name, value in self.tensors.items():
            path = f"{prefix}{name}"
            rng = np.random.default_rng(zlib.crc32(path.encode()))
            self.tensors[name] = 0.3 * rng.standard_normal(value.shape).astype("float32")
        for name, part in self.parts.items():
            part.drawn(f"{prefix}{name}.")
        return self

    def written(self):
        """Return what a pickle makes it of."""
        state = {
            "training": False,
            "_parameters": {name: tensor(v) for name, v in self.tensors.items()},
            "_buffers": {name: tensor(v, False) for name, v in self.buffers.items()},
            "_non_persistent_buffers_set": set(),
            "_backward_hooks": collections.OrderedDict(),
            "_modules": {name: part.written() for name, part in self.parts.items()},
            "DataType": Name("torch", "bfloat16"),
            **self.attributes,
        }
        name = Name(self.module or MODULES.get(self.kind, "R3GAN.Networks"), self.kind)
        return Instance(name, state)


def _listed(parts):
    return Module("ModuleList", {}, {str(i): part for i, part in enumerate(parts)})


def _convolution(layer):
    kernel = array(layer.kernel).transpose(3, 2, 0, 1)
    return Module("Convolution", {}, {"Layer": Module("Conv2d", {"weight": kernel})})


def _linear(weight):
    return Module("Linear", {"weight": weight})


def _bias(layer):
    return Module("BiasedActivationCUDA", {"Bias": array(layer.bias)})


def _block(layers):
    first, second, third = layers
    parts = {f"LinearLayer{i + 1}": _convolution(layer) for i, layer in enumerate(layers)}
    parts |= {"NonLinearity1": _bias(first), "NonLinearity2": _bias(second)}
    assert not third.use_bias
    return Module("ResidualBlock", {}, parts)


def _resampled(kind, layer):
    parts = {"Resampler": Module(f"Interpolative{kind}samplerCUDA", buffers={"Kernel": FILTER})}
    if layer is not None:
        parts["LinearLayer"] = _convolution(layer)
    return Module(f"{kind}sampleLayer", {}, parts)


def _stages(convolutions, depth):
    """Return, for each stage, the convolution between it and the one before or None, and blocks.

    Args:
        convolutions: Layers in their order, without the first and the last one.
        depth: Blocks of a stage.
    """
    layers, found = list(convolutions), []
    while layers:
        linear = None
        if not layers[0].use_bias:  # The first one of a block has a bias.
            linear = layers.pop(0)
        blocks = [_block(layers[3 * i : 3 * i + 3]) for i in range(depth)]
        del layers[: 3 * depth]
        found.append((linear, blocks))
    return found


def _convolutions(network):
    return [layer for layer in network.layers if "conv2d" in layer.name]


def generator(ours):
    """Return the authors' generator of one of ours."""
    config, layers = ours.get_config(), {layer.name: layer for layer in ours.layers}
    basis = next(layer for name, layer in layers.items() if "basis" in name)
    dense = next(layer for name, layer in layers.items() if "dense" in name)
    *inner, last = _convolutions(ours)
    first = Module(
        "GenerativeBasis",
        {"Basis": array(basis.basis).transpose(2, 0, 1)},
        {"LinearLayer": _linear(array(dense.kernel).T)},
    )
    stages = []
    for i, (linear, blocks) in enumerate(_stages(inner, config["depth"])):
        transition = _resampled("Up", linear) if i else first
        stages.append(Module("GeneratorStage", {}, {"Layers": _listed([transition, *blocks])}))
    parts = {"MainLayers": _listed(stages), "AggregationLayer": _convolution(last)}
    if "embedding" in layers:
        parts["EmbeddingLayer"] = _linear(array(layers["embedding"].embeddings).T)
    given = {"z_dim": config["latent_dim"], "c_dim": config["num_classes"] or 0}
    given["img_resolution"] = config["image_size"]
    model = Module("Generator", {}, parts)
    return Module("Generator", {}, {"Model": model}, given, "training.networks")


def critic(ours):
    """Return the authors' critic of one of ours."""
    config, layers = ours.get_config(), {layer.name: layer for layer in ours.layers}
    basis = next(layer for name, layer in layers.items() if "basis" in name)
    first, *inner = _convolutions(ours)
    pattern = array(basis.basis).transpose(2, 0, 1)[:, None]
    last = Module(
        "DiscriminativeBasis",
        {},
        {
            "Basis": Module("Conv2d", {"weight": pattern}),
            "LinearLayer": _linear(array(layers["score"].kernel).T),
        },
    )
    found, stages = _stages(inner, config["depth"]), []
    for i, (_, blocks) in enumerate(found):
        following = found[i + 1][0] if i + 1 < len(found) else None
        transition = _resampled("Down", following) if i + 1 < len(found) else last
        stages.append(Module("DiscriminatorStage", {}, {"Layers": _listed([*blocks, transition])}))
    parts = {"ExtractionLayer": _convolution(first), "MainLayers": _listed(stages)}
    if "embedding" in layers:
        parts["EmbeddingLayer"] = _linear(array(layers["embedding"].embeddings).T)
    model = Module("Discriminator", {}, parts)
    return Module("Discriminator", {}, {"Model": model}, {}, "training.networks")


def write(path, **modules):
    """Write networks by name as one file."""
    found = {name: module.written() for name, module in modules.items()}
    path.write_bytes(dumped({"training_set_kwargs": {}, **found, "cur_nimg": 0}))
    return path
