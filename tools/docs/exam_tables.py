"""The results of the collapse detector's exam, from the histories that the package has."""

import json
import math
import statistics

from scripts import script

from kerasgan.bench.collapse import exam

experiment = script("experiment")
POLICIES = {"none": "left alone", "stop": "stopped, best kept", "rescue": "rescued"}


def detector():
    """Return what the detector catches, as text."""
    found = exam.figures([exam.examine(history) for history in exam.histories("exam")])
    alarms = found["false_alarms"]
    return (
        f"The exam has {found['collapsed'] + found['healthy']} runs that took no part in the "
        f"design of the detector. {found['collapsed']} of them collapse or diverge, according to "
        "an oracle that knows the mixture centres, the classes or the colours. The detector "
        f"catches {found['caught']} of these. Its median delay after the oracle is "
        f"{found['median_delay']:g} checks. It raises {alarms} false "
        f"alarm{'s' * (alarms != 1)}. Its AUROC is {found['auroc']:.4f}."
    )


def rescues():
    """Return how the runs that collapse end under each policy of the guard."""
    rows = []
    for policy, histories in exam.rescues().items():
        ends = [exam.ends(history) for history in histories]
        kept = sum(end["kept"] >= exam.KEPT for end in ends)
        means = [statistics.mean(end[key] for end in ends) for key in ("modes", "coverage")]
        rows.append([POLICIES[policy], *(f"{m:.2f}" for m in means), f"{kept} of {len(ends)}"])
    head = ["", "Modes covered", "Coverage", f"Runs with {exam.KEPT:.0%} of their best modes"]
    return experiment.markdown(head, rows)


def pictures():
    """Return what the detector catches in each part of the exam on pictures."""
    rows = []
    parts = (("design", "design"), ("exam", "the first exam"), ("later", "the second exam"))
    for half, title in parts:
        histories = exam.histories(half, "pictures")
        imposed = [h for h in histories if _is_imposed(h)]
        own = [h for h in histories if not _is_imposed(h)]
        for what, chosen in (("its own losses", own), ("losses that were imposed", imposed)):
            found = exam.figures([exam.examine(history) for history in chosen])
            delay = "-" if found["median_delay"] is None else f"{found['median_delay']:g}"
            auroc = "-" if math.isnan(found["auroc"]) else f"{found['auroc']:.3f}"
            rows.append([
                f"{title}, {what}", str(found["collapsed"]), str(found["caught"]),
                str(found["healthy"]), str(found["false_alarms"]), auroc, delay,
            ])  # fmt: skip
    head = ["Runs", "Collapse", "Caught", "Do not", "False alarms", "AUROC", "Median delay, checks"]
    first = json.loads(exam.HERE.joinpath("first_use.json").read_text(encoding="utf-8"))
    return (
        f"{experiment.markdown(head, rows)}\n\nWhen the first exam was used for the first time, "
        f"the detector caught {first['caught']} of its {first['collapsed']} collapses and raised "
        f"{first['false_alarms']} false alarms; its AUROC was {first['auroc']:.2f}. After that, "
        "three of the detector's constants were changed, and a loss that only the last check shows "
        "no longer counts, which took two of the misses away. The runs of the second exam were "
        "trained later, and nothing was changed after they had been seen."
    )


def _is_imposed(history):
    """Return whether something was done to the images of a run, and not to its training."""
    return any("generated" in event for event in history["recipe"].get("events", ()))
