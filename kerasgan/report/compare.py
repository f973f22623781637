"""Several trainings side by side: what they were, what they reached, and what differs."""

import dataclasses
import html
import math
import string
from pathlib import Path

from kerasgan import catalogue, sizes
from kerasgan.collapse import Journal
from kerasgan.files import atomic
from kerasgan.metrics.result import number, rank
from kerasgan.recipe import Recipe, run_settings
from kerasgan.report import runs
from kerasgan.report.charts import line_chart
from kerasgan.report.images import embedded
from kerasgan.report.page import STYLE
from kerasgan.text import duration, told

NOTHING = "-"
TALL = 200  # Height of a chart.
_BESIDE = ("epoch", "seconds", "loss")  # Columns of metrics.csv that are no curves.
_WORDS = {
    "warn": ("warning", "warnings"),
    "rescue": ("rescue", "rescues"),
    "failed": ("failed rescue", "failed rescues"),
    "error": ("error", "errors"),
}


@dataclasses.dataclass(frozen=True)
class Side:
    """One run of a comparison, as its folder tells of it.

    Args:
        folder: Its folder.
        name: What it is called.
        options: What options.json holds.
        recipe: The `Recipe` in it.
        rows: The rows of metrics.csv.
        journal: The `Journal` of its guard, or None.
    """

    folder: Path
    name: str
    options: dict
    recipe: Recipe
    rows: list
    journal: Journal | None

    @classmethod
    def of(cls, folder, name):
        """Return the side of a run's folder.

        Raises:
            ValueError: If it holds no recipe that can be read.
        """
        folder = Path(folder)
        options = runs.options(folder)
        try:
            recipe = Recipe.from_json(options)
            run_settings(options)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"each run must be a folder with the options.json of a training. Received: "
                f"{told(folder)}: {told(error)}"
            ) from error
        try:
            journal = Journal.read(folder / "guard" / "journal.json")
        except (OSError, ValueError, KeyError, TypeError):
            journal = None
        return cls(folder, name, options, recipe, runs.rows(folder), journal)

    @property
    def steps_per_epoch(self):
        """Critic steps of an epoch, or None where that is not known."""
        given = self.recipe.length.get("steps_per_epoch")
        if given is not None:
            return given
        images = self.options.get("images")
        return images // self.recipe.batch_size or None if isinstance(images, int) else None

    @property
    def curves(self):
        """The columns of metrics.csv that are measured: losses, scores and the like."""
        found = dict.fromkeys(name for row in self.rows for name in row if name)
        return [name for name in found if name not in _BESIDE]

    def points(self, column):
        """Return the values of a column over the critic steps, `[(step, value), ...]`."""
        steps = self.steps_per_epoch or 1
        rows = [row for row in self.rows if row.get(column)]
        return [(int(row["epoch"]) * steps, runs.number(row[column])) for row in rows]

    def last(self, column):
        """Return the last value of a column as text."""
        points = self.points(column)
        return number(points[-1][1]) if points else NOTHING

    @property
    def guard(self):
        """What its guard did, in words."""
        policy = run_settings(self.options).get("guard", NOTHING)
        if self.journal is None:
            return policy
        did = [decision.action for decision in self.journal.decisions]
        counts = {action: did.count(action) for action in _WORDS if action in did}
        words = [f"{n} {_WORDS[action][n > 1]}" for action, n in counts.items()]
        words += ["stopped"] * ("stop" in did) + ["kept the best state"] * ("keep" in did)
        state = self.journal.entries[-1].state if self.journal.entries else "not checked"
        return f"{policy}; {', '.join(words) or 'did nothing'}; {state}"


class Comparison:
    """Runs side by side.

    Args:
        folders: The folders of at least two runs.

    Attributes:
        sides: A `Side` for each run.

    Raises:
        ValueError: If there are fewer than two, one is given twice, or one is no run.
    """

    def __init__(self, folders):
        folders = [Path(folder) for folder in folders]
        places = [folder.resolve() for folder in folders]
        if len(folders) < 2 or len(set(places)) < len(places):
            received = ", ".join(map(told, folders))
            raise ValueError(f"there must be two or more different runs. Received: {received}")
        names = [place.name for place in places]
        if len(set(names)) < len(names):
            names = [f"{place.parent.name}/{place.name}" for place in places]
        self.sides = [Side.of(*pair) for pair in zip(folders, names, strict=True)]

    def facts(self):
        """Return what the runs are and what they reached: rows of a name and a text for each."""
        sides = self.sides
        rows = [
            ("model", [catalogue.VARIANTS[s.recipe.variant].title for s in sides]),
            ("data", [Path(str(s.recipe.data.get("name_or_path", NOTHING))).name for s in sides]),
            ("images", [_count(s.options.get("images")) for s in sides]),
            ("image size", [_size(s) for s in sides]),
            ("networks", [s.recipe.architecture for s in sides]),
            ("batch size", [str(s.recipe.batch_size) for s in sides]),
            ("epochs", [_epochs(s) for s in sides]),
            ("critic steps", [_count(_steps(s)) for s in sides]),
            ("time", [duration(_seconds(s)) if s.rows else NOTHING for s in sides]),
        ]
        columns = dict.fromkeys(name for s in sides for name in s.curves)
        rows += [(name.replace("_", " "), [s.last(name) for s in sides]) for name in columns]
        return [*rows, ("guard", [s.guard for s in sides])]

    def differences(self):
        """Return the options that differ: rows of a name and a text for each run."""
        flat = [_flat(side) for side in self.sides]
        names = dict.fromkeys(name for options in flat for name in options)
        rows = [(name, [options.get(name, NOTHING) for options in flat]) for name in names]
        return [(name, values) for name, values in rows if len(set(values)) > 1]

    def write(self, path, scores=None, note=""):
        """Write the comparison as one page, which needs no other file.

        Args:
            path: The HTML file; it is replaced whole or not at all.
            scores: For each run a list of `kerasgan.metrics.Result`, all by one `Evaluator`, or
                None.
            note: What the scores depend on, in a sentence.
        """
        names = [side.name for side in self.sides]
        differences = self.differences()
        page = string.Template(Path(__file__).with_name("compare.html").read_text("utf-8"))
        text = page.substitute(
            title=html.escape(f"{len(names)} trainings side by side"),
            about=html.escape(", ".join(names)),
            style=STYLE.read_text(encoding="utf-8"),
            sides="".join(map(_figure, self.sides)),
            facts=_table(names, self.facts()),
            differences=_table(names, differences)
            if differences
            else '<p class="none">Nothing: the runs have the same options.</p>',
            scores=_scores(names, scores, note) if scores else "",
            curves=self._curves(),
        )
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")

    def _curves(self):
        parts = []
        for column in dict.fromkeys(name for side in self.sides for name in side.curves):
            # A run without the column keeps its colour.
            lines = {side.name: side.points(column) for side in self.sides}
            title = html.escape(column.replace("_", " ").capitalize())
            parts.append(f"<h3>{title}</h3>{line_chart(lines, label=title, tall=TALL)}")
        return "".join(parts) or '<p class="none">No epoch was finished.</p>'


