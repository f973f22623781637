"""The styles of the drawn heads, with who drew them, and the licence."""

import dataclasses
import difflib

NAME = "avatars"
_CC0, _BY = "CC0 1.0", "CC BY 4.0"


@dataclasses.dataclass(frozen=True)
class Style:
    """A style of DiceBear.

    Args:
        creator: Who drew its parts.
        licence: Under which they may be used, changed and passed on.
    """

    creator: str
    licence: str


# Those of DiceBear 10 whose licence lets anybody give away what is made of them, without those of
# letters. https://www.dicebear.com/licenses/
STYLES = {
    "adventurer": Style("Lisa Wischofsky", _BY),
    "adventurer-neutral": Style("Lisa Wischofsky", _BY),
    "big-ears": Style("The Visual Team", _BY),
    "big-ears-neutral": Style("The Visual Team", _BY),
    "big-smile": Style("Ashley Seo", _BY),
    "croodles": Style("vijay verma", _BY),
    "croodles-neutral": Style("vijay verma", _BY),
    "dylan": Style("Natalia Spivak", _BY),
    "fun-emoji": Style("Davis Uche", _BY),
    "lorelei": Style("Lisa Wischofsky", _CC0),
    "lorelei-neutral": Style("Lisa Wischofsky", _CC0),
    "micah": Style("Micah Lanier", _BY),
    "miniavs": Style("Webpixels", _BY),
    "notionists": Style("Zoish", _CC0),
    "notionists-neutral": Style("Zoish", _CC0),
    "open-peeps": Style("Pablo Stanley", _CC0),
    "personas": Style("Draftbit - draftbit.com", _BY),
    "toon-head": Style("Johan Melin", _BY),
    **{
        name: Style("DiceBear", _CC0)
        for name in (
            *("blobs", "cameo", "clay", "constellation", "critters", "cutouts", "disco", "gaze"),
            *("glass", "identicon", "landscape", "line-face", "loops", "marbles", "moods"),
            *("patchwork", "pixel-art", "pixel-art-neutral", "pixelbot", "planets", "rings"),
            *("shadows", "shape-grid", "shapes", "slice", "sprouts", "squircles", "stack"),
            *("stripes", "thumbs", "triangles", "voxel-art", "voxel-bot", "waves", "weave"),
        )
    },
}
EXAMPLES = ("moods", "clay", "planets", "pixel-art", "notionists")
PAGE = "https://www.dicebear.com/styles/"
FIRST_STYLE = "adventurer"


def is_avatars(name):
    """Return whether a name of data is that of drawn heads, with styles or without."""
    return isinstance(name, str) and name.partition(":")[0] == NAME


def styles(name):
    """Return the styles in a name: "avatars:moods,clay" has two, "avatars" its first alone.

    Raises:
        ValueError: If one of them is unknown, or stands there twice.
    """
    _, several, listed = name.partition(":")
    found = tuple(listed.split(",")) if several else (FIRST_STYLE,)
    for style in found:
        if style not in STYLES:
            near = difflib.get_close_matches(style, STYLES, n=5, cutoff=0.4) or EXAMPLES
            raise ValueError(
                f"`name_or_path` must be avatars:STYLE, of the styles {', '.join(near)} and others "
                f"({PAGE}). Received: {name!r}"
            )
    if len(set(found)) < len(found):
        raise ValueError(f"`name_or_path` must name each style once. Received: {name!r}")
    return found
