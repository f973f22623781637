"""The table and the pictures of a benchmark's trials."""

import math
import statistics
import textwrap

import numpy as np

from kerasgan import pictures

# The share of a perfect sampler's points that lie within 3 sigma of a centre, in two dimensions.
HIGH_QUALITY = 1 - math.exp(-4.5)
COLUMNS = {"modes_covered": "Modes", "high_quality": "High quality", "mode_kl": "KL"}
_FORMS = {"modes_covered": "{:.1f}", "high_quality": "{:.1%}", "mode_kl": "{:.4f}"}


def by_recipe(lines):
    """Return the lines of each recipe, `{title: [line, ...]}`, the best recipe first.

    Recipes are sorted by modes, then by the share of high quality for points, and then by KL. The
    lines of a recipe are sorted by seed.
    """
    groups = {}
    for line in sorted(lines, key=lambda line: line["seed"]):
        groups.setdefault(line["recipe"]["title"], []).append(line)

    def rank(title):
        last = [line["moments"][-1]["ema"] for line in groups[title]]
        mean = {name: statistics.mean(score[name] for score in last) for name in COLUMNS}
        quality = mean["high_quality"] if _of_points(lines) else 0.0
        return -mean["modes_covered"], -quality, mean["mode_kl"]

    return {title: groups[title] for title in sorted(groups, key=rank)}


def _of_points(lines):
    return lines[0]["benchmark"] in ("ring", "grid")


def markdown(lines, protocol):
    """Return the table of finished trials as Markdown, with notes on the protocol below.

    Args:
        lines: Lines of results of one benchmark and one number of steps.
        protocol: The `Task.protocol` of the benchmark.
    """
    groups = by_recipe(lines)
    points = _of_points(lines)
    names = [name for name in COLUMNS if points or name != "high_quality"]
    kl = "Reverse KL" if points else "KL"
    head = ["Method", *(COLUMNS[n] for n in names if n != "mode_kl"), kl, f"{kl}, raw generator"]
    rows = [[*head, "Trials", "Core minutes", "Minutes", "Published"]]
    for title, group in groups.items():
        found = cells(group)
        raw = _mean([line["moments"][-1]["raw"]["mode_kl"] for line in group], "mode_kl")
        published = "; ".join(group[0]["recipe"].get("published", ["-"]))
        rows.append(
            [
                title,
                *(found[name] for name in names),
                raw,
                str(len(group)),
                f"{minutes(group):.1f}",
                f"{statistics.median(line['seconds'] for line in group) / 60:.1f}",
                published,
            ]
        )
    seeds = {line["seed"]: line["real"] for line in lines}  # All methods share those of a seed.
    real = [_mean([scores[name] for scores in seeds.values()], name) for name in names]
    rows.append(["*real data*", *real, "", str(len(seeds)), "", "", ""])
    floor = {**lines[0]["floor"], "high_quality": HIGH_QUALITY}
    rows.append(["*perfect sampler*", *(_FORMS[n].format(floor[n]) for n in names), *[""] * 5])
    text = [f"| {' | '.join(row)} |" for row in rows]
    text.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join([*text, "", _notes(groups, protocol)])


def minutes(group):
    """Return the median of the core minutes of a method's trials."""
    return statistics.median(line["core_seconds"] for line in group) / 60


def cells(group):
    """Return the mean and the standard error of a method's final scores, `{name: text}`."""
    last = [line["moments"][-1]["ema"] for line in group]
    return {name: _mean([scores[name] for scores in last], name) for name in COLUMNS}


def _mean(values, name):
    """Return the mean and its standard error as text; KL is infinite without any mode."""
    infinite = sum(not math.isfinite(v) for v in values)
    if infinite:
        return "∞" if infinite == len(values) else f"∞ in {infinite} of {len(values)}"
    text = _FORMS[name].format(statistics.mean(values))
    if len(values) > 1:
        error = statistics.stdev(values) / math.sqrt(len(values))
        text += f" ± {_FORMS[name].format(error)}"
    return text


