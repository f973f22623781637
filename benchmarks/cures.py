"""The effect and the cost of each cure for mode collapse on images, one option at a time.

    python benchmarks/cures.py PLAN --seed SEED
    python benchmarks/cures.py PLAN --costs

PLAN is `few_images` or `healthy`. The first command trains once with each cure and writes
`cures/PLAN-SEED.json`; with seed 0 it also writes a picture of twenty samples for each. Trainings
that are in the JSON file already are kept. The second command measures the time of a step with each
cure, interleaved, and writes `cures/PLAN-costs.json`. The committed results are of one core each:
`taskset -c 0`, with `OMP_NUM_THREADS`, `TF_NUM_INTRAOP_THREADS` and `TF_NUM_INTEROP_THREADS` set to
1. Do not compare the seconds of trainings that ran at the same time.

The data are Fashion-MNIST. The settings are the defaults of `kerasgan train`, except for the width
of its networks (dcgan) and the guard, which is off. Each training takes the same number of critic
steps, so the generator takes fewer steps where a round has more critic steps. `--r1` and `--r2`
take the batch normalisation out of the critic, as they do in `kerasgan train`; `--critic-norm none`
does only that.

The model is scored at several moments against as many images of the whole training set, whatever it
is trained on. `moved` is the share of samples that went from one of the ten classes to another
since the moment before: half the sum of the absolute differences of the shares. It is above zero
for two sets of real images as well.
"""

import json
import shlex
import statistics
import time

import experiment
import keras
import numpy as np
from PIL import Image

import kerasgan
from kerasgan import pictures
from kerasgan.bench import training
from kerasgan.environment import describe
from kerasgan.files import write_json
from kerasgan.recipe import Recipe

TAKES = "25 minutes a plan and seed"
DATA, WIDTH, SAMPLES = "fashion_mnist", 24, 5000
FOLDER = experiment.RESULTS / "cures"
SCORES = ("frechet_distance", "prdc", "classes")
NOTHING = "nothing"
PLANS = {  # The options that are tried, and those that all trainings share.
    "few_images": {
        "plotted": "frechet_distance",
        "base": ["--limit", "100"],
        "moments": [1000, 2000, 3000, 4000, 5000],
        "cures": [
            NOTHING, "--augment diffaugment", "--augment ada", "--r1 1", "--critic-norm none",
        ],
    },
    "healthy": {
        "plotted": "recall",
        "base": [],
        "moments": [1500, 2000, 2500, 3000],
        "cures": [
            NOTHING, "--minibatch stddev", "--minibatch discrimination", "--packing 2",
            "--r1 1 --r2 1", "--lr 5e-5", "--ema 0", "--n-critic 2", "wgan_gp",
            "wgan_gp --n-critic 1", "--critic-norm none",
        ],
    },
}  # fmt: skip
BEFORE, STEPS, TURNS = 10, 30, 7


def recipe_of(cure, base, seed):
    """Return the `Recipe` of one training.

    Args:
        cure: Options, after the name of the model where it is not gan.
        base: Options that all trainings of the plan share, as words.
        seed: Seed of the training.
    """
    words = [] if cure == NOTHING else shlex.split(cure)
    model = "gan" if not words or words[0].startswith("-") else words.pop(0)
    words = [*base, *words]
    options = {flag[2:].replace("-", "_"): _value(value) for flag, value in _pairs(words)}
    return Recipe(model).with_options(data=DATA, width=WIDTH, epochs=1, seed=seed, **options)


def _pairs(words):
    """Return pairs of a flag and its value."""
    return zip(words[::2], words[1::2], strict=True)


def _value(word):
    """Return a number where a word is one, else the word."""
    try:
        return json.loads(word)
    except ValueError:
        return word


def made(recipe):
    """Return the compiled model of a recipe, and its images."""
    keras.utils.set_random_seed(recipe.seed)
    data = recipe.load()
    steps = recipe.critic_steps(data.batches_per_epoch)
    return recipe.build(data.image_shape, steps=steps), data


def scores(evaluator, model):
    """Return the figures of a model, and the share of each class."""
    results = evaluator(model)
    shares = next(r.details["shares"] for r in results if "shares" in r.details)
    return {r.name: float(r.value) for r in results}, shares


def moved(before, after):
    """Return the share of samples that went from one class to another."""
    classes = before.keys() | after.keys()
    return sum(abs(before.get(c, 0.0) - after.get(c, 0.0)) for c in classes) / 2