def scores_text(names, scores):
    """Return scores as rows of text: a name, one cell for each run, and that of real images.

    Args:
        names: What the runs are called.
        scores: For each run a list of `kerasgan.metrics.Result`, all by one `Evaluator`.
    """
    rows = []
    for results in zip(*scores, strict=True):
        cells = [
            number(r.value) + (f" ± {number(r.error)}" if r.error is not None else "")
            for r in results
        ]
        words = {"lower": "lower is better", "higher": "higher is better"}
        better = results[0].remark or words.get(results[0].better, "best is the real images'")
        best = _best(results)
        rows.append((results[0].name, cells, number(results[0].baseline), better, best))
    return rows


def _best(results):
    """Return the places of the best of some scores; none where all are the same or NaN."""
    first = rank(results)[0]
    best = [i for i, r in enumerate(results) if not first.better_than(r) and r.value == r.value]
    return best if len(best) < len(results) else []


def _scores(names, scores, note):
    head = "".join(f'<th class="number">{html.escape(name)}</th>' for name in names)
    body = ""
    for name, cells, real, better, best in scores_text(names, scores):
        numbers = "".join(
            f'<td class="number{" best" * (i in best)}">{html.escape(cell)}</td>'
            for i, cell in enumerate(cells)
        )
        body += (
            f"<tr><td>{html.escape(name.replace('_', ' '))}</td>{numbers}"
            f'<td class="number">{real}</td><td>{html.escape(better)}</td></tr>'
        )
    return (
        f'<h2>Scores on equal terms</h2><p class="note">{html.escape(note)}</p>'
        f'<div class="scroll"><table><tr><th></th>{head}<th class="number">real images</th>'
        f"<th></th></tr>{body}</table></div>"
    )


def _table(names, rows):
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr><td>{html.escape(name)}</td>"
        + "".join(f"<td>{html.escape(value)}</td>" for value in values)
        + "</tr>"
        for name, values in rows
    )
    return f'<div class="scroll"><table><tr><th></th>{head}</tr>{body}</table></div>'


def _figure(side):
    """Return the last grid of a run that can be read, with the run's name below it."""
    name = html.escape(side.name)
    for path in reversed(runs.grids(side.folder)):
        source = embedded(path)
        if source is not None:
            epoch = path.stem.partition("_")[2]
            when = f", epoch {int(epoch)}" if epoch.isdecimal() else ""
            alt = f"Generated images of {name}{when}"
            caption = f"<figcaption>{name}{when}</figcaption>"
            return f'<figure><img alt="{alt}" src="{source}">{caption}</figure>'
    return f'<figure><p class="none">No pictures.</p><figcaption>{name}</figcaption></figure>'


def _flat(side):
    """Return the options of a run as texts by name, those of its parts included."""
    found = {}

    def add(name, value):
        if isinstance(value, dict):
            for key, part in value.items():
                add(f"{name}.{key}" if name else key, part)
        elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
            for part in value:
                add(f"{name}.{part.get('kind')}", {k: v for k, v in part.items() if k != "kind"})
        elif value not in (None, []):
            found[name] = told(value)

    add("", side.recipe.to_json())
    add("run", run_settings(side.options))
    if isinstance(side.options.get("images"), int):
        found["images"] = f"{side.options['images']:,}"
    found.pop("format", None)
    return found


def _size(side):
    """Return the size of the images; of data that keep their own it may be unknown."""
    content = side.options.get("content")
    shape = content.get("shape") if isinstance(content, dict) else None
    own = shape[1:3] if isinstance(shape, list) and len(shape) > 2 else None
    size = side.recipe.data.get("image_size") or own
    return NOTHING if size is None else sizes.text(size)


def _epochs(side):
    done = max((int(row["epoch"]) for row in side.rows), default=0)
    asked = side.recipe.length.get("epochs", done)  # The length may be in steps.
    return str(done) if done == asked else f"{done} of {asked}"


def _steps(side):
    done = max((int(row["epoch"]) for row in side.rows), default=0)
    return done * side.steps_per_epoch if side.steps_per_epoch else None


def _seconds(side):
    seconds = (runs.number(row.get("seconds")) for row in side.rows)
    return sum(value for value in seconds if math.isfinite(value))


def _count(value):
    return f"{value:,}" if isinstance(value, int) else NOTHING