def _notes(groups, protocol):
    lines = [line for group in groups.values() for line in group]
    first = lines[0]
    where = sorted({line["environment"]["backend"] for line in lines})
    machines = sorted({line["environment"]["machine"] for line in lines})
    narrow = (
        "A share of high quality above that of a perfect sampler means that the modes are narrower "
        "than the real ones. The KL counts only samples of high quality, so it says little where "
        "they are few. The rows are sorted by modes, then by high quality."
    )
    order = narrow if _of_points(lines) else "The rows are sorted by modes, then by KL."
    behind = [
        f"- {title}: {group[0]['recipe']['behind']}"
        for title, group in groups.items()
        if "behind" in group[0]["recipe"]
    ]
    return "\n".join(
        [
            "- Figures are means ± standard errors over the trials, after "
            f"{first['steps']:,} critic steps in batches of {first['recipe']['batch_size']}. They "
            "are of the moving average of the generator, unless the column says raw. "
            f"Data: {first['data']}. Classifier of the modes: {first['judge']}. {order}",
            f"- Networks: {protocol['ours']}",
            f"- Tuning: {protocol['tuning']}",
            "- Time: the minutes are the median over the trials, without scoring. "
            "Core minutes are the time of one core and depend less on trials that ran at the same "
            f"time. The trials ran at different times ({'; '.join(machines)}; {', '.join(where)}), "
            "and one processor may be several times as fast as another of the same name. So do not "
            "compare these minutes, but the costs of a step (`benchmarks/mode_costs.py`).",
            f"- Backend: {protocol['backend']}",
            "- The published figures have other budgets, networks and optimizers. The protocol is "
            f"that of {protocol['paper']}.",
            *behind,
        ]
    )


def plot(lines, samples, path):
    """Write a picture: samples over time, one row for each method, and modes over time below.

    Args:
        lines: Lines of results of one benchmark and one number of steps.
        samples: A callable from a line to its samples at each moment, or to None.
        path: The PNG file.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    groups = by_recipe(lines)
    moments = [m["step"] for m in lines[0]["moments"]]
    height = 1.5 * len(groups)
    wide = 2 if len(moments) <= 4 else 1  # The curves below, and their legend, need the width.
    figure = plt.figure(figsize=(1.5 * wide * len(moments) + 1, height + 4.2), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[height, 4.2])
    grid = upper.subplots(len(groups), len(moments), squeeze=False)
    for axes, step in zip(grid[0], moments, strict=True):
        axes.set_title(f"step {step:,}", fontsize=9)
    for row, (title, group) in zip(grid, groups.items(), strict=True):
        seen = samples(group[0])
        for column, axes in enumerate(row):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_color("0.85")
            if seen is not None:
                _show(axes, seen[column], 4 * wide)
            score = group[0]["moments"][column]["ema"]
            axes.set_xlabel(f"{score['modes_covered']:.0f} modes", fontsize=8, labelpad=2)
        row[0].set_ylabel(textwrap.fill(title, 18), fontsize=8)
    axes = lower.subplots(1, 2)
    _over_time(axes, groups)
    lower.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def _show(axes, images, columns):
    if images.shape[1:] == (1, 1, 2):
        axes.plot(*images.reshape(-1, 2).T, ".", ms=1.5, alpha=0.5)
        axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
    else:
        axes.imshow(pictures.grid(images[: 4 * columns], columns=columns))


def over_time(group, name):
    """Return the mean of a score over a method's trials, at each moment.

    An infinite KL, of a model without any mode, counts as the KL of a single mode.
    """
    values = np.array([[m["ema"][name] for m in line["moments"]] for line in group])
    if name == "mode_kl":
        values = np.minimum(values, math.log(round(group[0]["floor"]["modes_covered"])))
    return values.mean(axis=0)


def _over_time(axes, groups):
    for number, (title, group) in enumerate(groups.items()):
        steps = [m["step"] for m in group[0]["moments"]]
        style = ("-", "--", ":")[number // 10 % 3]
        for axis, name in zip(axes, ("modes_covered", "mode_kl"), strict=True):
            axis.plot(steps, over_time(group, name), style, lw=1.5, label=title)
    axes[0].set(xlabel="critic steps", ylabel="modes")
    axes[1].set(xlabel="critic steps", ylabel="KL", yscale="log")
    for axis in axes:
        axis.grid(color="0.9")
