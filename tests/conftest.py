"""Shared fixtures. The backend under test is the one that KERAS_BACKEND names."""

import importlib
import os
import sys
import time
import zlib
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


BACKENDS = ("tensorflow", "jax", "torch")
ASK_THE_BACKEND = {
    *("adversarial", "augment", "backend", "gans", "layers", "networks"),
    *("test_agreement.py", "test_losses.py", "test_penalties.py"),
}


def pytest_addoption(parser):
    parser.addoption(
        "--share",
        choices=("own", "others"),
        help="own: what this backend runs where each test that asks little of the backend, or is "
        "slow, runs on one of the three. others: the rest.",
    )
    parser.addoption(
        "--until", type=float, help="Unix time after which tests are skipped, and counted as such."
    )


def on_one_backend(item):
    """Return the backend that runs a test, where the tests are dealt out, or None for each."""
    file = item.path.relative_to(Path(__file__).parent)
    if file.parts[0] in ASK_THE_BACKEND and not {"slow", "numpy"} & set(item.keywords):
        return None
    group = item.get_closest_marker("xdist_group")
    name = group.args[0] if group else item.nodeid.partition("@")[0]
    return BACKENDS[zlib.crc32(name.encode()) % len(BACKENDS)]


def pytest_runtest_setup(item):
    until = item.config.getoption("until")
    if until is not None and time.time() > until:
        pytest.skip("no time was left")


def pytest_collection_modifyitems(config, items):
    share = config.getoption("share")
    if share is not None:
        import keras

        mine = (None, keras.backend.backend())
        own, others = [], []
        for item in items:
            (own if on_one_backend(item) in mine else others).append(item)
        items[:], left = (own, others) if share == "own" else (others, own)
        config.hook.pytest_deselected(items=left)
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


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef):
    """Seed what trains once for several tests, which no fixture of a test comes before."""
    if fixturedef.scope != "function":
        import keras

        keras.utils.set_random_seed(0)


@pytest.fixture
def images():
    """Sixty-four smooth 28x28 images in [-1, 1], each different."""
    t = np.linspace(0, 3, 28, dtype="float32")
    phases = np.arange(64, dtype="float32")[:, None, None]
    return np.sin(t[None, :, None] * (1 + phases % 5) + t[None, None, :] + phases)[..., None]
