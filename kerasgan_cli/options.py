"""Click options made of the catalogue's entries."""

import collections
import math
import re

import click

from kerasgan import catalogue, sizes
from kerasgan.recipe import options as flat
from kerasgan.text import listed

LONGEST = 60  # Characters of the choices of an option that stand before its line of help.


class _Integers(click.ParamType):
    name = "N,N"

    def convert(self, value, param, ctx):
        if isinstance(value, list):
            return value
        if value in ("", "none"):
            return []
        try:
            return [int(part) for part in value.split(",")]
        except ValueError:
            self.fail(
                f"must be integers with commas between them, or none. Received: {value!r}",
                param,
                ctx,
            )


class Number(click.FloatRange):
    """A number, neither infinite nor NaN, which no range leaves out.

    Args:
        *bounds: As for `click.FloatRange`.
        none: A word that stands for no number, or None.
        **more: As for `click.FloatRange`.
    """

    def __init__(self, *bounds, none=None, **more):
        super().__init__(*bounds, **more)
        self.none = none

    def convert(self, value, param, ctx):
        if self.none is not None and value == self.none:
            return value
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"must be a finite number. Received: {value}", param, ctx)
        return found


class Size(click.ParamType):
    """A side of images in pixels, or height and width; a recipe's `image_size`."""

    name = "SIDE|HxW"

    def convert(self, value, param, ctx):
        if isinstance(value, (int, list)):
            return value
        parts = value.lower().split("x")
        try:
            both = [int(part) for part in parts]
            return sizes.shortest(*sizes.sides(both if len(both) > 1 else both[0]))
        except ValueError:
            most = f"{sizes.LARGEST:,}"
            self.fail(
                f"must be a side in pixels, as 64, or height and width, as 192x320, up to {most}. "
                f"Received: {value!r}",
                param,
                ctx,
            )


class _Mapping(click.ParamType):
    name = "NAME=VALUE,..."

    def convert(self, value, param, ctx):
        if isinstance(value, dict):
            return value
        found = {}
        for part in value.split(","):
            name, sign, number = part.partition("=")
            try:
                found[name.strip()] = int(number) if number.strip("-").isdigit() else float(number)
            except ValueError:
                sign = ""
            if sign and not math.isfinite(found[name.strip()]):
                sign = ""
            if not sign:
                self.fail(f"must be name=number pairs. Received: {value!r}", param, ctx)
        return found


_KINDS = {"text": str, "words": str, "size": Size(), "integers": _Integers(), "mapping": _Mapping()}


def option(*names, **settings):
    """Return a click option that is None unless it is given, so that recipes come first."""
    settings.setdefault("default", None)
    return click.option(*names, **settings)


# What an argument of the library is called in the shell, where its name is another.
_CALLED = {
    "architecture": ("network",),
    "name_or_path": ("data", "real"),
    "labels": ("label",),
    "n": ("count",),
}
_QUOTES = "'\""
_VALUE = r"""'[^']*'|"[^"]*"|\[[^\]]*\]|[\w.+-]*\w%?"""
# `name` and `name=value`, or name=value where it is no part of a path, an option or a text.
_NAMED = re.compile(rf"`(\w+)(?:=({_VALUE}))?`|(?<![\w./'\"`-])(\w+)=({_VALUE})")


def with_flags(text, command=None):
    """Return an error's text with the options of a command as the shell has them.

    `upscale` and upscale=True become --upscale, and image_size=64 becomes --image-size 64. What is
    no option of the command stays as it is.

    Args:
        text: The text.
        command: A click command; by default the one that is running.
    """
    context = click.get_current_context(silent=True)
    if command is None and context is not None:
        command = context.command
    given = [] if command is None else command.params[::-1]  # The first of a name counts.
    options = {one.name: one for one in given if isinstance(one, click.Option)}

    def flag(match):
        name, value = match[1] or match[3], match[2] or match[4]
        names = (name, *_CALLED.get(name, ()))
        option = next((options[own] for own in names if own in options), None)
        return match[0] if option is None else _written(option, value)

    return _NAMED.sub(flag, text)


def _written(option, value):
    """Return an option as the shell has it, with a value as Python writes it, or without one."""
    flag = max(option.opts, key=len)
    if value is None or value == "True":
        return flag
    if value in ("None", "False"):
        return next(iter(option.secondary_opts), f"no {flag}")
    if value.startswith("["):
        value = value.strip("[]").replace(" ", "")
    return f"{flag} {value.strip(_QUOTES)}"


