"""The options of the shell, one flat list of names, as changes of a `Recipe`."""

import copy
import dataclasses
import difflib

from kerasgan import catalogue, validation
from kerasgan.recipe import checks

# The options of each kind; "data" stands for the `name_or_path` of the images.
DATA = ("data", *(option.name for option in catalogue.LOADING if option.shell))
OPTIMIZERS = tuple(option.name for option in catalogue.OPTIMIZERS)
PLAIN = tuple(option.name for option in catalogue.PLAIN)
LENGTH = tuple(option.name for option in catalogue.LENGTH if option.shell)


def network_options():
    """Return the options of all architectures that the shell has, and those that have each."""
    return catalogue.by_name(
        {
            name: [option for option in _of_shell(entry.options) if option.kind != "object"]
            for name, entry in catalogue.ARCHITECTURES.items()
        }
    )


def variant_options():
    """Return the options of all variants that the shell has, and the variants that have each.

    The list of variants is empty for an option that all have.
    """
    own = {name: _of_shell(entry.options) for name, entry in catalogue.VARIANTS.items()}
    found = catalogue.by_name({None: _of_shell(catalogue.SHARED), **own})
    return {
        name: (entry, [] if None in takers else takers) for name, (entry, takers) in found.items()
    }


def augment_options():
    """Return the options of all augmentations that the shell has, and those that have each.

    Each begins with "augment_".
    """
    return catalogue.by_name(
        {
            kind: [
                dataclasses.replace(option, name=f"augment_{option.name}")
                for option in _of_shell(catalogue.AUGMENTATIONS[kind].options)
            ]
            for kind in catalogue.AUGMENTS
        }
    )


def _of_shell(options):
    return [option for option in options if option.shell]


def names():
    """Return the names of all options of a training that the shell has."""
    fixed = (*DATA, *OPTIMIZERS, *PLAIN, *LENGTH, "network", "augment", "config")
    fixed += tuple(catalogue.PENALTIES)
    return [*fixed, *variant_options(), *network_options(), *augment_options()]


def _configure(recipe, name, batch_size):
    """Give a recipe of R3GAN its authors' networks and constants for a data set."""
    validation.choice("config", name, catalogue.CONFIGURATIONS)
    if recipe.variant != "r3gan":
        raise ValueError(f"`config` is one of r3gan. Received: config={name!r} of {recipe.variant}")
    known = catalogue.CONFIGURATIONS[name]
    recipe.batch_size = batch_size or known.batch_size
    own = dict(known.networks)
    recipe.data |= {"image_size": own.pop("image_size"), "mirror": True}
    recipe.networks = {"architecture": "r3gan", **own}
    arguments = known.arguments(recipe.batch_size)
    rate = arguments.pop("learning_rate")
    recipe.arguments |= arguments
    recipe.optimizers = {player: {"learning_rate": rate} for player in ("generator", "critic")}
    recipe.augment = {"kind": "ada", **known.augment(recipe.batch_size)}


def apply(recipe, options):
    """Return a recipe with some options changed; what is not given stays as it was.

    Args:
        recipe: A `Recipe`.
        options: Values by name, as the shell has them; those that are None change nothing.

    Raises:
        ValueError: If an option is unknown, not one of the recipe's variant, or contradicts others.
    """
    recipe = copy.deepcopy(recipe)
    longer = {option.alias: option.name for option in catalogue.OPTIMIZERS}
    options = {longer.get(n, n): value for n, value in options.items() if value is not None}
    networks, variants, augments = network_options(), variant_options(), augment_options()
    if "config" in options:
        _configure(recipe, options.pop("config"), options.get("batch_size"))
    rates, of_augment = {}, {}
    for name, value in options.items():
        if name in DATA:
            _set_data(recipe, name, value)
        elif name == "network":
            recipe.networks["architecture"] = value
        elif name in PLAIN:
            setattr(recipe, name, value)
        elif name == "epochs" and "steps_per_epoch" in recipe.length:
            recipe.length = {**recipe.length, name: value}
        elif name in LENGTH:
            recipe.length = {name: value}
        elif name in OPTIMIZERS and recipe.variant not in variants.get(name, (None, ()))[1]:
            rates[name] = value
        elif name in variants:
            _set_argument(recipe, name, value, variants[name])
        elif name in networks:
            entry, _ = networks[name]
            recipe.networks[name] = None if value == entry.none else value
        elif name in catalogue.PENALTIES:
            _set_penalty(recipe, name, value)
        elif name == "augment":
            if value == "none":
                recipe.augment = None
            elif recipe.augment is None or recipe.augment.get("kind") != value:
                recipe.augment = {"kind": value}
        elif name in augments:
            of_augment[name] = value
        else:
            near = difflib.get_close_matches(name, names(), n=3) or ["none"]
            raise ValueError(
                f"a training has no option of this name; nearest: {', '.join(near)}. Received: "
                f"{name!r}"
            )
    for name, value in of_augment.items():
        _set_augment(recipe, value, *augments[name])
    if "augment_target" in of_augment and recipe.augment.get("fixed") is not None:
        raise ValueError("--augment-target goes with a probability that adapts.")
    _set_optimizers(recipe, rates)
    checks.check(recipe)
    order = list(catalogue.PENALTIES)
    recipe.penalties.sort(key=lambda penalty: order.index(penalty["kind"]))
    return recipe


