"""Where a number was measured: machine, cores, versions, date and load."""

import datetime
import importlib
import os
import platform


def describe(backend):
    """Return machine, cores, versions and date."""
    packages = ["kerasgan", "keras", backend, "numpy"]
    return {
        "backend": backend,
        "machine": f"{_processor()}, {platform.system()} {platform.machine()}",
        "cores": cores(),
        "accelerator": _accelerator(backend),
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


def _accelerator(backend):
    """Return the name of the device that the backend computes on, or None for a CPU."""
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


def cores():
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def load():
    """Return the load average of the last minute, or None where there is none."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
