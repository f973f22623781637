"""The tables of the mode benchmarks and of the variants, from the trials of `kerasgan bench`."""

import functools
import json

from scripts import script

from kerasgan import presets
from kerasgan.bench.modes import tables
from kerasgan.bench.modes.tasks import TASKS
from kerasgan.bench.modes.trials import latest, read
from kerasgan.catalogue import VARIANTS

experiment, mode_costs = script("experiment"), script("mode_costs")

BENCHMARKS = {
    "ring": "Ring",
    "grid": "Grid",
    "stacked-mnist": "Stacked MNIST",
    "stacked-mnist-small": "Stacked MNIST, small critic",
}
SCORES = ["Modes", "High quality", "KL", "Cost", "Trials"]


@functools.cache
def by_budget(name):
    """Return the stored trials of a benchmark's present recipes, `{steps: [line, ...]}`."""
    task, found = TASKS[name], {}
    for line in latest(read(experiment.RESULTS / "modes", task), task.recipes()):
        found.setdefault(line["steps"], []).append(line)
    return found


def _short(name):
    """Return the trials of the budget that all methods of a benchmark have, by method."""
    steps = TASKS[name].protocol["budgets"]["short"]
    return tables.by_recipe(by_budget(name).get(steps, ()))


def _cost(group):
    return mode_costs.ratio(group[0]["benchmark"], group[0]["recipe"]["name"])


def _scores(benchmark, group):
    """Return the cells under `SCORES` of one method of a benchmark."""
    cells = tables.cells(group)
    quality = cells["high_quality"] if benchmark in ("ring", "grid") else "-"
    return [cells["modes_covered"], quality, cells["mode_kl"], _cost(group), str(len(group))]


def of_variant(name):
    """Return the rows of one variant in all benchmarks, and its presets."""
    rows = []
    for benchmark, title in BENCHMARKS.items():
        for steps, lines in by_budget(benchmark).items():
            for method, group in tables.by_recipe(lines).items():
                if group[0]["recipe"]["variant"] == name:
                    published = "; ".join(group[0]["recipe"].get("published", ["-"]))
                    place = f"{title}, {steps:,} steps"
                    rows.append([place, method, *_scores(benchmark, group), published])
    parts = []
    if rows:
        head = ["Benchmark", "Method", *SCORES, "Published"]
        parts += [
            experiment.markdown(head, rows),
            "Figures are means ± standard errors over the trials. Cost is the time of a step "
            "divided by that of the plain GAN. The published figures have larger budgets and other "
            "networks. The page [Benchmarks](../benchmarks.md) has the protocols and the scores of "
            "real data.",
        ]
    class_name = VARIANTS[name].class_name
    found = [
        preset
        for preset, folder in presets.presets().items()
        if json.loads((folder / "config.json").read_text())["class_name"] == class_name
    ]
    if found:
        links = ", ".join(f"[`{preset}`](../zoo.md#{preset})" for preset in found)
        parts.append(f"In the zoo: {links}.")
    return "\n\n".join(parts) or "This variant is not in the mode benchmarks."


def variants():
    """Return all variants: what each is and addresses, and its scores on both mixtures."""
    head = ["Class", "Description", "Addresses"]
    head += ["Ring: modes of 8", "high quality", "Grid: modes of 25", "high quality", "Cost"]
    rows = []
    for name, variant in VARIANTS.items():
        shown, cost = [], "-"
        for benchmark in ("ring", "grid"):
            groups = _short(benchmark).values()
            own = [g for g in groups if g[0]["recipe"]["name"] in (name, f"{name}4")]
            cells = tables.cells(own[0]) if own else {}
            shown += [cells.get(key, "-") for key in ("modes_covered", "high_quality")]
            if own and benchmark == "ring":
                cost = _cost(own[0])
        link = f"[`{VARIANTS[name].class_name}`]({name}.md)"
        papers = ", ".join(f"[{paper}](https://arxiv.org/abs/{paper})" for paper in variant.papers)
        rows.append([link, variant.summary, variant.cures, *shown, cost, papers])
    steps = TASKS["ring"].protocol["budgets"]["short"]
    return (
        f"{experiment.markdown([*head, 'Paper'], rows)}\n\nFigures are means ± standard errors "
        f"over trials on [mixtures of Gaussians](../benchmarks.md), {steps:,} critic steps for "
        "all. A mode counts if it has at least one sample. High quality is the share of samples "
        "within 3 standard deviations of a mode (98.9 % of real points). Cost is the time of a "
        "step on the ring divided by that of the plain GAN (`benchmarks/mode_costs.py`, all "
        "methods interleaved on one core). For images and larger networks see "
        "[the cost of a step](../benchmarks.md#what-a-step-costs). PacGAN has packs of four points."
    )


def cures():
    """Return the grid's methods with their costs, the best first."""
    groups = _short("grid")
    rows = [[method, *_scores("grid", group)] for method, group in groups.items()]
    first = next(iter(groups.values()))[0]
    head = ["Method", *SCORES]
    note = f"{BENCHMARKS['grid']}, {first['steps']:,} steps: {first['data']}."
    return f"{experiment.markdown(head, rows)}\n\n{note}"


def benchmark(*names):
    """Return the tables and pictures of benchmarks, one for each budget."""
    parts = []
    several = sum(len(by_budget(name)) for name in names) > 1
    for name in names:
        for steps, lines in by_budget(name).items():
            if several:
                parts.append(f"### {BENCHMARKS[name]}, {steps:,} steps")
            parts.append(tables.markdown(lines, TASKS[name].protocol))
            picture = f"{TASKS[name].stem(steps)}.png"
            if (experiment.RESULTS / "modes" / picture).exists():
                parts.append(
                    f"![{BENCHMARKS[name]}, {steps:,} steps: samples over time, one row for each "
                    f"method, and modes over time below; at the end {_ends(lines)}.]"
                    f"(../benchmarks/results/modes/{picture})"
                )
    return "\n\n".join(parts)


def _ends(lines):
    """Return the modes of the best and of the worst method of a benchmark, as text."""
    groups = list(tables.by_recipe(lines).items())
    first, last = (
        f"{tables.cells(group)['modes_covered']} modes ({name})"
        for name, group in (groups[0], groups[-1])
    )
    return first if len(groups) == 1 else f"from {first} to {last}"
