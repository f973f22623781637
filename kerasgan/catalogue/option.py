"""`Option`: an argument as a person can give it, with its kind, its range and a line of help."""

import dataclasses
import math
import numbers

from kerasgan import sizes
from kerasgan.text import quoted

MOST = 10**9  # Greatest value of an integer that has no bound of its own,
LARGEST = 1e6  # and of another number.
KINDS = (
    *("integer", "number", "size", "flag", "choice", "words", "text", "integers", "mapping"),
    "object",
)


@dataclasses.dataclass(frozen=True)
class Option:
    """An argument of a constructor or a builder.

    Args:
        name: Its name in Python; in the shell it has hyphens for underscores.
        kind: One of `KINDS`. A "size" is an integer, or height and width. "integers" is a list of
            integers, "mapping" a dictionary from names to numbers, and an "object" is nothing that
            the shell or a recipe can give. "words" are some of `choices`, with commas between them.
        help: One line that says what it does.
        minimum: Least value of a number.
        maximum: Greatest value.
        above: Whether the least value itself is excluded.
        below: Whether the greatest value itself is excluded.
        choices: What a "choice" may be, and each of the "words".
        none: The value of the shell that stands for None, where None is allowed.
        shell: Whether `kerasgan train` has an option of this name.
        default: What it is by default, where a check needs to know.
        steps: Whether it counts critic steps, so that a recipe may give a share of the training.
        alias: A shorter name, which the shell and files of version 0.1 have too.
    """

    name: str
    kind: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    above: bool = False
    below: bool = False
    choices: tuple = ()
    none: object = None
    shell: bool = True
    default: object = None
    steps: bool = False
    alias: str | None = None

    @property
    def flag(self):
        """Its name in the shell."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def own_maximum(self):
        """Its greatest value, or None where that is one that nobody would ask for."""
        return None if self.maximum in (MOST, LARGEST) else self.maximum

    def check(self, value):
        """Raise ValueError unless `value`, as JSON holds it, is of its kind and in its range."""
        if value is None and self.none is not None:
            return
        rule = self._broken_rule(value)
        if rule is not None:
            raise ValueError(f"`{self.name}` must be {rule}. Received: {self.name}={quoted(value)}")

    def _broken_rule(self, value):
        """Return the rule that a value breaks, in words, or None."""
        if self.kind == "choice":
            return None if value in self.choices else f"one of {list(self.choices)}"
        if self.kind == "words":
            found = value.split(",") if isinstance(value, str) else [None]
            fits = set(found) <= set(self.choices) and len(set(found)) == len(found)
            return None if fits else f"some of {', '.join(self.choices)}, with commas between them"
        if self.kind == "flag":
            return None if isinstance(value, bool) else "true or false"
        if self.kind == "text":
            fits = isinstance(value, str) and "\0" not in value
            return None if fits else "text without a NUL character"
        if self.kind == "size":
            try:
                sizes.sides(value)
            except ValueError:
                return f"a number, or height and width, from 1 to {sizes.LARGEST:,} pixels"
            return None
        if self.kind == "integers":
            several = isinstance(value, (list, tuple)) and all(map(self._in_range, value))
            return None if several else f"a list of integers{self._range(None)}"
        if self.kind == "mapping":
            return None if isinstance(value, dict) else "a mapping from names to numbers"
        if self.kind in ("integer", "number"):
            kind = "an integer" if self.kind == "integer" else "a number"
            return None if self._in_range(value) else f"{kind}{self._range(value)}"
        return None

    def _in_range(self, value):
        kind = numbers.Real if self.kind == "number" else numbers.Integral
        # An integer may be too large for `math.isfinite`.
        finite = isinstance(value, kind) and -math.inf < value < math.inf
        if isinstance(value, bool) or not finite:
            return False
        low = (
            self.minimum is None
            or value > self.minimum
            or (value == self.minimum and not self.above)
        )
        high = (
            self.maximum is None
            or value < self.maximum
            or (value == self.maximum and not self.below)
        )
        return low and high

    def _range(self, value):
        words = []
        if self.minimum is not None:
            words.append(f"{'above' if self.above else 'of at least'} {self.minimum:g}")
        # What nobody would ask for needs no words, unless somebody did.
        asked = isinstance(value, numbers.Real) and value > 1
        if self.maximum is not None and (self.own_maximum is not None or asked):
            words.append(f"{'below' if self.below else 'of at most'} {_plain(self.maximum)}")
        return " " + " and ".join(words) if words else ""


def _plain(number):
    """Return a number as people write it."""
    return f"{number:,.0f}" if 1000 <= number < 1e16 else f"{number:g}"


def joined(options):
    """Return one `Option` that takes all that any of several options of one name takes.

    Args:
        options: Entries of several variants or architectures. The first brings the help.

    Raises:
        ValueError: If they differ in kind.
    """
    first = options[0]
    if len({option.kind for option in options}) > 1:
        kinds = ", ".join(option.kind for option in options)
        raise ValueError(
            f"options of one name must be of one kind. Received: {first.name}: {kinds}"
        )
    lows, highs = [o.minimum for o in options], [o.maximum for o in options]
    low = None if None in lows else min(lows)
    high = None if None in highs else max(highs)
    return dataclasses.replace(
        first,
        minimum=low,
        maximum=high,
        above=all(o.above for o in options if o.minimum == low),
        below=all(o.below for o in options if o.maximum == high),
        choices=tuple(dict.fromkeys(c for option in options for c in option.choices)),
        none=next((o.none for o in options if o.none is not None), None),
    )


def by_name(options):
    """Return the options of several takers, those of one name joined.

    Args:
        options: For each taker, such as a variant, its options.

    Returns:
        For each name the `Option` and the list of its takers.
    """
    entries, takers = {}, {}
    for taker, own in options.items():
        for option in own:
            entries.setdefault(option.name, []).append(option)
            takers.setdefault(option.name, []).append(taker)
    return {name: (joined(found), takers[name]) for name, found in entries.items()}


def integer(name, help, minimum=1, maximum=MOST, **more):
    """Return an `Option` that is an integer, from 1 to a thousand million."""
    return Option(name, "integer", help, minimum=minimum, maximum=maximum, **more)


def weight(name, help, maximum=LARGEST, **more):
    """Return an `Option` that is a number from 0 to a million."""
    return Option(name, "number", help, minimum=0, maximum=maximum, **more)


def positive(name, help, maximum=LARGEST, **more):
    """Return an `Option` that is a number above 0, up to a million."""
    return Option(name, "number", help, minimum=0, above=True, maximum=maximum, **more)


def flag(name, help, **more):
    """Return an `Option` that is true or false."""
    return Option(name, "flag", help, **more)


def choice(name, choices, help, **more):
    """Return an `Option` that is one of some words."""
    return Option(name, "choice", help, choices=tuple(choices), **more)


def given(name, help):
    """Return an `Option` that Python gives, and neither the shell nor a recipe by its name."""
    return Option(name, "object", help, shell=False)
