"""Tries nonsense and kills for some minutes, and prints every seed that something went wrong with.

    PYTHONPATH=tests python tests/robustness/fuzz.py --minutes 30 [--first 1000] [--only presets]

Something is wrong if a trial ends other than documented, takes more than 30 seconds or 2 GB, or
writes where it was not told to. A seed that fails belongs into the tests beside this file, once its
cause is mended.
"""

import argparse
import contextlib
import io
import itertools
import multiprocessing.util
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
from kerasgan.data.folder_files import FolderFiles
from kerasgan.storage import PresetError
from kerasgan_cli import main

HERE = Path(__file__).resolve().parent
SECONDS, MOST = 30, 2e9  # What a trial may take, and bytes of memory.
# Names of audit events, and how many paths each has.
EVENTS = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.symlink": 2}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Writes:
    """Notes each path that Python opens for writing, makes, moves, or removes."""

    def __init__(self):
        self.paths = set()
        sys.addaudithook(self._note)

    def _note(self, event, arguments):
        if event == "open" and not isinstance(arguments[0], int) and arguments[2] & _WRITING:
            self.paths.add(os.path.abspath(os.fsdecode(arguments[0])))
        elif event in EVENTS:
            count = EVENTS[event]
            descriptor = arguments[-1]  # Of the folder that a relative path is meant in.
            base = os.readlink(f"/proc/self/fd/{descriptor}") if descriptor >= 0 else ""
            paths = (os.path.join(base, os.fsdecode(path)) for path in arguments[:count])
            self.paths.update(map(os.path.abspath, paths))

    def outside(self, *named):
        """Forget the paths so far, and return those that are not in these, nor around them."""
        paths, self.paths = self.paths, set()
        places = ["/dev", "/proc/self", *(os.path.abspath(os.fsdecode(name)) for name in named)]
        pairs = (
            (path, os.path.commonpath((path, place)), place) for path in paths for place in places
        )
        inside = {path for path, common, place in pairs if common in (path, place)}
        return sorted(paths - inside)


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


# Each of these returns a function that tries something of a seed. That function returns what was
# wrong, or None, and the places where it may write.


def command_lines(folder):
    """Try command lines."""
    place = folder / "cwd"
    place.mkdir()

    def trial(rng):
        os.chdir(place)
        words = nonsense.command_line(rng)
        named = [word.partition("=")[2] or word for word in words]
        named = [Path(os.path.expanduser(word)) for word in named if "\0" not in word]
        return ended(*words), [*filter(None, named), "runs"]

    return trial


def images(folder):
    """Try image files."""

    def trial(rng):
        data, suffix = nonsense.image_file(rng)
        path = folder / f"image{suffix}"
        path.write_bytes(data)
        options = {"image_size": 8, "channels": None, "upscale": True}
        with warnings.catch_warnings():  # Pillow warns of broken metadata.
            warnings.simplefilter("ignore")
            found = read_image(FolderFiles(folder), [path.name, len(data), 0], options)
        wrong = isinstance(found, str) and (not found or len(found) > 500)
        return f"{path.name}: {found!r:.300}" if wrong else None, [path]

    return trial


def presets(folder):
    """Try presets."""
    pair = kerasgan.networks.mlp(image_size=8, channels=1, latent_dim=4, width=8, depth=1)
    kerasgan.GAN(*pair).save_to_preset(folder / "preset")

    def trial(rng):
        with tempfile.TemporaryDirectory() as place:
            nonsense.preset(rng, folder / "preset", Path(place) / "p")
            with contextlib.suppress(PresetError):
                kerasgan.from_preset(Path(place) / "p").sample(2)
        return None, [place]

    return trial


def run_folders(folder):
    """Try run folders."""
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
            wrong = (
                ended("report", str(copy))
                or ended("sample", str(copy), "-n", "2", "--out", f"{place}/a.png")
                or ended("train", "--resume", str(copy), *more)
            )
        return wrong, [place]

    return trial


def _memory(reset=False):
    """Return the most memory in bytes that this process has had since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def kills(folder):
    """Kill trainings."""
    place = folder / "kills"
    place.mkdir()
    rounds = killer.rounds(keras.backend.backend(), place, itertools.count(1000))

    def trial(rng):
        seed, wrong = next(rounds, (None, "no more rounds, after an error"))
        return f"kill {seed}: {wrong}" if wrong else None, [place]

    return trial


# Each with its share of the time.
TRIALS = {command_lines: 0.2, images: 0.1, presets: 0.2, run_folders: 0.2, kills: 0.3}


@contextlib.contextmanager
def temporary_files_in(folder):
    """Have the cache and temporary files in a folder; give the places."""
    places = [os.path.join(folder, name) for name in ("cache", "temporary")]
    for place in places:
        os.mkdir(place)
    os.environ["KERASGAN_CACHE"], os.environ["TMPDIR"] = places
    tempfile.tempdir = None  # Read the variable anew.
    yield places
    del os.environ["TMPDIR"]
    tempfile.tempdir = None


def measured(trial, rng, writes, places):
    """Run a trial, and return what was wrong with it or None, its seconds and its memory."""
    _memory(reset=True)
    begun = time.monotonic()
    try:
        wrong, named = trial(rng)
    except Exception as error:
        wrong, named = f"{type(error).__name__}: {error}", []
    seconds, memory = time.monotonic() - begun, _memory()
    outside = writes.outside(*places, *named)
    limit = 1000 if trial.__qualname__.startswith("kills") else SECONDS  # Of whole trainings.
    if not wrong and (seconds > limit or memory > MOST or outside):
        wrong = f"{seconds:.1f} s, {memory / 1e9:.2f} GB, writes {outside}"
    return wrong, seconds, memory


def run(minutes, first=1000, only=None):
    """Try each kind of nonsense for its share of the time; return how many seeds failed."""
    failed = 0
    kinds = {k: s for k, s in TRIALS.items() if only in (None, k.__name__)}
    writes = Writes()
    multiprocessing.util.get_temp_dir()  # Made before the folders below, it outlives them.
    sys.dont_write_bytecode = True
    for make, share in kinds.items():
        share /= sum(kinds.values())
        with tempfile.TemporaryDirectory() as folder, temporary_files_in(folder) as places:
            trial, end, found = make(Path(folder)), time.monotonic() + 60 * minutes * share, []
            writes.outside()
            for seed in itertools.count(first):
                if time.monotonic() > end:
                    break
                wrong, *cost = measured(trial, np.random.default_rng(seed), writes, places)
                found.append(cost)
                if wrong:
                    failed += 1
                    print(f"{make.__name__}, seed {seed}: {wrong}", flush=True)
            os.chdir(HERE)
        slowest, largest = np.max(found, axis=0)
        print(
            f"{make.__name__}: {len(found)} tried, at most {slowest:.1f} s and "
            f"{largest / 1e9:.2f} GB",
            flush=True,
        )
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--first", type=int, default=1000, help="the first seed")
    names = [make.__name__ for make in TRIALS]
    parser.add_argument("--only", choices=names, help="one kind of nonsense, for all the time")
    sys.exit(1 if run(**vars(parser.parse_args())) else 0)
