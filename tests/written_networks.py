"""Writes pickles of networks as the authors' StyleGAN2 code does, without any source text.

The names in them are written as they are: neither PyTorch nor the authors' code is needed.
"""

import collections
import io
import pickle
import struct

import numpy as np
from keras.ops import convert_to_numpy as array


class Name:
    """A function or class that a pickle names.

    Args:
        module: Its module.
        name: Its name.
    """

    def __init__(self, module, name):
        self.module = module
        self.name = name

    def __call__(self, *args):
        return Call(self, args)


class Call:
    """What a pickle makes by calling a name.

    Args:
        function: A `Name`.
        args: Its arguments.
        state: What the result is given then, or None.
    """

    def __init__(self, function, args, state=None):
        self.function = function
        self.args = args
        self.state = state


class Instance:
    """An object of a class that a pickle names, which is given a state.

    Args:
        kind: A `Name`.
        state: What it is given.
    """

    def __init__(self, kind, state):
        self.kind = kind
        self.state = state


class Reference:
    """A persistent identity in a pickle.

    Args:
        identity: The identity.
    """

    def __init__(self, identity):
        self.identity = identity


class Pickler(pickle._Pickler):
    """A pickler that writes any name."""

    dispatch = {**pickle._Pickler.dispatch}  # noqa: RUF012 - as the base class has it.

    def save_name(self, name):
        self.write(pickle.GLOBAL + f"{name.module}\n{name.name}\n".encode())

    def save_call(self, call):
        self.save(call.function)
        self.save(tuple(call.args))
        self.write(pickle.REDUCE)
        if call.state is not None:
            self.save(call.state)
            self.write(pickle.BUILD)

    def save_instance(self, instance):
        self.save(instance.kind)
        self.write(pickle.EMPTY_TUPLE + pickle.NEWOBJ)
        self.save(instance.state)
        self.write(pickle.BUILD)

    def save_reference(self, reference):
        self.save(reference.identity)
        self.write(pickle.BINPERSID)

    dispatch[Name] = save_name
    dispatch[Call] = save_call
    dispatch[Instance] = save_instance
    dispatch[Reference] = save_reference


def dumped(value, protocol=3):
    file = io.BytesIO()
    Pickler(file, protocol).dump(value)
    return file.getvalue()


TENSOR, PARAMETER = (Name("torch._utils", f"_rebuild_{n}") for n in ("tensor_v2", "parameter"))
STORAGE = Name("torch.storage", "_load_from_bytes")
NETWORK = Name("torch_utils.persistence", "_reconstruct_persistent_obj")
EASY = Name("dnnlib.util", "EasyDict")
MAGIC = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})


def storage(values):
    """Return the bytes of one storage, as PyTorch saves it."""
    kind = {"float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage"}
    kind = Name("torch", kind[values.dtype.name])
    reference = Reference(("storage", kind, "7", "cpu", values.size, None))
    parts = [dumped(part, 2) for part in (*MAGIC, reference, ["7"])]
    return b"".join([*parts, struct.pack("<q", values.size), values.tobytes()])


