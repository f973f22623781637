"""Where the presets lie. Imports nothing heavy, so that `kerasgan zoo` answers at once."""

from pathlib import Path


def presets():
    """Return the presets that come with the package, name to folder, sorted by name."""
    package = Path(__file__).resolve().parent
    inside = package / "zoo"
    root = inside if inside.is_dir() else package.parent / "zoo"  # A checkout has it beside.
    return {path.parent.name: path.parent for path in sorted(root.glob("*/metadata.json"))}
