"""What a guard measured and did, in the order of the training."""

import dataclasses
import json
import re

import numpy as np

from kerasgan.collapse.detector import STATES
from kerasgan.collapse.diversity import Measurement
from kerasgan.files import atomic, read_json
from kerasgan.text import quoted

ACTIONS = ("warn", "rescue", "stop", "keep", "failed", "error")
MARKS = 2
MOST = 2**63 - 1  # Of an integer that is read.
_CLASS = re.compile(r"class \d{1,18}", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One check.

    Args:
        epoch: Epoch of the check, counted from 1.
        step: Critic steps that the training had taken.
        measurement: The `Measurement`, without the shares of the cells.
        state: The state that the detector concluded, one of `detector.STATES`.
        sentence: The detector's evidence, as a sentence.
        evidence: What was lost, as in `Verdict`; empty in journals of earlier versions.
    """

    epoch: int
    step: int
    measurement: Measurement
    state: str
    sentence: str
    evidence: tuple = ()

    @property
    def classes_alone(self):
        """The numbers of the classes that lost variety while all images together did not."""
        if {"layout", "surface"} & set(self.evidence):
            return []
        return [int(kind.split()[1]) for kind in self.evidence if kind.startswith("class ")]


@dataclasses.dataclass(frozen=True)
class Decision:
    """One thing that the guard did.

    Args:
        epoch: Epoch of the decision, counted from 1.
        step: Critic steps that the training had taken.
        action: One of

            - "warn": it reported a collapse;
            - "rescue": it restored a healthy state and changed the training;
            - "stop": it restored the best state and stopped the training;
            - "keep": it restored the best state at the end of a training with rescues;
            - "failed": a rescue, or restoring the best state, raised an error;
            - "error": something else in the guard raised an unexpected error.
        sentence: The reason, or the error.
        changes: What a rescue changed, a list of phrases.
        back_to: The critic step whose state was restored, or None.
    """

    epoch: int
    step: int
    action: str
    sentence: str
    changes: tuple = ()
    back_to: int | None = None

    def __str__(self):
        text = f"{self.action}: {self.sentence}"
        if self.back_to is not None:
            text += f". Back to step {self.back_to:,}"
        if self.changes:
            text += f" with {', '.join(self.changes)}"
        return text


class Journal:
    """All checks and decisions of a training.

    Args:
        entries: The `Entry` of each check.
        decisions: `Decision` objects.
        current: Indices of the entries that `current` returns.
        peaks: The greatest share that each cell has had.
        marks: What `mark` noted, the oldest first.
    """

    def __init__(self, entries=(), decisions=(), current=(), peaks=(), marks=()):
        self.entries = list(entries)
        self.decisions = list(decisions)
        self.peaks = list(peaks)
        self.marks = list(marks)
        self._current = list(current)

    @property
    def current(self):
        """The measurements of the states that led to the present one.

        If an earlier state was restored, those of the collapse before it are left out.
        """
        return [self.entries[i].measurement for i in self._current]

    @property
    def rescues(self):
        """How many rescues were made."""
        return self._count("rescue")

    @property
    def failures(self):
        """How often a rescue, or restoring the best state, failed."""
        return self._count("failed")

    @property
    def attempts(self):
        """How many rescues were tried."""
        return self.rescues + self.failures

    def _count(self, action):
        return sum(decision.action == action for decision in self.decisions)

    @property
    def warned(self):
        """Whether there was a warning of the collapse that the last check saw, if it saw one."""
        steps = [decision.step for decision in self.decisions if decision.action == "warn"]
        since = [entry.state for entry in self.entries if steps and entry.step >= steps[-1]]
        return bool(since) and set(since) <= {"collapsing", "collapsed", "diverged"}

    @property
    def put_back(self):
        """The last decision that restored a state after the last check, or None."""
        found = [d for d in self.decisions if d.back_to is not None]
        if not found or not self.entries or found[-1].step < self.entries[-1].step:
            return None
        return found[-1]

    def add(self, entry):
        """Add a check. The shares of its cells are not kept, only the greatest share of each."""
        shares = entry.measurement.shares
        if shares:
            self.peaks = np.maximum(self.peaks or 0.0, shares).tolist()
        measurement = dataclasses.replace(entry.measurement, shares=())
        self._note(dataclasses.replace(entry, measurement=measurement))

    def _note(self, entry):
        if entry.measurement.finite:
            self._current.append(len(self.entries))
        self.entries.append(entry)

    def mark(self, epoch, step, snapshots):
        """Note the present state, so that a training that resumes from this step finds it again.

        The marks of the last two steps are kept: a training may be killed before a checkpoint of
        the newer one is written.

        Args:
            epoch: The epoch that has ended, counted from 1.
            step: The critic steps that the training has taken.
            snapshots: The critic steps of the snapshots that are kept.
        """
        mark = {
            "epoch": epoch,
            "step": step,
            "entries": len(self.entries),
            "decisions": len(self.decisions),
            "current": list(self._current),
            "peaks": list(self.peaks),
            "snapshots": list(snapshots),
        }
        self.marks = [*(m for m in self.marks if m["step"] != step), mark][-MARKS:]

    @property
    def stopped_at(self):
        """The critic step at which the last decision stopped the training, or None."""
        last = self.decisions[-1] if self.decisions else None
        return last.step if last is not None and last.action == "stop" else None

    @property
    def epoch(self):
        """The last epoch that has ended, or 1."""
        return self.marks[-1]["epoch"] if self.marks else 1

    @property
    def marked_snapshots(self):
        """The critic steps of the snapshots that a training may resume with."""
        return {step for mark in self.marks for step in mark["snapshots"]}

    def go_back(self, step):
        """Restore the state at a critic step from which the training resumes.

        If there is no mark of this step, the later records are dropped. What they had done to
        `current` is undone: the measurements that a later rescue left out count again.

        Returns:
            The critic steps of the snapshots that were kept then, or None if there is no mark.
        """
        mark = next((m for m in self.marks if m["step"] == step), None)
        self.marks = [m for m in self.marks if m["step"] <= step]
        if mark is not None:
            self.entries = self.entries[: mark["entries"]]
            self.decisions = self.decisions[: mark["decisions"]]
            self._current, self.peaks = list(mark["current"]), list(mark["peaks"])
            return list(mark["snapshots"])
        entries = [entry for entry in self.entries if entry.step <= step]
        decisions = [decision for decision in self.decisions if decision.step <= step]
        self.entries, self.decisions, self._current = [], [], []
        for entry in entries:
            while decisions and decisions[0].step < entry.step:
                self.decide(decisions.pop(0))
            self._note(entry)
        for decision in decisions:
            self.decide(decision)
        if not entries:
            self.peaks = []
        return None

    def decide(self, decision):
        """Add a decision. If it restored a state, `current` loses the checks of the collapse."""
        self.decisions.append(decision)
        if decision.back_to is not None:
            well = [i for i in self._current if self.entries[i].state in ("learning", "healthy")]
            self._current = well

    def write(self, path):
        """Write everything as JSON, atomically."""
        stored = {
            "entries": [dataclasses.asdict(entry) for entry in self.entries],
            "decisions": [dataclasses.asdict(decision) for decision in self.decisions],
            "current": self._current,
            "peaks": self.peaks,
            "marks": self.marks,
        }
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(stored) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path):
        """Return the journal in a file that `write` wrote, in this version or an earlier one.

        Raises:
            OSError, ValueError, KeyError, TypeError: If the file cannot be read or holds no
                journal.
        """
        stored = read_json(path)
        entries = [_entry(entry) for entry in stored["entries"]]
        current = _checked("current", stored["current"], int)
        if any(not 0 <= place < len(entries) for place in current):
            raise ValueError("`current` must hold places of checks")
        return cls(
            entries,
            [_decision(decision) for decision in stored["decisions"]],
            current,
            _checked("peaks", stored["peaks"], float),
            [_mark(mark) for mark in stored.get("marks", ())],
        )


def _entry(stored):
    stored = dict(stored)
    # Earlier versions called a measurement a look.
    found = stored.pop("look" if "look" in stored else "measurement")
    stored["evidence"] = tuple(_checked("evidence", stored.get("evidence", []), str))
    for kind in stored["evidence"]:
        if kind.startswith("class ") and not _CLASS.fullmatch(kind):
            _refuse("evidence", kind)
    _check(stored, epoch=int, step=int, sentence=str, state=STATES)
    return Entry(**stored, measurement=_measurement(found))


def _measurement(stored):
    """Return the measurement in JSON values, each of the kind and in the range that it can have."""
    if not isinstance(stored, dict):
        _refuse("measurement", stored)
    found = Measurement.from_json(stored)
    for field in dataclasses.fields(found):
        value = getattr(found, field.name)
        several = field.default == ()
        kind = bool if field.name == "finite" else float
        # Classes with few images are not measured.
        optional = field.default is None or field.name == "classes"
        if (type(value) is tuple) != several or not all(
            optional if number is None else _fits(number, kind) and not number < 0
            for number in (value if several else (value,))
        ):
            _refuse(field.name, value)
    return found


def _decision(stored):
    stored = {**stored, "changes": tuple(_checked("changes", stored["changes"], str))}
    _check(stored, epoch=int, step=int, sentence=str, action=ACTIONS)
    if stored.get("back_to") is not None:
        _check(stored, back_to=int)
    return Decision(**stored)


def _mark(stored):
    _check(stored, epoch=int, step=int, entries=int, decisions=int)
    kinds = {"current": int, "peaks": float, "snapshots": int}
    return {**stored, **{name: _checked(name, stored[name], kinds[name]) for name in kinds}}


def _check(stored, **fields):
    """Raise ValueError unless fields are of their kind, or one of some words.

    A journal may come from somebody else.
    """
    for name, kind in fields.items():
        value = stored[name]
        if not (value in kind if isinstance(kind, tuple) else _fits(value, kind)):
            _refuse(name, value)


def _checked(name, values, kind):
    """Return a list, or raise ValueError if it is none or holds something of another kind."""
    if type(values) is not list or not all(_fits(value, kind) for value in values):
        raise ValueError(f"`{name}` must be a list of {kind.__name__}: {quoted(values, 100)}")
    return values


def _fits(value, kind):
    """Return whether a value is of a kind; an integer, for a float too, is from 0 to `MOST`."""
    if type(value) is int and kind in (int, float):
        return 0 <= value <= MOST
    return type(value) is kind


def _refuse(name, value):
    raise ValueError(f"`{name}` has a value that it cannot have: {quoted(value, 100)}")
