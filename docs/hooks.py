"""Adds notebooks and files from outside of docs/ to the site, and turns TeX into MathML."""

import base64
import html
import json
import posixpath
import re
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
MATH = re.compile(
    r'<(?P<tag>div|span) class="arithmatex">\\[\[(](?P<tex>.*?)\\[\])]</(?P=tag)>', re.DOTALL
)


# Where a file of the repository outside of docs/ stands on the site, by its path; and back.
PLACES, SOURCES = {"CONTRIBUTING.md": "contributing.md"}, {}
LINK = re.compile(r"(?<=\]\()(?P<target>[^)#\s:]+)(?=[)#])")


def on_files(files, config):
    """Add the pictures and cards of the zoo, the pictures of the results, and the notebooks."""
    for path in sorted((ROOT / "zoo").glob("*/*.png")):
        PLACES[_name(path)] = f"gallery/{path.parent.name}-{path.name}"
    for kind in ("*.png", "*.webp"):
        for path in sorted((ROOT / "benchmarks" / "results").rglob(kind)):
            PLACES[_name(path)] = f"results/{path.name}"
    for path in sorted((ROOT / "zoo").glob("*/README.md")):
        PLACES[_name(path)] = f"cards/{path.parent.name}.md"
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        PLACES[_name(path)] = f"notebooks/{path.stem}.md"
        for uri, content in _pages(path):
            files.append(File.generated(config, uri, content=content))
    SOURCES.update({uri: name for name, uri in PLACES.items()})
    for name, uri in PLACES.items():
        if name.endswith(".md"):
            text = (ROOT / name).read_text(encoding="utf-8")
            text = text.split("\n---\n", 1)[-1] if text.startswith("---\n") else text  # The hub's.
            files.append(File.generated(config, uri, content=text))
        elif not name.endswith(".ipynb"):
            files.append(File.generated(config, uri, abs_src_path=str(ROOT / name)))
    return files


def _name(path):
    return path.relative_to(ROOT).as_posix()


def on_page_markdown(markdown, page, config, files):
    """Make links to files outside of docs/, and to notebooks, links to their pages on the site."""
    uri = page.file.src_uri
    source = SOURCES.get(uri, f"docs/{uri}")

    def on_site(match):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match["target"]))
        place = PLACES.get(target, target.removeprefix("docs/"))
        if place in (target, uri) or not (ROOT / target).exists():
            return match["target"]
        return posixpath.relpath(place, posixpath.dirname(uri) or ".")

    return LINK.sub(on_site, markdown)


def _pages(path):
    """Yield the page of a notebook and the pictures in it, as `(uri, content)`."""
    parts = []
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        printed = [line for output in cell["outputs"] for line in output.get("text", ())]
        if printed:
            parts.append(f"```text\n{''.join(printed).rstrip()}\n```")
        for output in cell["outputs"]:
            if "image/png" in output.get("data", {}):
                name = f"{path.stem}-{number}.png"
                yield f"notebooks/{name}", base64.b64decode(output["data"]["image/png"])
                alt = cell["metadata"].get("alt")
                if not alt:
                    raise ValueError(
                        f"{path}: cell {number} has a picture, and its metadata has no `alt`"
                    )
                parts.append(f"![{alt}]({name})")
    download = f"[This notebook]({path.name}){{ download }}"
    parts.insert(1, f"{download}: open it in Jupyter, or read it here.")
    yield f"notebooks/{path.stem}.md", "\n\n".join(parts)


def on_page_content(content, page, config, files):
    """Turn TeX into MathML, which browsers show without a script."""

    def mathml(match):
        display = "block" if match["tag"] == "div" else "inline"
        tex = html.unescape(match["tex"]).strip()
        shown = convert(tex, display=display)
        return f'<div class="equation">{shown}</div>' if display == "block" else shown

    return MATH.sub(mathml, content)
