"""Tensors out of files that PyTorch wrote, without PyTorch, and without running what is in them.

A pickle may call any function that it names. A `Reader` accepts only names that a table lists, and
gives each its own meaning: nothing that a file names is imported, called or defined.
"""

import collections
import io
import math
import pickle

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class Allowed:
    """A name that a file may call; it cannot be changed by the file.

    Args:
        function: What is called instead of what the name stands for.
    """

    __slots__ = ("function",)

    def __init__(self, function):
        self.function = function

    def __call__(self, *args):
        return self.function(*args)

    def __setstate__(self, state):
        raise pickle.UnpicklingError("refused: a name is given a state")


class Reader(pickle._Unpickler):
    """Reads a pickle that names nothing but what a table lists.

    It is Python's own reader in Python: that in C makes a table as long as the largest number that
    a file gives to an object, and hashes whatever a file takes as a key, which may be nested
    without end.

    Args:
        file: A binary file.
        known: What stands for each name, by its module and its name.
    """

    def __init__(self, file, known):
        super().__init__(file)
        self.known = known

    def find_class(self, module, name):
        try:
            return self.known[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"refused: {module}.{name}") from None

    def persistent_load(self, identity):
        kind, dtype, key, *_ = identity
        if kind != "storage" or dtype not in DTYPES.values() or not isinstance(key, str):
            raise pickle.UnpicklingError("refused: a reference that is none to a storage")
        return Storage(key, np.dtype(dtype))


def _with_plain(operation, hashed):
    """Return an operation of the reader that hashes a part of its stack, which must be plain."""
    load = pickle._Unpickler.dispatch[operation[0]]

    def checked(reader):
        if not all(type(key) in (str, int) for key in reader.stack[hashed]):
            raise pickle.UnpicklingError("refused: a key that is no name")
        load(reader)

    return checked


Reader.dispatch = {
    **pickle._Unpickler.dispatch,
    **{
        operation[0]: _with_plain(operation, hashed)
        for operation, hashed in (
            (pickle.SETITEM, slice(-2, -1)),
            *((of_many, slice(None, None, 2)) for of_many in (pickle.SETITEMS, pickle.DICT)),
            *((of_sets, slice(None)) for of_sets in (pickle.ADDITEMS, pickle.FROZENSET)),
        )
    },
}


class Ordered(collections.OrderedDict):
    """An ordered dictionary that a file fills, and does not make full."""

    def __init__(self):
        super().__init__()

    def __setstate__(self, state):
        """Leave out what a file says besides, as the versions of a network's parts."""


class Storage(collections.namedtuple("Storage", "key dtype")):
    """Numbers that follow later in the file."""

    def __setstate__(self, state):
        raise pickle.UnpicklingError("refused: a storage is given a state")


class Tensor(collections.namedtuple("Tensor", "storage offset shape strides")):
    """A tensor whose numbers follow later in the file."""

    def array(self, storages):
        """Return the tensor as an array.

        Args:
            storages: Arrays by the key of their storage.
        """
        return view(storages[self.storage.key], self.offset, self.shape, self.strides)


def view(storage, offset, shape, strides):
    """Return a part of an array of numbers, which cannot be written to.

    Raises:
        pickle.UnpicklingError: If it reaches beyond the array, or repeats its numbers.
    """
    shape, strides = tuple(map(int, shape)), tuple(map(int, strides))
    last = offset + sum((side - 1) * s for side, s in zip(shape, strides, strict=True))
    inside = last < len(storage) and math.prod(shape) <= len(storage)
    if min((offset, *shape, *strides), default=0) < 0 or not (inside or 0 in shape):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)


def _tensor(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, tuple(shape), tuple(strides))


_STORAGES = {("torch", name): dtype for name, dtype in DTYPES.items()}
_TENSORS = {
    ("collections", "OrderedDict"): Ordered,
    ("torch._utils", "_rebuild_tensor_v2"): Allowed(_tensor),
    **_STORAGES,
}


def read_tensors(path):
    """Return the tensors of a PyTorch file in the format before 1.6, by name.

    Args:
        path: The file.

    Raises:
        pickle.UnpicklingError: If the file names anything but tensors, or is no such file.
    """
    with open(path, "rb") as file:
        tensors, read = _read(file, path)
        storages = read({t.storage.key: t.storage.dtype for t in tensors.values()})
    return {name: tensor.array(storages) for name, tensor in tensors.items()}


def read_storage(data):
    """Return the numbers of one storage, as an array, from the bytes that PyTorch saves it as."""
    storage, read = _read(io.BytesIO(data), "a storage")
    if not isinstance(storage, Storage):
        raise pickle.UnpicklingError(f"refused: {type(storage).__name__} in place of a storage")
    return read({storage.key: storage.dtype})[storage.key]


def _read(file, called):
    """Return what a file holds, and a function from dtypes by key to the arrays that follow."""
    parts = [Reader(file, _TENSORS).load() for _ in range(5)]
    if parts[0] != MAGIC or parts[1] != PROTOCOL:
        raise pickle.UnpicklingError(f"{called} is not a legacy PyTorch file")

    def read(dtypes):
        found = {}
        for key in parts[4]:
            count = int(np.frombuffer(file.read(8), "<i8")[0])
            raw = file.read(max(count, 0) * dtypes[key].itemsize)
            found[key] = np.frombuffer(raw, dtypes[key])
            if len(found[key]) != count:
                raise pickle.UnpicklingError(f"{called} is shorter than it says")
        return found

    return parts[3], read
