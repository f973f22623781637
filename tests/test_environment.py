"""What is said of the machine."""

import sys
import types

import pytest

from kerasgan import environment


@pytest.fixture
def driver(monkeypatch):
    """A machine with an NVIDIA driver, on which no backend finds a GPU."""
    monkeypatch.setattr(environment, "_nvidia_driver", lambda: True)
    monkeypatch.setattr(environment, "accelerator", lambda backend: None)


def _too_old(*args):
    raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040).\nMore")


def _torch(cuda):
    version = types.SimpleNamespace(cuda=cuda)
    return types.SimpleNamespace(version=version, cuda=types.SimpleNamespace(init=_too_old))


@pytest.mark.parametrize(
    ("backend", "library", "plugin", "expected"),
    [
        ("torch", _torch(None), None, "built for CPUs alone: pip install torch"),
        ("torch", _torch("12.8"), None, "is too old (found version 11040)."),
        ("jax", types.SimpleNamespace(), None, 'pip install -U "jax[cuda12]"'),
        ("jax", types.SimpleNamespace(devices=_too_old), "0.10.0", "is too old"),
        ("jax", types.SimpleNamespace(devices=lambda kind: []), "0.10.0", "is hidden from this"),
    ],
)
def test_an_idle_gpu_is_explained(driver, monkeypatch, backend, library, plugin, expected):
    monkeypatch.setitem(sys.modules, backend, library)
    monkeypatch.setattr(environment, "_installed", lambda package: plugin)
    said = environment.idle_gpu(backend)
    assert expected in said and "\n" not in said


def test_without_a_driver_nothing_is_said(backend_name, monkeypatch):
    monkeypatch.setattr(environment, "_nvidia_driver", lambda: False)
    assert environment.idle_gpu(backend_name) is None
    assert "an idle GPU" not in environment.used(backend_name)


def test_the_present_backend_explains_itself(driver, backend_name):
    assert environment.idle_gpu(backend_name)
    assert environment.used(backend_name)["an idle GPU"]
