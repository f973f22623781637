"""The pictures of the documentation: notebooks run from top to bottom, and what presets draw.

    python benchmarks/docs_figures.py [--only TEXT]

It writes into `docs/figures/` and the outputs into `docs/notebooks/`. It takes minutes on a CPU,
needs the extra `docs` and, for the picture of a report, chromium.
"""

import argparse
import csv
import shutil
import subprocess
import tempfile
from pathlib import Path

import docs_experiments
import docs_tables
import matplotlib
import nbclient
import nbformat
import numpy as np
from docs_words import METRICS, RESULTS, ROOT, slug
from PIL import Image

import kerasgan
from kerasgan import pictures, presets
from kerasgan.bench.modes import tables, trials
from kerasgan.bench.modes.tasks import TASKS

matplotlib.use("Agg")
from matplotlib import pyplot as plt

FIGURES = ROOT / "docs" / "figures"
BEST, COLLAPSED = "r3gan_fashion_mnist", "gan_collapsed_fashion_mnist"
NOTEBOOKS = ROOT / "docs" / "notebooks"


def run(path, folder):
    """Run a notebook in a folder, and keep what it prints and shows, without its warnings."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(notebook, timeout=1200, resources=resources).execute()
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in ("alt",) if key in cell.metadata}
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    notebook.metadata.pop("language_info", None)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def report(folder):
    """Take a picture of a run's report, as wide as a page of the documentation."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise SystemExit("the picture of a report needs chromium")
    target = FIGURES / "report.png"
    page = (folder / "report.html").as_uri()
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--window-size=1000,2000", f"--screenshot={target}", page],
        check=True, capture_output=True,
    )  # fmt: skip
    Image.open(target).convert("P", palette=Image.Palette.ADAPTIVE).save(target, optimize=True)


def curves(name, folder):
    """Draw a preset's losses and diversity over its epochs, where they are stored."""
    path = folder / "training.csv"
    if not path.exists():
        return
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained")
    for column in ("critic_loss", "generator_loss"):
        axes[0].plot(epochs, [float(row[column]) for row in rows], label=column.replace("_", " "))
    axes[0].set(xlabel="epoch", ylabel="loss")
    axes[0].legend(frameon=False)
    if rows[0].get("diversity"):
        axes[1].plot(epochs, [float(row["diversity"] or "nan") for row in rows])
    axes[1].axhline(1.0, color="0.6", ls="--")
    axes[1].set(xlabel="epoch", ylabel="diversity", ylim=(0, None))
    for axis in axes:
        axis.grid(color="0.9")
    figure.savefig(FIGURES / f"{name}-curves.png", dpi=80)
    plt.close(figure)


def drawings(name, model):
    """Draw walks between latent vectors, and what each code of an InfoGAN does."""
    walks = []
    for row in range(4):
        z = model.interpolate(10, 2 * row, 2 * row + 1)
        labels = None if model.num_classes is None else [row] * len(z)
        walks.extend(model.images_of(z, labels))
    pictures.save_grid(FIGURES / f"{name}-walks.png", walks, columns=10, scale=2)
    for code in getattr(model, "code_names", ()):
        rows = model.traverse(code, steps=10, rows=5, seed=1)
        pictures.save_grid(FIGURES / f"{name}-{code}.png", rows, columns=10, scale=2)


def side_by_side(best, collapsed):
    """Draw two presets' samples beside each other."""
    halves = [
        pictures.picture(pictures.grid(kerasgan.from_preset(name).sample(64, seed=7)))
        for name in (best, collapsed)
    ]
    width, height = halves[0].size
    picture = Image.new("L", (2 * width + 16, height), 255)
    for i, half in enumerate(halves):
        picture.paste(half, (i * (width + 16), 0))
    picture.resize((2 * picture.width, 2 * height), Image.Resampling.NEAREST).save(
        FIGURES / "healthy_and_collapsed.png", optimize=True
    )


def modes(name):
    """Draw a benchmark's trials for each of its budgets, beside their results."""
    folder = RESULTS / "modes"
    for steps, lines in docs_tables.by_budget(name).items():
        path = folder / f"{TASKS[name].stem(steps)}.png"
        tables.draw(lines, lambda line: trials.samples_of(folder, line), path)


def cures(plan, metric):
    """Draw a metric as training goes on with each cure, and twenty samples each."""
    runs = docs_experiments.cures(plan)
    names = list(runs[0]["cures"])
    figure, axes = plt.subplots(
        1 + len(names), figsize=(8, 3.2 + 0.5 * len(names)), layout="constrained",
        height_ratios=[6, *[1] * len(names)],
    )  # fmt: skip
    for i, (cure, strip) in enumerate(zip(names, axes[1:], strict=True)):
        looks = [run["cures"][cure]["moments"] for run in runs]
        values = np.array([[figures[metric] for figures in found.values()] for found in looks])
        steps = list(map(int, looks[0]))
        (line,) = axes[0].plot(
            steps, values.mean(axis=0), label=cure, color=f"C{i % 10}", ls="-" if i < 10 else "--"
        )
        axes[0].plot(steps, values.T, color=line.get_color(), alpha=0.25)
        picture = Image.open(RESULTS / "cures" / f"{plan}-{slug(cure)}.png")
        strip.imshow(picture, cmap="gray", aspect="equal")
        strip.set_axis_off()
        strip.set_title(cure, fontsize=8, loc="left", pad=1)
    axes[0].set(xlabel="critic step", ylabel=METRICS[metric])
    axes[0].grid(color="0.9")
    axes[0].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(FIGURES / f"{plan}.png", dpi=90)
    plt.close(figure)


def main():
    """Write all, or what a name holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="what has it in its name")
    only = parser.parse_args().only
    FIGURES.mkdir(exist_ok=True)
    for name, folder in presets.presets().items():
        if only in name:
            curves(name, folder)
            drawings(name, kerasgan.from_preset(name))
    for name in TASKS:
        if only in name:
            modes(name)
    for plan, metric in (("few_images", "frechet_distance"), ("healthy", "recall")):
        if only in plan:
            cures(plan, metric)
    if only in "side_by_side" and {BEST, COLLAPSED} <= presets.presets().keys():
        side_by_side(BEST, COLLAPSED)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if only not in path.stem:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            run(path, scratch)
            if path.stem == "collapse_and_rescue":
                report(Path(scratch) / "rescued")


if __name__ == "__main__":
    main()
