"""Render avatars and write their pixels to standard output; started by `avatars.render`.

The script imports neither Keras nor the rest of this library, so it starts at once.
"""

import io
import json
import sys
from importlib.resources import files

import resvg_py
from dicebear import Avatar, Style
from PIL import Image

# fmt: off
BACKGROUNDS = [
    "b6e3f4", "c0aede", "d1d4f9", "ffd5dc", "ffdfbf", "f4a261", "2a9d8f", "264653",
    "e76f51", "8ecae6", "a7c957", "6d597a", "f2e8cf", "e5989b", "577590", "f9c74f",
]
HAIR = [
    "0e0e0e", "e5d7a3", "b9a05f", "796a45", "85c2c6", "6a4e35", "562306", "afafaf",
    "3eac2c", "dba3be", "592454", "ac6511", "cb6820", "ab2a18", "3a5ba0", "f4f1ea",
]
SKIN = ["fbe3cd", "f2d3b1", "ecad80", "d08b5b", "ae6b3f", "9e5622", "763900", "502a12"]
# fmt: on


def render(name, style, index, size, channels, filled):
    """Return avatar number `index` as `size` x `size` pixels, RGB or RGBA.

    Those in the first style have colours of ours, and a background where it is to be `filled`.
    Those in others are as their creators have them.
    """
    options = {"seed": str(index)}
    if name == "adventurer":
        options |= {
            **({"backgroundColor": BACKGROUNDS} if filled else {}),
            "hairColor": HAIR,
            "skinColor": SKIN,
            "flip": ["none", "horizontal"],
        }
    svg = Avatar(style, options).to_string()
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
    image = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
    if channels == 4:
        return image
    # The background fills the square: only rounding at the edges leaves transparent pixels.
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def main(names, first, count, step, size, channels, filled):
    """Write avatars `first`, `first + step`, ... below `count`, in the styles in turn."""
    folder, styles = files("dicebear_styles"), []
    for name in names:
        text = folder.joinpath(f"{name}.json").read_text(encoding="utf-8")
        styles.append((name, Style(json.loads(text))))
    for index in range(first, count, step):
        image = render(*styles[index % len(styles)], index, size, channels, filled)
        sys.stdout.buffer.write(image.tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1].split(","), *map(int, sys.argv[2:]))