def tensor(values, parameter=True):
    """Return what a pickle makes a tensor of."""
    values = np.array(values, order="C")  # `ascontiguousarray` would give a number an axis.
    strides = tuple(stride // values.itemsize for stride in values.strides)
    hooks = collections.OrderedDict()
    made = TENSOR(STORAGE(storage(values)), 0, values.shape, strides, False, hooks)
    return PARAMETER(made, True, collections.OrderedDict()) if parameter else made


def network(kind, arguments=None, parameters=None, buffers=None, parts=None, **meta):
    """Return what a pickle makes a network of."""
    state = {
        "training": False,
        "_parameters": {name: tensor(v) for name, v in (parameters or {}).items()},
        "_buffers": {name: tensor(v, False) for name, v in (buffers or {}).items()},
        "_modules": dict(parts or {}),
        "_non_persistent_buffers_set": set(),
        "_init_args": (),
        "_init_kwargs": dict(arguments or {}),
    }
    given = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": kind}
    return NETWORK({**given, "state": state, **meta})


# The authors' networks of a model of ours.


def _dense(layer, maps=None):
    kernel = array(layer.kernel)
    if maps is not None:
        height, width, features = maps
        kernel = kernel.reshape(height, width, features, -1).transpose(2, 0, 1, 3)
        kernel = kernel.reshape(features * height * width, -1)
    given = {"lr_multiplier": layer.rate} if layer.rate != 1 else {}
    tensors = {"weight": kernel.T, "bias": array(layer.bias)}
    return network("FullyConnectedLayer", given, tensors)


def _convolution(layer, frozen=False):
    tensors = {"weight": array(layer.kernel).transpose(3, 2, 0, 1)}
    if layer.use_bias:
        tensors["bias"] = array(layer.bias)
    filter = {"resample_filter": np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype("float32") / 64}
    given = {"conv_clamp": layer.clamp} if layer.activate else {}
    if frozen:  # Layers that FreezeD keeps are buffers.
        return network("Conv2dLayer", given, {}, {**filter, **tensors})
    return network("Conv2dLayer", given, tensors, filter)


def _modulated(layer, noise=None):
    tensors = {
        "weight": array(layer.kernel).transpose(3, 2, 0, 1),
        "bias": array(layer.bias),
    }
    buffers = {}
    if noise is not None:
        tensors["noise_strength"] = array(layer.strength)
        buffers["noise_const"] = array(noise)[..., 0]
    kind = "ToRGBLayer" if noise is None else "SynthesisLayer"
    given = {"conv_clamp": layer.clamp}
    return network(kind, given, tensors, buffers, {"affine": _dense(layer.scale)})


def _mapping(layer, buffers=None):
    parts = {f"fc{i}": _dense(dense) for i, dense in enumerate(layer.stack)}
    if layer.embed is not None:
        parts["embed"] = _dense(layer.embed)
    return network("MappingNetwork", None, {}, buffers, parts)


THEIRS = {"skip": "skip", "residual": "resnet", "plain": "orig"}


def generator(ours, arguments=None):
    """Return what a pickle makes the authors' generator of, that of one of ours."""
    reduced = ours.get_config()["reduced"]
    noise, blocks = iter(ours.synthesis.constant_noise), {}
    for i, (level, block) in enumerate(
        zip(ours.synthesis.levels, ours.synthesis.blocks, strict=True)
    ):
        parts = {}
        if block.enlarge is not None:
            parts["conv0"] = _modulated(block.enlarge, next(noise))
        parts["conv1"] = _modulated(block.refine, next(noise))
        if block.to_image is not None:
            parts["torgb"] = _modulated(block.to_image)
        if block.shortcut is not None:
            parts["skip"] = _convolution(block.shortcut)
        own = {"const": array(ours.synthesis.constant).transpose(2, 0, 1)} if i == 0 else {}
        half = {"use_fp16": i >= max(1, len(ours.synthesis.levels) - reduced)}
        blocks[f"b{level.sides[0]}"] = network("SynthesisBlock", half, own, {}, parts)
    config = ours.get_config()
    given = {
        "z_dim": config["latent_dim"],
        "c_dim": config["num_classes"] or 0,
        "w_dim": ours.mapping.width,
        "img_resolution": config["image_size"],
        "img_channels": config["channels"],
        "mapping_kwargs": EASY(),
        "synthesis_kwargs": {
            "channel_base": config["channel_base"],
            "channel_max": config["channel_max"],
            "architecture": THEIRS[config["generator_architecture"]],
        },
        **(arguments or {}),
    }
    average = {"w_avg": array(ours.mapping.average)}
    parts = {
        "synthesis": network("SynthesisNetwork", None, {}, {}, blocks),
        "mapping": _mapping(ours.mapping, average),
    }
    return network("Generator", given, {}, {}, parts)


def critic(ours, arguments=None, frozen=False):
    """Return what a pickle makes the authors' critic of, that of one of ours."""
    config = ours.get_config()
    names = {"from_image": "fromrgb", "shortcut": "skip", "first": "conv0", "second": "conv1"}
    layers = {layer.name: layer for layer in ours.layers}
    size, parts = config["image_size"], {}
    for i in range(len([n for n in layers if n.endswith("_second")])):
        found = {theirs: f"level_{i}_{own}" for own, theirs in names.items()}
        found = {theirs: layers[own] for theirs, own in found.items() if own in layers}
        made = {theirs: _convolution(layer, frozen and i == 0) for theirs, layer in found.items()}
        half = {"use_fp16": i < config["reduced"]}
        parts[f"b{size >> i}"] = network("DiscriminatorBlock", half, {}, {}, made)
    features = layers["last_conv"].filters
    last = {
        "conv": _convolution(layers["last_conv"]),
        "fc": _dense(layers["last_features"], (4, 4, features)),
        "out": _dense(layers["score"]),
    }
    if "last_from_image" in layers:
        last["fromrgb"] = _convolution(layers["last_from_image"])
    parts["b4"] = network("DiscriminatorEpilogue", None, {}, {}, last)
    if "mapping" in layers:
        parts["mapping"] = _mapping(layers["mapping"])
    given = {
        "c_dim": config["num_classes"] or 0,
        "img_resolution": size,
        "img_channels": config["channels"],
        "channel_base": config["channel_base"],
        "channel_max": config["channel_max"],
        "architecture": THEIRS[config["critic_architecture"]],
        "mapping_kwargs": EASY(),
        "epilogue_kwargs": {"mbstd_group_size": config["group_size"]},
        **(arguments or {}),
    }
    return network("Discriminator", given, {}, {}, parts)


def write(path, **networks):
    """Write networks by name as one file."""
    path.write_bytes(dumped({"training_set_kwargs": EASY(), **networks, "augment_pipe": None}))
    return path
