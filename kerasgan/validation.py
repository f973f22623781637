"""Checks of single arguments; each error names the argument, the rule and what was received."""

import math
import numbers
import re

from kerasgan.text import quoted


def positive_integer(name, value):
    """Raise ValueError unless `value` is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={quoted(value)}")


def positive(name, value, zero=False):
    """Raise ValueError unless `value` is a positive (or, with `zero`, non-negative) number."""
    if not _is_finite(value) or value < 0 or (value == 0 and not zero):
        rule = "a non-negative number" if zero else "a positive number"
        raise ValueError(f"`{name}` must be {rule}. Received: {name}={quoted(value)}")


def _is_finite(value):
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # An integer that no float can hold.
        return False


def fraction(name, value, optional=False):
    """Raise ValueError unless `value` is in (0, 1), or None if it is optional."""
    if optional and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < 1:
        rule = "in (0, 1)" + (" or None" if optional else "")
        raise ValueError(f"`{name}` must be {rule}. Received: {name}={quoted(value)}")


def choice(name, value, allowed):
    """Raise ValueError unless `value` is one of `allowed`."""
    allowed = list(allowed)
    if value not in allowed:
        raise ValueError(f"`{name}` must be one of {allowed}. Received: {name}={quoted(value)}")


_COLOURS = {"white": (255, 255, 255), "black": (0, 0, 0)}


def colour(name, value):
    """Return "white", "black" or "#rrggbb" as red, green and blue from 0 to 255.

    Raises:
        ValueError: If it is anything else.
    """
    if isinstance(value, str) and value in _COLOURS:
        return _COLOURS[value]
    if isinstance(value, str) and re.fullmatch("#[0-9a-fA-F]{6}", value):
        return tuple(bytes.fromhex(value[1:]))
    raise ValueError(
        f"`{name}` must be white, black or #rrggbb, as #ff8000. Received: {name}={quoted(value)}"
    )
