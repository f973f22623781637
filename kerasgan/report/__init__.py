"""One page about a training: what it generated, how diverse it was, what it lost."""

from kerasgan.report.page import write

__all__ = ["write"]
