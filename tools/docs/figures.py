"""Makes the pictures of the documentation from presets and stored results, and runs the notebooks.

    python tools/docs/figures.py [--only TEXT]

It writes into `docs/figures/`, and the outputs of the notebooks into `docs/notebooks/`. It takes
minutes on a CPU and needs the extra `docs`. The picture of a report needs chromium.
"""

import argparse
import csv
import shutil
import subprocess
import tempfile
from pathlib import Path

import matplotlib
import mode_tables
import nbclient
import nbformat
import numpy as np
from PIL import Image
from scripts import ROOT, script
from zoo_tables import TRUNCATIONS

import kerasgan
from kerasgan import pictures, presets
from kerasgan.bench.modes import tables, trials
from kerasgan.bench.modes.tasks import TASKS
from kerasgan_cli.main import cli

matplotlib.use("Agg")
from matplotlib import pyplot as plt

FIGURES = ROOT / "docs" / "figures"
BEST, COLLAPSED = "r3gan_fashion_mnist", "gan_collapsed_fashion_mnist"
NOTEBOOKS = ROOT / "docs" / "notebooks"


def run(path, folder):
    """Run a notebook in a folder, and keep its outputs without its warnings."""
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
    """Plot a preset's losses and diversity over its epochs, where they are stored."""
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


def generated(name, model):
    """Write interpolations between latent vectors, the effect of codes, and that of styles."""
    walks = []
    for row in range(4):
        labels = None if model.num_classes is None else [row % model.num_classes] * 10
        walks.extend(model.interpolate(10, 2 * row, 2 * row + 1, labels=labels))
    pictures.save_grid(FIGURES / f"{name}-walks.png", walks, columns=10, scale=2)
    for code in getattr(model, "code_names", ()):
        rows = model.traverse(code, steps=10, rows=5, seed=1)
        pictures.save_grid(FIGURES / f"{name}-{code}.png", rows, columns=10, scale=2)
    if model.style_layers:
        styles(name, model)


def styles(name, model):
    """Write truncated images of a generator of styles, mixed ones, and those along directions."""
    rows = np.concatenate([model.sample(10, seed=1, truncation=psi) for psi in TRUNCATIONS])
    pictures.save_grid(FIGURES / f"{name}-truncation.png", rows, columns=10, scale=2)
    for kind, levels in (("mix", ["--levels=1"]), ("directions", [])):
        out = FIGURES / f"{name}-{kind}.png"
        shown = [f"--out={out}", "--scale=2", "--overwrite", *levels]
        cli([kind, name, *shown], standalone_mode=False)


def side_by_side(best, collapsed):
    """Write the samples of two presets side by side."""
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
    """Plot a benchmark's trials for each of its budgets, in the folder of their results."""
    folder = script("experiment").RESULTS / "modes"
    for steps, lines in mode_tables.by_budget(name).items():
        path = folder / f"{TASKS[name].stem(steps)}.png"
        tables.plot(lines, lambda line: trials.samples_of(folder, line), path)


def main():
    """Write all, or those with a text in their name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only those with TEXT in their name"
    )
    only = parser.parse_args().only
    FIGURES.mkdir(exist_ok=True)
    for name, folder in presets.presets().items():
        if only in name:
            curves(name, folder)
            generated(name, kerasgan.from_preset(name))
    for name in TASKS:
        if only in name:
            modes(name)
    cures = script("cures")
    for plan in cures.PLANS:
        if only in plan:
            cures.plot(plan, FIGURES / f"{plan}.png")
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
