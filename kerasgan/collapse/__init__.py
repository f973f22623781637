"""Notice a mode collapse during training, explain it, and restore the model."""

from kerasgan.collapse.detector import Detector, Verdict
from kerasgan.collapse.diversity import BROKEN, DiversityMetric, Measurement
from kerasgan.collapse.journal import Decision, Entry, Journal

__all__ = [
    "BROKEN",
    "Decision",
    "Detector",
    "DiversityMetric",
    "Entry",
    "Journal",
    "Measurement",
    "Verdict",
]
