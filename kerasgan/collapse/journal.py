"""What a guard saw and did, in the order of the training."""

import dataclasses
import json

import numpy as np

from kerasgan.collapse.gauge import Look
from kerasgan.files import atomic


@dataclasses.dataclass(frozen=True)
class Entry:
    """One look.

    Args:
        epoch: Epoch in which it was, from 1.
        step: Critic steps that the training had taken.
        look: What it found, without the shares of the cells.
        state: What the detector made of it.
        sentence: Why.
    """

    epoch: int
    step: int
    look: Look
    state: str
    sentence: str


@dataclasses.dataclass(frozen=True)
class Decision:
    """One thing that the guard did.

    Args:
        epoch: When.
        step: When, in critic steps.
        action: "warn", "rescue", "stop", or "keep" where a rescued training ends with its best
            state.
        sentence: What and why.
        changes: What a rescue changed, in words.
        back_to: The step whose state was put back, or None.
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
    """Looks and decisions.

    `current` are the looks that say what the generator has had: what a rescue took back is not
    among them.

    Args:
        entries: `Entry` objects.
        decisions: `Decision` objects.
        current: Numbers of entries.
        peaks: The greatest share that each cell has had.
    """

    def __init__(self, entries=(), decisions=(), current=(), peaks=()):
        self.entries = list(entries)
        self.decisions = list(decisions)
        self.peaks = list(peaks)
        self._current = list(current)

    @property
    def current(self):
        """The looks that say what the generator has had."""
        return [self.entries[i].look for i in self._current]

    @property
    def rescues(self):
        """How many rescues there were."""
        return sum(decision.action == "rescue" for decision in self.decisions)

    def add(self, entry):
        """Add a look; of its shares the greatest are kept."""
        shares = entry.look.shares
        if shares:
            self.peaks = np.maximum(self.peaks or 0.0, shares).tolist()
        if entry.look.finite:
            self._current.append(len(self.entries))
        self.entries.append(
            dataclasses.replace(entry, look=dataclasses.replace(entry.look, shares=()))
        )

    def go_back(self, step):
        """Forget what came after a step: the model that goes on has not been there."""
        self.decisions = [d for d in self.decisions if d.step <= step]
        kept = sum(entry.step <= step for entry in self.entries)
        self.entries = self.entries[:kept]
        self._current = [i for i in self._current if i < kept]
        if not kept:
            self.peaks = []

    def decide(self, decision):
        """Add a decision; one that put a state back takes the looks back that led to it."""
        self.decisions.append(decision)
        if decision.back_to is not None:
            well = [i for i in self._current if self.entries[i].state in ("learning", "healthy")]
            self._current = well

    def amend(self, changes):
        """Say what the last decision changed."""
        self.decisions[-1] = dataclasses.replace(self.decisions[-1], changes=tuple(changes))

    def write(self, path):
        """Write everything as JSON, atomically."""
        stored = {
            "entries": [dataclasses.asdict(entry) for entry in self.entries],
            "decisions": [dataclasses.asdict(decision) for decision in self.decisions],
            "current": self._current,
            "peaks": self.peaks,
        }
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(stored) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path):
        """Return what `write` wrote.

        Raises:
            OSError, ValueError, KeyError, TypeError: If the file holds none.
        """
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            [Entry(**{**e, "look": _look(e["look"])}) for e in stored["entries"]],
            [Decision(**{**d, "changes": tuple(d["changes"])}) for d in stored["decisions"]],
            stored["current"],
            stored["peaks"],
        )


def _look(stored):
    return Look(**{**stored, "shares": tuple(stored["shares"])})
