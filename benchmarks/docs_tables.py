"""The tables of the documentation and of the README, from what other scripts here have measured.

    python benchmarks/docs_tables.py [--out docs/tables]

It measures nothing and takes seconds; a test holds that the committed tables are what it writes.
"""

import argparse
import json
import statistics
from pathlib import Path

import click
import step_overhead

from kerasgan import presets
from kerasgan.bench.collapse import exam
from kerasgan.bench.modes import tables
from kerasgan.bench.modes.tasks import TASKS
from kerasgan.bench.modes.trials import latest, read
from kerasgan.gans import VARIANTS
from kerasgan.storage import read_metadata
from kerasgan_cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
README, DOCS = ROOT / "README.md", ROOT / "docs" / "tables"
BENCHMARKS = {
    "ring": "Ring",
    "grid": "Grid",
    "stacked-mnist": "Stacked MNIST",
    "stacked-mnist-small": "Stacked MNIST, small critic",
}
# What each variant is, what it cures, its papers.
VARIANTS_IN_WORDS = {
    "gan": (
        "`loss=` non-saturating, minimax, least squares, hinge, Wasserstein, relativistic, "
        "feature matching; `real_label=0.9` smooths",
        "nothing: the exhibit",
        ("1406.2661", "1606.03498"),
    ),
    "wgan": (
        "Wasserstein loss, weights clipped",
        "vanishing gradients",
        ("1701.07875",),
    ),
    "wgan_gp": (
        "Wasserstein loss, gradient penalty",
        "vanishing gradients",
        ("1704.00028",),
    ),
    "dragan": (
        "gradient penalty around the real images",
        "steepness there",
        ("1705.07215",),
    ),
    "sngan": (
        "hinge loss, spectral normalisation",
        "steepness, by construction",
        ("1802.05957",),
    ),
    "unrolled_gan": (
        "generator's gradient through K critic updates",
        "a generator that does not look ahead",
        ("1611.02163",),
    ),
    "infogan": (
        "codes that can be read back: `sample(codes=...)`, `traverse(code, steps)`",
        "codes that mean nothing",
        ("1606.03657",),
    ),
    "pacgan": (
        "the critic judges m images at once",
        "a critic that cannot see repetition",
        ("1712.04086",),
    ),
    "flow_gan": (
        "an invertible generator (NICE, RealNVP): `log_prob(x)` in nats and bits per dimension",
        "dropped modes, by likelihood",
        ("1705.08868",),
    ),
    "r3gan": (
        "relativistic pairing, R1 and R2, burn-in",
        "dropped modes and cycling",
        ("2501.05441",),
    ),
}
# Between these two lines of the README stands its table.
BEGIN, END = "<!-- the variants, by benchmarks/docs_tables.py -->", "<!-- end -->"


def write_all(folder):
    """Write every table into a folder."""
    trials = {name: by_budget(name) for name in TASKS}
    texts = {f"variants/{name}": _of_variant(name, trials) for name in VARIANTS}
    texts["variants"] = _variants(trials)
    texts["cures"] = _cures(trials)
    for name in ("ring", "grid"):
        texts[name] = _benchmark([name], trials)
    texts["stacked"] = _benchmark(["stacked-mnist", "stacked-mnist-small"], trials)
    texts["steps"] = _steps()
    texts["divergences"] = _divergences()
    texts["two_gaussians"] = _two_gaussians()
    if (RESULTS / "gan_against_wgan.json").exists():
        texts["gan_against_wgan"] = _gan_against_wgan()
    texts["guard"] = _guard()
    texts["metrics"] = _metrics()
    texts["noise"], texts["zoo"] = _noise(), _zoo()
    texts["cli"] = _cli()
    for name, text in texts.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.strip() + "\n", encoding="utf-8")


def _table(head, rows):
    """Return a Markdown table; the cells of a row are text."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines)


def by_budget(name):
    """Return `{steps: [line, ...]}` of a benchmark's committed trials of today's recipes."""
    task, found = TASKS[name], {}
    for line in latest(read(RESULTS / "modes", task), task.recipes()):
        found.setdefault(line["steps"], []).append(line)
    return found


def _short(trials, name):
    """Return a benchmark's trials of the budget that all methods have, by method."""
    steps = TASKS[name].protocol["budgets"]["short"]
    return tables.by_recipe(trials[name].get(steps, ()))


def _cost(group, groups):
    """Return the core minutes of a method's trials over those of the plain GAN's, as text."""
    plain = groups.get("GAN")
    return f"{tables.minutes(group) / tables.minutes(plain):.1f}" if plain else "-"


SCORES = ["Modes", "High quality", "KL", "Cost", "Trials"]


def _scores(benchmark, group, groups):
    """Return the cells under `SCORES` of one method of a benchmark's."""
    cells = tables.cells(group)
    quality = cells["high_quality"] if benchmark in ("ring", "grid") else "-"
    cost = _cost(group, groups)
    return [cells["modes_covered"], quality, cells["mode_kl"], cost, str(len(group))]


