"""report.html: made of the files in a run's folder, and of nothing else."""

import base64
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
from kerasgan.report.charts import line_chart

NAME = "report.html"
FRAMES = 24  # Grids in the page, evenly over the epochs.
FRAME_SIDE = 640  # Pixels to which a larger grid is shrunk.
PARTS = 12  # Lost parts of the data that are shown.


def write(folder):
    """Write `report.html` into a run's folder.

    Of the folder it reads what is there: `guard/` of `callbacks.CollapseGuard`, `samples/` of
    `callbacks.SampleGrid`, `metrics.csv` of `callbacks.MetricsFile`, and `options.json`.

    Args:
        folder: The folder; it must hold `guard/journal.json`.

    Returns:
        The path of the page.

    Raises:
        ValueError: If there is no journal, or it is not readable.
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
    last = journal.entries[-1] if journal.entries else None
    lost_title, lost = _lost(folder / "guard", journal)
    text = string.Template(template).substitute(
        title=html.escape(folder.resolve().name),
        about=_about(options, journal),
        state=last.state if last else "learning",
        sentence=html.escape(last.sentence if last else "There was no look yet."),
        diversity=line_chart(
            {"diversity": [(_place(e, options), e.look.diversity) for e in journal.entries]},
            _marks(journal, options),
            "Diversity over the epochs",
            low=0.0,
            high=1.0,
            guide=1.0,
        ),
        marks_note=_marks_note(journal),
        decisions=_decisions(journal),
        frames=_frames(folder / "samples"),
        lost_title=lost_title,
        lost=lost,
        advice="".join(f"<li>{line}</li>" for line in _advice(journal)),
        losses=line_chart(
            {
                name: [(int(row["epoch"]), _number(row.get(name))) for row in rows]
                for name in ("critic_loss", "generator_loss")
            },
            _marks(journal, options),
            "Losses over the epochs",
        ),
        table=_table(last),
    )
    path = folder / NAME
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


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
    if {"model", "data"} <= set(options):
        words.append(f"{options['model']} on {Path(options['data']).name}")
    if journal.entries:
        last = journal.entries[-1]
        words.append(f"{len(journal.entries)} looks, {last.step:,} critic steps")
    words.append(f"{journal.rescues} rescues" if journal.rescues != 1 else "one rescue")
    return html.escape("; ".join(words))


def _options(folder):
    try:
        return json.loads((folder / "options.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _place(of, options):
    """Return where a look or a decision stands among the epochs, in fractions where it can."""
    try:
        return of.step / (options["images"] // options["batch_size"])
    except (KeyError, TypeError, ZeroDivisionError):
        return of.epoch


def _marks(journal, options):
    return [(_place(d, options), d.action, f"epoch {d.epoch}: {d}") for d in journal.decisions]


def _marks_note(journal):
    if not journal.decisions:
        return ""
    return "Lines: rescues, and where the best state was kept, in green; warnings and stops in red."


def _decisions(journal):
    if not journal.decisions:
        return ""
    lines = "".join(
        f"<li>epoch {d.epoch}, step {d.step:,}: {html.escape(str(d))}</li>"
        for d in journal.decisions
    )
    return f"<h2>What the guard did</h2><ol>{lines}</ol>"


def _frames(folder):
    paths = sorted(folder.glob("epoch_*.png")) if folder.is_dir() else []
    if not paths:
        return ""
    chosen = sorted({round(i) for i in np.linspace(0, len(paths) - 1, min(FRAMES, len(paths)))})
    paths = [paths[i] for i in chosen]
    names = [f"epoch {int(path.stem.split('_')[1])}" for path in paths]
    sources = [_embedded(path) for path in paths]
    last = len(paths) - 1
    return f"""<h2>What it drew</h2>
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


def _embedded(path):
    """Return a picture file as a data URL, shrunk and compressed."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.thumbnail((FRAME_SIDE, FRAME_SIDE))
    return _url(image, "WEBP", quality=80)


def _url(image, form, **options):
    memory = io.BytesIO()
    image.save(memory, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(memory.getvalue()).decode()}"


def _lost(folder, journal):
    """Return the title and the body of the part about missing cells."""
    alarms = sorted(folder.glob("alarm-*.npz"))
    source = alarms[-1] if alarms else folder / "look.npz"
    title = "What it lost" if alarms else "What it does not draw"
    try:
        with np.load(folder / "cells.npz") as cells, np.load(source) as look:
            cells, look = dict(cells), dict(look)
    except (OSError, ValueError, EOFError):
        return title, '<p class="none">No pictures were kept.</p>'
    if not len(look["cells"]):
        return title, '<p class="none">Every part of the real data is drawn.</p>'
    if cells["images"].shape[-1] not in (1, 3) or cells["images"].shape[1] < 4:
        return title, '<p class="none">The data are no pictures.</p>'
    missing = len(look["cells"])
    real = cells["shares"][look["cells"]].sum()
    intro = (
        f"<p>At epoch {int(look['epoch'])}, step {int(look['step']):,}, {missing} of "
        f"{len(cells['shares'])} parts of the real data, {real:.0%} of its images, were all but "
        "missing. Left, real images of each; in the frame, the nearest that was generated.</p>"
    )
    starts = np.concatenate([[0], np.cumsum(cells["counts"])])
    parts = []
    for cell, nearest in list(zip(look["cells"], look["nearest"], strict=True))[:PARTS]:
        shown = cells["images"][starts[cell] : starts[cell + 1]]
        was = look["peaks"][cell] if len(look["peaks"]) else 0.0
        words = f"{cells['shares'][cell]:.1%} of the real images, {look['shares'][cell]:.1%} drawn"
        if was > look["shares"][cell]:
            words += f"; at most {was:.1%} earlier"
        images = "".join(_tile(image, "a real image of this part") for image in shown)
        near = _tile(nearest, "the generated image nearest to it", ' class="nearest"')
        parts.append(f'<div class="part"><div class="row">{images}{near}</div><p>{words}</p></div>')
    more = f"<p>And {missing - PARTS} smaller ones.</p>" if missing > PARTS else ""
    return title, f'{intro}<div class="parts">{"".join(parts)}</div>{more}'


def _tile(image, alt, more=""):
    return f'<img alt="{alt}"{more} src="{_url(pictures.picture(image), "PNG")}">'


def _advice(journal):
    states = [entry.state for entry in journal.entries]
    # What happened once may happen again, also after a rescue.
    worst = next((s for s in ("diverged", "collapsed") if s in states), None)
    return ADVICE[worst or (states[-1] if states else "learning")]


def _table(entry):
    if entry is None:
        return '<p class="none">There was none.</p>'
    rows = [
        ("diversity", entry.look.diversity, 1.0, "overlap of the histograms over the cells"),
        ("cells", entry.look.cells, 1.0, "cells of the real data with a fifth of their share"),
        ("coverage", entry.look.coverage, 1.0, "real images with a generated one close by"),
        ("Vendi score", entry.look.vendi, 1.0, "effective number of directions"),
        ("spread", entry.look.spread, 1.0, "variance"),
        ("JS divergence", entry.look.js, 0.0, "between the histograms, in nats"),
    ]
    cells = "".join(
        f'<tr><td>{name}</td><td class="number">{value:.3f}</td><td class="number">{real:g}</td>'
        f"<td>{words}</td></tr>"
        for name, value, real, words in rows
    )
    return (
        '<div class="scroll"><table><tr><th></th><th class="number">generated</th>'
        f'<th class="number">real images</th><th></th></tr>{cells}</table></div>'
        '<p class="note"><code>kerasgan evaluate</code> gives the scores of the literature.</p>'
    )
