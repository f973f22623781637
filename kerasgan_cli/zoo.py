"""`kerasgan zoo`: the presets that come with the package."""

import json

import click

from kerasgan_cli.common import choose_backend, nearest


@click.group()
def zoo():
    """List and describe the pretrained models."""


def _presets():
    choose_backend(None)
    from kerasgan.presets import presets

    return presets()


@zoo.command("list")
def list_presets():
    """List the pretrained models."""
    rows = []
    for name, folder in _presets().items():
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        size = sum(entry["bytes"] for entry in metadata["files"].values())
        rows.append((name, metadata.get("data", ""), f"{size / 1e6:.1f} MB"))
    width = max((len(row[0]) for row in rows), default=0)
    for name, data, size in rows:
        click.echo(f"{name:<{width}}  {size:>8}  {data}")


@zoo.command()
@click.argument("name")
def show(name):
    """Describe the pretrained model NAME."""
    presets = _presets()
    if name not in presets:
        raise nearest("NAME", name, list(presets))
    folder = presets[name]
    card = folder / "README.md"
    if card.exists():
        click.echo(card.read_text(encoding="utf-8"))
    click.echo(f"folder: {folder}")
    metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    click.echo(json.dumps(metadata, indent=2))