def _set_data(recipe, name, value):
    if name == "channels" and value in ("1", "3", "4"):  # As the shell has it.
        value = int(value)
    recipe.data["name_or_path" if name == "data" else name] = value


def _set_argument(recipe, name, value, known):
    option, variants = known
    own = catalogue.options(recipe.variant)
    if variants and recipe.variant not in variants:
        flags = [o.flag for o in own.values() if o.shell]
        raise ValueError(
            f"{option.flag} is no option of {recipe.variant}; its own are {', '.join(flags)}"
        )
    option = own[name]
    recipe.arguments[name] = None if option.none is not None and value == option.none else value


def _set_penalty(recipe, name, weight):
    """Give the penalties of a kind another weight, or add one."""
    own = [penalty for penalty in recipe.penalties if penalty["kind"] == name]
    for penalty in own:
        penalty["weight"] = weight
    if not own:
        recipe.penalties.append({"kind": name, "weight": weight})


def _set_augment(recipe, value, option, kinds):
    """Give the augmentation another argument, and take back what goes with the one that it had."""
    kind = (recipe.augment or {}).get("kind")
    if kind not in kinds:
        raise ValueError(f"{option.flag} goes with --augment {' or '.join(kinds)}.")
    name, changed = option.name.removeprefix("augment_"), dict(recipe.augment)
    if option.kind == "words":
        value = ",".join(word.strip() for word in value.split(","))
        own = catalogue.AUGMENTATIONS[kind].option(name)
        dataclasses.replace(own, name=option.name).check(value)
        factors = changed.pop("multipliers", None) or {}
        factors = {part: by for part, by in factors.items() if part in value.split(",")}
        changed |= {"multipliers": factors} if factors else {}
    if option.none is not None and value == option.none:
        value = None
        changed.pop("rise", None)
    recipe.augment = {**changed, name: value}


def _set_optimizers(recipe, given):
    """Change learning rates and betas."""
    if not given:
        return
    checks.refuse(recipe.variant, given)
    for option in catalogue.OPTIMIZERS:
        if option.name in given:
            option.check(given[option.name])
    pair = [recipe.optimizers.setdefault(player, {}) for player in ("generator", "critic")]
    for name in ("beta_1", "beta_2"):
        if name in given:
            for optimizer in pair:
                optimizer[name] = given[name]
    before = {**_rates(*pair), **given}
    first, last = before.get("learning_rate"), before.get("final_learning_rate")
    if last is not None and first is None:
        raise ValueError("--final-learning-rate goes with --learning-rate.")
    if before.get("final_critic_learning_rate") is not None and last is None:
        raise ValueError("--final-critic-learning-rate goes with --final-learning-rate.")
    critic = before.get("critic_learning_rate", first)
    firsts = first, critic
    if last is None:
        found = firsts
    else:
        lasts = last, before.get("final_critic_learning_rate", last * critic / first)
        found = [{"cosine": list(ends)} for ends in zip(firsts, lasts, strict=True)]
    for optimizer, rate in zip(pair, found, strict=True):
        if rate is not None:
            optimizer["learning_rate"] = rate


def _rates(generator, critic):
    """Return the learning rates of two optimizers as options, without those that follow others."""
    ends = []
    for optimizer in (generator, critic):
        rate = optimizer.get("learning_rate")
        if isinstance(rate, dict):
            rate = rate.get("cosine", (None, None))
        ends.append(rate if isinstance(rate, (list, tuple)) else (rate, None))
    (first, last), (critic_first, critic_last) = ends
    found = {"learning_rate": first, "final_learning_rate": last}
    if critic_first != first:
        found["critic_learning_rate"] = critic_first
    if None not in (first, last, critic_first) and critic_last != last * critic_first / first:
        found["final_critic_learning_rate"] = critic_last
    return {name: value for name, value in found.items() if value is not None}
