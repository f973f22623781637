"""Reads the pickles of StyleGAN2's and R3GAN's network code, without running what is in them.

Each network in such a file is a class's name, its tensors, and in StyleGAN2's its source text and
the arguments of its constructor. Of these the source text is dropped, and the rest becomes plain
data.
"""

import dataclasses
import io
import pickle
import re
import struct
from pathlib import Path

import numpy as np

from kerasgan import torch_files
from kerasgan.text import listed, printable, short
from kerasgan.torch_files import Allowed

LARGEST = 4 << 30  # Bytes of a file; the largest published networks have 0.4 GiB.
SUPPORTED = "networks of stylegan2-ada-pytorch, of stylegan3 (StyleGAN2's) or of R3GAN"


class ConversionError(ValueError):
    """A file that is no network, or one of a kind that cannot be converted."""


@dataclasses.dataclass
class Saved:
    """A network, or a part of one, as a file holds it.

    Attributes:
        kind: The name of its class.
        arguments: Those of its constructor, by name; those without a name by their place. Of
            R3GAN's networks, the attributes that are numbers.
        tensors: Its own parameters and buffers by name, arrays.
        parts: The networks that it is made of, by name.
    """

    kind: str
    arguments: dict
    tensors: dict
    parts: dict

    def __setstate__(self, state):
        raise pickle.UnpicklingError("refused: a network is given a state")


class _Module(Saved):
    """The base class of what stands for R3GAN's classes, which are pickled as they are."""

    def __new__(cls):
        return object.__new__(cls)

    def __setstate__(self, state):
        if vars(self) or not isinstance(state, dict):
            raise pickle.UnpicklingError("refused: a network that is none of PyTorch's")
        self.kind = type(self).__name__
        self.arguments = {k: v for k, v in state.items() if type(v) is int}
        self.tensors, self.parts = _inside(state)


class _Arguments(torch_files.Ordered):
    """A dictionary that is no more than its entries."""

    def __setstate__(self, state):
        raise pickle.UnpicklingError("refused: a dictionary is given a state")


class _Dtype:
    """A dtype of NumPy as a file describes it: only that of plain numbers becomes one."""

    __slots__ = ("code", "order")

    def __new__(cls, *args):
        raise pickle.UnpicklingError("refused: a dtype that is none of NumPy's")

    @classmethod
    def of(cls, code, *_):
        """Return the dtype of a code, as f4."""
        if not isinstance(code, str) or not re.fullmatch("[fiub][1248]", code):
            raise pickle.UnpicklingError("refused: a dtype that is none of numbers")
        found = object.__new__(cls)
        found.code, found.order = code, "<"
        return found

    def __setstate__(self, state):
        self.order = {">": ">"}.get(state[1], "<")

    def numpy(self):
        """Return NumPy's dtype."""
        return np.dtype(self.order + self.code)


class _Array:
    """An array of NumPy as a file describes it."""

    __slots__ = ("value",)

    def __new__(cls, *args):
        raise pickle.UnpicklingError("refused: an array that is none of NumPy's")

    @classmethod
    def empty(cls, *_):
        """Return an array that has no numbers yet."""
        return object.__new__(cls)

    def __setstate__(self, state):
        _, shape, dtype, fortran, data = state
        found = np.frombuffer(data, dtype.numpy())
        self.value = found.reshape(shape, order="F" if fortran else "C")


def _network(meta):
    """Return the `Saved` of what a file says of a network."""
    if not isinstance(meta, dict):
        raise pickle.UnpicklingError("refused: a network that is not described")
    state, kind = meta.get("state"), meta.get("class_name")
    if meta.get("type") != "class" or not isinstance(kind, str) or not isinstance(state, dict):
        raise pickle.UnpicklingError("refused: a network without a class and a state")
    arguments = dict(enumerate(state.get("_init_args") or ()))
    arguments |= state.get("_init_kwargs") or {}
    return Saved(kind, arguments, *_inside(state))


def _inside(state):
    """Return the tensors and the parts in the state of a network."""
    tensors = {}
    for group in ("_parameters", "_buffers"):
        for name, value in (state.get(group) or {}).items():
            if value is not None:
                tensors[str(name)] = _numbers(value)
    return tensors, {str(name): part for name, part in (state.get("_modules") or {}).items()}


def _numbers(value):
    if isinstance(value, _Array):
        value = value.value
    if not isinstance(value, np.ndarray):
        raise pickle.UnpicklingError(f"refused: {type(value).__name__} in place of a tensor")
    return value


def _rebuilt(storage, offset, shape, strides, *_):
    return torch_files.view(_numbers(storage), offset, shape, strides)


