"""report.html: a page that is made only from the files in a run folder."""

import base64
import contextlib
import csv
import html
import io
import json
import string
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan import pictures
from kerasgan.collapse import ADVICE, Journal
from kerasgan.files import atomic
from kerasgan.recipe import Recipe
from kerasgan.report.charts import line_chart
from kerasgan.text import listed

NAME = "report.html"
FRAMES = 24  # Grids of samples in the page, from evenly spaced epochs.
FRAME_SIDE = 640  # Pixels; larger grids are shrunk to it.
PARTS = 12  # Missing parts of the data that are shown.


def write(folder, frames=None):
    """Write `report.html` into a run folder.

    The page uses what the folder holds: `guard/` of `callbacks.CollapseGuard`, `samples/` of
    `callbacks.SampleGrid`, `metrics.csv` of `callbacks.MetricsFile`, and `options.json`.

    Args:
        folder: The run folder. It must hold `guard/journal.json`; the other files may be missing.
        frames: Paths of pictures that show the training, in its order; by default those in
            `samples/`.

    Returns:
        The path of the page.

    Raises:
        ValueError: If there is no journal, or it cannot be read.
    """
    folder = Path(folder)
    try:
        journal = Journal.read(folder / "guard" / "journal.json")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"`folder` must hold guard/journal.json, which a training with a guard writes. "
            f"Received: {folder}: {error}"
        ) from error
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    rows, options = _rows(folder / "metrics.csv"), _options(folder)
    state, sentence = _verdict(journal)
    lost_title, lost = _lost(folder / "guard", journal)
    text = string.Template(template).substitute(
        title=html.escape(folder.resolve().name),
        about=_about(options, journal),
        state=state,
        sentence=html.escape(sentence),
        diversity=line_chart(
            {"diversity": [(_place(e, options), e.measurement.diversity) for e in journal.entries]},
            _marks(journal, options),
            "Diversity over the epochs",
            low=0.0,
            high=1.0,
            guide=1.0,
        ),
        marks_note=_marks_note(journal),
        decisions=_decisions(journal),
        frames=_frames(_grids(folder / "samples") if frames is None else frames),
        lost_title=lost_title,
        lost=lost,
        advice="".join(f"<li>{line}</li>" for line in _advice(journal, state)),
        losses=line_chart(
            {
                name: [(int(row["epoch"]), _number(row.get(name))) for row in rows]
                for name in ("critic_loss", "generator_loss")
            },
            _marks(journal, options),
            "Losses over the epochs",
        ),
        table=_table(journal.entries[-1] if journal.entries else None),
    )
    path = folder / NAME
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _verdict(journal):
    """Return the state after the last check and the evidence for it."""
    if not journal.entries:
        state, sentence, step = "learning", "The guard has not checked the generator yet.", -1
    else:
        last = journal.entries[-1]
        state, sentence, step = last.state, last.sentence, last.step
    for decision in journal.decisions:
        if decision.step > step and decision.action == "error":
            state, sentence = "unknown", decision.sentence
        elif decision.step >= step and decision.action == "failed":
            sentence = decision.sentence
    return state, sentence


def _rows(path):
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if (row.get("epoch") or "").isdigit()]
    except OSError:
        return []


def _number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")


def _about(options, journal):
    words = []
    with contextlib.suppress(ValueError, TypeError, KeyError):  # A folder without a recipe.
        recipe = Recipe.from_json(options)
        words.append(f"{recipe.variant} on {Path(recipe.data['name_or_path']).name}")
    classes = options.get("classes") if isinstance(options, dict) else None
    if isinstance(classes, list) and classes:
        words.append(f"{len(classes)} classes: {listed(classes)}")
    if journal.entries:
        last = journal.entries[-1]
        checks = f"{len(journal.entries)} check{'s' * (len(journal.entries) != 1)}"
        words.append(f"{checks}, {last.step:,} critic steps")
    words.append(f"{journal.rescues} rescues" if journal.rescues != 1 else "1 rescue")
    if journal.failures:
        words.append(f"{journal.failures} failed")
    return html.escape("; ".join(words))