def trained(plan, cure, evaluator, seed):
    """Return the scores of one training at each moment, its seconds, and twenty samples."""
    model, data = made(recipe_of(cure, plan["base"], seed))
    found, shares = {}, []

    def measure(step):
        figures, now = scores(evaluator, model)
        shares.append(now)
        if len(shares) > 1:
            figures["moved"] = moved(*shares[-2:])
        found[str(step)] = figures

    _, seconds = training.train(model, data, plan["moments"], measure)
    return {"moments": found, "core_seconds": round(seconds, 1)}, model.sample(20, seed=7)


def real(evaluator):
    """Return the scores of other real images instead of generated ones."""
    found = {}
    for metric in SCORES:
        found |= {name: float(score.value) for name, score in evaluator.baseline(metric).items()}
    shares = [np.bincount(part.classes) / SAMPLES for part in (evaluator.real, evaluator.held_out)]
    return {**found, "moved": float(abs(shares[0] - shares[1]).sum() / 2)}


def train_all(name, seed, out):
    """Train with each cure that is not in the results yet, and write the results."""
    kerasgan.backend.make_deterministic()
    plan = PLANS[name]
    path = out / f"{name}-{seed}.json"
    result = {
        "protocol": f"{DATA}, dcgan of width {WIDTH}, {SAMPLES:,} samples, seed {seed}, options "
        + (shlex.join(plan["base"]) or NOTHING),
        "environment": describe(keras.backend.backend()),
        "cures": {},
    }
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["protocol"] == result["protocol"]:
            result = before
    evaluator = kerasgan.metrics.Evaluator(
        kerasgan.data.load(DATA), metrics=SCORES, samples=SAMPLES
    )
    result["real"] = real(evaluator)
    for cure in plan["cures"]:
        if cure in result["cures"]:
            continue
        result["cures"][cure], images = trained(plan, cure, evaluator, seed)
        last = result["cures"][cure]["moments"][str(plan["moments"][-1])]
        print(name, seed, cure, last, result["cures"][cure]["core_seconds"], flush=True)
        if seed == 0:
            pictures.save_grid(out / f"{name}-{experiment.slug(cure)}.png", images, columns=20)
        write_json(path, result)


def measure_costs(name, out):
    """Measure the time of a critic step with each cure, interleaved, and write it.

    It is measured on the whole data set: with few images each step would be an epoch of its own.
    """
    kerasgan.backend.make_deterministic()
    models = {cure: made(recipe_of(cure, [], 0)) for cure in PLANS[name]["cures"]}
    found = {cure: [] for cure in models}
    for _ in range(TURNS):
        for cure, (model, data) in models.items():
            moments = []
            training.train(
                model,
                data,
                (BEFORE, BEFORE + STEPS),
                lambda _, moments=moments: moments.append(time.process_time()),
            )
            found[cure].append(round(1000 * (moments[1] - moments[0]) / STEPS, 2))
    steps = {cure: {"ms": statistics.median(ms), "turns": ms} for cure, ms in found.items()}
    print({cure: step["ms"] for cure, step in steps.items()})
    environment = describe(keras.backend.backend())
    write_json(
        out / f"{name}-costs.json",
        {"unit": "ms of one core a critic step", "steps": steps, "environment": environment},
    )


def run(plan, seed=0, costs=False, out=FOLDER):
    """Train with each cure of a plan, or measure the time of a step with each."""
    out.mkdir(parents=True, exist_ok=True)
    if costs:
        measure_costs(plan, out)
    else:
        train_all(plan, seed, out)


def stored(plan, folder=FOLDER):
    """Return the trainings of a plan, one dictionary for each seed."""
    return experiment.stored(f"{plan}-[0-9]*.json", folder)


def stored_costs(plan, folder=FOLDER):
    """Return the time of a step with each cure, divided by that without one, as text."""
    [found] = experiment.stored(f"{plan}-costs.json", folder)
    steps = found["steps"]
    return {cure: f"{step['ms'] / steps[NOTHING]['ms']:.2f}" for cure, step in steps.items()}


def of_seeds(metric, values):
    """Return the mean of a figure over seeds as text, with its standard error."""
    error = statistics.stdev(values) / len(values) ** 0.5
    digits = ".0f" if error >= 10 else ".1g"
    return f"{experiment.figure(metric, statistics.mean(values))} ± {error:{digits}}"


