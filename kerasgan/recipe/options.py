"""The options of the shell, one flat list of names, as changes of a `Recipe`.

Files of version 0.1 hold a training as such options; they are read here too.
"""

import copy
import difflib

from kerasgan import catalogue, validation

# The options of each kind; "data" stands for the `name_or_path` of the images.
DATA = ("data", *(option.name for option in catalogue.LOADING if option.shell))
OPTIMIZERS = tuple(option.name for option in catalogue.OPTIMIZERS)
PLAIN = tuple(option.name for option in catalogue.PLAIN)
LENGTH = tuple(option.name for option in catalogue.LENGTH)
RUN = tuple(option.name for option in catalogue.RUN)


def network_options():
    """Return the options of all architectures that the shell has, by name."""
    found = {}
    for entry in catalogue.ARCHITECTURES.values():
        for option in entry.options:
            if option.shell and option.kind != "object":
                found.setdefault(option.name, []).append(option)
    return found


def variant_options():
    """Return the options of all variants that the shell has, and the variants that have each.

    The list of variants is empty for an option that all have.
    """
    found = {option.name: (option, []) for option in catalogue.SHARED if option.shell}
    for name, entry in catalogue.VARIANTS.items():
        for option in entry.options:
            if option.shell:
                found.setdefault(option.name, (option, []))[1].append(name)
    return found


def names():
    """Return the names of all options of a training that the shell has."""
    fixed = (*DATA, *OPTIMIZERS, *PLAIN, *LENGTH, "network", "augment", *catalogue.PENALTIES)
    return [*fixed, *variant_options(), *network_options()]


def run_settings(stored):
    """Return what the file of a run or of the zoo says of the run, in either format.

    Raises:
        ValueError: If a setting is unknown or out of range.
    """
    found = stored
    if "format" in stored:
        found = stored.get("run", {})
        if not isinstance(found, dict) or found.keys() - set(RUN):
            raise ValueError(
                f"`run` must be a JSON object with entries among {', '.join(RUN)}. Received: "
                f"run={found!r}"
            )
    given = [option for option in catalogue.RUN if found.get(option.name) is not None]
    for option in given:
        option.check(found[option.name])
    return {option.name: found[option.name] for option in given}


def from_flat(kind, stored):
    """Return the recipe in the options that version 0.1 wrote."""
    options = {name: value for name, value in stored.items() if value is not None}
    for name in ("about", "images", "environment", *RUN):
        options.pop(name, None)
    recipe = kind(options.pop("model", None))
    validation.choice("model", recipe.variant, catalogue.VARIANTS)
    if options.get("latent_dim") and "latent_dim" in catalogue.VARIANTS[recipe.variant].refuses:
        del options["latent_dim"]  # A default that was written down and had no effect.
    return changed(recipe, options)


def changed(recipe, options):
    """Return a recipe with some options changed.

    Raises:
        ValueError: If an option is unknown, or not one of the recipe's variant.
    """
    recipe = copy.deepcopy(recipe)
    options = {name: value for name, value in options.items() if value is not None}
    rates = {name: options.pop(name) for name in OPTIMIZERS if name in options}
    for option in catalogue.OPTIMIZERS:
        if option.name in rates:
            option.check(rates[option.name])
    networks, variants = network_options(), variant_options()
    for name, value in options.items():
        if name in DATA:
            _set_data(recipe, name, value)
        elif name == "network":
            recipe.networks["architecture"] = value
        elif name in PLAIN:
            setattr(recipe, name, value)
        elif name in LENGTH:
            recipe.length = {name: value}
        elif name in variants:
            _set_argument(recipe, name, value, variants[name])
        elif name in networks:
            none = any(option.none == value for option in networks[name] if option.none)
            recipe.networks[name] = None if none else value
        elif name in catalogue.PENALTIES:
            recipe.penalties = [p for p in recipe.penalties if p["kind"] != name]
            recipe.penalties.append({"kind": name, "weight": value})
        elif name == "augment":
            recipe.augment = {"kind": value}
        else:
            near = difflib.get_close_matches(name, names(), n=3) or ["none"]
            raise ValueError(
                f"a training has no option of this name; nearest: {', '.join(near)}. Received: "
                f"{name!r}"
            )
    order = list(catalogue.PENALTIES)
    recipe.penalties.sort(key=lambda penalty: order.index(penalty["kind"]))
    _set_optimizers(recipe, rates)
    return recipe


def _set_data(recipe, name, value):
    if name == "channels" and value in ("1", "3"):  # As the shell has it.
        value = int(value)
    recipe.data["name_or_path" if name == "data" else name] = value


def _set_argument(recipe, name, value, known):
    option, variants = known
    if variants and recipe.variant not in variants:
        own = [o.flag for o in catalogue.options(recipe.variant).values() if o.shell]
        raise ValueError(
            f"{option.flag} is no option of {recipe.variant}; its own are {', '.join(own)}"
        )
    recipe.arguments[name] = None if option.none is not None and value == option.none else value


def _set_optimizers(recipe, given):
    """Change learning rates and betas; what is not given stays as it was."""
    if not given:
        return
    pair = [recipe.optimizers.setdefault(player, {}) for player in ("generator", "critic")]
    for name in ("beta_1", "beta_2"):
        if name in given:
            for optimizer in pair:
                optimizer[name] = given[name]
    before = {**_rates(*pair), **given}
    first, last = before.get("lr"), before.get("final_lr")
    if last is not None and first is None:
        raise ValueError("--final-lr goes with --lr.")
    if before.get("final_critic_lr") is not None and last is None:
        raise ValueError("--final-critic-lr goes with --final-lr.")
    critic = before.get("critic_lr", first)
    firsts = first, critic
    if last is None:
        found = firsts
    else:
        lasts = last, before.get("final_critic_lr", last * critic / first)
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
    found = {"lr": first, "final_lr": last}
    if critic_first != first:
        found["critic_lr"] = critic_first
    if None not in (first, last, critic_first) and critic_last != last * critic_first / first:
        found["final_critic_lr"] = critic_last
    return {name: value for name, value in found.items() if value is not None}
