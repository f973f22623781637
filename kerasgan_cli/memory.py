"""Memory of a training: that of the host, and what to do where there is none left."""

import ctypes
import sys

# From glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4


def keep_freed_memory():
    """Let glibc keep the memory that a training step frees, for the next step.

    By default glibc returns large blocks to the kernel at once, and each step faults the same
    pages in again. Elsewhere than on Linux with glibc, or where it is refused, nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    for parameter, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**26)):
        mallopt(parameter, value)


_SIGNS = ("RESOURCE_EXHAUSTED", "out of memory", "can't allocate memory")


def is_out_of_memory(error):
    """Return whether an error says that the device, or the machine, has no memory left."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    named = kinds & {"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"}
    runtime = isinstance(error, RuntimeError) or "JaxRuntimeError" in kinds
    return bool(named) or (runtime and any(sign in str(error) for sign in _SIGNS))


def ways_out(recipe, image_shape, run, devices=1):
    """Return what to do where a batch does not fit into memory, as sentences.

    Args:
        recipe: The `Recipe` of the training.
        image_shape: `(height, width, channels)` of the images.
        run: The run's folder, as the shell takes it.
        devices: On how many devices it trains.
    """
    size = "x".join(map(str, image_shape))
    more = range(2 * recipe.accumulate, recipe.batch_size + 1)
    shares = recipe.packing * devices
    parts = next((k for k in more if recipe.batch_size % (k * shares) == 0), None)
    less = "a smaller --batch-size"
    if recipe.precision in ("float32", "tf32"):
        less += " and --precision mixed_bfloat16"
    text = f"there is no memory left for a batch of {recipe.batch_size} images of {size}. "
    if parts:
        again = f"--resume {run} --accumulate {parts}" + on_devices(devices)
        text += f"Take it in {parts} parts: kerasgan train {again}. "
    return f"{text}In a new run, {less} take{'' if ' and ' in less else 's'} less"


def on_devices(count):
    """Return the option with which a run goes on with as many devices, or ""."""
    return f" --devices {count}" if count > 1 else ""
