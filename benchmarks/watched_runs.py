"""Whether `kerasgan watch`, over grids that a training wrote, raises the alarms of the guard.

    python benchmarks/watched_runs.py RUNS FOLDER

RUNS holds the exam's trainings on pictures, as
`kerasgan bench collapse --exam pictures --repeat RUNS --pictures FOLDER --keep-images` leaves them,
and FOLDER the pictures that `tools/exam_pictures.py` makes. It writes `watched_runs.json`.

The images of each check are written as one grid, a PNG file, and the command watches the folder of
these grids. It knows no classes, so trainings with classes are left out.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import experiment
import numpy as np

from kerasgan import pictures
from kerasgan.bench.collapse import exam
from kerasgan.bench.collapse import pictures as sources
from kerasgan.collapse import Detector
from kerasgan.data import from_uint8

TAKES = "15 minutes"
BAD = ("collapsed", "diverged")


def guarded(history):
    """Return what the guard said at each check."""
    seen, detector = exam.measurements(history), Detector()
    return [detector(seen[: i + 1]).state for i in range(len(seen))]


def watched(images, recipe, folder, place):
    """Return what the command says of each check.

    Args:
        images: The images of all checks, `(checks, n, height, width, channels)`, uint8.
        recipe: The recipe of the training.
        folder: Where the pictures of the exam are.
        place: A folder for the grids and the real images.
    """
    real, _, _ = sources.load(folder, **recipe["pictures"])
    np.save(place / "real.npy", real)
    grids = place / "grids"
    grids.mkdir()
    for i, check in enumerate(images):
        pictures.save_grid(grids / f"{i:03d}.png", from_uint8(np.asarray(check)))
    command = [sys.executable, "-m", "kerasgan_cli", "watch", str(grids), "--once"]
    command += ["--real", str(place / "real.npy"), "--out", str(place / "out")]
    command += ["--image-size", str(images.shape[2]), "--samples", str(images.shape[1])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr[-1000:])
    return re.findall(r"^\d+\.png  (\w+):", done.stdout, re.MULTILINE)


def run(runs, folder, out=experiment.RESULTS):
    """Watch the grids of every training whose images were kept, and write what was said."""
    found = []
    for path in sorted(runs.glob("*-none.json")):
        history = json.loads(path.read_text(encoding="utf-8"))
        images = path.with_suffix(".npy")
        if "classes" in history["recipe"]["pictures"] or not images.exists():
            continue
        with tempfile.TemporaryDirectory() as place:
            said = watched(np.load(images, mmap_mode="r"), history["recipe"], folder, Path(place))
        found.append({"name": path.stem, "guard": guarded(history), "watch": said})
        print(path.stem, alarm(found[-1]["guard"]), alarm(said), flush=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / "watched_runs.json").write_text(json.dumps(found) + "\n")


def alarm(said):
    """Return the number of the first check that is bad, from 1, or None."""
    return next((i for i, state in enumerate(said, 1) if state in BAD), None)


def table(folder=experiment.RESULTS):
    """Return how often the command and the guard agree."""
    [found] = experiment.stored("watched_runs.json", folder)
    both = [(alarm(r["guard"]), alarm(r["watch"])) for r in found]
    checks = [pair for r in found for pair in zip(r["guard"], r["watch"], strict=True)]
    rows = [
        ["Trainings", len(found)],
        ["with an alarm of the guard", sum(g is not None for g, _ in both)],
        ["with the alarm of the command at the same check", sum(g == w for g, w in both if g)],
        ["with an alarm of the command alone", sum(w is not None for g, w in both if not g)],
        ["Checks", len(checks)],
        ["with the same verdict", sum(g == w for g, w in checks)],
    ]
    return experiment.markdown(["", "Number"], [[name, str(number)] for name, number in rows])


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("runs", type=Path)
    arguments.add_argument("folder", type=Path)
    options = arguments.parse_args()
    run(**vars(options))
    print(table(options.out))
