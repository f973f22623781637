"""The exam: the detector's verdicts on stored histories, compared with those of an oracle."""

import itertools
import json
import statistics
from pathlib import Path

import numpy as np

from kerasgan.collapse import Detector, Measurement

HERE = Path(__file__).parent
HISTORIES = {"small": HERE / "histories.jsonl", "pictures": HERE / "histories_of_pictures.jsonl"}
RESCUES = HERE / "rescues.jsonl"
KEPT = 0.95  # A run is saved if it ends with at least this part of its best share of the modes.
LOST = 0.3  # A run has collapsed when it has lost this part of its best share of the modes,
LASTS = 5  # and does not recover within this number of checks.
SEEN = 2  # A loss that fewer checks show, because the run ends, is not known to last.
HAD = 0.4  # A run whose best share of the modes is below this cannot collapse,
HAD_OF_PICTURES = 0.15  # or where there are 200 modes.
# What a record of a check holds beside the measurement.
TRUTH = ("step", "modes", "overlap", "covered")
EARLY = 2  # An alarm more than this number of checks before the collapse is false.


def histories(half=None, which="small"):
    """Return the stored histories of an exam.

    Args:
        half: "design", the runs that the detector was made with; "exam"; "later", runs on pictures
            that were trained after the detector's last change; or None for all.
        which: A key of `HISTORIES`: "small" for mixtures, digits, garments and avatars, or
            "pictures" for photographs and drawings.
    """
    lines = HISTORIES[which].read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [h for h in found if half in (None, h["recipe"]["half"])]


def onset(modes, least=HAD):
    """Return the index of the check at which a run collapsed, or None if it did not.

    The best share of a run is the highest that two checks in a row reached.

    Args:
        modes: The share of the modes that was covered at each check, by the oracle.
        least: The best share that a run must have had to collapse.
    """
    pairs = itertools.pairwise([0.0, *modes])
    had = itertools.accumulate((min(pair) for pair in pairs), max)
    gone = [m <= (1 - LOST) * best and best >= least for m, best in zip(modes, had, strict=True)]
    return next((i for i in range(len(gone) - SEEN + 1) if all(gone[i : i + LASTS])), None)


def measurements(history):
    """Return the measurements of a history's checks, which the detector takes."""
    return [Measurement.from_json(_measured(record)) for record in history["looks"]]


def _measured(record):
    return {name: value for name, value in record.items() if name not in TRUTH}


def examine(history, detector=None):
    """Return the detector's verdict on a history, and the truth.

    Args:
        history: One of `histories()`.
        detector: A `kerasgan.collapse.Detector`; by default the library's.

    Returns:
        A dictionary: `name`; `score`, the detector's highest; `alarm`, the index of the first
        check that it calls collapsed or diverged, or None; `false_alarm`, whether it raised an
        alarm more than `EARLY` checks before a collapse, or in a run without one; `onset`, the
        index of the check at which the run collapsed, or None; `delay`, the checks from `onset` to
        `alarm`, or None.
    """
    detector = detector or Detector()
    seen = measurements(history)
    verdicts = [detector(seen[: i + 1]) for i in range(len(seen))]
    alarms = [i for i, verdict in enumerate(verdicts) if verdict.bad]
    truth = _truth(history)
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


def _truth(history):
    """Return the index of the check at which a run had collapsed or diverged, or None.

    Parts of the data may be lost, or, in the runs called later, the overlap of their shares with
    the real ones. Of a run with classes, each class may collapse by itself. What is imposed on
    generated images and has the entry `collapse` is one as soon as it happens.
    """
    records = history["looks"]
    least = HAD_OF_PICTURES if "pictures" in history["recipe"] else HAD
    shares = [[record["modes"] for record in records]]
    if history["recipe"].get("half") == "later":
        shares.append([record["overlap"] for record in records])
    shares += zip(*(record.get("covered", ()) for record in records), strict=True)
    found = [onset(share, least) for share in shares]
    found.append(next((i for i, record in enumerate(records) if not record["finite"]), None))
    for event in history["recipe"].get("events", ()):
        if event.get("generated", {}).get("collapse"):
            after = (i for i, record in enumerate(records) if record["step"] >= event["at"])
            found.append(next(after, None))
    return min((i for i in found if i is not None), default=None)


def figures(results):
    """Return the exam's figures.

    Args:
        results: Results of `examine`.

    Returns:
        A dictionary: `collapsed` and `healthy`, the numbers of runs; `auroc` of the scores;
        `caught`, the collapsed runs with an alarm; `false_alarms`, the runs with a false alarm;
        `median_delay` of the caught runs, in checks.
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
    """Return the area under the ROC curve.

    It is the share of the pairs of a positive and a negative in which the positive has the higher
    score. Ties count half.
    """
    if not positive or not negative:
        return float("nan")
    difference = np.subtract.outer(positive, negative)
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def table(results):
    """Return results of `examine`, and their figures below, as text."""
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
    """Return the stored histories of collapsing recipes under each policy, for `policy_table`.

    The recipes are those of the half "exam" that collapse without a guard.
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
    """Return how a run ended.

    The best modes of a run are the highest mean of three checks in a row, since a single check of
    1,000 samples may count too many by chance.

    Returns:
        A dictionary: `modes`, the share that the last check covers; `coverage`; `kept`, the modes
        over the run's best; `rescues`, how often the guard went back to an earlier state.
    """
    records = history["looks"]
    final = history.get("final") or records[-1]
    modes = [record["modes"] for record in records]
    best = max(map(statistics.fmean, zip(modes, modes[1:], modes[2:], strict=False)), default=0.0)
    return {
        "modes": final["modes"],
        "coverage": final["coverage"],
        "kept": final["modes"] / best if best else float("nan"),
        "rescues": sum(d["action"] == "rescue" for d in history.get("decisions", ())),
    }


def policy_table(by_policy):
    """Return how runs that collapse end under each policy, as text.

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
