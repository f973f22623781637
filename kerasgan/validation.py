"""Checks of single arguments; each error names the argument, the rule and what was received."""

import math
import numbers


def positive_integer(name, value):
    """Raise ValueError unless `value` is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")


def positive(name, value, zero=False):
    """Raise ValueError unless `value` is a positive (or, with `zero`, non-negative) number."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        rule = "a non-negative number" if zero else "a positive number"
        raise ValueError(f"`{name}` must be {rule}. Received: {name}={value!r}")


def fraction(name, value, optional=False):
    """Raise ValueError unless `value` is in (0, 1), or None if it is optional."""
    if optional and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < 1:
        rule = "in (0, 1)" + (" or None" if optional else "")
        raise ValueError(f"`{name}` must be {rule}. Received: {name}={value!r}")


def choice(name, value, allowed):
    """Raise ValueError unless `value` is one of `allowed`."""
    allowed = list(allowed)
    if value not in allowed:
        raise ValueError(f"`{name}` must be one of {allowed}. Received: {name}={value!r}")
