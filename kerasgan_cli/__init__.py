"""The command line: parse, call, print.

It stands beside the package and not inside it, because importing anything inside it imports Keras,
which takes seconds and fixes the backend: `--help` must answer at once, and `--backend` come first.
Heavy imports happen inside the commands.
"""

from kerasgan_cli.main import main

__all__ = ["main"]
