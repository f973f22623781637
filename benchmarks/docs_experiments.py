"""The tables of the experiments that are not benchmarks of modes."""

import json
import statistics

import step_overhead
from docs_words import METRICS, RESULTS, figure, table, where

from kerasgan.bench.collapse import exam


def steps():
    """Return what a step costs on each backend."""
    return "\n\n".join(
        step_overhead.markdown(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted((RESULTS / "step_overhead").glob("*.json"))
    )


def divergences():
    """Return the divergences of two Gaussians that move apart."""
    found = json.loads((RESULTS / "divergences.json").read_text(encoding="utf-8"))
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
    found = json.loads((RESULTS / "two_gaussians.json").read_text(encoding="utf-8"))
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
    """Return the comparison of a GAN and a WGAN on drawn faces."""
    found = json.loads((RESULTS / "gan_against_wgan.json").read_text(encoding="utf-8"))
    models = found["models"]
    rows = [["Distance: what the loss estimates", "Jensen-Shannon", "Wasserstein-1"]]

    def row(title, cell):
        rows.append([title, *(cell(model, model["summary"]) for model in models.values())])

    def best_to_last(name, form):
        return lambda _, s: f"{s[name]['best']:{form}} to {s[name]['last']:{form}}"

    row("its rank correlation with the Fréchet distance", lambda _, s: f"{s['correlation']:.2f}")
    rows.append(["Constraint on the critic", "none", "weights clipped"])
    row("its largest weight at the end", lambda _, s: f"{s['largest_weight']:.3g}")
    row("weights at the bound", lambda _, s: f"{s['at_bound']:.0%}")
    row(
        "Gradient at a generated image, median (least)",
        lambda _, s: f"{s['gradient']['median']:.2g} ({s['gradient']['least']:.2g})",
    )
    row("Stability: diversity, best to last", best_to_last("diversity", ".2f"))
    row("coverage, best to last", best_to_last("coverage", ".2f"))
    row("Fréchet distance, best to last", best_to_last("frechet_distance", ".1f"))
    row(
        "collapsed, by the guard",
        lambda m, _: ", ".join(f"epoch {epoch}" for epoch in m["alarms"]) or "no",
    )
    row("Optimizer", lambda m, _: m["optimizer"])
    row("Critic steps in seconds", lambda m, _: f"{m['critic_steps']:,} in {m['seconds']:,}")
    return (
        f"{table(['', *models], rows)}\n\n{found['protocol']}, seed {found['seed']}, "
        f"{where(found)}. "
        "Fréchet distance and coverage: 2,000 images, in 64 random directions of the pixels; real "
        f"images score {models['GAN']['real']['frechet_distance']:.2f} and "
        f"{models['GAN']['real']['coverage']:.2f}."
    )


def flow_objectives():
    """Return what a flow learns under each objective."""
    found = json.loads((RESULTS / "flow_objectives.json").read_text(encoding="utf-8"))
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
    found = json.loads((RESULTS / "metrics.json").read_text(encoding="utf-8"))
    rows = []
    for row in found["rows"]:
        if row["samples"] != 50_000 or "seconds" not in row["kerasgan"]:
            continue
        own, other = row["kerasgan"], row.get("reference") or {}
        reference = f"{other['seconds']:.1f}" if "seconds" in other else "-"
        rows.append([row["metric"], f"{own['seconds']:.1f}", f"{own['peak']:.2f}", reference])
    return table(["Metric", "Seconds", "GiB at most", "Reference, seconds"], rows)


_WAITING = (gan_against_wgan, flow_objectives)  # Nobody has run these to their end yet.
TABLES = {
    "steps": steps,
    "divergences": divergences,
    "two_gaussians": two_gaussians,
    "guard": guard,
    "metrics": metrics,
    **{f.__name__: f for f in _WAITING if (RESULTS / f"{f.__name__}.json").exists()},
}