def _options(folder):
    try:
        return json.loads((folder / "options.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _place(of, options):
    """Return the epoch of a check or a decision, with a fraction if the options allow it."""
    try:
        return of.step / (options["images"] // options["batch_size"])
    except (KeyError, TypeError, ZeroDivisionError):
        return of.epoch


def _marks(journal, options):
    return [(_place(d, options), d.action, f"epoch {d.epoch}: {d}") for d in journal.decisions]


def _marks_note(journal):
    if not journal.decisions:
        return ""
    return (
        "Green lines are rescues and the end with the best state. Red lines are warnings, stops "
        "and errors."
    )


def _decisions(journal):
    if not journal.decisions:
        return ""
    lines = "".join(
        f"<li>epoch {d.epoch}, step {d.step:,}: {html.escape(str(d))}</li>"
        for d in journal.decisions
    )
    return f"<h2>What the guard did</h2><ol>{lines}</ol>"


def _grids(folder):
    return sorted(folder.glob("epoch_*.png")) if folder.is_dir() else []


def _frames(paths):
    if not paths:
        return ""
    chosen = sorted({round(i) for i in np.linspace(0, len(paths) - 1, min(FRAMES, len(paths)))})
    paths = [paths[i] for i in chosen]
    names = [_moment(path) for path in paths]
    sources = [_embedded(path) for path in paths]
    last = len(paths) - 1
    return f"""<h2>What it generated</h2>
<div class="frames">
<p><label for="frame">Drag to go through the epochs: <output id="name">{names[last]}</output>
</label></p>
<input id="frame" type="range" min="0" max="{last}" value="{last}">
<img id="grid" alt="Generated images of {names[last]}" src="{sources[last]}">
</div>
<script>
const names = {json.dumps(names)}, sources = {json.dumps(sources)};
document.getElementById("frame").addEventListener("input", event => {{
  const i = Number(event.target.value), grid = document.getElementById("grid");
  grid.src = sources[i];
  grid.alt = "Generated images of " + names[i];
  document.getElementById("name").textContent = names[i];
}});
</script>"""


def _moment(path):
    """Return when a picture was made, as its name tells."""
    name, _, number = path.stem.partition("_")
    return f"epoch {int(number)}" if name == "epoch" and number.isdecimal() else path.name


def _embedded(path):
    """Return a picture file as a data URL, shrunk and compressed."""
    with Image.open(path) as opened:
        image = pictures.opaque(opened)
    image.thumbnail((FRAME_SIDE, FRAME_SIDE))
    return _url(image, "WEBP", quality=80)


def _url(image, form, **options):
    memory = io.BytesIO()
    image.save(memory, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(memory.getvalue()).decode()}"


def _lost(folder, journal):
    """Return the title and the body of the part about missing cells."""
    alarms = sorted(folder.glob("alarm-*.npz"))
    source = alarms[-1] if alarms else folder / "check.npz"
    if not source.exists():
        source = folder / "look.npz"  # The name in earlier versions.
    title = "What it lost" if alarms else "What it does not generate"
    try:
        with np.load(folder / "cells.npz") as cells, np.load(source) as check:
            cells, check = dict(cells), dict(check)
    except (OSError, ValueError, EOFError):
        return title, '<p class="none">No pictures were kept.</p>'
    if not len(check["cells"]):
        return title, '<p class="none">The generator shows every part of the real data.</p>'
    if cells["images"].shape[-1] not in pictures.MODES or cells["images"].shape[1] < 4:
        return title, '<p class="none">The data cannot be shown as pictures.</p>'
    missing = len(check["cells"])
    real = cells["shares"][check["cells"]].sum()
    intro = (
        f"<p>At epoch {int(check['epoch'])}, step {int(check['step']):,}, {missing} of "
        f"{len(cells['shares'])} parts of the real data were (nearly) missing. They hold "
        f"{real:.0%} of the real images. Each row shows real images of one part and, in the frame, "
        "the generated image nearest to them.</p>"
    )
    starts = np.concatenate([[0], np.cumsum(cells["counts"])])
    parts = []
    for cell, nearest in list(zip(check["cells"], check["nearest"], strict=True))[:PARTS]:
        shown = cells["images"][starts[cell] : starts[cell + 1]]
        was = check["peaks"][cell] if len(check["peaks"]) else 0.0
        share = check["shares"][cell]
        words = f"{cells['shares'][cell]:.1%} of the real images, {share:.1%} of the generated"
        if was > share:
            words += f" (at most {was:.1%} earlier)"
        images = "".join(_tile(image, "a real image of this part") for image in shown)
        near = _tile(nearest, "the generated image nearest to it", ' class="nearest"')
        parts.append(f'<div class="part"><div class="row">{images}{near}</div><p>{words}</p></div>')
    more = f"<p>And {missing - PARTS} smaller ones.</p>" if missing > PARTS else ""
    return title, f'{intro}<div class="parts">{"".join(parts)}</div>{more}'


def _tile(image, alt, more=""):
    return f'<img alt="{alt}"{more} src="{_url(pictures.picture(image), "PNG")}">'


def _advice(journal, state):
    states = [entry.state for entry in journal.entries]
    # A training that was rescued may collapse again, so the advice stays.
    worst = next((s for s in ("diverged", "collapsed") if s in states), None)
    return ADVICE[worst or state]


def _table(entry):
    if entry is None:
        return '<p class="none">There was no check.</p>'
    found = entry.measurement
    rows = [
        ("diversity", found.diversity, 1.0, "overlap of the two histograms over the cells"),
        ("cells", found.cells, 1.0, "share of the cells with at least a fifth of their real share"),
        ("coverage", found.coverage, 1.0, "share of the real images with a generated one close by"),
        ("Vendi score", found.vendi, 1.0, "effective number of directions"),
        ("spread", found.spread, 1.0, "variance"),
        ("JS divergence", found.js, 0.0, "between the two histograms, in nats"),
    ]
    cells = "".join(
        f'<tr><td>{name}</td><td class="number">{value:.3f}</td><td class="number">{real:g}</td>'
        f"<td>{words}</td></tr>"
        for name, value, real, words in rows
    )
    return (
        '<div class="scroll"><table><tr><th></th><th class="number">generated</th>'
        f'<th class="number">real images</th><th></th></tr>{cells}</table></div>'
        '<p class="note">The cells are the parts into which k-means divides the real '
        "images. <code>kerasgan evaluate</code> computes the metrics of the literature.</p>"
    )
