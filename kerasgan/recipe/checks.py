"""What must hold in a recipe. The catalogue says it; nothing is read, and Keras is not needed."""

import dataclasses

from kerasgan import catalogue, sizes, validation
from kerasgan.catalogue import Option
from kerasgan.text import quoted, told

_OPTIMIZERS = {option.name: option for option in catalogue.OPTIMIZERS}
_RATE = _OPTIMIZERS["learning_rate"]
_FALLEN_RATE = dataclasses.replace(_RATE, above=False)  # It may be zero.
# The shell has no such rates. The collapse benchmark makes trainings diverge with them.
_STEPPED_RATE = dataclasses.replace(_FALLEN_RATE, maximum=1e38)
_STEPS = next(option for option in catalogue.LENGTH if option.name == "steps")


def check(recipe):
    """Raise ValueError if something in a recipe is unknown, out of range or contradictory."""
    check_parts(recipe)
    check_together(recipe)


def check_parts(recipe):
    """Raise ValueError for a part that is unknown or out of range, whatever the others are."""
    _check_structure(recipe)
    validation.choice("variant", recipe.variant, catalogue.VARIANTS)
    for option in catalogue.PLAIN:
        option.check(getattr(recipe, option.name))
    _check_values("data", recipe.data, catalogue.LOADING)
    _check_values("length", recipe.length, catalogue.LENGTH)
    # These are fields of the recipe itself.
    known = [
        option
        for option in catalogue.options(recipe.variant).values()
        if option.name not in ("augment", "seed")
    ]
    _check_values(recipe.variant, recipe.arguments, known)
    _check_items("penalties", recipe.penalties, catalogue.PENALTIES)
    augments = {name: catalogue.AUGMENTATIONS[name] for name in catalogue.AUGMENTS}
    _check_items("augment", [recipe.augment] if recipe.augment else [], augments)
    _check_optimizers(recipe.optimizers)


def check_together(recipe):
    """Raise ValueError for parts that contradict each other."""
    _check_multipliers(recipe.augment or {})
    _check_refusals(recipe)
    _check_networks(recipe)
    _check_data(recipe)
    _check_norm(recipe)
    _check_loss(recipe)
    for rule in catalogue.VARIANTS[recipe.variant].rules:
        rule(recipe)


def _check_structure(recipe):
    """Raise ValueError unless each field is the object or the list that it should be."""
    fields = {name: getattr(recipe, name) for name in ("data", "networks", "arguments")}
    fields["optimizers"] = recipe.optimizers
    if isinstance(recipe.optimizers, dict):
        fields |= {f"optimizers.{told(key)}": own for key, own in recipe.optimizers.items()}
    if not isinstance(recipe.penalties, list):
        given = quoted(recipe.penalties)
        raise ValueError(f"`penalties` must be a list. Received: penalties={given}")
    fields |= {f"penalties[{i}]": item for i, item in enumerate(recipe.penalties)}
    if recipe.augment is not None:
        fields["augment"] = recipe.augment
    for name, value in fields.items():
        if not isinstance(value, dict):
            raise ValueError(f"`{name}` must be a JSON object. Received: {name}={quoted(value)}")
    length = recipe.length
    known = ({"epochs"}, {"steps"}, {"epochs", "steps_per_epoch"})
    if not isinstance(length, dict) or set(length) not in known:
        raise ValueError(
            '`length` must be {"epochs": n}, {"epochs": n, "steps_per_epoch": k} or {"steps": n}. '
            f"Received: length={quoted(length)}"
        )


def _check_values(where, values, options):
    """Raise ValueError for a value that no option has, or that is out of its option's range."""
    known = {option.name: option for option in options if option.kind != "object"}
    for name, value in values.items():
        if name not in known:
            own = ", ".join(sorted(known)) or "none"
            raise ValueError(f"`{told(name)}` is no option of {where}; its own are {own}.")
        if known[name].steps and isinstance(value, dict) and list(value) == ["share"]:
            share = Option(f"{name}.share", "number", "", minimum=0, maximum=1, above=True)
            share.check(value["share"])
        else:
            known[name].check(value)


