"""`kerasgan zoo`: the presets that come with the package."""

import importlib.util
import json
from pathlib import Path

import click

from kerasgan_cli.common import backend_option, choose_backend, nearest
from kerasgan_cli.train import train

TOLERANCE = 1e-3  # Of golden samples, in [-1, 1].
_KEY_FIGURES = {
    "frechet_distance": "Fréchet {:.2f}",
    "coverage": "coverage {:.2f}",
    "modes_covered": "{:.0f} modes",
    "mode_kl": "KL {:.3f}",
}


@click.group()
def zoo():
    """List, describe, train and verify the pretrained models."""


def _presets():
    from kerasgan.presets import presets

    return presets()


def _folder(name):
    presets = _presets()
    if name not in presets:
        raise nearest("NAME", name, list(presets))
    return presets[name]


def _metadata(folder):
    return json.loads((folder / "metadata.json").read_text(encoding="utf-8"))


@zoo.command("list")
def list_presets():
    """List the pretrained models: name, size, data and key figures."""
    choose_backend(None)
    rows = [("name", "size", "data", "scores")]
    for name, folder in _presets().items():
        metadata = _metadata(folder)
        size = sum(entry["bytes"] for entry in metadata["files"].values())
        results = metadata.get("card", {}).get("results", ())
        found = {result["name"]: float(result["value"]) for result in results}
        figures = [text.format(found[key]) for key, text in _KEY_FIGURES.items() if key in found]
        rows.append((name, f"{size / 1e6:.1f} MB", metadata.get("data", ""), ", ".join(figures)))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for name, size, data, figures in rows:
        line = f"{name:<{widths[0]}}  {size:>{widths[1]}}  {data:<{widths[2]}}  {figures}"
        click.echo(line.rstrip())


@zoo.command()
@click.argument("name")
def show(name):
    """Describe the pretrained model NAME."""
    choose_backend(None)
    folder = _folder(name)
    card = folder / "README.md"
    if card.exists():
        click.echo(card.read_text(encoding="utf-8"))
    click.echo(f"folder: {folder}")
    click.echo(json.dumps(_metadata(folder), indent=2))


@zoo.command("train", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.argument("name")
@click.pass_context
def train_preset(context, name):
    """Train the model NAME again by its recipe, into a run folder.

    What follows NAME are options of `kerasgan train`, which come before the recipe's.
    """
    # Where `presets.presets` finds them, without importing Keras: its backend is chosen below.
    package = Path(importlib.util.find_spec("kerasgan").submodule_search_locations[0])
    found = [*package.glob("zoo/*/recipe.json"), *package.parent.glob("zoo/*/recipe.json")]
    recipes = {path.parent.name: path for path in found}
    if name not in recipes:
        raise nearest("NAME", name, list(recipes))
    arguments = ["--recipe", str(recipes[name]), *context.args]
    with train.make_context("train", arguments, parent=context) as inner:
        train.invoke(inner)


@zoo.command()
@click.argument("name", required=False)
@click.option("--metrics", is_flag=True, help="Measure every figure on the card again.")
@backend_option
@click.pass_context
def verify(context, name, metrics, backend):
    """Check the pretrained model NAME, or all of them, or a preset's folder.

    That its files are the published ones, and that it draws its golden samples on this backend;
    with --metrics also that every figure on its card comes out within its error.

    Exit code: 0 if all is as published, else 1.
    """
    choose_backend(backend)
    from kerasgan import presets

    chosen = presets.presets() if name is None else {name: presets.find(name)}
    passed = [_verified(key, folder, metrics) for key, folder in chosen.items()]
    if not all(passed):
        context.exit(1)


def _verified(name, folder, metrics):
    """Print what was found about one preset, and return whether all is as published."""
    import numpy as np

    from kerasgan import from_preset, scorecard, storage
    from kerasgan.storage import PresetError

    click.echo(name)
    try:
        storage.verify_files(folder)
        gan = from_preset(folder)
        golden, seed = storage.golden_samples(folder)
    except (PresetError, OSError, ValueError) as error:
        click.echo(f"  FAILED   {error}")
        return False
    apart = float(np.abs(gan.sample(len(golden), seed=seed) - golden).max())
    passed = apart <= TOLERANCE
    click.echo(f"  {_word(passed)} samples: {apart:.1e} from the golden ones, at most {TOLERANCE}")
    card = storage.read_metadata(folder).get("card")
    if metrics and card is None:
        click.echo("  ok       no figures on its card")
    elif metrics:
        for check in scorecard.check(gan, card):
            now = (
                "not measured: other data or features" if check.now is None else f"{check.now:.6g}"
            )
            click.echo(
                f"  {_word(check.passed)} {check.name}: {check.published:.6g} ± {check.error:.2g} "
                f"published, {now}"
            )
            passed = passed and check.passed
    return passed


def _word(passed):
    return "ok      " if passed else "FAILED  "
