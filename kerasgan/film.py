"""Films: a sequence of images as WebP, GIF or MP4.

Keras and Pillow are imported by the functions that need them.
"""

import itertools
import math
from pathlib import Path

from kerasgan import validation
from kerasgan.environment import require
from kerasgan.files import atomic
from kerasgan.text import printable

SIDE = 256  # Pixels of a picture's longer side, at least, unless a scale is asked for.
FASTEST = {".webp": 100, ".gif": 50, ".mp4": 120}  # Pictures a second, by the film's suffix.


def check(path, fps):
    """Raise an error unless a film of so many pictures a second can be written to `path`.

    Args:
        path: The file; it is not touched.
        fps: Pictures a second.

    Raises:
        ValueError: If the suffix is none of `FASTEST`, or there are too many pictures a second.
        MissingPackage: If the suffix is .mp4 and PyAV is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FASTEST:
        raise ValueError(f"`path` must end in {', '.join(FASTEST)}. Received: {printable(path)}")
    validation.positive_integer("fps", fps)
    if fps > FASTEST[suffix]:
        raise ValueError(
            f"`fps` must be at most {FASTEST[suffix]} in a {suffix}. Received: fps={fps}"
        )
    if suffix == ".mp4":
        require("a film in .mp4", ["av"], "video")


def scale_of(height, width):
    """Return how often each pixel is enlarged, so that the longer side has 256 pixels or more."""
    return max(1, math.ceil(SIDE / max(height, width)))


def save(path, steps, fps=25, columns=None, scale=None, loop=True):
    """Write images as a film, one step after the other.

    WebP is lossless and keeps transparency, and the same steps give the same bytes on one machine;
    so does GIF, which has 256 colours in each picture. GIF and MP4 show transparent pixels over
    white. MP4 is H.264 by PyAV (`pip install 'kerasgan[video]'`), and of its two sides each has an
    even number of pixels, if need be by a white line. Each step is asked for when it is its turn.

    Args:
        path: The file to write; its suffix, .webp, .gif or .mp4, chooses the format. It is replaced
            whole or not at all.
        steps: A sequence of arrays `(n, height, width, channels)` in [-1, 1], as
            `kerasgan.AdversarialModel.walk` returns it. Each is a picture, n images in a grid.
        fps: Pictures a second, at most 100 in a WebP, 50 in a GIF and 120 in an MP4.
        columns: Images in a row; by default about as many as rows.
        scale: Side in pixels of the square that shows one pixel; by default the least with which a
            picture's longer side has at least 256.
        loop: Whether a WebP or a GIF begins again at its end. Who shows an MP4 decides it.

    Returns:
        The width and the height of the film, in pixels.

    Raises:
        ValueError: If there are no steps, or an argument is out of range.
        MissingPackage: If PyAV is needed and not installed.
    """
    from PIL import Image

    from kerasgan import pictures

    check(path, fps)
    if not len(steps):
        raise ValueError("`steps` must hold at least one array of images. Received: none")
    suffix = Path(path).suffix.lower()

    def picture(place):
        image = pictures.picture(pictures.grid(steps[place], columns))
        times = scale or scale_of(image.height, image.width)
        if times > 1:
            size = image.width * times, image.height * times
            image = image.resize(size, Image.Resampling.NEAREST)
        if suffix == ".webp":
            return image if image.mode in ("RGB", "RGBA") else image.convert(_COLOUR[image.mode])
        return pictures.opaque(image)

    film = pictures.Frames(len(steps), picture)
    with atomic(path) as temporary:
        _WRITERS[suffix](temporary, film, fps, loop)
    return film.size


_COLOUR = {"L": "RGB", "LA": "RGBA"}


def _webp(path, film, fps, loop):
    film.save(
        path,
        format="WEBP",
        save_all=True,
        duration=1000 / fps,
        loop=0 if loop else 1,
        lossless=True,
    )


def _gif(path, film, fps, loop):
    # Its times are hundredths of a second.
    ends = [10 * round(100 * place / fps) for place in range(film.n_frames + 1)]
    durations = [end - start for start, end in itertools.pairwise(ends)]
    film.save(
        path, format="GIF", save_all=True, duration=durations, **({"loop": 0} if loop else {})
    )


def _mp4(path, film, fps, loop):
    import av
    from PIL import Image

    width, height = (side + side % 2 for side in film.size)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("h264", rate=fps, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for place in range(film.n_frames):
            film.seek(place)
            canvas = Image.new("RGB", (width, height), "white")
            canvas.paste(film, (0, 0))
            container.mux(stream.encode(av.VideoFrame.from_image(canvas)))
        container.mux(stream.encode())


_WRITERS = {".webp": _webp, ".gif": _gif, ".mp4": _mp4}
