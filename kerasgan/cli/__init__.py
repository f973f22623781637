"""The command line: parse, call, print. Heavy imports happen inside the commands."""

from kerasgan.cli.main import main

__all__ = ["main"]