def _of_variant(name, trials):
    rows = []
    for benchmark, title in BENCHMARKS.items():
        for steps, lines in trials[benchmark].items():
            groups = tables.by_recipe(lines)
            for method, group in groups.items():
                if group[0]["recipe"]["model"] != name:
                    continue
                published = "; ".join(group[0]["recipe"].get("published", ["-"]))
                where = f"{title}, {steps:,} steps"
                rows.append([where, method, *_scores(benchmark, group, groups), published])
    text = ""
    if rows:
        head = ["Benchmark", "Method", *SCORES, "Published"]
        text = (
            _table(head, rows) + "\n\nMeans and their standard errors over the trials; cost: core "
            "minutes over the plain GAN's. The published figures have larger budgets and other "
            "networks. [Benchmarks](../benchmarks.md) says what the rows rest on and what real "
            "data score."
        )
    found = [n for n, folder in presets.presets().items() if _class_of(folder) == name]
    if found:
        links = ", ".join(f"[`{n}`](../zoo.md#{n})" for n in found)
        text += f"\n\nIn the zoo: {links}."
    return text or "Not in the benchmarks of modes."


def _class_of(folder):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    classes = {variant.__name__: name for name, variant in VARIANTS.items()}
    return classes.get(config["class_name"])


def _variants(trials, folder=""):
    head = ["Class", "What it is", "What it cures"]
    head += ["Ring: modes of 8", "high quality", "Grid: modes of 25", "high quality", "Cost"]
    rows = []
    for name, (what, cure, papers) in VARIANTS_IN_WORDS.items():
        shown, cost = [], "-"
        for benchmark in ("ring", "grid"):
            groups = _short(trials, benchmark)
            own = [g for g in groups.values() if g[0]["recipe"]["name"] in (name, f"{name}4")]
            cells = tables.cells(own[0]) if own else {}
            shown += [cells.get(key, "-") for key in ("modes_covered", "high_quality")]
            if own and benchmark == "ring":
                cost = _cost(own[0], groups)
        link = f"[`{VARIANTS[name].__name__}`]({folder}{name}.md)"
        sources = ", ".join(f"[{paper}](https://arxiv.org/abs/{paper})" for paper in papers)
        rows.append([link, what, cure, *shown, cost, sources])
    page = f"{'docs/' if folder else '../'}benchmarks.md"
    steps = TASKS["ring"].protocol["budgets"]["short"]
    return (
        f"{_table([*head, 'Paper'], rows)}\n\nMeans and standard errors over trials on "
        f"[mixtures]({page}), {steps:,} critic steps for all: the modes with at least one sample, "
        "and the share of samples within 3 standard deviations of one (98.9 % of real points). "
        "Cost: core minutes on the ring over the plain GAN's; on images, with larger networks, see "
        f"[what a step costs]({page}#what-a-step-costs). PacGAN: four points at once."
    )


def readme(text):
    """Return the README with its table of variants as the results say."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    table = _variants({name: by_budget(name) for name in TASKS}, "docs/variants/")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _cures(trials):
    name = "grid"
    groups = _short(trials, name)
    rows = [[method, *_scores(name, group, groups)] for method, group in groups.items()]
    first = next(iter(groups.values()))[0]
    head = ["Method", *SCORES]
    return f"{_table(head, rows)}\n\n{BENCHMARKS[name]}, {first['steps']:,} steps: {first['data']}."


def _benchmark(names, trials):
    parts = []
    for name in names:
        for steps, lines in trials[name].items():
            if len(names) > 1:
                parts.append(f"### {BENCHMARKS[name]}, {steps:,} steps")
            parts.append(tables.markdown(lines, TASKS[name].protocol))
            picture = f"{TASKS[name].stem(steps)}.png"
            if (RESULTS / "modes" / picture).exists():
                parts.append(
                    f"![Samples over time, one row a method, and modes over time below: "
                    f"{BENCHMARKS[name]}.](results/{picture})"
                )
    return "\n\n".join(parts)


def _steps():
    return "\n\n".join(
        step_overhead.markdown(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted((RESULTS / "step_overhead").glob("*.json"))
    )


def _divergences():
    found = json.loads((RESULTS / "divergences.json").read_text(encoding="utf-8"))
    gaussians = found["unit Gaussians"]
    rows = [
        [f"{d:g}", *(f"{gaussians[name][i]:.4f}" for name in ("js", "kl", "w1"))]
        for i, d in enumerate(found["distances"])
    ]
    head = ["Means apart", "Jensen-Shannon", "Kullback-Leibler", "Wasserstein-1"]
    note = f"Two unit Gaussians; log 2 = {found['log 2']:.4f}. By: {found['protocol']}."
    return f"{_table(head, rows)}\n\n{note}"


def _two_gaussians():
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
        f"{_table(head, rows)}\n\nProtocol: {found['protocol']}. Jensen-Shannon: estimated "
        f"{js:.4f}, true {true:.4f}. Wasserstein-1: estimated {last['W1, estimated']:.2f} with "
        f"weight {last['gp_weight']:g}, true {last['W1, true']:.2f}."
    )


def _gan_against_wgan():
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
    environment = found["environment"]
    return (
        f"{_table(['', *models], rows)}\n\n{found['protocol']}, seed {found['seed']}, on "
        f"{environment['cores']} cores ({environment['machine']}, {environment['backend']}). "
        "Fréchet distance and coverage: 2,000 images, in 64 random directions of the pixels; real "
        f"images score {models['GAN']['real']['frechet_distance']:.2f} and "
        f"{models['GAN']['real']['coverage']:.2f}."
    )


def _guard():
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
        f"collapse end:\n\n{_table(head, rows)}"
    )


def _metrics():
    found = json.loads((RESULTS / "metrics.json").read_text(encoding="utf-8"))
    rows = []
    for row in found["rows"]:
        if row["samples"] != 50_000 or "seconds" not in row["kerasgan"]:
            continue
        own, other = row["kerasgan"], row.get("reference") or {}
        reference = f"{other['seconds']:.1f}" if "seconds" in other else "-"
        rows.append([row["metric"], f"{own['seconds']:.1f}", f"{own['peak']:.2f}", reference])
    return _table(["Metric", "Seconds", "GiB at most", "Reference, seconds"], rows)


def _cards():
    """Yield each preset's name, folder, metadata and results by name."""
    for name, folder in presets.presets().items():
        metadata = read_metadata(folder)
        card = metadata.get("card", {})
        yield name, metadata, card, {r["name"]: r for r in card.get("results", ())}


