"""The tables of the experiments that are not benchmarks of modes."""

import itertools
import statistics

import step_overhead
from docs_words import METRICS, figure, stored, table, where

from kerasgan.bench.collapse import exam


def steps():
    """Return what a step costs on each backend, a table for each."""
    return "\n\n".join(
        step_overhead.markdown(step_reports(backend)) for backend in step_overhead.BACKENDS
    )


def step_reports(backend):
    """Return the reports of `step_overhead.py` on a backend, in the order of their models."""
    found = itertools.chain(*stored(f"step_overhead/{backend}*.json"))
    return sorted(found, key=_in_order)


def _in_order(report):
    return step_overhead.MODELS.index(next(iter(report["models"])))


def divergences():
    """Return the divergences of two Gaussians that move apart."""
    [found] = stored("divergences.json")
    gaussians = found["unit Gaussians"]
    rows = [
        [f"{d:g}", *(f"{gaussians[name][i]:.4f}" for name in ("js", "kl", "w1"))]
        for i, d in enumerate(found["distances"])
    ]
    head = ["Means apart", "Jensen-Shannon", "Kullback-Leibler", "Wasserstein-1"]
    note = f"Two unit Gaussians; log 2 = {found['log 2']:.4f}. By: {found['protocol']}."
    return f"{table(head, rows)}\n\n{note}"


def two_gaussians():
    """Return what the generator feels from each critic."""
    [found] = stored("two_gaussians.json")
    discriminator = found["discriminator"]
    rows = [
        [f"$\\lVert\\nabla\\rVert$ of {what}", f"{value:.2g}"]
        for what, value in discriminator["mean |gradient| on generated points"].items()
    ]
    for critic in found["critics"]:
        gradient = critic["mean |gradient| on generated points"]
        rows.append(
            [
                f"$\\lVert\\nabla\\rVert$ of f, WGAN-GP with weight {critic['gp_weight']:g}",
                f"{gradient:.2g}",
            ]
        )
    head = ["Mean gradient at a generated point", ""]
    js, true = discriminator["JS, estimated"], discriminator["JS, true"]
    last = found["critics"][-1]
    return (
        f"{table(head, rows)}\n\nProtocol: {found['protocol']}. Jensen-Shannon: estimated "
        f"{js:.4f}, true {true:.4f}. Wasserstein-1: estimated {last['W1, estimated']:.2f} with "
        f"weight {last['gp_weight']:g}, true {last['W1, true']:.2f}."
    )


def gan_against_wgan():
    """Return the comparison of a GAN, twice, and a WGAN on drawn faces, a figure for each seed."""
    runs = stored("gan_against_wgan-*.json")
    names = list(runs[0]["models"])
    rows = []

    def row(title, cell):
        cells = [[cell(run["models"][name]) for run in runs] for name in names]
        rows.append([title, *(c[0] if len(set(c)) == 1 else ", ".join(c) for c in cells)])

    row(
        "Distance: what the loss estimates",
        lambda m: "Wasserstein-1" if m["clip"] else "Jensen-Shannon",
    )
    row("in the last epoch", lambda m: f"{m['epochs']['distance'][-1]:.2f}")
    row(
        "its rank correlation with the Fréchet distance",
        lambda m: f"{m['summary']['correlation']:.2f}",
    )
    row(
        "Constraint on the critic",
        lambda m: f"weights clipped at {m['clip']:g}" if m["clip"] else "none",
    )
    row("its largest weight at the end", lambda m: f"{m['summary']['largest_weight']:.2g}")
    row("weights at the bound", lambda m: f"{m['summary']['at_bound']:.0%}" if m["clip"] else "-")
    row(
        "Gradient at a generated image, median",
        lambda m: f"{m['summary']['gradient']['median']:.2g}",
    )
    row("Stability: diversity at the end", lambda m: f"{m['summary']['diversity']['last']:.2f}")
    row("coverage", lambda m: f"{m['summary']['coverage']['last']:.2f}")
    row("Fréchet distance", lambda m: f"{m['summary']['frechet_distance']['last']:.0f}")
    row("collapsed from epoch", lambda m: str(m["collapsed"] or "-"))
    row("the guard's alarms", lambda m: ", ".join(map(str, m["alarms"])) or "-")
    row("Optimizer", lambda m: m["optimizer"])
    row(
        "Critic steps, and of these in a round",
        lambda m: f"{m['critic_steps']:,}, {m['n_critic']}",
    )
    real = runs[0]["models"][names[0]]["real"]
    seeds = ", ".join(str(run["seed"]) for run in runs)
    return (
        f"{table(['', *names], rows)}\n\nFor the seeds {seeds}, or one for all; "
        f"{runs[0]['protocol']}, {where(runs[0])}. Weights are read after a step and before the "
        "next clipping. Fréchet distance and coverage: 2,000 images, in 64 random directions of "
        f"the pixels; real images score {real['frechet_distance']:.2f} and {real['coverage']:.2f}."
    )


