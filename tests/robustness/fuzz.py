"""Tries nonsense and kills for some minutes, and prints every seed that something went wrong with.

    PYTHONPATH=tests python tests/robustness/fuzz.py --minutes 30 [--first 1000]

A seed that fails belongs into the tests beside this file, once its cause is mended.
"""

import argparse
import contextlib
import io
import itertools
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

import keras
import killer
import nonsense
import numpy as np

import kerasgan
from kerasgan.data.folder import read_image
from kerasgan.storage import PresetError
from kerasgan_cli import main

HERE = Path(__file__).resolve().parent


def ended(*words):
    """Run a command in this process, and return what was wrong with its end, or None."""
    out, err = io.StringIO(), io.StringIO()
    code = None
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(list(words))
    except SystemExit as stop:
        code = stop.code
    return nonsense.fault(words, code, out.getvalue(), err.getvalue())


def command_lines(folder):
    """Return a function that tries a command line of a seed."""
    place = folder / "cwd"
    place.mkdir()

    def trial(rng):
        os.chdir(place)
        return ended(*nonsense.command_line(rng))

    return trial


def images(folder):
    """Return a function that tries an image of a seed."""

    def trial(rng):
        data, suffix = nonsense.image_file(rng)
        path = folder / f"image{suffix}"
        path.write_bytes(data)
        options = {"image_size": 8, "channels": None, "upscale": True}
        with warnings.catch_warnings():  # Pillow warns of broken metadata.
            warnings.simplefilter("ignore")
            found = read_image(folder, [path.name, len(data), 0], options)
        wrong = isinstance(found, str) and (not found or len(found) > 500)
        return f"{path.name}: {found!r:.300}" if wrong else None

    return trial


def presets(folder):
    """Return a function that tries a preset of a seed."""
    pair = kerasgan.networks.mlp(image_size=8, channels=1, latent_dim=4, width=8, depth=1)
    kerasgan.GAN(*pair).save_to_preset(folder / "preset")

    def trial(rng):
        with tempfile.TemporaryDirectory() as place:
            nonsense.preset(rng, folder / "preset", Path(place) / "p")
            with contextlib.suppress(PresetError):
                kerasgan.from_preset(Path(place) / "p").sample(2)

    return trial


def run_folders(folder):
    """Return a function that tries a run folder of a seed."""
    pixels = np.random.default_rng(0).integers(0, 256, (80, 12, 12), dtype="uint8")
    np.save(folder / "pixels.npy", pixels)
    options = ["--network", "mlp", "--width", "4", "--latent-dim", "4", "--epochs", "2"]
    place = ["--data", str(folder / "pixels.npy"), "--run-dir", str(folder / "runs")]
    assert ended("train", "gan", *place, *options) is None
    (run,) = (folder / "runs").iterdir()

    def trial(rng):
        with tempfile.TemporaryDirectory() as place:
            copy = Path(place) / "run"
            nonsense.run_folder(rng, run, copy)
            more = ["--epochs", "3"] if rng.random() < 0.5 else []
            return (
                ended("report", str(copy))
                or ended("sample", str(copy), "-n", "2", "--out", f"{place}/a.png")
                or ended("train", "--resume", str(copy), *more)
            )

    return trial


def kills(folder):
    """Return a function that kills a training at the moment of a seed."""
    place = folder / "kills"
    place.mkdir()
    rounds = killer.rounds(keras.backend.backend(), place, itertools.count(1000))

    def trial(rng):
        seed, wrong = next(rounds)
        return f"kill {seed}: {wrong}" if wrong else None

    return trial


# Each with its share of the time.
TRIALS = {command_lines: 0.2, images: 0.1, presets: 0.2, run_folders: 0.2, kills: 0.3}


def run(minutes, first=1000):
    """Try each kind of nonsense for its share of the time; return how many seeds failed."""
    failed = 0
    for make, share in TRIALS.items():
        with tempfile.TemporaryDirectory() as folder:
            trial, end, count = make(Path(folder)), time.monotonic() + 60 * minutes * share, 0
            for seed in itertools.count(first):
                if time.monotonic() > end:
                    break
                count += 1
                try:
                    wrong = trial(np.random.default_rng(seed))
                except Exception as error:
                    wrong = f"{type(error).__name__}: {error}"
                if wrong:
                    failed += 1
                    print(f"{make.__name__}, seed {seed}: {wrong}", flush=True)
            os.chdir(HERE)
        print(f"{make.__name__}: {count} tried", flush=True)
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--first", type=int, default=1000, help="the first seed")
    sys.exit(1 if run(**vars(parser.parse_args())) else 0)