def _check_items(field, items, kinds):
    """Raise ValueError for penalties or augmentations that are unknown, or have wrong values."""
    for item in items:
        validation.choice(f"{field}.kind", item.get("kind"), kinds)
        values = {name: value for name, value in item.items() if name != "kind"}
        _check_values(item["kind"], values, kinds[item["kind"]].options)


def _check_multipliers(augment):
    """Raise ValueError for factors of parts that an augmentation is given and does not have."""
    policy, factors = augment.get("policy"), augment.get("multipliers") or {}
    if policy is not None and set(factors) - set(policy.split(",")):
        raise ValueError(
            f"`multipliers` must be of parts in `policy`, {policy}. Received: "
            f"multipliers={quoted(factors)}"
        )


def _check_refusals(recipe):
    """Raise ValueError for what the variant cannot have."""
    settings = [settings.items() for settings in recipe.optimizers.values()]
    given = {name for pairs in settings for name, value in pairs if value is not None}
    given |= {*recipe.networks, *recipe.arguments}
    given |= {"conditional"} if recipe.conditional else set()
    given |= {"cosine"} if recipe.falls else set()
    refuse(recipe.variant, given)


def refuse(variant, given):
    """Raise ValueError if one of the given options is one that the variant cannot have."""
    for name, why in catalogue.VARIANTS[variant].refuses.items():
        if name in given:
            cosine = "a cosine of the learning rates"
            what = cosine if name == "cosine" else f"--{name.replace('_', '-')}"
            raise ValueError(f"{what} is no option of {variant}: {why}.")


def _check_networks(recipe):
    """Raise ValueError for networks that the variant does not take or that cannot be built."""
    entry, architecture = catalogue.VARIANTS[recipe.variant], recipe.architecture
    if architecture not in entry.architectures:
        raise ValueError(
            f"`architecture` of {recipe.variant} must be one of "
            f"{', '.join(entry.architectures)}. Received: {quoted(architecture)}"
        )
    given = {name: v for name, v in recipe.networks.items() if name != "architecture"}
    _check_values(architecture, given, catalogue.ARCHITECTURES[architecture].options)
    if "conditioning" in given and not recipe.conditional:
        raise ValueError(
            "`conditioning` goes with `conditional`: unconditional networks take no labels. "
            f"Received: conditioning={given['conditioning']!r}"
        )
    if architecture == "resnet":
        style = given.get("style", entry.resnet_style)
        if style == "sngan" and given.get("depth") is not None:
            raise ValueError(
                f"`depth` goes with `style` r3gan: sngan's residual blocks have their number. "
                f"Received: depth={given['depth']}"
            )
        norm = given.get("critic_norm", entry.critic_norm)
        if style == "r3gan" and norm == "spectral":
            raise ValueError(
                "`style` r3gan has no normalisation in the critic, as `critic_norm` none. "
                f"Received: critic_norm={norm!r}, by default or given"
            )


def _check_optimizers(optimizers):
    betas = {name: option for name, option in _OPTIMIZERS.items() if name.startswith("beta")}
    for player, settings in optimizers.items():
        validation.choice("optimizers", player, ("generator", "critic"))
        for name, value in settings.items():
            validation.choice("optimizers", name, ("learning_rate", *betas))
            if value is None:
                continue
            if name in betas:
                betas[name].check(value)
            elif isinstance(value, dict):
                _check_schedule(value)
            else:
                _RATE.check(value)


def _check_schedule(rate):
    """Raise ValueError unless a learning rate is one of the schedules of `Recipe.optimizers`."""
    lists = all(isinstance(value, (list, tuple)) for value in rate.values())
    counts = {name: len(value) for name, value in rate.items()} if lists else {}
    constant = counts.keys() == {"boundaries", "values"}
    if not (counts == {"cosine": 2} or (constant and counts["values"] == counts["boundaries"] + 1)):
        raise ValueError(
            '`learning_rate` must be a number, {"cosine": [first, last]} or {"boundaries": [...], '
            f'"values": [...]}} with one value more than boundaries. Received: {quoted(rate)}'
        )
    if not constant:
        _RATE.check(rate["cosine"][0])
        _FALLEN_RATE.check(rate["cosine"][1])
    for value in rate.get("values", ()):
        _STEPPED_RATE.check(value)
    for value in rate.get("boundaries", ()):
        dataclasses.replace(_STEPS, name="boundaries").check(value)


