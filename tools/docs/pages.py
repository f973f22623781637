"""The tables of the documentation and of the README, from what other scripts here have measured.

    python benchmarks/docs_tables.py [--out docs/tables]

It measures nothing and takes seconds; a test holds that the committed tables are what it writes.
"""

import argparse
import functools
import json
from pathlib import Path

import click
import docs_experiments
import docs_readme
import docs_zoo
from docs_words import RESULTS, ROOT, stored, table

from kerasgan import presets
from kerasgan.bench.modes import tables
from kerasgan.bench.modes.tasks import TASKS
from kerasgan.bench.modes.trials import latest, read
from kerasgan.gans import VARIANTS
from kerasgan_cli.main import cli

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
        "nothing (the baseline)",
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
        "a critic that is steep around real images",
        ("1705.07215",),
    ),
    "sngan": (
        "hinge loss, spectral normalisation",
        "a steep critic, by construction",
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


def write_all(folder):
    """Write every table into a folder."""
    trials = {name: by_budget(name) for name in TASKS}
    texts = {f"variants/{name}": _of_variant(name, trials) for name in VARIANTS}
    texts["variants"] = _variants(trials)
    texts["cures"] = _cures(trials)
    for name in ("ring", "grid"):
        texts[name] = _benchmark([name], trials)
    texts["stacked"] = _benchmark(["stacked-mnist", "stacked-mnist-small"], trials)
    makers = {**docs_experiments.TABLES, **docs_zoo.TABLES}
    texts |= {name: make() for name, make in makers.items()}
    texts["cli"] = _cli()
    for name, text in texts.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.strip() + "\n", encoding="utf-8")


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


def _cost(group):
    """Return what a step of a method's takes over one of the plain GAN's, as text."""
    benchmark, recipe = group[0]["benchmark"], group[0]["recipe"]["name"]
    same = "ring" if benchmark == "grid" else benchmark  # These have the same networks.
    steps = _step_times()[same]["steps"]
    return f"{steps[recipe]['ms'] / steps['gan']['ms']:.1f}" if recipe in steps else "-"


@functools.cache
def _step_times():
    [found] = stored("mode_costs.json")
    return found["results"]


SCORES = ["Modes", "High quality", "KL", "Cost", "Trials"]


def _scores(benchmark, group):
    """Return the cells under `SCORES` of one method of a benchmark's."""
    cells = tables.cells(group)
    quality = cells["high_quality"] if benchmark in ("ring", "grid") else "-"
    return [cells["modes_covered"], quality, cells["mode_kl"], _cost(group), str(len(group))]


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
                rows.append([where, method, *_scores(benchmark, group), published])
    text = ""
    if rows:
        head = ["Benchmark", "Method", *SCORES, "Published"]
        text = (
            table(head, rows)
            + "\n\nMeans and their standard errors over the trials; cost: the time of a step "
            "over that of the plain GAN's. The published figures have larger budgets and other "
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
                cost = _cost(own[0])
        link = f"[`{VARIANTS[name].__name__}`]({folder}{name}.md)"
        sources = ", ".join(f"[{paper}](https://arxiv.org/abs/{paper})" for paper in papers)
        rows.append([link, what, cure, *shown, cost, sources])
    page = f"{'docs/' if folder else '../'}benchmarks.md"
    steps = TASKS["ring"].protocol["budgets"]["short"]
    return (
        f"{table([*head, 'Paper'], rows)}\n\nMeans and standard errors over trials on "
        f"[mixtures]({page}), {steps:,} critic steps for all: the modes with at least one sample, "
        "and the share of samples within 3 standard deviations of one (98.9 % of real points). "
        "Cost: the time of a step on the ring over the plain GAN's (`benchmarks/mode_costs.py`, "
        "all methods in turns on one core); on images, with larger networks, see "
        f"[what a step costs]({page}#what-a-step-costs). PacGAN: four points at once."
    )


def readme(text):
    """Return the README with its tables as the results say."""
    trials = {name: by_budget(name) for name in TASKS}
    variants = functools.partial(_variants, trials, "docs/variants/")
    return docs_readme.filled(text, {"variants": variants, **docs_readme.PARTS})


def _cures(trials):
    name = "grid"
    groups = _short(trials, name)
    rows = [[method, *_scores(name, group)] for method, group in groups.items()]
    first = next(iter(groups.values()))[0]
    head = ["Method", *SCORES]
    return f"{table(head, rows)}\n\n{BENCHMARKS[name]}, {first['steps']:,} steps: {first['data']}."


def _benchmark(names, trials):
    parts = []
    several = sum(len(trials[name]) for name in names) > 1
    for name in names:
        for steps, lines in trials[name].items():
            if several:
                parts.append(f"### {BENCHMARKS[name]}, {steps:,} steps")
            parts.append(tables.markdown(lines, TASKS[name].protocol))
            picture = f"{TASKS[name].stem(steps)}.png"
            if (RESULTS / "modes" / picture).exists():
                parts.append(
                    f"![{BENCHMARKS[name]}, {steps:,} steps: samples over time, one row a method, "
                    f"and modes over time below; at the end {_ends(lines)}.](results/{picture})"
                )
    return "\n\n".join(parts)


def _ends(lines):
    """Return between which methods' means the modes of a benchmark's lie, in words."""
    groups = list(tables.by_recipe(lines).items())
    first, last = (
        f"{tables.cells(group)['modes_covered']} modes ({name})"
        for name, group in (groups[0], groups[-1])
    )
    return first if len(groups) == 1 else f"from {first} to {last}"


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
