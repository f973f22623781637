"""The tables of the zoo: a ranking of the presets, and each preset with its pictures."""

import csv

from scripts import ROOT, script

from kerasgan import presets
from kerasgan.storage import read_metadata

experiment = script("experiment")
TRUNCATIONS = (1.0, 0.7, 0.5, 0.3)
METRICS, figure, markdown = experiment.METRICS, experiment.figure, experiment.markdown


def _cards():
    """Yield each preset's name, folder, metadata and results by name."""
    for name, folder in presets.presets().items():
        metadata = read_metadata(folder)
        card = metadata.get("card", {})
        yield name, metadata, card, {r["name"]: r for r in card.get("results", ())}


def noise():
    """Return the Fréchet distances of noisy real images, one row for each data set."""
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
    return markdown(head, list(rows.values()))


def zoo():
    """Return the rankings, one table for each data set."""
    by_data = {}
    for name, metadata, card, results in _cards():
        found = {metric: results[metric] for metric in METRICS if metric in results}
        if found:
            data = metadata.get("data", "").replace(", ", ", at ", 1)
            by_data.setdefault(data, []).append((name, card.get("noise", {}), found))
    return "\n\n".join(_ranking(data, cards) for data, cards in by_data.items())


def gallery():
    """Return every preset with its pictures."""
    return "\n\n".join(
        _exhibit(name, metadata.get("title", name), results)
        for name, metadata, _, results in _cards()
    )


def _ranking(data, cards):
    """Return the presets of one data set in order, real images and noisy ones among them."""
    shown = [metric for metric in METRICS if any(metric in found for _, _, found in cards)]
    by = shown[0]
    _, noisy, first = cards[0]
    rows = [(float(first[by]["baseline"]), ["*real images*", *_cells(first, shown, "baseline")])]
    for sd, distance in noisy.items():
        row = [f"*real images, noise of sd {sd}*", figure(by, distance)]
        rows.append((float(distance), row + ["-"] * (len(shown) - 1)))
    for name, _, found in cards:
        rows.append((float(found[by]["value"]), [f"[`{name}`](#{name})", *_cells(found, shown)]))
    rows.sort(key=lambda row: row[0])
    head = ["Preset", *(METRICS[metric] for metric in shown)]
    return f"**{data}**, by {METRICS[by]}:\n\n{markdown(head, [row for _, row in rows])}"


def _exhibit(name, title, results):
    """Return a preset's part of the gallery: its scores and its pictures."""
    parts = [
        f"## `{name}`",
        f"{title}: [its card](../zoo/{name}/README.md).",
        f"![The first hundred samples of seed 7 of {name}.](../zoo/{name}/samples.png)",
        _scores(results),
    ]
    words = {
        "walks": "Interpolation between two latent vectors in each row",
        "truncation": "The same latent vectors in each row, with these truncations from top to "
        f"bottom: {', '.join(map(str, TRUNCATIONS))}",
        "mix": "The images on the left, whose second layer has the style of those on top",
        "directions": "An image along five directions of the weights, one in each row",
        "categorical_0": "The values of the category, one row for each latent vector",
        "continuous_0": "The first continuous code from -1 to 1, one row for each latent vector",
        "continuous_1": "The second continuous code from -1 to 1, one row for each latent vector",
        "curves": f"Losses and diversity over the epochs. The diversity {_course(name)}",
    }
    if (ROOT / "zoo" / name / "epochs.png").exists():
        text = "Samples of the same latent vectors at six moments of the training"
        parts.append(f"![{text}: {name}.](../zoo/{name}/epochs.png)\n*{text}.*")
    for kind, text in words.items():
        picture = f"figures/{name}-{kind}.png"
        if (ROOT / "docs" / picture).exists():
            parts.append(f"![{text}: {name}.]({picture})\n*{text}.*")
    return "\n\n".join(parts)


def _course(name):
    """Return the diversity that the guard measured in a preset's training, as text."""
    with open(ROOT / "zoo" / name / "training.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    seen = [float(row["diversity"]) for row in rows if row.get("diversity")]
    if not seen:
        return "was not measured"
    return (
        f"is {seen[0]:.2f} in the first epoch, {max(seen):.2f} at most and {seen[-1]:.2f} in the "
        "last"
    )


def _cells(results, metrics, what="value"):
    """Return one entry of each result as the cells of a row."""
    return [figure(metric, results.get(metric, {}).get(what)) for metric in metrics]


def _scores(results):
    """Return a preset's figures in a table, and those of real images."""
    shown = [metric for metric in METRICS if metric in results]
    rows = [
        [title, *_cells(results, shown, what)]
        for title, what in (("Generated", "value"), ("*Real images*", "baseline"))
    ]
    return markdown(["", *(METRICS[metric] for metric in shown)], rows)