def _cells(plan, runs, cure):
    """Return the cells of a cure's row, without its name and its cost."""
    found = [list(run["cures"][cure]["moments"].values()) for run in runs]
    metrics = ("frechet_distance", "precision", "recall", "coverage")
    last = [of_seeds(metric, [moments[-1][metric] for moments in found]) for metric in metrics]
    if plan == "few_images":
        best = [min(one["frechet_distance"] for one in moments) for moments in found]
        return [of_seeds("frechet_distance", best), *last]
    moved = [statistics.mean(one["moved"] for one in moments[1:]) for moments in found]
    return [*last, of_seeds("moved", moved)]


def _real_cells(plan, real):
    names = ["frechet_distance", "precision", "recall", "coverage"]
    names = ["frechet_distance", *names] if plan == "few_images" else [*names, "moved"]
    return [experiment.figure(name, real[name]) for name in names]


HEADS = {
    "few_images": [
        "Best Fréchet distance",
        "at the end",
        "Precision",
        "Recall",
        "Coverage",
    ],
    "healthy": ["Fréchet distance", "Precision", "Recall", "Coverage", "Moved"],
}


def table(plan, folder=FOLDER):
    """Return the scores of a plan, a row for each cure."""
    runs, cost = stored(plan, folder), stored_costs(plan, folder)
    rows = []
    for cure in runs[0]["cures"]:
        name = cure if cure == NOTHING else f"`{cure}`"
        rows.append([name, *_cells(plan, runs, cure), cost[cure]])
    rows.append(["*real images*", *_real_cells(plan, runs[0]["real"]), "-"])
    moments = [f"{int(step):,}" for step in runs[0]["cures"][NOTHING]["moments"]]
    moved = (
        "Moved is the share of samples that went from one of the ten classes to another between "
        f"two moments, the mean over those after {', '.join(moments)} steps. "
    )
    note = (moved if plan == "healthy" else "") + _note(runs, moments[-1])
    return f"{experiment.markdown(['With', *HEADS[plan], 'Cost'], rows)}\n\n{note}"


def _note(runs, steps):
    """Return how the cures were measured."""
    protocol, _, base = runs[0]["protocol"].partition(", options ")
    protocol, _, _ = protocol.partition(", seed")
    shared = "" if base == NOTHING else f" {base}"
    return (
        f"Each row is `kerasgan train gan{shared}` with the options or the model of the row: "
        f"{steps} critic steps, {protocol}, {experiment.where(runs[0])}. Figures are means ± "
        f"standard errors of {len(runs)} seeds. `--r1` also takes the batch normalisation out of "
        "the critic; `--critic-norm none` does only that. Cost is the time of a critic step "
        "divided by that of the first row, with the generator's steps spread over them."
    )


def plot(plan, path, folder=FOLDER):
    """Plot the metric of a plan over the training with each cure, and twenty samples of each.

    Args:
        plan: One of `PLANS`.
        path: A PNG file.
        folder: Where the results are.
    """
    from matplotlib import pyplot as plt

    metric, runs = PLANS[plan]["plotted"], stored(plan, folder)
    names = list(runs[0]["cures"])
    figure, axes = plt.subplots(
        1 + len(names), figsize=(8, 3.2 + 0.5 * len(names)), layout="constrained",
        height_ratios=[6, *[1] * len(names)],
    )  # fmt: skip
    for i, (cure, strip) in enumerate(zip(names, axes[1:], strict=True)):
        found = [run["cures"][cure]["moments"] for run in runs]
        values = np.array([[one[metric] for one in moments.values()] for moments in found])
        steps = list(map(int, found[0]))
        (line,) = axes[0].plot(
            steps, values.mean(axis=0), label=cure, color=f"C{i % 10}", ls="-" if i < 10 else "--"
        )
        axes[0].plot(steps, values.T, color=line.get_color(), alpha=0.25)
        picture = Image.open(folder / f"{plan}-{experiment.slug(cure)}.png")
        strip.imshow(picture, cmap="gray", aspect="equal")
        strip.set_axis_off()
        strip.set_title(cure, fontsize=8, loc="left", pad=1)
    axes[0].set(xlabel="critic step", ylabel=experiment.METRICS[metric])
    axes[0].grid(color="0.9")
    axes[0].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path, dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    arguments = experiment.parser(__doc__, out=FOLDER)
    arguments.add_argument("plan", choices=PLANS)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--costs", action="store_true", help="measure the time of a step")
    run(**vars(arguments.parse_args()))
