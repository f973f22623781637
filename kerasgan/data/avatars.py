"""Cartoon heads rendered from a seed: colour faces without a download.

Style "Adventurer" by Lisa Wischofsky (CC BY 4.0), rendered with DiceBear and resvg.
"""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from kerasgan import sizes
from kerasgan.data import fitting
from kerasgan.data.cache import Decoded, cached
from kerasgan.data.pixels import DataError, over_white

COUNT = 10_000
IMAGE_SIZE = 64
PACKAGES = ("dicebear-core", "dicebear-styles", "resvg-py")
_MODULES = ("dicebear", "dicebear_styles", "resvg_py")
_WORKER = Path(__file__).with_name("avatar_worker.py")
_GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R 601, as PIL


def load_avatars(name, folder, options, progress=None):
    """Return the `Decoded` avatars; see `kerasgan.data.sources`.

    Avatar `i` is always the same picture, so a smaller `limit` gives the first of the same ones.
    With 4 channels it has no background.
    """
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise DataError(
            "`name_or_path='avatars'` needs a few packages: pip install 'kerasgan[avatars]'. "
            f"Received: an environment without {', '.join(missing)}"
        )
    count, size = options["limit"] or COUNT, options["image_size"] or IMAGE_SIZE
    side = max(sizes.sides(size))
    channels = options["channels"] or 3
    fit = (options.get("fit", "crop"), options.get("background", "white"))
    square = side == size  # As they are drawn.
    versions = [importlib.metadata.version(name) for name in PACKAGES]

    def decode(writer):
        rendered = 4 if channels == 4 else 3
        for done, image in enumerate(render(count, side, channels=rendered), 1):
            if not square:
                image = np.asarray(fitting.shaped(fitting.as_image(image), size, False, *fit))
            if channels == 1:
                image = np.rint(image @ _GREY_WEIGHTS).astype(np.uint8)[..., None]
            elif channels == 4:
                image = over_white(image)
            writer.add(image)
            if progress is not None:
                progress(done, count)
        return None, {}

    about = {"content": {"source": name}, "unlabelled": "avatars have no classes"}
    decoded = cached(
        folder, name, [count, size, channels, versions, *(() if square else fit)], decode
    )
    return Decoded(decoded.images, decoded.labels, {**decoded.about, **about})


def render(count, size, workers=None, channels=3):
    """Yield `count` avatars as uint8 `(size, size, channels)`.

    Rendering holds the GIL, so other processes do it: each runs a small script and writes pixels
    to a pipe. A fork would copy the threads of the backend, and a spawned `multiprocessing`
    worker would import the user's main module.

    Args:
        count: Number of avatars, from the first.
        size: Side in pixels.
        workers: Number of processes; by default one for each CPU, up to four.
        channels: 3, or 4 for transparent pixels in place of a background, as in a PNG.
    """
    workers = workers or max(1, min(4, os.cpu_count() or 1, count // 32))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen(
            # -P: the script's folder must not hide packages behind modules of the same name.
            [sys.executable, "-P", _WORKER, *map(str, (first, count, workers, size, channels))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for first in range(workers)
    ]
    try:
        for index in range(count):
            process = processes[index % workers]
            data = process.stdout.read(size * size * channels)
            if len(data) < size * size * channels:
                reason = process.stderr.read().decode(errors="replace").strip()
                raise DataError(
                    "`name_or_path='avatars'`: the rendering process stopped. Try pip install -U "
                    f"'kerasgan[avatars]'. Received: {reason[-500:] or process.wait()}"
                )
            yield np.frombuffer(data, np.uint8).reshape(size, size, channels)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
