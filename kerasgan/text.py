"""Values in words."""


def duration(seconds):
    """Return a number of seconds in words: `8.1 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def counted(number, noun, plural=None):
    """Return a number and what is counted: `1 image`, `2,000 images`.

    Args:
        number: How many there are.
        noun: What one is called.
        plural: What several are called; by default the noun and an s.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def extent(low, high):
    """Return a range in words that follow a noun: `from 0 to 9`, or `equal to 12`."""
    return f"equal to {low:g}" if low == high else f"from {low:g} to {high:g}"


def short(error, most=300, named=True):
    """Return an error in one line of at most so many characters.

    Keras puts whole configurations into its messages.

    Args:
        error: An exception.
        most: Greatest number of characters of its message.
        named: Whether its type comes first.
    """
    text = clipped(printable(" ".join(str(error).split())), most)
    return f"{type(error).__name__}: {text}" if named else text


def clipped(text, most):
    """Return text with its middle left out if it has more characters than that."""
    return text if len(text) <= most else f"{text[: most - 55]} ... {text[-50:]}"


def printable(text):
    """Return text without characters that move a terminal's cursor, or are no characters at all.

    Names of files may hold any bytes.
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in str(text)
    )


def told(text, most=200):
    """Return somebody else's text in a form that fits into a message: one line, and not long."""
    return clipped(printable(text), most)


def quoted(value, most=200):
    """Return a value as Python writes it, in a form that fits into a message."""
    try:
        return told(repr(value), most)
    except (ValueError, RecursionError):  # Thousands of digits, or of lists in each other.
        return f"a value of the type {type(value).__name__} that is too large to show"


def listed(names, most=20):
    """Return names with commas between them, no more than `most`: `ant, bee and 3 more`."""
    names = [told(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
