"""Notice a collapse, explain it, and put the model back."""

from kerasgan.collapse.advice import ADVICE
from kerasgan.collapse.detector import Detector, Verdict
from kerasgan.collapse.gauge import BROKEN, Gauge, Look
from kerasgan.collapse.journal import Decision, Entry, Journal

__all__ = [
    "ADVICE",
    "BROKEN",
    "Decision",
    "Detector",
    "Entry",
    "Gauge",
    "Journal",
    "Look",
    "Verdict",
]
