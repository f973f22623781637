"""The score of a run over its epochs, and the state with the best one."""

import html
import shlex

from kerasgan.metrics.result import number, read_record
from kerasgan.report.charts import line_chart

BEST = "best.keras"
LOW = 160  # Height of the chart.


def part(folder, rows):
    """Return the part of the page about the score, or "" for a run without one.

    Args:
        folder: The run folder.
        rows: The rows of its `metrics.csv`, dictionaries of text.
    """
    try:
        epoch, best = read_record(folder / BEST)
    except (OSError, ValueError):
        return ""
    about, name = best.provenance, html.escape(best.name)
    seen = [(int(row["epoch"]), row.get(best.name)) for row in rows]
    line = [(place, float(value)) for place, value in seen if _is_number(value)]
    which = {"lower": "Lower is better.", "higher": "Higher is better."}.get(best.better, "")
    text = f"the best, {number(best.value)}, after epoch {epoch}"
    run = folder.resolve()
    command = f"kerasgan sample {shlex.quote(f'{run.name}@best')} --out best.png"
    return (
        f'<h2>Score: {name}</h2><p class="note">Of {about.samples:,} generated images, with '
        f"features by {html.escape(about.extractor)}. {which} Other real images score "
        f"{number(best.baseline)}: a dashed line, where the chart reaches so far.</p>"
        + line_chart(
            {best.name: line},
            [(epoch, "keep", f"epoch {epoch}: {text}")],
            f"{best.name} over the epochs",
            guide=best.baseline,
            tall=LOW,
        )
        + f"<p><code>{BEST}</code> holds the state with {text} (the green line). Beside the "
        f"folder of the run, this draws from it: <code>{html.escape(command)}</code></p>"
    )


def _is_number(text):
    try:
        float(text)
    except (TypeError, ValueError):
        return False
    return True
