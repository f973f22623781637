"""The machine that a number was measured on, and what a backend will use of it."""

import contextlib
import datetime
import importlib
import os
import platform
import warnings
from importlib import metadata
from pathlib import Path

_JAX_PLUGINS = ("jax-cuda12-plugin", "jax-cuda13-plugin", "jax-rocm7-plugin", "jax-metal")


def describe(backend):
    """Return machine, cores, versions and date."""
    packages = ["kerasgan", "keras", backend, "numpy"]
    return {
        "backend": backend,
        "machine": f"{_processor()}, {platform.system()} {platform.machine()}",
        "cores": cores(),
        "accelerator": accelerator(backend),
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.import_module(name).__version__ for name in packages},
        },
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load at the start": load(),
    }


def _processor():
    """Return the processor's name, with the generation that some names do not tell."""
    try:
        with open("/proc/cpuinfo") as file:
            first = file.read().split("\n\n")[0]
    except OSError:
        return platform.processor() or "unknown processor"
    fields = dict(map(str.strip, line.split(":", 1)) for line in first.splitlines() if ":" in line)
    name = fields.get("model name") or platform.processor() or "unknown processor"
    if {"cpu family", "model"} <= fields.keys():
        name += f" (family {fields['cpu family']}, model {fields['model']})"
    return name


def accelerator(backend):
    """Return the name of the device that the backend computes on, or None for a CPU.

    On JAX this starts its devices, after which flags of XLA are not read any more.
    """
    library = importlib.import_module(backend)
    if backend == "torch":
        return library.cuda.get_device_name() if library.cuda.is_available() else None
    if backend == "jax":
        device = library.devices()[0]
        return None if device.platform == "cpu" else device.device_kind
    devices = library.config.list_physical_devices("GPU")
    if not devices:
        return None
    return library.config.experimental.get_device_details(devices[0])["device_name"]


def idle_gpu(backend):
    """Return why the backend leaves an NVIDIA GPU of this machine alone, a sentence, or None.

    The driver is looked for where Linux has it.
    """
    if not _nvidia_driver() or accelerator(backend):
        return None
    library = importlib.import_module(backend)
    if backend == "jax":
        if not any(map(_installed, _JAX_PLUGINS)):
            return 'JAX has no plug-in for it: pip install -U "jax[cuda12]" brings one'
        why = _said_by(library.devices, "gpu")
    elif backend == "torch":
        if not library.version.cuda:
            return "this PyTorch is built for CPUs alone: pip install torch brings one for GPUs"
        why = _said_by(library.cuda.init)
    elif not library.sysconfig.get_build_info().get("cuda_version"):
        return "this TensorFlow is built for CPUs alone"
    else:
        why = 'TensorFlow lacks libraries: pip install "tensorflow[and-cuda]" brings them'
    return why or "it is hidden from this process, or the driver does not work"


def _nvidia_driver():
    return Path("/proc/driver/nvidia/version").exists()


def _said_by(start, *args):
    """Return the first line that a backend says when it cannot start its devices, or ""."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            start(*args)
    except Exception as error:  # Each backend has its own kinds.
        return (str(error).strip().splitlines() or [""])[0][:300]
    return ""


def cores():
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def load():
    """Return the load average of the last minute, or None where there is none."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def used(backend):
    """Return what computations on this backend will use, as text by name.

    The backend is the one that Keras runs on.
    """
    import keras

    device, idle = accelerator(backend), idle_gpu(backend)
    found = {
        "system": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        "processor": f"{_processor()}, {cores()} cores for this process",
        "backend": f"{backend} {importlib.import_module(backend).__version__}",
        "device": device or "the CPU",
        **({"an idle GPU": idle} if idle else {}),
        "precision": keras.config.dtype_policy().name,
        **_details(backend, device),
    }
    for package in ("kerasgan", "keras", "numpy", "pillow"):
        found[package] = metadata.version(package)
    others = {name: _installed(name) for name in ("tensorflow", "jax", "torch") if name != backend}
    found["beside it"] = ", ".join(f"{k} {v}" for k, v in others.items() if v) or "no other backend"
    return found


def _installed(package):
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version(package)


def _details(backend, device):
    """Return the settings of a backend that change its results or its speed."""
    library = importlib.import_module(backend)
    if backend == "torch":
        cuda = library.version.cuda or library.version.hip
        return {
            "built for": f"CUDA {cuda}" if cuda else "CPUs alone",
            "TF32": "on" if library.backends.cuda.matmul.allow_tf32 else "off",
            "threads": str(library.get_num_threads()),
        }
    if backend == "jax":
        plugins = [f"{name} {_installed(name)}" for name in _JAX_PLUGINS if _installed(name)]
        return {
            "built for": ", ".join(plugins) or "CPUs alone",
            "devices": ", ".join(map(str, library.devices())),
            "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
        }
    built = library.sysconfig.get_build_info()
    cuda = built.get("cuda_version")
    return {
        "built for": f"CUDA {cuda}" if cuda else "CPUs alone",
        "XLA": "on" if device else "off; compile(jit_compile=True) turns it on",
        "oneDNN": "off" if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0" else "on",
    }
