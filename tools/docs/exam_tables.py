"""The results of the collapse detector's exam, from the histories that the package has."""

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
