"""`kerasgan zoo`: the presets that come with the package."""

import json
import textwrap
from pathlib import Path

import click

from kerasgan.files import read_json
from kerasgan.text import clipped, short, told
from kerasgan_cli.common import Group, backend_option, choose_backend, echo, in_flags, nearest
from kerasgan_cli.sources import class_names
from kerasgan_cli.train import train

TOLERANCE = 1e-3  # Of golden samples, in [-1, 1].
COLUMNS = 100  # Of `zoo show`,
PARAGRAPH = 6  # and the lines of each of its paragraphs.
_KEY_FIGURES = {
    "frechet_distance": "Fréchet {:.2f}",
    "coverage": "coverage {:.2f}",
    "modes_covered": "{:.0f} modes",
    "mode_kl": "KL {:.3f}",
    "code_agreement": "codes {:.0%}",
    "bits_per_dimension": "{:.2f} bits/dim",
}
# The scores of `zoo show`.
_SHOWN = (*_KEY_FIGURES, "precision", "recall", "classes_covered")


@click.group(cls=Group)
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


def _stored(file):
    """Return a preset's recipe as JSON, or {}: a preset from elsewhere may have none."""
    return read_json(file) if file.exists() else {}


def _metadata(folder):
    from kerasgan.storage import read_metadata

    return read_metadata(folder)


@zoo.command("list")
def list_presets():
    """List the pretrained models: name, size, data and key figures."""
    from kerasgan.storage import PresetError

    rows, notes = [("name", "size", "data", "scores (real images)")], []
    for name, folder in _presets().items():
        try:
            metadata = _metadata(folder)
        except PresetError as error:
            rows.append((name, "-", "-", f"cannot be read: {short(error, named=False)}"))
            continue
        size = sum(entry["bytes"] for entry in metadata["files"].values())
        card = metadata.get("card", {})
        figures = [_figure(result) for result in _key_results(card)]
        rows.append((name, f"{size / 1e6:.1f} MB", metadata.get("data", ""), ", ".join(figures)))
        notes += ["\n" + _wrapped(f"{name}: {note}") for note in _zeros(card)]
    echo("\n".join([_table(rows, "<><<"), *notes]))


def _key_results(card):
    """Return the results of a card that say most about it, in the order of `_KEY_FIGURES`."""
    found = {result["name"]: result for result in card.get("results", ())}
    return [found[key] for key in _KEY_FIGURES if key in found]


def _figure(result):
    """Return a key figure as text, with that of real images where there is one."""
    text, baseline = _KEY_FIGURES[result["name"]], result.get("baseline")
    number = text[text.index("{") : text.index("}") + 1]
    real = "" if baseline is None else f" ({number.format(float(baseline))})"
    return text.format(float(result["value"])) + real


def _zeros(card):
    """Return a sentence on a coverage of 0, which would say too much without a word."""
    found = {result["name"]: result for result in _key_results(card)}
    coverage, distance = found.get("coverage"), found.get("frechet_distance")
    if coverage is None or float(coverage["value"]) >= 0.005:
        return []
    like = None if distance is None else _noise_like(float(distance["value"]), card.get("noise"))
    return [
        f"in the features of {coverage['provenance']['extractor']} none of its images is as near "
        "to a real one as other real ones are."
        + ("" if like is None else f" Their Fréchet distance is that of real images with {like}.")
        + " `kerasgan zoo show` tells its limits."
    ]


def _noise_like(distance, noise):
    """Return with how much noise real images have a Fréchet distance, as text, or None."""
    found = {sd: float(value) for sd, value in (noise or {}).items()}
    below = [sd for sd, value in found.items() if value <= distance]
    above = [sd for sd, value in found.items() if value > distance]
    if not found:
        return None
    if not above:
        return f"noise of sd {below[-1]} or more"
    return f"noise of sd {below[-1] if below else 0} to {above[0]}"