def flow_objectives():
    """Return what a flow learns under each objective."""
    [found] = stored("flow_objectives.json")
    names = ("frechet_distance", "precision", "recall", "coverage", "classes_covered")
    metrics = {name: METRICS[name] for name in names}
    rows = [
        [
            name,
            f"{one['bits_per_dimension']:.2f} ± {one['error']:.2f}",
            *(figure(metric, one["samples"][metric]) for metric in metrics),
        ]
        for name, one in found["objectives"].items()
    ]
    real = next(iter(found["objectives"].values()))["real"]
    rows.append(["*real images*", "-", *(figure(metric, real[metric]) for metric in metrics)])
    head = ["Objective", "Bits per dimension, test images", *metrics.values()]
    return f"{table(head, rows)}\n\n{found['protocol']}; {where(found)}."


def cures(plan):
    """Return the trainings of `cures.py`, one file for each seed."""
    return stored(f"cures/{plan}-[0-9]*.json")


def costs(plan):
    """Return what a step takes with each cure over one without, as text."""
    [found] = stored(f"cures/{plan}-costs.json")
    steps = found["steps"]
    return {cure: f"{step['ms'] / steps['nothing']['ms']:.2f}" for cure, step in steps.items()}


def of_seeds(metric, values):
    """Return the mean of a figure over seeds as text, with its standard error."""
    error = statistics.stdev(values) / len(values) ** 0.5
    digits = ".0f" if error >= 10 else ".1g"
    return f"{figure(metric, statistics.mean(values))} ± {error:{digits}}"


def few_images():
    """Return what helps where there are few images."""
    runs, cost = cures("few_images"), costs("few_images")
    rows = []
    for cure in runs[0]["cures"]:
        looks = [list(run["cures"][cure]["moments"].values()) for run in runs]
        best = [min(figures["frechet_distance"] for figures in found) for found in looks]
        last = [
            of_seeds(metric, [found[-1][metric] for found in looks])
            for metric in ("frechet_distance", "precision", "recall", "coverage")
        ]
        rows.append([option(cure), of_seeds("frechet_distance", best), *last, cost[cure]])
    real = [figure(m, runs[0]["real"][m]) for m in ("precision", "recall", "coverage")]
    distance = figure("frechet_distance", runs[0]["real"]["frechet_distance"])
    rows.append(["*real images*", distance, distance, *real, "-"])
    head = [
        "With",
        "Fréchet distance, at its best",
        "at the end",
        "Precision",
        "Recall",
        "Coverage",
    ]
    steps = f"{int(list(runs[0]['cures']['nothing']['moments'])[-1]):,}"
    return f"{table([*head, 'Cost'], rows)}\n\n{cures_note(runs, steps)}"


