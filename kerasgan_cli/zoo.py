"""`kerasgan zoo`: the presets that come with the package."""

import json
from pathlib import Path

import click

from kerasgan.files import read_json
from kerasgan.text import short, told
from kerasgan_cli.common import backend_option, choose_backend, echo, nearest
from kerasgan_cli.sources import class_names
from kerasgan_cli.train import train

TOLERANCE = 1e-3  # Of golden samples, in [-1, 1].
_KEY_FIGURES = {
    "frechet_distance": "Fréchet {:.2f}",
    "coverage": "coverage {:.2f}",
    "modes_covered": "{:.0f} modes",
    "mode_kl": "KL {:.3f}",
    "code_agreement": "codes {:.0%}",
    "bits_per_dimension": "{:.2f} bits/dim",
}


@click.group()
def zoo():
    """List, describe, train and verify the pretrained models."""


def _presets():
    from kerasgan.presets import presets

    return presets()


def _recipes():
    """Return the recipes of the zoo; a preset that is not trained yet has one too."""
    import kerasgan

    package = Path(kerasgan.__file__).parent
    return [*package.glob("zoo/*/recipe.json"), *package.parent.glob("zoo/*/recipe.json")]


def _folder(name):
    presets = _presets()
    if name not in presets:
        raise nearest("NAME", told(name), list(presets))
    return presets[name]


def _metadata(folder):
    from kerasgan.storage import read_metadata

    return read_metadata(folder)


@zoo.command("list")
def list_presets():
    """List the pretrained models: name, size, data and key figures."""
    from kerasgan.storage import PresetError

    rows = [("name", "size", "data", "scores")]
    for name, folder in _presets().items():
        try:
            metadata = _metadata(folder)
        except PresetError as error:
            rows.append((name, "-", "-", f"cannot be read: {short(error, named=False)}"))
            continue
        size = sum(entry["bytes"] for entry in metadata["files"].values())
        results = metadata.get("card", {}).get("results", ())
        found = {result["name"]: float(result["value"]) for result in results}
        figures = [text.format(found[key]) for key, text in _KEY_FIGURES.items() if key in found]
        rows.append((name, f"{size / 1e6:.1f} MB", metadata.get("data", ""), ", ".join(figures)))
    echo(_table(rows, "<><<"))


def _table(rows, sides):
    """Return rows of words as lines, each column aligned to its side, "<" or ">"."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{c:{s}{w}}" for c, s, w in zip(row, sides, widths, strict=True)).rstrip()
        for row in rows
    )


@zoo.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print metadata.json, for machines.")
def show(name, as_json):
    """Describe the pretrained model NAME: its recipe, its scores and its limits."""
    folder = _folder(name)
    metadata = _metadata(folder)
    if as_json:
        echo(json.dumps(metadata, indent=2))
        return
    file = folder / "recipe.json"
    recipe = read_json(file) if file.exists() else {}
    about = recipe.get("about", {})
    scores = _of_scores(metadata.get("card", {}))
    parts = [f"{metadata.get('title', name)}\n{folder}"]
    if recipe:
        parts.append(f"Recipe\n\n{_table(_of_recipe(recipe), '<<')}")
    if scores[1:]:
        parts.append(f"Scores\n\n{_table(scores, '<>>>>')}")
    names = class_names(str(folder))
    parts += [f"Classes: {', '.join(names)}"] if names else []
    parts += [f"Limits: {about['limits']}"] if "limits" in about else []
    words = {"attribution": "Training images", "license": "Licence of the weights"}
    parts += [f"{word}: {metadata[key]}" for key, word in words.items() if key in metadata]
    echo("\n\n".join(parts))


def _of_recipe(recipe):
    """Return the parts of a recipe's JSON as pairs of a name and words."""
    rows = [(k, v) for k, v in recipe.items() if k not in ("format", "about", "optimizers", "run")]
    rows += [(f"{player}'s optimizer", v) for player, v in recipe.get("optimizers", {}).items()]
    rows += [("run", recipe.get("run"))]
    return [(name.replace("_", " "), _words(value)) for name, value in rows if value]


