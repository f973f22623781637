"""Beside mkdocs' plugins: notebooks and the zoo's pictures join the site, TeX becomes MathML."""

import base64
import html
import json
import re
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
MATH = re.compile(
    r'<(?P<tag>div|span) class="arithmatex">\\[\[(](?P<tex>.*?)\\[\])]</(?P=tag)>', re.DOTALL
)


def on_files(files, config):
    """Add what lies beside its maker, one copy of each in the repository, and the notebooks."""
    pictures = {
        f"gallery/{path.parent.name}-{path.name}": path
        for path in sorted((ROOT / "zoo").glob("*/*.png"))
    }
    for kind in ("*.png", "*.webp"):
        for path in sorted((ROOT / "benchmarks" / "results").rglob(kind)):
            pictures[f"results/{path.name}"] = path
    for path in sorted((ROOT / "zoo").glob("*/README.md")):
        name = path.parent.name
        card = path.read_text(encoding="utf-8").split("\n---\n", 1)[-1]  # Without the hub's block.
        card = re.sub(r"\((\w+\.png)\)", rf"(../gallery/{name}-\1)", card)
        files.append(File.generated(config, f"cards/{name}.md", content=card))
    for uri, path in pictures.items():
        files.append(File.generated(config, uri, abs_src_path=str(path)))
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        for uri, content in _pages(path):
            files.append(File.generated(config, uri, content=content))
    return files


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
                    raise ValueError(f"{path}: cell {number} draws, and its metadata has no `alt`")
                parts.append(f"![{alt}]({name})")
    download = f"[This notebook]({path.name}){{ download }}"
    parts.insert(1, f"{download}: open it in Jupyter, or read it here.")
    yield f"notebooks/{path.stem}.md", "\n\n".join(parts)


def on_page_content(content, page, config, files):
    """Turn TeX into MathML, which browsers draw without a script."""

    def mathml(match):
        display = "block" if match["tag"] == "div" else "inline"
        tex = html.unescape(match["tex"]).strip()
        shown = convert(tex, display=display)
        return f'<div class="equation">{shown}</div>' if display == "block" else shown

    return MATH.sub(mathml, content)
