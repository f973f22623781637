"""Cartoon heads rendered from a seed: colour pictures without a download.

They are drawn with DiceBear and resvg. `kerasgan.catalogue.STYLES` says who made each style, and
its licence; the first is "Adventurer" by Lisa Wischofsky (CC BY 4.0).
"""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from kerasgan import catalogue, sizes
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
    With 4 channels those in the first style have no background. Several styles come in turn, and
    are the labels.
    """
    styles = catalogue.styles(name)
    own = styles == (catalogue.FIRST_STYLE,)
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise DataError(
            f"`name_or_path={name!r}` needs a few packages: pip install 'kerasgan[avatars]'. "
            f"Received: an environment without {', '.join(missing)}"
        )
    count, size = options["limit"] or COUNT, options["image_size"] or IMAGE_SIZE
    if count < len(styles):
        raise DataError(
            f"`limit` must be at least {len(styles)}, the number of styles. Received: limit={count}"
        )
    side = max(sizes.sides(size))
    channels = options["channels"] or 3
    fit = (options.get("fit", "crop"), options.get("background", "white"))
    square = side == size  # As they are drawn.
    versions = [importlib.metadata.version(name) for name in PACKAGES]

    def shaped(image):
        if not own:
            asked = {**options, "image_size": size, "upscale": False}
            return fitting.fitted(fitting.as_image(image), asked, channels)
        if not square:
            image = np.asarray(fitting.shaped(fitting.as_image(image), size, False, *fit))
        if channels == 1:
            return np.rint(image @ _GREY_WEIGHTS).astype(np.uint8)[..., None]
        return over_white(image) if channels == 4 else image

    def decode(writer):
        filled = channels < 4
        drawn = render(count, side, None, 3 if own and filled else 4, styles, filled)
        for done, image in enumerate(drawn, 1):
            writer.add(shaped(image))
            if progress is not None:
                progress(done, count)
        several = len(styles) > 1
        labels = np.arange(count) % len(styles) if several else None
        return labels, {"class_names": list(styles) if several else None}

    about = {"content": {"source": name}, "unlabelled": "avatars of one style have no classes"}
    fitted = () if square and own else fit
    identity = [count, size, channels, versions, *(() if own else styles), *fitted]
    decoded = cached(folder, "avatars", identity, decode)
    return Decoded(decoded.images, decoded.labels, {**decoded.about, **about})


def render(count, size, workers=None, channels=3, styles=(catalogue.FIRST_STYLE,), filled=None):
    """Yield `count` avatars as uint8 `(size, size, channels)`, in several styles in turn.

    Rendering holds the GIL, so other processes do it: each runs a small script and writes pixels
    to a pipe. A fork would copy the threads of the backend, and a spawned `multiprocessing`
    worker would import the user's main module.

    Args:
        count: Number of avatars, from the first.
        size: Side in pixels.
        workers: Number of processes; by default one for each CPU, up to four.
        channels: 3, or 4 for transparent pixels, as in a PNG.
        styles: Keys of `kerasgan.catalogue.STYLES`.
        filled: Whether those in the first style have a background; by default with 3 channels.
    """
    filled = channels == 3 if filled is None else filled
    workers = workers or max(1, min(4, os.cpu_count() or 1, count // 32))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen(
            # -P: the script's folder must not hide packages behind modules of the same name.
            [sys.executable, "-P", _WORKER, ",".join(styles)]
            + [str(number) for number in (first, count, workers, size, channels, int(filled))],
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
                    "`name_or_path` of avatars: the rendering process stopped. Try pip install -U "
                    f"'kerasgan[avatars]'. Received: {reason[-500:] or process.wait()}"
                )
            yield np.frombuffer(data, np.uint8).reshape(size, size, channels)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
