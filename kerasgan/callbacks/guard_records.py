"""What a `CollapseGuard` tells the user: messages, the journal, pictures and the report."""

import contextlib
import sys
from pathlib import Path

from kerasgan import report
from kerasgan.collapse import Decision, Journal, lost, message
from kerasgan.collapse.detector import FAINT

PATIENCE = 5  # Checks after which it is mentioned that a generator has learned little.
TOLD = ("warn", "rescue", "stop", "failed")  # The actions of which `on_collapse` is told.


class GuardRecords:
    """Prints a guard's messages, keeps its journal, and writes its files.

    Args:
        folder: The run folder, or None to write nothing. The journal and the pictures go
            into its subfolder `guard`, the report into the folder itself.
        stream: Where to print; None for `sys.stdout`.
        now: A callable that returns the present epoch and critic step.
        on_collapse: Who is told of a collapse; see `kerasgan.collapse.message.send`.

    Attributes:
        journal: The `kerasgan.collapse.Journal`.
        complaints: The errors that were reported; each is reported once.
    """

    def __init__(self, folder, stream, now, on_collapse=None):
        message.check(on_collapse)
        self.on_collapse = on_collapse
        self.folder = None if folder is None else Path(folder)
        self.stream = stream
        self.journal = Journal()
        self.complaints = set()
        self._now = now

    @property
    def subfolder(self):
        """The folder of the journal, the pictures and the snapshots, or None."""
        return None if self.folder is None else self.folder / "guard"

    @property
    def journal_file(self):
        """The path of the journal, or None."""
        return None if self.folder is None else self.subfolder / "journal.json"

    def say(self, text):
        """Print one message."""
        with contextlib.suppress(OSError):  # The reader of a pipe may have closed it.
            print(f"guard: {text}", file=self.stream or sys.stdout, flush=True)

    def say_how_far(self, verdict):
        """Mention at the end of a training that its generator has learned little, if that is so.

        Or that its images are far from the data, although nothing was lost.
        """
        seen = [entry.measurement.layout for entry in self.journal.entries]
        learning = verdict is not None and verdict.state == "learning"
        if learning and len(seen) >= PATIENCE and seen[-1] <= FAINT:
            self.say(
                f"not learned: {verdict.sentence}. Train longer. If the diversity stands still, "
                "try higher learning rates, larger networks or another loss"
            )
        elif verdict is not None and verdict.far:
            self.say(f"nothing was lost, but the images are not like the data: {verdict.sentence}")

    def decide(self, action, sentence, back_to=None, changes=()):
        """Add a `Decision` to the journal, print it, write the report, and tell `on_collapse`."""
        decision = Decision(*self._now(), action, sentence, tuple(changes), back_to)
        self.journal.decide(decision)
        self.say(str(decision))
        self.write_report()
        if self.on_collapse is not None and action in TOLD:
            self._tell(decision)

    def _tell(self, decision):
        try:
            fault = message.send(self.on_collapse, decision, self.folder)
        except Exception as error:
            fault = described(error)
        if fault is not None:
            self.say(f"on_collapse failed: {fault}. The training goes on")

    @contextlib.contextmanager
    def surviving(self, what, *expected, on_fault=None):
        """Keep an error in this block from ending the training, and report it once.

        Args:
            what: What the block does, as text that follows "could not".
            *expected: Errors whose cause lies outside of the guard, such as `OSError` for a full
                disk. Any other error is a fault of the guard: it goes into the journal as well.
            on_fault: Called with the text of an error that was not expected, or None.
        """
        try:
            yield
        except expected as error:
            text = f"could not {what}: {described(error)}"
            if self._is_new(text):
                self.say(f"{text}. The training goes on")
        except Exception as error:
            text = f"could not {what}: {described(error)}"
            if self._is_new(text):
                self.decide("error", text)
            if on_fault is not None:
                on_fault(text)

    def _is_new(self, text):
        new = text not in self.complaints
        self.complaints.add(text)
        return new

    def begin(self):
        """Remove what another training has left in the folder about its checks."""
        with self.surviving("remove old pictures", OSError):
            if self.folder is not None:
                lost.drop(self.subfolder)

    def resume(self, model, store):
        """Read the journal and the snapshots of an earlier part of a training.

        Args:
            model: The model, whose critic steps say where the training resumes.
            store: The `SnapshotStore`, into which the snapshots of that moment are read.
        """
        if self.folder is None:
            return
        steps = None
        with self.surviving("make a folder", OSError):
            self.subfolder.mkdir(parents=True, exist_ok=True)
        with self.surviving("read the journal", OSError, ValueError, KeyError, TypeError):
            if self.journal_file.exists():
                journal = Journal.read(self.journal_file)
                steps = journal.go_back(model.critic_steps)
                self.journal = journal
        with self.surviving("read the snapshots", OSError):
            store.load(model, steps)
            lost.drop_alarms(self.subfolder, model.critic_steps)

    def mark(self, store):
        """Note the state at the end of an epoch, and remove the snapshots that no state needs."""
        self.journal.mark(*self._now(), store.steps)
        self.write_journal()
        with self.surviving("remove old snapshots", OSError):
            if self.folder is not None:
                store.sweep(self.journal.marked_snapshots)

    def write_exemplars(self, metric):
        """Write the real images that the report shows."""
        with self.surviving("write pictures of the data", OSError):
            if self.folder is not None:
                self.subfolder.mkdir(parents=True, exist_ok=True)
                lost.write_exemplars(self.subfolder, metric)

    def add(self, entry, metric, images, alarm):
        """Add a check to the journal, and write the pictures of what it found missing."""
        peaks, measurement = self.journal.peaks, entry.measurement
        self.journal.add(entry)
        with self.surviving("write pictures of a check", OSError):
            if self.folder is not None and measurement.shares:
                lost.write_check(self.subfolder, metric, entry, measurement, images, peaks, alarm)

    def write_journal(self):
        """Write the journal into the folder."""
        with self.surviving("write the journal", OSError):
            if self.folder is not None:
                self.journal.write(self.journal_file)

    def write_report(self, frames=None):
        """Write the journal, and the report that is made from it; see `kerasgan.report.write`."""
        with self.surviving("write the report", OSError):
            if self.folder is not None:
                self.journal.write(self.journal_file)
                report.write(self.folder, frames)


def described(error):
    """Return an error's type and message."""
    return f"{type(error).__name__}: {error}"