def _noise():
    rows = {}
    for _, metadata, card, results in _cards():
        if card.get("noise") and "frechet_distance" in results:
            data = metadata.get("data", "")
            values = [f"{float(value):.2f}" for value in card["noise"].values()]
            baseline = float(results["frechet_distance"]["baseline"])
            rows.setdefault(data, [data, f"{baseline:.2f}", *values])
    if not rows:
        return ""
    head = ["Data", "Real images", *(f"noise of sd {sd}" for sd in ("0.05", "0.1", "0.2", "0.3"))]
    return _table(head, list(rows.values()))


def _zoo():
    head = ["Preset", "Data", "Fréchet distance", "Real images", "Coverage", "Precision", "Recall"]
    rows, pictures = [], []
    for name, metadata, _, results in _cards():
        shown = [("frechet_distance", "value"), ("frechet_distance", "baseline")]
        shown += [(metric, "value") for metric in ("coverage", "precision", "recall")]
        cells = [
            f"{float(results[metric][what]):#.3g}" if metric in results else "-"
            for metric, what in shown
        ]
        data = metadata.get("data", "").split(",")[0]
        rows.append([f"[`{name}`](#{name})", data, *cells])
        pictures.append(_exhibit(name, metadata.get("title", name)))
    return "\n\n".join([_table(head, rows), *pictures])


def _exhibit(name, title):
    """Return a preset's part of the gallery: what it draws, and the figures that there are."""
    parts = [
        f"## {title} {{ #{name} }}",
        f'`kerasgan.from_preset("{name}")`, [its card](cards/{name}.md)',
        f"![The first hundred images of seed 7, drawn by {name}.](gallery/{name}-samples.png)",
    ]
    words = {
        "walks": "Walks between latent vectors, a row each",
        "categorical_0": "The category, a row for each latent vector",
        "continuous_0": "The first continuous code from -1 to 1, a row for each latent vector",
        "continuous_1": "The second continuous code from -1 to 1, a row for each latent vector",
        "curves": "Losses and diversity over the epochs",
    }
    if (ROOT / "zoo" / name / "epochs.png").exists():
        text = "The same latent vectors at six moments of the training"
        parts.append(f"![{text}: {name}.](gallery/{name}-epochs.png)\n*{text}.*")
    for kind, text in words.items():
        picture = f"figures/{name}-{kind}.png"
        if (ROOT / "docs" / picture).exists():
            parts.append(f"![{text}: {name}.]({picture})\n*{text}.*")
    return "\n\n".join(parts)


def _cli():
    """Return the help of every command."""
    parts = []

    def walk(command, path):
        context = click.Context(
            command, info_name=path, terminal_width=90, help_option_names=["-h", "--help"]
        )
        parts.append(f"## `{path}`\n\n```text\n{command.get_help(context)}\n```")
        for name, child in sorted(getattr(command, "commands", {}).items()):
            walk(child, f"{path} {name}")

    walk(cli, "kerasgan")
    return "\n\n".join(parts)


def main():
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DOCS)
    out = parser.parse_args().out
    write_all(out)
    if out == DOCS:
        README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
