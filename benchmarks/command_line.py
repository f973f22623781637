"""The arguments of scripts that train something and write what they found."""

import argparse
from pathlib import Path


def arguments(doc, **defaults):
    """Return the arguments of a script that writes into a folder, `out`, which is made.

    Args:
        doc: The script's docstring.
        **defaults: Other numbers that it takes, as `epochs=40`.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    return options
