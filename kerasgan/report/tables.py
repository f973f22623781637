"""What the guard did and found, as tables."""

import html
import itertools
import math

from kerasgan.collapse.diversity import CLASS_SAMPLES
from kerasgan.text import counted

NOTHING = "&ndash;"  # In a cell of a table whose value is not known.


def decisions(journal):
    """Return everything that the guard did as a list, and what came of its rescues."""
    if not journal.decisions:
        return ""
    lines = "".join(
        f"<li>epoch {d.epoch}, step {d.step:,}: {html.escape(str(d))}</li>"
        for d in journal.decisions
    )
    return f"<h2>What the guard did</h2><ol>{lines}</ol>{_rescues(journal)}"


def _rescues(journal):
    """Return a table of what each rescue changed, and of the levels before and after it."""
    places = [i for i, d in enumerate(journal.decisions) if d.action == "rescue"]
    rows = "".join(_rescue(journal, place) for place in places)
    if not rows:
        return ""
    return (
        '<h3>What came of each rescue</h3><p class="note">The numbers are levels; 1 is as good as '
        "real images. Each row has that of the alarm, that of the state that was restored, and "
        "those of the checks after it, up to the next rescue.</p>"
        '<div class="scroll"><table><tr><th>rescue</th><th class="wide">what it changed</th>'
        '<th class="number">at alarm</th><th class="number">back to</th>'
        '<th class="number">1 check on</th><th class="number">3 checks on</th>'
        f'<th class="number">last</th><th>what came of it</th></tr>{rows}</table></div>'
    )


def _rescue(journal, place):
    decision = journal.decisions[place]
    later = (d for d in journal.decisions[place + 1 :] if d.action in ("rescue", "stop", "failed"))
    until = next(later, None)
    before = [entry for entry in journal.entries if entry.step <= decision.step]
    after = [
        entry
        for entry in journal.entries[len(before) :]
        if until is None or entry.step <= until.step
    ]
    back = [entry for entry in before if entry.step == decision.back_to]
    levels = [before[-1:], back[-1:], after[:1], after[2:3], after[-1:]]
    numbers = "".join(
        f'<td class="number">{_number(found[0].measurement.level if found else None)}</td>'
        for found in levels
    )
    changes = html.escape("\n".join(decision.changes)).replace("\n", "<br>") or NOTHING
    changes = changes.replace(" -&gt; ", "&nbsp;&rarr;&nbsp;")  # Both values stay in one line.
    return (
        f"<tr><td>epoch&nbsp;{decision.epoch}</td><td>{changes}</td>{numbers}"
        f"<td>{_outcome(before, after, until)}</td></tr>"
    )


def _outcome(before, after, until):
    """Return in words what the checks after a rescue saw."""
    if not after:
        return "There was no check after it." if until is None else "The next alarm came at once."
    checks = counted(len(after), "check")
    state = after[-1].state
    if state in ("collapsed", "diverged"):
        return f"It {state} again after {checks}."
    words = f"It held, for {checks}" + (" so far." if until is None else ".")
    if state == "collapsing":
        words = f"It is falling again after {checks}."
    best = max(entry.measurement.level for entry in after)
    if best > max((entry.measurement.level for entry in before), default=math.inf):
        words += f" It became better than ever before: {best:.2f}."
    return words