def _check_data(recipe):
    """Raise ValueError for images that the networks, the batches or the labels cannot have."""
    size, limit = recipe.data.get("image_size"), recipe.data.get("limit")
    _check_size(recipe, size)
    background = recipe.data.get("background")
    if background is not None:
        colour = validation.colour("background", background)
        if recipe.data.get("channels") == 4 and colour != (255, 255, 255):
            raise ValueError(
                "`background` goes with 1 or 3 `channels`: 4 keep the transparency. Received: "
                f"background={background!r}"
            )
    if limit is not None and limit < recipe.batch_size:
        raise ValueError(
            f"`limit` must leave a batch of images, of `batch_size` {recipe.batch_size}. "
            f"Received: limit={limit}"
        )
    packing = recipe.packing
    if recipe.batch_size % packing:
        raise ValueError(
            f"`batch_size` must be divisible by packing={packing}, the images that the critic "
            f"scores together. Received: {recipe.batch_size}"
        )
    if recipe.batch_size % (packing * recipe.accumulate):
        packed = f" times packing={packing}" if packing > 1 else ""
        raise ValueError(
            f"`batch_size` must be divisible by accumulate={recipe.accumulate}{packed}. Received: "
            f"{recipe.batch_size}"
        )
    name = recipe.data.get("name_or_path")
    if catalogue.is_avatars(name) and len(catalogue.styles(name)) < 2 and recipe.conditional:
        raise ValueError(
            f"`conditional` needs labels, and {name} has none; those of avatars are several "
            "styles, as in avatars:moods,clay. Received: conditional=True"
        )


def _check_size(recipe, size):
    """Raise ValueError for a size that the networks cannot have."""
    doubled = catalogue.ARCHITECTURES[recipe.architecture].doubled
    if size is None or not doubled or sizes.is_doubled(size):
        return
    own = catalogue.VARIANTS[recipe.variant].architectures
    free = [name for name in own if not catalogue.ARCHITECTURES[name].doubled]
    others = f", and may be any with {', '.join(free)}" if free else ""
    raise ValueError(
        f"{sizes.DOUBLED}, with {recipe.architecture}{others}. Received: "
        f"image_size={sizes.text(size)}"
    )


def _check_norm(recipe):
    """Raise ValueError for a normalisation that the variant or a penalty does not take."""
    entry = catalogue.VARIANTS[recipe.variant]
    norm = recipe.networks.get("critic_norm", entry.critic_norm)
    if entry.critic_norm == "spectral" and norm != "spectral":
        raise ValueError(
            f"`critic_norm` of {recipe.variant} must be spectral, which is its method. Received: "
            f"critic_norm={norm!r}"
        )
    kinds = [*entry.penalties, *(item["kind"] for item in recipe.penalties)]
    refusing = [kind for kind in kinds if catalogue.PENALTIES[kind].batch_norm == "refused"]
    if recipe.networks.get("critic_norm") == "batch" and refusing:
        raise ValueError(
            f"`critic_norm` must not be batch under {refusing[0]}, which is on the gradient of "
            "each sample's own score: batch normalisation mixes the samples. Received: "
            "critic_norm='batch'"
        )


def _check_loss(recipe):
    """Raise ValueError for what does not go with the recipe's adversarial loss."""
    name = recipe.arguments.get("loss", catalogue.VARIANTS[recipe.variant].loss)
    smooths = any(option.name == "real_label" for option in catalogue.LOSSES[name].options)
    label = recipe.arguments.get("real_label", 1.0)
    if label != 1.0 and not smooths:
        takers = [key for key, entry in catalogue.LOSSES.items() if entry.options]
        raise ValueError(
            f"`real_label` below 1 goes with the losses {', '.join(takers)}. Received: "
            f"real_label={label}, loss={name!r}"
        )
    adapts = (recipe.augment or {}).get("kind") == "ada" and recipe.augment.get("fixed") is None
    if adapts and not catalogue.LOSSES[name].has_zero:
        takers = [key for key, entry in catalogue.LOSSES.items() if entry.has_zero]
        raise ValueError(
            "`augment` ada reads overfitting from the sign of the critic's scores, and goes with "
            f"the losses whose zero is the border between real and generated images, "
            f"{', '.join(takers)}. Received: loss={name!r}"
        )
