"""What each variant makes of the same images in the same time of one core.

    python benchmarks/which_variant.py --plan small --core 0 [--only r3gan]
    python benchmarks/which_variant.py --plan hours --core 1 --only r3gan --work FOLDER

It writes `which_variant/LENGTH-NAME.json` and a picture beside it: samples on the left with real
images on the right. Each run is `kerasgan train` with a time, on one core of the machine, which may
do something else on the others. The hours are one training that is looked at after one, two and
four. With a folder for its runs, later hours may follow another day. The scores compare with all
10,000 drawn heads.
"""

import os
import tempfile
from pathlib import Path

import experiment
import recommend

from kerasgan.files import read_json

TAKES = "40 minutes of one core for the small plan, 14 hours for that of hours"
FOLDER = experiment.RESULTS / "which_variant"
_DCGAN = ["--width", "16", "--upsampling", "nearest", "--batch-size", "32"]
_STYLES = ["--latent-dim", "64", "--channel-base", "1024", "--channel-max", "32"]
_STYLES += ["--batch-size", "16"]
# The size of the images, their number, the minutes after which is measured, and the words of each
# training.
PLANS = {
    "small": (32, 2000, (6,), {
        "gan": ["gan", *_DCGAN],
        "wgan_gp": ["wgan_gp", "--n-critic", "2", *_DCGAN],
        "sngan": ["sngan", *_DCGAN],
        "r3gan": ["r3gan", *_DCGAN],
    }),
    "hours": (64, 10_000, (60, 120, 240), {
        "gan": ["gan", *_DCGAN],
        "r3gan": ["r3gan", *_DCGAN],
        "stylegan2": ["stylegan2", *_STYLES],
    }),
}  # fmt: skip
BACKEND = "torch"
_OF_STYLES = ", StyleGAN2's own of 32 features at most, batches of 16"


def run(plan, core=0, only=None, out=FOLDER, work=None):
    """Train, and measure, the variants of a plan one after the other.

    Args:
        plan: A key of `PLANS`.
        core: Number of the core that the trainings are held on.
        only: The name of one variant, or None for all.
        out: Folder of the results. What is there already is not measured again.
        work: Folder of the runs, which are then kept; by default one that is removed.
    """
    os.sched_setaffinity(0, {core})
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    for name in PLANS[plan][-1]:
        if only in (None, name):
            with tempfile.TemporaryDirectory() as temporary:
                _one(plan, name, out, Path(work or temporary) / f"{plan}-{name}")


def _one(plan, name, out, runs):
    size, images, lengths, variants = PLANS[plan]
    words = [*variants[name], "--augment", "diffaugment", "--mirror"]
    seconds = done = 0
    for minutes in lengths:
        file = _file(plan, minutes, name)
        path, length = out / f"{file}.json", f"{minutes - done}m"
        if path.exists():
            found = read_json(path)
        elif not done:
            found = recommend.run(images, size, length, BACKEND, out, runs, words=words, name=file)
        elif runs.is_dir():
            folder = recommend.folder_of(runs)
            took, said = recommend.timed("train", "--resume", folder, "--time", length)
            asked = {"limit": images, "size": size, "time": f"{minutes}m", "backend": BACKEND}
            found = recommend.measured(folder, asked, seconds + took, said, out, file)
        else:
            raise SystemExit(
                f"{name} was measured after {done} minutes, and its run is not in {runs}: give "
                "--work the folder of that training, or --out an empty one."
            )
        seconds, done = found["seconds"], minutes
    print(table(plan, out), flush=True)


def _file(plan, minutes, name):
    return f"{plan}-{name}" if len(PLANS[plan][2]) == 1 else f"{minutes // 60}h-{name}"


def table(plan="small", folder=FOLDER):
    """Return how well each variant did, the best first at each length."""
    size, images, lengths, variants = PLANS[plan]
    rows, pictures, machines = [], [], []
    for minutes in lengths:
        paths = [folder / f"{_file(plan, minutes, name)}.json" for name in variants]
        found = [(path, read_json(path)) for path in paths if path.exists()]
        found.sort(key=lambda one: recommend.by_name(one[1])["frechet_distance"]["value"])
        for path, one in found:
            recipe, scores = one["recipe"], recommend.by_name(one)
            length, place = recipe["length"], recipe["environment"]
            machines.append(place["machine"])
            rows.append(
                [
                    recipe["variant"],
                    f"{length['epochs'] * length['steps_per_epoch']:,}",
                    f"{one['seconds'] / 60:.0f} min",
                    *(recommend.with_baseline(scores[name]) for name in recommend.METRICS),
                ]
            )
            pictures.append(
                f"![{recommend.SHOWN} samples of {recipe['variant']} given {minutes} minutes, "
                f"without selection, on the left; real images on the right.]"
                f"(../../benchmarks/results/which_variant/{path.stem}.webp)"
            )
    if not rows:
        return "No measurement is stored yet."
    head = ["Variant", "Steps", "It took", *(f"{n} (real)" for n in recommend.TITLES)]
    where = place["machine"]
    if len(set(machines)) > 1:  # An hour of one is not an hour of another.
        head, where = [*head, "Machine"], "one core of the machine that is named"
        rows = [[*row, machine] for row, machine in zip(rows, machines, strict=True)]
    return (
        f"{experiment.markdown(head, rows)}\n\n{images:,} heads of {size} pixels, so many minutes "
        "of one core each; DCGAN's networks of width 16 with nearest-neighbour upsampling, batches "
        f"of 32{_OF_STYLES if 'stylegan2' in variants else ''}, DiffAugment, mirrored; otherwise "
        f"what each variant has by default. Scores of {recommend.SAMPLES:,} samples by "
        "EfficientNet-Lite0's features; in brackets those of other real images; one seed, 0; "
        f"{where}, {experiment.BACKENDS[BACKEND]}, {experiment.day(place)}.\n\n"
        + "\n\n".join(pictures)
    )


if __name__ == "__main__":
    arguments = experiment.parser(__doc__, out=FOLDER)
    arguments.add_argument("--plan", choices=list(PLANS), default="small")
    arguments.add_argument("--core", type=int, default=0, help="which core does the work")
    arguments.add_argument("--only", help="one variant of the plan")
    arguments.add_argument("--work", type=Path, help="folder of the runs, which is kept")
    run(**vars(arguments.parse_args()))