def _bytes(text, encoding):
    if encoding != "latin1":
        raise pickle.UnpicklingError("refused: bytes in an encoding of text")
    return text.encode(encoding)


def _scalar(dtype, data):
    return np.frombuffer(data, dtype.numpy(), 1)[0].item()


_OF_R3GAN = {
    "training.networks": ("Generator", "Discriminator"),
    "R3GAN.Networks": (
        *("Generator", "Discriminator", "GeneratorStage", "DiscriminatorStage", "ResidualBlock"),
        *("GenerativeBasis", "DiscriminativeBasis", "UpsampleLayer", "DownsampleLayer"),
        "Convolution",
    ),
    "R3GAN.Resamplers": ("InterpolativeUpsamplerCUDA", "InterpolativeDownsamplerCUDA"),
    "R3GAN.FusedOperators": ("BiasedActivationCUDA",),
    "torch.nn.modules.container": ("ModuleList",),
    "torch.nn.modules.conv": ("Conv2d",),
    "torch.nn.modules.linear": ("Linear",),
}

_KNOWN = {
    ("_codecs", "encode"): Allowed(_bytes),  # How old protocols write bytes.
    ("collections", "OrderedDict"): torch_files.Ordered,
    ("dnnlib.util", "EasyDict"): _Arguments,
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Allowed(_network),
    ("torch._utils", "_rebuild_parameter"): Allowed(lambda value, *_: value),
    ("torch._utils", "_rebuild_tensor_v2"): Allowed(_rebuilt),
    ("numpy", "dtype"): Allowed(_Dtype.of),
    ("numpy", "ndarray"): None,
    **{("torch", name): None for name in ("float32", "float16", "bfloat16")},
    **{(m, name): type(name, (_Module,), {}) for m, names in _OF_R3GAN.items() for name in names},
    **{(module, "set"): Allowed(lambda *_: None) for module in ("builtins", "__builtin__")},
    **{
        (f"numpy.{core}.multiarray", name): Allowed(function)
        for core in ("core", "_core")
        for name, function in (("scalar", _scalar), ("_reconstruct", _Array.empty))
    },
}


class _Reader(torch_files.Reader):
    """Reads a file of networks.

    Args:
        data: The bytes of the file.
    """

    def __init__(self, data):
        load = {("torch.storage", "_load_from_bytes"): Allowed(self._storage)}
        super().__init__(io.BytesIO(data), {**_KNOWN, **load})
        self.left = len(data)

    def _storage(self, data):
        self.left -= len(data)
        if self.left < 0:  # The same bytes, again and again.
            raise pickle.UnpicklingError("refused: more tensors than the file has bytes for")
        return torch_files.read_storage(data)

    def persistent_load(self, identity):
        raise pickle.UnpicklingError("refused: a reference to another file")


def read(path):
    """Return the networks of a file, `Saved` by name: "G_ema", and "G" and "D" where it has them.

    Args:
        path: The file.

    Raises:
        ConversionError: If it is none, or names anything that such a file has not.
    """
    path = Path(path)
    if path.stat().st_size > LARGEST:
        raise ConversionError(
            f"{path} must have at most {LARGEST >> 30} GiB. Received: {path.stat().st_size:,} bytes"
        )
    data = path.read_bytes()
    try:
        found = _Reader(data).load()
    except MemoryError as error:
        raise ConversionError(f"{path} needs more memory than there is") from error
    except Exception as error:  # What a file can break has no list.
        raise ConversionError(_why(path, error)) from error
    if isinstance(found, Saved):
        found = {"G_ema": found}
    if not isinstance(found, dict):
        raise ConversionError(
            f"{path} must hold {SUPPORTED}. Received: {type(found).__name__} in its place"
        )
    networks = {str(k): v for k, v in found.items() if k in ("G_ema", "G", "D") and v is not None}
    if not networks or not all(isinstance(network, Saved) for network in networks.values()):
        entries = listed([printable(str(key)) for key in list(found)[:10]]) or "nothing"
        raise ConversionError(f"{path} must hold {SUPPORTED}, as G_ema. Received: {entries}")
    return networks


def _why(path, error):
    said = short(error, most=300, named=False)
    if "dnnlib.tflib" in said:
        return (
            f"{path} must hold {SUPPORTED}. Received: a network of the older TensorFlow code, "
            "which legacy.py of these repositories turns into one of PyTorch"
        )
    if said.startswith("refused: "):
        return f"{path} must hold {SUPPORTED}. Received: {said.removeprefix('refused: ')} in it"
    if isinstance(error, (EOFError, struct.error)) or "truncated" in said:
        return f"{path} must be a whole pickle of {SUPPORTED}. Received: one that breaks off"
    return f"{path} must be a pickle of {SUPPORTED}. Received: what cannot be read ({said})"