def classes(journal, names=None):
    """Return a table of how much of its class the images of each class show.

    Args:
        journal: The `Journal`.
        names: The names of the classes, or None.

    Returns:
        HTML, or "" if no class was measured.
    """
    entries = [entry for entry in journal.entries if entry.measurement.classes]
    if not entries:
        return ""
    last = entries[-1]
    columns = itertools.zip_longest(*(entry.measurement.classes for entry in entries))
    best = [max((v for v in column if v is not None), default=None) for column in columns]
    now = [*last.measurement.classes, *[None] * len(best)]
    shown = [label for label, value in enumerate(best) if value is not None]
    most = max([1.0, *(best[label] for label in shown)])
    rows = "".join(
        _class(html.escape(class_name(names, label)), now[label], best[label], most,
               _fell(entries, label))
        for label in shown
    )  # fmt: skip
    left = max(len(names or ()), len(best)) - len(shown)
    rare = (
        f" {left} class{'es have' if left > 1 else ' has'} fewer than {CLASS_SAMPLES} images in a "
        "check and cannot be measured."
        if left
        else ""
    )
    return (
        '<h2>Each class</h2><p class="note">How much of its class the images of each class show, '
        f"at epoch {last.epoch}. 1 is as varied as real images. The mark on a bar is the best that "
        f"was measured.{rare}</p>"
        '<div class="scroll"><table><tr><th>class</th><th></th><th class="number">now</th>'
        f'<th class="number">best so far</th><th></th></tr>{rows}</table></div>'
    )


def _class(name, now, best, most, note):
    fell = ' class="fell"' if note.startswith("fell now") else ""
    width, at = ((value or 0.0) / most * 100 for value in (now, best))
    return (
        f'<tr{fell}><td>{name}</td><td><div class="bar"><span style="width: {width:.0f}%"></span>'
        f'<i style="left: {at:.0f}%"></i></div></td><td class="number">{_number(now)}</td>'
        f'<td class="number">{_number(best)}</td><td>{note}</td></tr>'
    )


def _fell(entries, label):
    """Return in words whether a class lost its variety, and whether others did not."""
    kind = f"class {label}"
    fallen = [entry for entry in entries if kind in entry.evidence]
    if not fallen:
        return ""
    alone = label in fallen[-1].classes_alone
    when = "now" if fallen[-1] is entries[-1] else f"at epoch {fallen[-1].epoch}"
    return f"fell {when}" + (", alone" if alone else ", with the others")


def class_name(names, label):
    """Return the name of a class, or its number where names are not known."""
    return str(names[label]) if names and label < len(names) else str(label)


def last_check(entry):
    """Return all numbers of a check.

    Args:
        entry: The `Entry`, or None.
    """
    if entry is None:
        return '<p class="none">There was no check.</p>'
    found = entry.measurement
    rows = [
        ("level", found.level, 1.0, "diversity, cells, coverage, surface and structure in one"),
        ("diversity", found.diversity, 1.0, "overlap of the two histograms over the cells"),
        ("cells", found.cells, 1.0, "share of the cells with at least a fifth of their real share"),
        ("coverage", found.coverage, 1.0, "share of the real images with a generated one close by"),
        ("Vendi score", found.vendi, 1.0, "effective number of directions"),
        ("spread", found.spread, 1.0, "variance"),
        ("JS divergence", found.js, 0.0, "between the two histograms, in nats"),
        ("surface", found.surface, 1.0, "how many of the colours and textures are shown"),
        ("near the data", found.near, 1.0, "share of the real images with one near in its surface"),
        ("without a twin", found.distinct, 1.0, "share of the images that differ from all others"),
    ]
    for scale, value in zip(("finest", "middle", "coarsest"), found.detail, strict=False):
        rows.append((f"{scale} structure", value, 1.0, "less if blurred, more if noisy"))
    cells = "".join(
        f'<tr><td>{name}</td><td class="number">{value:.3f}</td><td class="number">{real:g}</td>'
        f"<td>{words}</td></tr>"
        for name, value, real, words in rows
        if value is not None
    )
    return (
        '<div class="scroll"><table><tr><th></th><th class="number">generated</th>'
        f'<th class="number">real images</th><th></th></tr>{cells}</table></div>'
        '<p class="note">The cells are the parts into which k-means divides the real '
        "images. <code>kerasgan evaluate</code> computes the metrics of the literature.</p>"
    )


def _number(value):
    return NOTHING if value is None else f"{value:.2f}"
