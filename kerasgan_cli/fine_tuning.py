"""`kerasgan train --from`: a training that begins with networks that are trained already."""

import contextlib
import copy
import dataclasses

import click

from kerasgan import catalogue, sizes
from kerasgan.adversarial import freezing, moving_average
from kerasgan.files import expanded
from kerasgan.recipe import Recipe
from kerasgan.recipe import options as flat
from kerasgan_cli import images
from kerasgan_cli.sources import open_model, run_of


def recipe(source, model):
    """Return the recipe with which networks are trained on, without its data and its length.

    Args:
        source: A preset, a run, or a .keras file.
        model: Name of a variant, where it is to be another one; or None.
    """
    found = _recipe_of(source)
    if found is None and (model is None or not expanded(source).is_file()):
        kind = type(open_model(source)).__name__  # Or it says what there is instead.
        names = {entry.class_name: name for name, entry in catalogue.VARIANTS.items()}
        model = model or names.get(kind)
    if found is None and model is None:
        raise click.UsageError(
            f"MODEL is needed where --from has no recipe beside it, as {source} has none, and is "
            "of no variant of kerasgan."
        )
    if found is None or model not in (None, found.variant):
        return Recipe(model)
    found = copy.deepcopy(found)
    found.data, found.length = {}, Recipe(found.variant).length
    found.backend = None
    return as_it_ended(found)


def as_it_ended(recipe):
    """Return a recipe whose rates and weights are those that it ended with, from the first step."""
    for settings in recipe.optimizers.values():
        rate = settings.get("learning_rate")
        if isinstance(rate, dict):
            settings["learning_rate"] = rate["cosine" if "cosine" in rate else "values"][-1]
    arguments = recipe.arguments
    if "burn_in" in arguments:  # R3GAN's rates and gamma fall over it.
        rates = [s["learning_rate"] for s in recipe.optimizers.values() if s.get("learning_rate")]
        last = arguments.get("final_learning_rate") or (rates[0] / 4 if rates else None)
        if last:
            arguments["final_learning_rate"] = last
            for settings in recipe.optimizers.values():
                settings["learning_rate"] = last
        arguments["gamma"] = arguments.get("final_gamma", arguments.get("gamma"))
        arguments = {name: v for name, v in arguments.items() if v is not None}
        recipe.arguments = {**arguments, "burn_in": 1}
    return recipe


def check_options(given):
    """Raise a usage error for options of networks, which are there already."""
    names = {"network", "config", *flat.network_options()} - {"packing"}
    wrong = [f"--{name.replace('_', '-')}" for name in given if name in names]
    if wrong:
        raise click.UsageError(
            f"{', '.join(wrong)} cannot be given with --from, whose networks are made already."
        )


def _recipe_of(source):
    """Return the recipe that stands beside a model, or None."""
    from kerasgan import hub, presets

    run = run_of(source)
    if run is not None:
        return run.recipe()
    if hub.is_handle(source) or not (source in presets.presets() or expanded(source).is_dir()):
        return None
    file = presets.find(source, ()) / "recipe.json"
    return Recipe.read(file) if file.exists() else None


def open_source(start, recipe):
    """Return the model whose networks a training begins with, and the recipe with its images' size.

    Args:
        start: What `--from` names.
        recipe: The training's `Recipe`.

    Raises:
        click.UsageError: If other images, or no classes, are asked for.
    """
    source = open_model(start)
    height, width, channels = source.image_shape
    asked = {name: recipe.data.get(name) for name in ("image_size", "channels")}
    made = {"image_size": sizes.shortest(height, width), "channels": channels}
    differ = {n: v for n, v in asked.items() if v not in (None, made[n])}
    wrong = [
        f"--{n.replace('_', '-')} {sizes.text(v) if n == 'image_size' else v}"
        for n, v in differ.items()
    ]
    if wrong:
        fitting = presets_of({n: made[n] if v is None else v for n, v in asked.items()})
        raise click.UsageError(
            f"--from {start} makes images of {height}x{width}x{channels}, which {' '.join(wrong)} "
            f"does not fit. Presets that fit: {', '.join(fitting) or 'none'}"
        )
    if channels == 1 and asked["channels"] is None:
        _check_grey(start, recipe, made["image_size"])
    if recipe.conditional != (source.num_classes is not None):
        has = "no labels" if source.num_classes is None else "labels"
        flag = "--no-conditional" if source.num_classes is None else "--conditional"
        raise click.UsageError(f"--from {start} has networks that take {has}, and needs {flag}.")
    if not recipe.networks:  # No recipe stands beside the file.
        recipe = copy.deepcopy(recipe)
        recipe.networks = _described(source, start)
    return source, flat.apply(recipe, made)


def _check_grey(start, recipe, size):
    """Raise a usage error if networks of grey images would be given images in colour, unasked."""
    own = dataclasses.replace(recipe, data={**recipe.data, "image_size": size})
    if images.load(own).image_shape[-1] == 1:
        return
    fitting = ", ".join(presets_of({"channels": 3})) or "none"
    raise click.UsageError(
        f"--from {start} makes grey images, and these are in colour: --channels 1 makes them grey. "
        f"Presets of images in colour: {fitting}"
    )


def _described(source, start):
    """Return what a recipe says of networks that kerasgan has built."""
    builder = type(source.generator).__module__.rpartition(".")[2]
    if builder not in catalogue.ARCHITECTURES:
        raise click.UsageError(
            "--from must name networks that kerasgan has built; `fit` trains others on, in Python. "
            f"Received: {start}, whose generator is a {type(source.generator).__name__}"
        )
    config = {**source.critic.get_config(), **source.generator.get_config()}
    found = {"architecture": builder}
    for option in catalogue.ARCHITECTURES[builder].options:
        name, known = option.name, option.kind != "object" and option.name in config
        # What recipes of some variants refuse says nothing that the networks do not say.
        said = known and (config[name] is not None or option.none is not None)
        if said and name not in ("packing", "conditioning", "minibatch"):
            found[name] = config[name]
    return found


def presets_of(size):
    """Return the names of the zoo's presets that make images of an `image_size` and `channels`."""
    from kerasgan import presets, storage

    def fits(folder):
        with contextlib.suppress(storage.PresetError, KeyError, TypeError):
            generator = storage.read_config(folder)["config"]["generator"]["config"]
            return all(generator[name] == value for name, value in size.items())

    return [name for name, folder in presets.presets().items() if fits(folder)]


def check_classes(source, classes):
    """Raise ValueError unless the networks have as many classes as the data, or none."""
    if source.num_classes != classes:
        raise ValueError(
            f"--from must name networks of {classes} classes, as the data have. Received: networks "
            f"of {source.num_classes} classes"
        )


def build(recipe, source, image_shape, classes, steps):
    """Return the compiled model of a recipe that begins with copies of a source's networks."""
    pair = [moving_average.copy(network) for network in (source.generator, source.critic)]
    for network in pair:
        freezing.unfreeze(network)
    model = recipe.build(image_shape, classes, steps, pair)
    if model.ema_generator is not None:
        mean = source.ema_generator or source.generator
        model.ema_generator.set_weights(mean.get_weights())
    return model
