"""The list of the experiments, and the help of every command."""

import re

import click
from scripts import experiments, script

from kerasgan.catalogue import STYLES, VARIANTS
from kerasgan_cli.main import cli

experiment = script("experiment")


def list_of_experiments(pages):
    """Return every script of benchmarks/: its question, command, duration and page.

    Args:
        pages: A dictionary from the name of each marker to the path of its page under docs/.
    """
    rows = []
    for name, doc, takes in experiments():
        commands = re.findall(r"^    (python .*)$", doc, re.MULTILINE)
        shown = sorted({page for marker, page in pages.items() if marker.split()[0] == name})
        links = ", ".join(f"[{page}]({page})" for page in shown)
        measured = doc.splitlines()[0].rstrip(".")
        rows.append([measured, "<br>".join(f"`{c}`" for c in commands), takes, links])
    return experiment.markdown(["What it measures", "Command", "Takes about", "Table"], rows)


def avatars():
    """Return the styles of the drawn heads, a row for each creator and licence."""
    rows = {}
    for name, style in STYLES.items():
        rows.setdefault((style.creator, style.licence), []).append(f"`{name}`")
    lines = [f"| {', '.join(names)} | {who} | {what} |" for (who, what), names in rows.items()]
    return "\n".join(["| Styles | By | Licence |", "|---|---|---|", *lines])


def models():
    """Return a directive of the reference for each variant's class."""
    return "\n\n".join(f"::: kerasgan.{entry.class_name}" for entry in VARIANTS.values())


def command_line():
    """Return the help of every command."""
    parts = []

    def walk(command, path):
        context = click.Context(
            command, info_name=path, terminal_width=90, help_option_names=["-h", "--help"]
        )
        parts.append(f"## `{path}`\n\n```text\n{command.get_help(context)}\n```")
        for name, child in sorted(getattr(command, "commands", {}).items()):
            walk(child, f"{path} {name}")

    walk(cli, "kerasgan")
    return "\n\n".join(parts)
