"""Shared fixtures. The backend under test is the one that KERAS_BACKEND names."""

import importlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def has_accelerator():
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.is_available()
    return any("gpu" in device or "tpu" in device for device in keras.distribution.list_devices())


def pytest_collection_modifyitems(items):
    if any("gpu" in item.keywords for item in items) and not has_accelerator():
        skip = pytest.mark.skip(reason="no accelerator")
        for item in items:
            if "gpu" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def script():
    """A function from the name of a script in benchmarks/ or tools/ to its module."""
    root = Path(__file__).resolve().parents[1]
    folders = [str(root / folder) for folder in ("benchmarks", "tools", "tools/docs")]

    def load(name):
        sys.path[:0] = folders  # Scripts import each other.
        try:
            return importlib.import_module(name)
        finally:
            del sys.path[: len(folders)]

    return load


@pytest.fixture(scope="session")
def backend_name():
    import keras

    return keras.backend.backend()


@pytest.fixture(autouse=True)
def seeded():
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture
def images():
    """Sixty-four smooth 28x28 images in [-1, 1], each different."""
    t = np.linspace(0, 3, 28, dtype="float32")
    phases = np.arange(64, dtype="float32")[:, None, None]
    return np.sin(t[None, :, None] * (1 + phases % 5) + t[None, None, :] + phases)[..., None]
