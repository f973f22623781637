"""What `kerasgan train` makes of so many images in so long, by what it chooses itself.

    python benchmarks/recommend.py [--limit 2000] [--size 64] [--time 20m] [--backend tensorflow]

It writes `recommend/SIZE-IMAGES-TIME-BACKEND.json` and two pictures beside it: samples on the left
with real images on the right, and how some samples came about. The command is that of a user, who
gives the data and a time. The drawn heads of `--data avatars` stand for images of one's own; the
scores compare with all 10,000 of them.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import experiment
from PIL import Image

from kerasgan.files import atomic, read_json, write_json

TAKES = "as long as it is given, and 3 minutes"
FOLDER = experiment.RESULTS / "recommend"
SAMPLES, SEED = 2500, 7
SHOWN, GAP = 100, 16  # Samples in a picture, as many as a run's `real.png` has, and pixels.
METRICS = ("frechet_distance", "coverage", "precision", "checkerboard")
TITLES = ("Fréchet distance", "Coverage", "Precision", "Lattice")  # Of these.
SHARES = {"a twentieth": 0.05, "a fifth": 0.2, "half": 0.5, "all": 1.0}  # Of the epochs.
ROWS = 10  # Of the grid of an epoch.


def run(limit, size, length, backend, out=FOLDER, work=None, busy=False, words=(), name=None):
    """Train as a user would, and measure.

    Args:
        limit: Number of images.
        size: Their side in pixels; None for what the command chooses.
        length: What `--time` says.
        backend: Name of a backend.
        out: Folder of the results.
        work: Folder of the run; by default one that is then removed.
        busy: Whether the machine does other work too.
        words: What the command is given besides, as a model's name and its options.
        name: Of the files of results, without their endings.
    """
    with tempfile.TemporaryDirectory() as temporary:
        runs = Path(work or temporary)
        given = ["--limit", limit, *(["--image-size", size] if size else [])]
        given += ["--time", length, "--backend", backend, "--run-dir", runs]
        took, said = timed("train", *words, "--data", "avatars", *given)
        asked = {"limit": limit, "size": size, "time": length, "backend": backend}
        return measured(folder_of(runs), asked, took, said, out, name, busy)


def folder_of(runs):
    """Return the folder of the only run in a folder."""
    return max(path for path in runs.iterdir() if path.is_dir())


def measured(folder, asked, seconds, said, out=FOLDER, name=None, busy=False):
    """Measure a run as it is, and write the figures and the pictures.

    Args:
        folder: Of the run.
        asked: What the command was given.
        seconds: How long it took.
        said: What it printed.
        out: Folder of the results.
        name: Of the files of results, without their endings.
        busy: Whether the machine did other work too.
    """
    options = read_json(folder / "options.json")
    out.mkdir(parents=True, exist_ok=True)
    name = name or _name(options["data"]["image_size"], asked)
    picture(folder, out / f"{name}.webp")
    progress(folder, out / f"{name}-progress.webp")
    found = {
        "asked": asked,
        "seconds": round(seconds),
        "busy": busy,
        "said": said.splitlines(),
        "recipe": {k: v for k, v in options.items() if k not in ("content", "classes")},
        "scores": scored(folder),
    }
    found["recipe"]["data"]["name_or_path"] = "avatars"
    write_json(out / f"{name}.json", found)
    return found


def _name(side, asked):
    return f"{side}-{asked['limit']}-{asked['time']}-{asked['backend']}"


def scored(folder):
    """Return the scores of a run, as `kerasgan evaluate --json` writes them."""
    out = folder.parent / "scores.json"
    _kerasgan(
        "evaluate", folder, "--data", "avatars", "--samples", SAMPLES, "--metrics",
        "frechet_distance,prdc,checkerboard", "--extractor", "efficientnet_lite0", "--json", out,
        "--overwrite",
    )  # fmt: skip
    return read_json(out)


def progress(folder, out):
    """Write the first row of the grids of some epochs, one below the other."""
    grids = sorted((folder / "samples").glob("epoch_*.png"))
    chosen = [grids[max(0, round(share * len(grids)) - 1)] for share in SHARES.values()]
    rows = []
    for path in chosen:
        with Image.open(path) as grid:
            rows.append(grid.crop((0, 0, grid.width, grid.height // ROWS)))
    width, height = rows[0].size
    step = height + GAP // 4
    _write(
        [(row, (0, i * step)) for i, row in enumerate(rows)],
        (width, len(rows) * step - GAP // 4),
        out,
    )


def picture(folder, out):
    """Write a grid of samples of a run, and as many real images beside it."""
    grid = folder.parent / "grid.png"
    _kerasgan("sample", folder, "-n", SHOWN, "--seed", SEED, "--out", grid, "--overwrite")
    with Image.open(grid) as ours, Image.open(folder / "samples" / "real.png") as real:
        width, height = ours.size
        placed = [(ours, (0, 0)), (real, (width + GAP, 0))]
        _write(placed, (2 * width + GAP, height), out)


def _write(placed, size, out):
    """Write images, each with its corner, on white."""
    whole = Image.new("RGB", size, "white")
    for image, corner in placed:
        whole.paste(image, corner)
    with atomic(out) as place:
        whole.save(place, "WEBP", quality=90)


def timed(*words):
    """Return how many seconds a command of kerasgan takes, and what it prints."""
    began = time.monotonic()
    said = _kerasgan(*words)
    return time.monotonic() - began, said


def _kerasgan(*words):
    command = [sys.executable, "-m", "kerasgan_cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return done.stdout


def table(folder=FOLDER):
    """Return what was chosen and how well it did, a row for each measurement."""
    rows, pictures = [], []
    if not any(folder.glob("*.json")):
        return "No measurement is stored yet."
    for found in experiment.stored("*.json", folder):
        recipe, asked = found["recipe"], found["asked"]
        length = recipe["length"]
        scores = by_name(found)
        rows.append(
            [
                f"{recipe['data']['image_size']}",
                f"{asked['limit']:,}",
                asked["time"],
                experiment.BACKENDS[asked["backend"]],
                f"{recipe['networks'].get('architecture', 'dcgan')}, width "
                f"{recipe['networks']['width']}, batches of {recipe['batch_size']}",
                f"{length['epochs'] * length['steps_per_epoch']:,}",
                f"{found['seconds'] / 60:.0f} min{', busy' if found.get('busy') else ''}",
                *(with_baseline(scores[name]) for name in METRICS),
            ]
        )
        side = recipe["data"]["image_size"]
        pictures.append(
            f"![{SHOWN} samples without selection on the left, real images on the right: {side} "
            f"pixels, {asked['limit']:,} images, {asked['time']}.]"
            f"(../../benchmarks/results/recommend/{_name(side, asked)}.webp)\n\n"
            f"![Ten of its latent vectors after {', '.join(SHARES)} of the training.]"
            f"(../../benchmarks/results/recommend/{_name(side, asked)}-progress.webp)"
        )
    place = found["recipe"]["environment"]
    head = ["Side", "Images", "`--time`", "Backend", "Networks", "Steps", "It took"]
    head += [f"{name} (real)" for name in TITLES]
    return (
        f"{experiment.markdown(head, rows)}\n\n`kerasgan train avatars --limit N --time T`, with "
        f"what it chooses itself. Scores of {SAMPLES:,} samples by EfficientNet-Lite0's features; "
        "in brackets those of other real images; busy: the machine did other work too, and the "
        f"same steps took longer; seed 0; {experiment.cores(place)} "
        f"({place['machine']}), {experiment.day(place)}.\n\n" + "\n\n".join(pictures)
    )


def by_name(found):
    """Return the scores of a stored measurement, by their names."""
    return {one["name"]: one for one in found["scores"]["results"]}


def with_baseline(score):
    """Return the value of a score, and in brackets that of other real images."""
    name, value, baseline = score["name"], score["value"], score["baseline"]
    return f"{experiment.figure(name, value)} ({experiment.figure(name, baseline)})"


if __name__ == "__main__":
    arguments = experiment.parser(__doc__, out=FOLDER)
    arguments.add_argument("--limit", type=int, default=2000, help="images")
    arguments.add_argument("--size", type=int, help="side in pixels; the command's own choice")
    arguments.add_argument("--time", dest="length", default="20m", help="as --time of kerasgan")
    arguments.add_argument("--backend", choices=list(experiment.BACKENDS), default="tensorflow")
    arguments.add_argument("--busy", action="store_true", help="the machine does other work too")
    arguments.add_argument("--work", type=Path, help="folder of the run, which is kept")
    options = arguments.parse_args()
    found = run(**vars(options))
    print(json.dumps(found["scores"], indent=1)[:3000])
    print(table(options.out))
