"""report.html: a page that is made only from the files in a run folder."""

import base64
import contextlib
import hashlib
import html
import math
import re
import string
from pathlib import Path

from kerasgan.collapse import Journal
from kerasgan.collapse.advice import advice
from kerasgan.files import atomic
from kerasgan.recipe import Recipe
from kerasgan.report import lost, runs, scores, tables
from kerasgan.report.charts import HEIGHT, line_chart
from kerasgan.report.images import frames as frames_of
from kerasgan.text import counted, listed, short

NAME = "report.html"
STYLE = Path(__file__).with_name("style.css")  # Of every page.
LOW = 160  # Height of the chart of sharpness and copies.


def write(folder, frames=None):
    """Write `report.html` into a run folder.

    The page uses what the folder holds: `guard/` of `callbacks.CollapseGuard`, `samples/` of
    `callbacks.SampleGrid` with its grids and `real.png`, `metrics.csv` of `callbacks.MetricsFile`,
    `best.keras` of `callbacks.Scores`, and `options.json`.

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
            f"Received: {folder}: {short(error, named=False)}"
        ) from error
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    rows, options = runs.rows(folder), runs.options(folder)
    state, sentence = _verdict(journal)
    names = runs.class_names(options)
    far = state == "healthy" and journal.entries[-1].measurement.far
    lost_title, lost_parts = lost.missing_parts(folder / "guard")
    real = folder / "samples" / "real.png"
    frames = runs.grids(folder) if frames is None else frames
    shown = frames_of(frames, real if real.is_file() else None)
    text = string.Template(template).substitute(
        policy=_policy(shown),
        style=STYLE.read_text(encoding="utf-8"),
        title=html.escape(folder.resolve().name),
        about=_about(options, journal),
        state="far" if far else state,
        word="nothing lost, but far from the data" if far else state,
        sentence=html.escape(sentence),
        diversity=_diversity(journal, options),
        marks_note=_marks_note(journal),
        sharpness=_sharpness(journal, options),
        score=scores.part(folder, rows),
        decisions=tables.decisions(journal),
        frames=shown,
        lost_title=lost_title,
        lost=lost_parts,
        copies=lost.copies(folder / "guard", max((e.step for e in journal.entries), default=0)),
        classes=tables.classes(journal, names),
        advice="".join(f"<li>{line}</li>" for line in _advice(journal, state, names)),
        losses=line_chart(
            {
                name: [(int(row["epoch"]), runs.number(row.get(name))) for row in rows]
                for name in ("critic_loss", "generator_loss")
            },
            _marks(journal, options),
            "Losses over the epochs",
        ),
        strength=_strength(rows),
        table=tables.last_check(journal.entries[-1] if journal.entries else None),
    )
    path = folder / NAME
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def _strength(rows):
    """Return the chart of an augmentation's probability, empty where it does not move."""
    name = "augment_probability"
    points = [(int(row["epoch"]), runs.number(row[name])) for row in rows if row.get(name)]
    if not points:
        return ""
    note = "The probability of the augmentation rises as the critic learns its images by heart."
    chart = line_chart({name: points}, label="Probability of the augmentation", low=0, high=1)
    return f'<p class="note">{note}</p>\n{chart}'


def _policy(shown):
    """Return the content security policy: the page's own script may run, and nothing is fetched."""
    script = re.search("<script>(.*)</script>", shown, re.DOTALL)
    digest = hashlib.sha256(script[1].encode()).digest() if script else b""
    allowed = f"'sha256-{base64.b64encode(digest).decode()}'" if script else "'none'"
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


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


def _about(options, journal):
    words = []
    with contextlib.suppress(ValueError, TypeError, KeyError):  # A folder without a recipe.
        recipe = Recipe.from_json(options)
        words.append(f"{recipe.variant} on {Path(recipe.data['name_or_path']).name}")
    classes = runs.class_names(options)
    if classes:
        words.append(f"{counted(len(classes), 'class', 'classes')}: {listed(classes)}")
    if journal.entries:
        last = journal.entries[-1]
        words.append(
            f"{counted(len(journal.entries), 'check')}, {counted(last.step, 'critic step')}"
        )
    words.append(counted(journal.rescues, "rescue"))
    if journal.failures:
        words.append(f"{journal.failures} failed")
    return html.escape("; ".join(words))


# The lines of the charts: what of a `Measurement` each shows, None where it was not measured.
DIVERSITY = {
    "diversity": lambda found: found.diversity,
    "colours and textures": lambda found: found.surface,
    "level": lambda found: found.level,
}
SHARPNESS = {
    "sharpness": lambda found: found.sharpness if found.detail else None,
    "fine structure": lambda found: found.fidelity if found.detail else None,
    "images without a twin": lambda found: found.distinct,
}


def _diversity(journal, options):
    return _chart(_lines(journal, options, DIVERSITY), journal, options, "Diversity", HEIGHT)


def _sharpness(journal, options):
    """Return the part about sharpness and copies, or "" if neither was measured."""
    lines = _lines(journal, options, SHARPNESS)
    if not lines:
        return ""
    return (
        '<h2>Sharpness and copies</h2><p class="note">Sharpness: how much of the fine structure '
        "of real images the generated ones have; a blur of 2 pixels halves it. Fine structure: "
        "how close it is to that of real images; noise lowers it too. Images without a twin: the "
        "share that looks different from all others, compared with real images.</p>"
        + _chart(lines, journal, options, "Sharpness and copies", LOW)
    )


def _lines(journal, options, lines):
    """Return the points of those lines of which anything was measured."""
    places = [runs.place(entry, options) for entry in journal.entries]
    found = {}
    for name, read in lines.items():
        values = [read(entry.measurement) for entry in journal.entries]
        if any(value is not None for value in values):
            values = [math.nan if value is None else value for value in values]
            found[name] = list(zip(places, values, strict=True))
    return found


def _chart(lines, journal, options, title, tall):
    marks = _marks(journal, options)
    return line_chart(lines, marks, f"{title} over the epochs", 0.0, 1.0, guide=1.0, tall=tall)


def _marks(journal, options):
    return [(runs.place(d, options), d.action, f"epoch {d.epoch}: {d}") for d in journal.decisions]


def _marks_note(journal):
    if not journal.decisions:
        return ""
    return (
        "Green lines are rescues and the end with the best state. Red lines are warnings, stops "
        "and errors."
    )


def _advice(journal, state, names):
    states = [entry.state for entry in journal.entries]
    # A training that was rescued may collapse again, so the advice stays.
    worst = next((s for s in ("diverged", "collapsed") if s in states), state)
    bad = worst in ("diverged", "collapsed")
    told = [e for e in journal.entries if e.state == "collapsed"] if bad else journal.entries[-1:]
    return advice(worst, told, lambda label: tables.class_name(names, label))
