"""Images as a part of the page."""

import base64
import html
import io
import json

import numpy as np

from kerasgan import pictures

FRAMES = 24  # Grids of samples in the page, from evenly spaced epochs.
FRAME_SIDE = 640  # Pixels; larger grids are shrunk to it.


def tile(pixels, alt, kind=None):
    """Return one image `(height, width, 1 to 4)`, uint8, as HTML.

    Args:
        pixels: The image.
        alt: What it is, in words.
        kind: A CSS class, or None.
    """
    more = "" if kind is None else f' class="{kind}"'
    return f'<img alt="{alt}"{more} src="{_url(pictures.picture(pixels), "PNG")}">'


def can_be_shown(images):
    """Return whether an array of images is one of pictures; points of a mixture are not."""
    return images.ndim == 4 and images.shape[-1] in pictures.MODES and images.shape[1] >= 4


def frames(paths, real=None):
    """Return the pictures at some paths with a slider that goes through them, or "" for none.

    Those that cannot be read are left out.

    Args:
        paths: The pictures of generated images, in their order.
        real: A picture of real images, which is shown beside them, or None.
    """
    if not paths:
        return ""
    chosen = sorted({round(i) for i in np.linspace(0, len(paths) - 1, min(FRAMES, len(paths)))})
    shown = [(_moment(paths[i]), embedded(paths[i])) for i in chosen]
    shown = [(name, source) for name, source in shown if source is not None]
    if not shown:
        return ""
    names, sources = zip(*shown, strict=True)
    newest = html.escape(names[-1])
    last = len(names) - 1
    beside = None if real is None else embedded(real)
    if beside is not None:
        beside = (
            f'<figure><img alt="Real images" src="{beside}">'
            "<figcaption>Real images</figcaption></figure>"
        )
    return f"""<h2>What it generated</h2>
<div class="frames">
<p><label for="frame">Drag to go through the epochs: <output id="name">{newest}</output>
</label></p>
<input id="frame" type="range" min="0" max="{last}" value="{last}">
<div class="pair">
<figure><img id="grid" alt="Generated images of {newest}" src="{sources[last]}">
<figcaption>Generated images</figcaption></figure>
{beside or ""}
</div>
</div>
<script>{_script(names, sources)}</script>"""


def _script(names, sources):
    """Return the page's only script, which shows the picture that the slider is at."""
    # In a script nothing is escaped but what would end it.
    names, sources = (json.dumps(value).replace("<", "\\u003c") for value in (names, sources))
    return f"""
const names = {names}, sources = {sources};
document.getElementById("frame").addEventListener("input", event => {{
  const i = Number(event.target.value), grid = document.getElementById("grid");
  grid.src = sources[i];
  grid.alt = "Generated images of " + names[i];
  document.getElementById("name").textContent = names[i];
}});
"""


def _moment(path):
    """Return when a picture was made, as its name tells."""
    name, _, number = path.stem.partition("_")
    return f"epoch {int(number)}" if name == "epoch" and number.isdecimal() else path.name


def embedded(path):
    """Return a picture file as a data URL, shrunk and compressed; None if it cannot be read."""
    image = pictures.opened(path)
    if image is None:
        return None
    image.thumbnail((FRAME_SIDE, FRAME_SIDE))
    return _url(image, "WEBP", quality=80)


def _url(image, form, **options):
    memory = io.BytesIO()
    image.save(memory, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(memory.getvalue()).decode()}"