def from_catalogue(entry, help=None, flag=None):
    """Return the click option of a `kerasgan.catalogue.Option`.

    Args:
        entry: The option.
        help: Its line of help; by default the entry's.
        flag: Its name in the shell; by default the entry's.
    """
    text = f"{entry.help[:1].upper()}{entry.help[1:]}." if help is None else f"{help}."
    flags = [flag or entry.flag]
    if entry.alias:
        flags += [f"--{entry.alias.replace('_', '-')}", entry.name]
    if entry.kind == "flag":  # A recipe may have set it, and the shell can take it back.
        return option(f"{entry.flag}/--no-{entry.flag[2:]}", is_flag=True, help=text)
    if entry.kind in ("integer", "number"):
        ranges = {"integer": click.IntRange, "number": Number}
        # A bound that nobody meets would only make the help longer; recipes are checked with it.
        bounds = (entry.minimum, entry.own_maximum, entry.above, entry.below)
        none = {"none": entry.none} if entry.kind == "number" else {}
        kind = ranges[entry.kind](*bounds, **none)
        return option(*flags, type=kind, metavar=entry.kind.upper(), help=text)
    if entry.kind == "choice":
        names = [str(c) for c in (*entry.choices, *([entry.none] * bool(entry.none)))]
        kind = click.Choice(names)
        if len("|".join(names)) > LONGEST:
            return option(*flags, type=kind, metavar="NAME", help=f"{text} One of {listed(names)}.")
    else:
        kind = _KINDS[entry.kind]
    return option(*flags, type=kind, help=text)


def architecture():
    """Return the click option of the architecture."""
    firsts = {name: entry.architectures[0] for name, entry in catalogue.VARIANTS.items()}
    usual = collections.Counter(firsts.values()).most_common(1)[0][0]
    others = [f", {first} for {name}" for name, first in firsts.items() if first != usual]
    kind = click.Choice(list(catalogue.ARCHITECTURES))
    return option(
        "--network", type=kind, help=f"Architecture; by default {usual}{''.join(others)}."
    )


def networks():
    """Return the click options of the architectures, those of one name joined."""
    found = []
    for entry, takers in flat.network_options().values():
        some = len(takers) < len(catalogue.ARCHITECTURES)
        found.append(from_catalogue(entry, _of(takers, entry) if some else None))
    return found


def _of(takers, entry):
    return f"{', '.join(takers)}: {entry.help}"


def variants():
    """Return the click options that some variants have, each with the names of these."""
    return [
        from_catalogue(entry, _of(takers, entry))
        for entry, takers in flat.variant_options().values()
        if takers and entry.name not in flat.OPTIMIZERS
    ]


def configuration():
    """Return the click option of what authors trained with."""
    return option(
        "--config",
        type=click.Choice(list(catalogue.CONFIGURATIONS)),
        help="r3gan: its authors' networks, constants and augmentations for a data set. What else "
        "is given comes first.",
    )


def shared():
    """Return the click options that all variants have, penalties and augmentation included."""
    common = [from_catalogue(entry) for entry, takers in flat.variant_options().values()
              if not takers]  # fmt: skip
    penalties = []
    for name, entry in catalogue.PENALTIES.items():
        penalties.append(from_catalogue(entry.option("weight"), flag=f"--{name.replace('_', '-')}"))
    augment = next(o for o in catalogue.SHARED if o.name == "augment")
    augments = [
        from_catalogue(entry, _of(takers, entry) + _words_of(entry, takers))
        for entry, takers in flat.augment_options().values()
    ]
    return [*common, *penalties, from_catalogue(augment), *augments]


def _words_of(entry, kinds):
    """Return the words that an option of augmentations has, by the kind of these."""
    if entry.kind != "words":
        return ""
    name = entry.name.removeprefix("augment_")
    own = {kind: catalogue.AUGMENTATIONS[kind].option(name).choices for kind in kinds}
    return "".join(f"; of {kind} {','.join(choices)}" for kind, choices in own.items())


def sampling():
    """Return the sampling options of all variants, joined by name, and the variants of each."""
    return catalogue.by_name({name: one.sampling for name, one in catalogue.VARIANTS.items()})
