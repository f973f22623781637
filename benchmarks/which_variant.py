"""What each variant makes of the same images in the same time of one core.

    python benchmarks/which_variant.py --plan small --core 0 [--only r3gan]
    python benchmarks/which_variant.py --plan 1h --core 1 --only stylegan2

It writes `which_variant/PLAN-NAME.json` and a picture beside it: samples on the left with real
images on the right. Each run is `kerasgan train` with a time, on one core of the machine, which may
do something else on the others. The scores compare with all 10,000 drawn heads.
"""

import os
from pathlib import Path

import experiment
import recommend

from kerasgan.files import read_json

TAKES = "40 minutes of one core for the small plan, 22 hours for those of hours"
FOLDER = experiment.RESULTS / "which_variant"
_DCGAN = ["--width", "16", "--upsampling", "nearest", "--batch-size", "32"]
_STYLES = ["--latent-dim", "64", "--channel-base", "1024", "--channel-max", "32"]
_STYLES += ["--batch-size", "16"]
_HOURS = {
    "gan": ["gan", *_DCGAN],
    "r3gan": ["r3gan", *_DCGAN],
    "stylegan2": ["stylegan2", *_STYLES],
}
# The size of the images, their number, what --time says, and the words of each training.
PLANS = {
    "small": (32, 2000, "6m", {
        "gan": ["gan", *_DCGAN],
        "wgan_gp": ["wgan_gp", "--n-critic", "2", *_DCGAN],
        "sngan": ["sngan", *_DCGAN],
        "r3gan": ["r3gan", *_DCGAN],
    }),
    **{f"{n}h": (64, 10_000, f"{n}h", _HOURS) for n in (1, 2, 4)},
}  # fmt: skip
BACKEND = "torch"
_OF_STYLES = ", StyleGAN2's own of 32 features at most, batches of 16"


def run(plan, core=0, only=None, out=FOLDER, work=None):
    """Train, and measure, the variants of a plan one after the other.

    Args:
        plan: A key of `PLANS`.
        core: Number of the core that the trainings are held on.
        only: The name of one variant, or None for all.
        out: Folder of the results.
        work: Folder of the runs, which are then kept; by default one that is removed.
    """
    size, images, length, variants = PLANS[plan]
    os.sched_setaffinity(0, {core})
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    for name, words in variants.items():
        if only in (None, name):
            given = [*words, "--augment", "diffaugment", "--mirror"]
            recommend.run(
                images, size, length, BACKEND, out, work, words=given, name=f"{plan}-{name}"
            )
            print(table(plan, out), flush=True)


def table(plan="small", folder=FOLDER):
    """Return how well each variant did, the best first."""
    if not any(folder.glob(f"{plan}-*.json")):
        return "No measurement is stored yet."
    found = [read_json(path) for path in sorted(folder.glob(f"{plan}-*.json"))]
    found.sort(key=lambda one: recommend.by_name(one)["frechet_distance"]["value"])
    rows, pictures = [], []
    for one in found:
        recipe, scores = one["recipe"], recommend.by_name(one)
        length = recipe["length"]
        rows.append(
            [
                recipe["variant"],
                f"{length['epochs'] * length['steps_per_epoch']:,}",
                f"{one['seconds'] / 60:.0f} min",
                *(recommend.with_baseline(scores[name]) for name in recommend.METRICS),
            ]
        )
        pictures.append(
            f"![{recommend.SHOWN} samples of {recipe['variant']} without selection on the left, "
            f"real images on the right.]"
            f"(../../benchmarks/results/which_variant/{plan}-{recipe['variant']}.webp)"
        )
    size, images, minutes, variants = PLANS[plan]
    place = found[0]["recipe"]["environment"]
    head = ["Variant", "Steps", "It took", *(f"{n} (real)" for n in recommend.TITLES)]
    return (
        f"{experiment.markdown(head, rows)}\n\n{images:,} heads of {size} pixels, `--time "
        f"{minutes}` of one core each; DCGAN's networks of width 16 with nearest-neighbour "
        f"upsampling, batches of 32{_OF_STYLES if 'stylegan2' in variants else ''}, DiffAugment, "
        "mirrored; otherwise what each variant has by default. Scores of "
        f"{recommend.SAMPLES:,} samples by EfficientNet-Lite0's features; in brackets those of "
        f"other real images; one seed, 0; {place['machine']}, {experiment.BACKENDS[BACKEND]}, "
        f"{experiment.day(place)}.\n\n" + "\n\n".join(pictures)
    )


if __name__ == "__main__":
    arguments = experiment.parser(__doc__, out=FOLDER)
    arguments.add_argument("--plan", choices=list(PLANS), default="small")
    arguments.add_argument("--core", type=int, default=0, help="which core does the work")
    arguments.add_argument("--only", help="one variant of the plan")
    arguments.add_argument("--work", type=Path, help="folder of the runs, which is kept")
    run(**vars(arguments.parse_args()))
