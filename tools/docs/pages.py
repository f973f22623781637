"""Writes the tables into the README and the pages of the documentation, from stored results.

    python tools/docs/pages.py

A table stands between two lines of a page, `<!-- NAME, by tools/docs/pages.py -->` and `<!-- end
-->`. NAME is a key of `makers()`. Most names are those of an experiment of benchmarks/, with the
argument of its `table`. The script measures nothing and takes seconds. A test checks that the
committed pages are what it writes.
"""

import argparse
import functools
import re

import exam_tables
import listings
import mode_tables
import zoo_tables
from scripts import ROOT, experiments, script

from kerasgan.catalogue import VARIANTS

PART = re.compile(r"(<!-- ([\w -]+), by tools/docs/pages\.py -->\n).*?(<!-- end -->)", re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def makers():
    """Return the functions that return a table, by the name of its marker."""
    found = {name: script(name).table for name, _, _ in experiments() if name != "cures"}
    cures = script("cures")
    found |= {f"cures {plan}": functools.partial(cures.table, plan) for plan in cures.PLANS}
    found |= {
        "guard_sight features": script("guard_sight").candidates_table,
        "step_overhead reports": script("step_overhead").reports_in_full,
        "network_sizes high": script("network_sizes").high_table,
        "which_variant hours": functools.partial(script("which_variant").table, "hours"),
        "experiments": lambda: listings.list_of_experiments(_pages_of_markers()),
        "variants": mode_tables.variants,
        "methods": mode_tables.cures,
        "ring": functools.partial(mode_tables.benchmark, "ring"),
        "grid": functools.partial(mode_tables.benchmark, "grid"),
        "stacked-mnist": functools.partial(
            mode_tables.benchmark, "stacked-mnist", "stacked-mnist-small"
        ),
        "exam": exam_tables.detector,
        "exam on pictures": exam_tables.pictures,
        "rescues": exam_tables.rescues,
        "noise": zoo_tables.noise,
        "zoo": zoo_tables.zoo,
        "gallery": zoo_tables.gallery,
        "command line": listings.command_line,
        "models": listings.models,
        "styles of avatars": listings.avatars,
    }
    for name in VARIANTS:
        found[f"variant {name}"] = functools.partial(mode_tables.of_variant, name)
    return found


def _pages_of_markers():
    docs = ROOT / "docs"
    return {
        part[2]: str(path.relative_to(docs))
        for path in PAGES
        if path.is_relative_to(docs)
        for part in PART.finditer(path.read_text(encoding="utf-8"))
    }


def written():
    """Return the text of each page with its tables, by its path.

    Raises:
        ValueError: If a table has no marker or two, or a marker no table.
    """
    texts = {path: path.read_text(encoding="utf-8") for path in PAGES}
    made = makers()
    names = [part[2] for text in texts.values() for part in PART.finditer(text)]
    if sorted(names) != sorted(made):
        odd = sorted(set(names) ^ set(made)) or sorted({n for n in names if names.count(n) > 1})
        raise ValueError(f"each table must have one pair of markers in the pages. Received: {odd}")
    return {
        path: PART.sub(lambda part: f"{part[1]}\n{made[part[2]]().strip()}\n\n{part[3]}", text)
        for path, text in texts.items()
    }


def main():
    """Write the pages."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    for path, text in written().items():
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
