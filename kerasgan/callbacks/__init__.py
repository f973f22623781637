"""Keras callbacks for adversarial training."""

from kerasgan.callbacks.checkpoint import Checkpoint
from kerasgan.callbacks.collapse_guard import CollapseGuard
from kerasgan.callbacks.metrics_file import MetricsFile
from kerasgan.callbacks.progress import Progress
from kerasgan.callbacks.sample_grid import SampleGrid
from kerasgan.callbacks.scores import Scores
from kerasgan.callbacks.tensorboard import TensorBoard

__all__ = [
    "Checkpoint",
    "CollapseGuard",
    "MetricsFile",
    "Progress",
    "SampleGrid",
    "Scores",
    "TensorBoard",
]