def healthy():
    """Return what cures do to a training that needs none."""
    runs, cost = cures("healthy"), costs("healthy")
    metrics = ("frechet_distance", "precision", "recall", "coverage", "moved")
    rows = []
    for cure in runs[0]["cures"]:
        looks = [list(run["cures"][cure]["moments"].values()) for run in runs]
        last = [of_seeds(metric, [found[-1][metric] for found in looks]) for metric in metrics[:-1]]
        moved = [statistics.mean(figures["moved"] for figures in found[1:]) for found in looks]
        rows.append([option(cure), *last, of_seeds("moved", moved), cost[cure]])
    rows.append(["*real images*", *(figure(m, runs[0]["real"][m]) for m in metrics), "-"])
    head = ["With", *(METRICS[metric] for metric in metrics), "Cost"]
    moments = [f"{int(step):,}" for step in runs[0]["cures"]["nothing"]["moments"]]
    return (
        f"{table(head, rows)}\n\nMoved: how much of the shares of the ten classes went from one "
        f"class to another between two looks, the mean over those after {', '.join(moments)} "
        f"steps. {cures_note(runs, moments[-1])}"
    )


def option(cure):
    """Return a cure as code."""
    return cure if cure == "nothing" else f"`{cure}`"


def cures_note(runs, steps):
    """Return how cures were measured."""
    protocol, _, options = runs[0]["protocol"].partition(", options ")
    protocol, _, _ = protocol.partition(", seed")
    shared = "" if options == "nothing" else f" and `{options}`"
    return (
        f"{steps} critic steps each; {protocol}; `kerasgan train gan`{shared} with the options of "
        f"the row, or another model; mean ± standard error of {len(runs)} seeds; "
        f"{where(runs[0])}. `--r1` takes the batch normalisation out of the critic too, "
        "`--critic-norm none` that alone. Cost: the time of a critic step over that of the first "
        "row, the generator's steps spread over them."
    )


def guard():
    """Return the figures of the detector's exam, and how collapsed runs end."""
    found = exam.figures([exam.sit(history) for history in exam.histories("exam")])
    by_policy = exam.rescues()
    words = {"none": "left alone", "stop": "stopped, best kept", "rescue": "rescued"}
    rows = []
    for policy, histories in by_policy.items():
        ends = [exam.ends(history) for history in histories]
        kept = sum(end["kept"] >= exam.KEPT for end in ends)
        means = [statistics.mean(end[key] for end in ends) for key in ("modes", "coverage")]
        rows.append([words[policy], *(f"{m:.2f}" for m in means), f"{kept} of {len(ends)}"])
    head = ["", "Modes covered", "Coverage", f"Runs with {exam.KEPT:.0%} of their best modes"]
    return (
        f"Of {found['collapsed'] + found['healthy']} runs that the detector was not made with, "
        f"{found['collapsed']} collapse or diverge, by an oracle of mixture centres, classifiers "
        f"and known colours. It catches {found['caught']}, in the median "
        f"{found['median_delay']:g} looks after the truth, with {found['false_alarms']} false "
        f"alarm{'s' * (found['false_alarms'] != 1)}; AUROC {found['auroc']:.4f}. How those that "
        f"collapse end:\n\n{table(head, rows)}"
    )


def metrics():
    """Return what the metrics cost."""
    [found] = stored("metrics.json")
    rows = []
    for row in found["rows"]:
        if row["samples"] != 50_000 or "seconds" not in row["kerasgan"]:
            continue
        own, other = row["kerasgan"], row.get("reference") or {}
        reference = f"{other['seconds']:.1f}" if "seconds" in other else "-"
        rows.append([row["metric"], f"{own['seconds']:.1f}", f"{own['peak']:.2f}", reference])
    return table(["Metric", "Seconds", "GiB at most", "Reference, seconds"], rows)


TABLES = {
    "steps": steps,
    "divergences": divergences,
    "two_gaussians": two_gaussians,
    "gan_against_wgan": gan_against_wgan,
    "guard": guard,
    "metrics": metrics,
    "flow_objectives": flow_objectives,
    "few_images": few_images,
    "healthy": healthy,
}
