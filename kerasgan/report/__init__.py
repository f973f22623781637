"""Pages about trainings: what one generated and lost, and how several differ."""

from kerasgan.report.compare import Comparison
from kerasgan.report.page import write

__all__ = ["Comparison", "write"]
