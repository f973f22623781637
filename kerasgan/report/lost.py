"""The parts of the data that are missing, and the images that come again and again, as HTML."""

import contextlib
import zipfile

import numpy as np

from kerasgan.files import check_archive
from kerasgan.report.images import can_be_shown, tile

PARTS = 12  # Missing parts of the data that are shown.
UNREADABLE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)


def missing_parts(folder):
    """Return the title and the body of the part about missing cells.

    Args:
        folder: The folder `guard` of a run.
    """
    try:
        return _missing_parts(folder)
    except Exception:  # What the files hold does not go together.
        return "What it lost", '<p class="none">The pictures that were kept are damaged.</p>'


def _missing_parts(folder):
    alarms = sorted(folder.glob("alarm-*.npz"))
    source = alarms[-1] if alarms else folder / "check.npz"
    if not source.exists():
        source = folder / "look.npz"  # The name in earlier versions.
    title = "What it lost" if alarms else "What it does not generate"
    cells, check = _arrays(folder / "cells.npz"), _arrays(source)
    if not cells or not check:
        return title, '<p class="none">No pictures were kept.</p>'
    if not len(check["cells"]):
        return title, '<p class="none">The generator shows every part of the real data.</p>'
    if not can_be_shown(cells["images"]):
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
        images = [tile(image, "a real image of this part") for image in shown]
        parts.append(_row([*images, tile(nearest, "the generated image nearest to it", "nearest")],
                          words))  # fmt: skip
    more = f"<p>And {missing - PARTS} smaller ones.</p>" if missing > PARTS else ""
    return title, f'{intro}<div class="parts">{"".join(parts)}</div>{more}'


def copies(folder, newest):
    """Return the part about images that come again and again, or "" if there were none.

    It shows those of the last alarm and those of the last check.

    Args:
        folder: The folder `guard` of a run.
        newest: The critic step of the last check in the journal, which may have no picture.
    """
    try:
        return _copies(folder, newest)
    except Exception:
        return ""  # The part before says that the files are damaged.


def _copies(folder, newest):
    last = _arrays(folder / "check.npz")
    alarms = [_arrays(path) for path in sorted(folder.glob("alarm-*.npz"))[-1:]]
    found = [check for check in alarms if "copies" in check]
    parts = [_copies_of(check, "the alarm of ") for check in found]
    if "copies" in last and not (found and found[0]["step"] == last["step"]):
        parts.append(_copies_of(last, "the last check, "))
    elif found and int(found[0]["step"]) < int(last.get("step", 0)) == newest:
        parts.append(
            f"<p>At the last check, in epoch {int(last['epoch'])}, images differed from each other "
            "about as real ones do.</p>"
        )
    return "<h2>What it repeated</h2>" + "".join(parts) if parts else ""


def _copies_of(check, when):
    """Return the images of one check that come most often, each with twins and a real image."""
    intro = (
        f"<p>At {when}epoch {int(check['epoch'])}, step {int(check['step']):,}, the generator "
        f"repeated itself. Each row shows a generated image, some of its twins, which look nearly "
        f"the same, and, in the frame, the real image nearest to it.</p>"
    )
    if not can_be_shown(check["copies"]):
        return f'{intro}<p class="none">The data cannot be shown as pictures.</p>'
    starts = np.concatenate([[0], np.cumsum(check["counts"])])
    rows = []
    for i, image in enumerate(check["copies"]):
        twins = check["twins"][starts[i] : starts[i + 1]]
        rows.append(_row(
            [tile(image, "a generated image that comes again and again"),
             *(tile(twin, "a twin of it") for twin in twins),
             tile(check["nearest_real"][i], "the real image nearest to it", "real")],
            f"{int(check['alike'][i]):,} of {int(check['compared']):,} generated images look like "
            "this",
        ))  # fmt: skip
    return f'{intro}<div class="parts">{"".join(rows)}</div>'


def _row(images, words):
    return f'<div class="part"><div class="row">{"".join(images)}</div><p>{words}</p></div>'


def _arrays(path):
    """Return the arrays in a file, or none if it cannot be read."""
    with contextlib.suppress(*UNREADABLE), np.load(check_archive(path)) as stored:
        return dict(stored)
    return {}
