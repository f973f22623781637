"""How a recipe becomes a compiled model."""

import keras

from kerasgan import catalogue
from kerasgan.adversarial.optimizer import falling


def networks(recipe, image_shape, num_classes=None):
    """Return the generator and the critic of a recipe; see `Recipe.build`."""
    height, width, channels = image_shape
    if height != width:
        raise ValueError(
            f"`image_size` must be given, since the images are not square. Received: {height}x"
            f"{width}"
        )
    variant = catalogue.resolve(catalogue.VARIANTS[recipe.variant].path)
    size = {"image_size": height, "channels": channels, **recipe.networks}
    if "packing" in recipe.arguments:
        size["packing"] = recipe.arguments["packing"]
    if recipe.conditional:
        size["num_classes"] = num_classes
    penalised = {item["kind"] for item in recipe.penalties} & {"r1", "r2"}
    if variant.critic_norm == "batch" and penalised and "critic_norm" not in size:
        size["critic_norm"] = None  # It mixes the samples whose gradients are penalised.
    return variant.default_networks(**size)


def model(recipe, pair, steps=None):
    """Return the compiled model of a recipe with two networks; see `Recipe.build`."""
    variant = catalogue.resolve(catalogue.VARIANTS[recipe.variant].path)
    arguments = {name: _of_steps(value, steps) for name, value in recipe.arguments.items()}
    arguments["penalties"] = [_made(catalogue.PENALTIES, item) for item in recipe.penalties]
    if recipe.augment:
        arguments["augment"] = _made(catalogue.AUGMENTATIONS, recipe.augment)
    made = variant(*pair, seed=recipe.seed, **arguments)
    made.compile(*_optimizers(recipe, made, steps))
    return made


def _made(kinds, item):
    options = {name: value for name, value in item.items() if name != "kind"}
    return catalogue.resolve(kinds[item["kind"]].path)(**options)


def _of_steps(value, steps):
    if isinstance(value, dict) and list(value) == ["share"]:
        return max(1, round(value["share"] * steps))
    return value


def _optimizers(recipe, made, steps):
    """Return the generator's and the critic's optimizer, "auto" where nothing differs."""
    pair = made.default_optimizers()
    for player, optimizer in zip(("generator", "critic"), pair, strict=True):
        given = dict(recipe.optimizers.get(player, {}))
        rate = given.pop("learning_rate", None)
        if rate is not None:
            turns = made.n_critic if player == "generator" else 1
            optimizer.learning_rate = learning_rate(rate, steps and steps // turns)
        for name, value in given.items():
            if value is not None:
                setattr(optimizer, name, value)
    return pair


def learning_rate(given, steps):
    """Return a learning rate, or its schedule over an optimizer's steps.

    Args:
        given: See `Recipe.optimizers`.
        steps: Of the optimizer in the whole training.
    """
    if not isinstance(given, dict):
        return given
    if "cosine" in given:
        return falling(*given["cosine"], steps)
    return keras.optimizers.schedules.PiecewiseConstantDecay(**given)
