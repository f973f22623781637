"""Values in words."""


def duration(seconds):
    """Return a number of seconds in words: `8.1 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def extent(low, high):
    """Return a range in words that follow a noun: `from 0 to 9`, or `equal to 12`."""
    return f"equal to {low:g}" if low == high else f"from {low:g} to {high:g}"


def listed(names, most=20):
    """Return names with commas between them, no more than `most`: `ant, bee and 3 more`."""
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