def _words(value):
    if isinstance(value, dict) and "cosine" in value:
        first, last = value["cosine"]
        return f"{first}" if first == last else f"{first} to {last} along a cosine"
    if isinstance(value, dict):
        named = ("name_or_path", "architecture", "kind")  # Their values say what they are.
        return ", ".join(
            _words(v) if name in named else f"{name.replace('_', ' ')} {_words(v)}"
            for name, v in value.items()
        )
    if isinstance(value, list):
        return "; ".join(map(_words, value))
    return "yes" if value is True else str(value)


def _of_scores(card):
    """Return a row of words for each score of a card."""
    rows = [("", "score", "±", "real images", "floor")]
    for result in card.get("results", ()):
        error = card.get("errors", {}).get(result["name"], result.get("error"))
        numbers = (result["value"], error, result.get("baseline"), result.get("floor"))
        words = ("-" if n is None else f"{n:,.0f}" if n >= 1e4 else f"{n:,.4g}" for n in numbers)
        rows.append((result["name"].replace("_", " "), *words))
    return rows


@zoo.command("train", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def train_preset(context, name, options):
    """Train the model NAME again by its recipe, into a run folder.

    What follows NAME are options of `kerasgan train` (see its --help); they override the recipe's.
    """
    if name.startswith("-") or (options and not options[0].startswith("-")):
        raise click.UsageError("NAME comes first, and then options of `kerasgan train`.")
    recipes = {path.parent.name: path for path in _recipes()}
    if name not in recipes:
        raise nearest("NAME", told(name), list(recipes))
    arguments = ["--recipe", str(recipes[name]), *options]
    with train.make_context("train", arguments, parent=context) as inner:
        train.invoke(inner)


@zoo.command()
@click.argument("name", required=False)
@click.option("--metrics", is_flag=True, help="Measure every figure on the card again.")
@backend_option
@click.pass_context
def verify(context, name, metrics, backend):
    """Check the pretrained model NAME, or all of them.

    NAME may be a preset's folder too, or a repository on the hub, hf://user/name.

    It checks that the files are the published ones, and that the model generates its golden samples
    on this backend. With --metrics it also checks that every figure on the card comes out within
    its error.

    Exit code: 0 if all is as published, else 1.
    """
    choose_backend(backend)
    from kerasgan import presets, storage

    chosen = presets.presets()
    if name is not None:
        try:
            chosen = {name: presets.find(name, storage.FILES)}
        except (storage.PresetError, ImportError) as error:
            raise click.ClickException(short(error, most=500, named=False)) from error
    if not chosen:
        raise click.ClickException("the package came without its zoo.")
    passed = [_verified(key, folder, metrics) for key, folder in chosen.items()]
    if not all(passed):
        context.exit(1)


def _verified(name, folder, metrics):
    """Print what was found about one preset, and return whether all is as published."""
    from kerasgan import from_preset, scorecard, storage
    from kerasgan.data import DataError
    from kerasgan.storage import PresetError

    echo(told(name))
    try:
        storage.verify_files(folder, storage.FILES)
        gan = from_preset(folder)
        golden, seed = storage.golden_samples(folder)
        images = gan.sample(len(golden), seed=seed)
        if images.shape != golden.shape:
            raise PresetError(f"golden samples have the shape {golden.shape[1:]}")
        checks = [scorecard.Check("golden samples: apart", 0.0, TOLERANCE, _apart(images, golden))]
        if metrics:
            checks += scorecard.check(gan, _metadata(folder).get("card"))
    except (PresetError, DataError, OSError) as error:
        echo(f"  FAILED  {short(error, most=500, named=False)}")
        return False
    for check in checks:
        word = "ok" if check.passed else "FAILED"
        now = "not measured: other data or features" if check.now is None else f"{check.now:.6g}"
        published = f"{check.published:.6g} ± {check.error:.2g}"
        echo(f"  {word:<6}  {told(check.name)} {now}, published {published}")
    return all(check.passed for check in checks)


def _apart(images, golden):
    return float(abs(images - golden).max())
