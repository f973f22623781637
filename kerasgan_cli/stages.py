"""What a command is doing while it has nothing to print yet."""

import sys


def say(text, always=False):
    """Show on stderr what is being done: on a terminal a line that the next one replaces.

    Args:
        text: What is being done.
        always: Whether it has a line of its own where stderr is no terminal, as in a log.
    """
    if sys.stderr.isatty():
        print(f"\r\033[K{text} ...", end="", file=sys.stderr, flush=True)
    elif always:
        print(f"{text} ...", file=sys.stderr, flush=True)


def clear():
    """Remove the line of `say` from a terminal."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
