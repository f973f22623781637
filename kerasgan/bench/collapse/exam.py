"""How well the detector does on stored histories, beside an oracle that it never sees."""

import itertools
import json
import statistics
from pathlib import Path

import numpy as np

from kerasgan.collapse import Detector, Measurement

HISTORIES = Path(__file__).with_name("histories.jsonl")
RESCUES = Path(__file__).with_name("rescues.jsonl")
KEPT = 0.95  # Of the best modes that a run ever had: then it counts as saved.
LOST = 0.3  # A run has collapsed where its modes fell by so much from their best, and stayed.
EARLY = 2  # Checks by which an alarm may precede the oracle's onset; an earlier one is false.
LASTS = 5  # Checks for which the modes must stay lost, or until the end.
HAD = 0.4  # A run that never covered this share of the modes had nothing to lose.


def histories(half=None, path=HISTORIES):
    """Return the stored histories, of one half ("design" or "exam") or of both."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [h for h in found if half in (None, h["recipe"]["half"])]


def onset(modes):
    """Return the first check from which on a run has collapsed, or None if it has not.

    Args:
        modes: The share of the modes that was covered at each check, by the oracle. A run had a
            share of the modes if two checks in a row covered it.
    """
    pairs = itertools.pairwise([0.0, *modes])
    had = itertools.accumulate((min(pair) for pair in pairs), max)
    gone = [m <= (1 - LOST) * best and best >= HAD for m, best in zip(modes, had, strict=True)]
    return next((i for i in range(len(gone)) if all(gone[i : i + LASTS])), None)


def measurements(history):
    """Return the `Measurement`s of a history."""
    names = ("diversity", "cells", "coverage", "vendi", "spread", "js", "finite")
    return [Measurement(**{name: record[name] for name in names}) for record in history["looks"]]


def sit(history, detector=None):
    """Return what the detector says of each check of a history, and the truth.

    Returns:
        A dict: `score`, the highest of all checks; `alarm`, the first check that it calls collapsed
        or diverged, or None; `false_alarm`, whether there was an alarm more than `EARLY` checks
        before the onset, or without an onset; `onset`, that of the oracle; `delay`, from the onset
        to the alarm in checks.
    """
    detector = detector or Detector()
    seen = measurements(history)
    verdicts = [detector(seen[: i + 1]) for i in range(len(seen))]
    alarms = [i for i, verdict in enumerate(verdicts) if verdict.bad]
    truth = _truth(history["looks"])
    true = [i for i in alarms if truth is None or i >= truth - EARLY]
    alarm = true[0] if true else None
    return {
        "name": f"{history['recipe']['name']}-{history['recipe']['seed']}",
        "score": max(verdict.score for verdict in verdicts),
        "alarm": alarm,
        "false_alarm": len(true) < len(alarms) or (truth is None and alarm is not None),
        "onset": truth,
        "delay": None if alarm is None or truth is None else alarm - truth,
    }


def _truth(records):
    """Return the check from which on a run had collapsed or diverged, or None."""
    broken = next((i for i, record in enumerate(records) if not record["finite"]), None)
    found = [i for i in (onset([record["modes"] for record in records]), broken) if i is not None]
    return min(found, default=None)


def figures(results):
    """Return the exam's figures of many `sit`.

    Returns:
        A dict: `collapsed` and `healthy`, how many runs of each; `auroc` of the score; `caught`;
        `false_alarms`, in runs of either kind; `median_delay` in checks of those that were caught.
    """
    bad = [r for r in results if r["onset"] is not None]
    good = [r for r in results if r["onset"] is None]
    delays = [r["delay"] for r in bad if r["delay"] is not None]
    return {
        "collapsed": len(bad),
        "healthy": len(good),
        "auroc": auroc([r["score"] for r in bad], [r["score"] for r in good]),
        "caught": sum(r["alarm"] is not None for r in bad),
        "false_alarms": sum(r["false_alarm"] for r in results),
        "median_delay": statistics.median(delays) if delays else None,
    }


def auroc(positive, negative):
    """Return the share of pairs in which the positive scores higher; ties count half."""
    if not positive or not negative:
        return float("nan")
    difference = np.subtract.outer(positive, negative)
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def table(results):
    """Return results and their figures as lines of text."""
    rows = [("run", "truth", "detector", "score", "delay")]
    for r in sorted(results, key=lambda r: (r["onset"] is None, r["name"])):
        truth = "healthy" if r["onset"] is None else f"collapsed at check {r['onset'] + 1}"
        alarm = "no alarm" if r["alarm"] is None else f"alarm at check {r['alarm'] + 1}"
        delay = "" if r["delay"] is None else f"{r['delay']:+d}"
        rows.append((r["name"], truth, alarm, f"{r['score']:.2f}", delay))
    lines = _columns(rows)
    found = figures(results)
    delay = "-" if found["median_delay"] is None else f"{found['median_delay']:g}"
    return "\n".join(
        [
            *lines,
            "",
            f"{found['collapsed']} runs collapsed, {found['healthy']} did not. "
            f"AUROC {found['auroc']:.4f}; caught {found['caught']} of {found['collapsed']}; "
            f"false alarms {found['false_alarms']}; "
            f"median delay {delay} checks.",
        ]
    )


def rescues(path=RESCUES):
    """Return the stored histories under each policy, for `policy_table`.

    They are of the recipes of the unseen half that collapse; those without a guard are its own.
    """
    found = {"none": [], "stop": [], "rescue": []}
    for line in path.read_text(encoding="utf-8").splitlines():
        history = json.loads(line)
        found[history["policy"]].append(history)
    wanted = [h["recipe"] for h in found["rescue"]]
    plain = {json.dumps(h["recipe"]): h for h in histories()}
    found["none"] = [plain[json.dumps(recipe)] for recipe in wanted]
    return found


def ends(history):
    """Return how a run ended: its modes, coverage, and the modes over the best it ever had."""
    records = history["looks"]
    final = history.get("final") or records[-1]
    best = max((min(a["modes"], b["modes"]) for a, b in itertools.pairwise(records)), default=0.0)
    return {
        "modes": final["modes"],
        "coverage": final["coverage"],
        "kept": final["modes"] / best if best else float("nan"),
        "rescues": sum(d["action"] == "rescue" for d in history.get("decisions", ())),
    }


def policy_table(by_policy):
    """Return how runs that collapse end under each policy, as lines of text.

    Args:
        by_policy: `{"none": [history, ...], "stop": [...], "rescue": [...]}`, the same recipes in
            the same order.
    """
    names = [f"{h['recipe']['name']}-{h['recipe']['seed']}" for h in by_policy["none"]]
    ended = {policy: [ends(h) for h in found] for policy, found in by_policy.items()}
    rows = [("run", *(f"{p}: modes, coverage" for p in ended), "rescues")]
    for i, name in enumerate(names):
        cells = [f"{e[i]['modes']:.2f}, {e[i]['coverage']:.2f}" for e in ended.values()]
        rows.append((name, *cells, str(ended["rescue"][i]["rescues"])))
    lines = _columns(rows)
    for policy, found in ended.items():
        saved = sum(e["kept"] >= KEPT for e in found)
        means = [np.mean([e[key] for e in found]) for key in ("modes", "coverage")]
        lines.append(
            f"{policy}: {saved} of {len(found)} end with at least {KEPT:.0%} of their best modes; "
            f"mean modes {means[0]:.3f}, coverage {means[1]:.3f}"
        )
    return "\n".join(lines)


def _columns(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