def _table(rows, sides):
    """Return rows of words as lines, each column aligned to its side, "<" or ">"."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{c:{s}{w}}" for c, s, w in zip(row, sides, widths, strict=True)).rstrip()
        for row in rows
    )


@zoo.command()
@click.argument("name")
@click.option("--all", "whole", is_flag=True, help="Print every score and all that is said.")
@click.option("--json", "as_json", is_flag=True, help="Print metadata.json, for machines.")
def show(name, whole, as_json):
    """Describe the pretrained model NAME on one screen: its recipe, its scores and its limits."""
    folder = _folder(name)
    metadata = _metadata(folder)
    if as_json:
        echo(json.dumps(metadata, indent=2))
        return
    recipe = _stored(folder / "recipe.json")
    about, card = recipe.get("about", {}), metadata.get("card", {})
    results = [r for r in card.get("results", ()) if whole or r["name"] in _SHOWN]
    scores = _of_scores(results, card.get("errors", {}))
    parts = [f"{metadata.get('title', name)}\n{folder}"]
    if recipe:
        parts.append(f"Recipe\n\n{_table(_of_recipe(recipe), '<<')}")
    if results:
        parts.append(f"Scores\n\n{_table(scores, '<>>>>')}")
    names = class_names(str(folder))
    paragraphs = [f"Classes: {', '.join(names)}"] if names else []
    paragraphs += [f"Limits: {about['limits']}"] if "limits" in about else []
    paragraphs += [about["obtain"]] if "obtain" in about else []
    words = {"attribution": "Training images", "license": "Licence of the weights"}
    paragraphs += [f"{word}: {metadata[key]}" for key, word in words.items() if key in metadata]
    parts.append("\n".join(_wrapped(text, None if whole else PARAGRAPH) for text in paragraphs))
    if not whole:
        # The folder is shown whole: it is there to be copied.
        parts[1:] = ("\n".join(map(_cut, part.split("\n"))) for part in parts[1:])
        left = len(card.get("results", ())) - len(results)
        parts.append(f"--all adds {left} scores; --json prints all that is known for machines.")
    echo("\n\n".join(parts))


def _cut(line):
    return clipped(line, COLUMNS)


def _wrapped(text, most=None):
    """Return text in lines of at most 100 columns, and at most so many of them or all."""
    return textwrap.fill(
        text, COLUMNS, max_lines=most, placeholder=" ... (--all)", break_on_hyphens=False
    )


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


def _of_scores(results, errors):
    """Return a row of words for each score of a card, with its error over seeds."""
    rows = [("", "score", "±", "real images", "floor")]
    for result in results:
        error = errors.get(result["name"], result.get("error"))
        numbers = (result["value"], error, result.get("baseline"), result.get("floor"))
        # What is not finite is text.
        numbers = (None if n is None else float(n) for n in numbers)
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
    try:
        with train.make_context("train", arguments, parent=context) as inner, in_flags(train):
            train.invoke(inner)
    except click.ClickException as error:
        error.message += _to_obtain(recipes[name])
        raise


def _to_obtain(file):
    """Return how the images of a recipe are obtained, if they are a folder that is not there."""
    recipe = _stored(file)
    obtain = recipe.get("about", {}).get("obtain")
    return f" {obtain}" if obtain and not Path(recipe["data"]["name_or_path"]).exists() else ""


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
        obtain = _to_obtain(Path(folder) / "recipe.json") if isinstance(error, DataError) else ""
        echo(f"  FAILED  {short(error, most=500, named=False)}{obtain}")
        return False
    for check in checks:
        word = "ok" if check.passed else "FAILED"
        now = "not measured: other data or features" if check.now is None else f"{check.now:.6g}"
        published = f"{check.published:.6g} ± {check.error:.2g}"
        echo(f"  {word:<6}  {told(check.name)} {now}, published {published}")
    return all(check.passed for check in checks)


def _apart(images, golden):
    return float(abs(images - golden).max())
