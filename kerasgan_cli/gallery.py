"""What the page of `kerasgan ui` shows, without the page: pictures, and what changes them."""

import dataclasses
import shlex
import threading
import time

import numpy as np
from keras import ops

from kerasgan import notebook, pictures
from kerasgan.adversarial import latent
from kerasgan.text import printable
from kerasgan_cli import options as made

SIZES = (4, 16, 64)  # Images computed at a time: a program for each, and no other later.
SECONDS = 0.7  # An answer should not take longer.
STEPS = 100  # Places of a walk, from one seed to the other,
STRIP = 8  # and how many of them are shown side by side.
ANY = -1  # The value of a choice that is left to the seed.


@dataclasses.dataclass(frozen=True)
class Control:
    """Something beside the seed that a visitor of the page can change.

    Args:
        name: Its name in Python.
        label: What it is called on the page.
        role: "label", "codes", or "option" for a sampling option of the variant.
        start: Its value at first.
        low: Least value of a number.
        high: Greatest value of a number.
        step: Between two values of a number.
        choices: Pairs of words and a value, where it is no number.
    """

    name: str
    label: str
    role: str
    start: object
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    choices: tuple = ()


class Gallery:
    """Pictures of one model for one visitor at a time.

    Args:
        model: An adversarial model.
        source: What the model was opened from, for the commands that draw the same.
        names: Names of its classes, or None.

    Attributes:
        controls: What a visitor can change, a list of `Control`.
        most: How many images are drawn at once, at most; `warm_up` finds it out.
    """

    def __init__(self, model, source, names=None):
        self.model = model
        self.source = source
        self.names = names
        self.most = SIZES[-1]
        self.controls = [*_label(model, names), *_codes(model), *_options(model)]
        self._lock = threading.Lock()

    def warm_up(self):
        """Compile what draws, and set `most` to what can be drawn while somebody waits.

        Returns:
            The images of seed 0, `(n, height, width, channels)`.
        """
        values = [control.start for control in self.controls]
        for size in SIZES:
            self._samples(size, 0, values)
            seconds = []
            for _ in range(2):  # Of which the machine may have been busy during one.
                started = time.perf_counter()
                images = self._samples(size, 0, values)
                seconds.append(time.perf_counter() - started)
            self.most = size
            if min(seconds) * 4 > SECONDS:
                break
        return images

    def samples(self, count, seed, values):
        """Return a grid of images as a Pillow image, large enough to be seen well.

        Args:
            count: How many images, from 1 to `most`.
            seed: Their seed.
            values: The values of `controls`.
        """
        return _picture(self._samples(count, seed, values))

    def _samples(self, count, seed, values):
        size = next(size for size in SIZES if size >= count)
        return self._decoded(self.model.latent_vectors(size, seed), seed, values)[:count]

    def walk(self, first, last, place, values):
        """Return the image at one place of the way between two seeds, as a Pillow image.

        Args:
            first: The seed at the place 0.
            last: The seed at the place `STEPS`.
            place: From 0 to `STEPS`.
            values: The values of `controls`.
        """
        z = self.model.interpolated_latents(STEPS + 1, first, last)[place : place + 1]
        return _picture(self._walk(z, first, values))

    def strip(self, first, last, values):
        """Return a row of images on the way between two seeds, as a Pillow image."""
        z = self.model.interpolated_latents(STRIP, first, last)
        return _picture(self._walk(z, first, values), columns=STRIP)

    def _walk(self, z, first, values):
        missing = -len(z) % SIZES[0]
        filled = np.concatenate([z, np.repeat(z[-1:], missing, axis=0)])
        return self._decoded(filled, first, values, walks=True)[: len(z)]

    def _decoded(self, z, seed, values, walks=False):
        """Return images of latent vectors whose number is one of `SIZES`, or several times 4."""
        label, codes, sampling = self._chosen(values)
        model = self.model
        n = len(z)
        if model.num_classes is not None and label is None:
            label = 0 if walks else latent.labels(n, model.num_classes, seed)
        if codes:  # In the latent vectors, so that one program draws whatever was chosen.
            codes = model.checked_sampling(n, codes=codes)["codes"]
            z = ops.convert_to_numpy(model.with_codes(z, codes))
        size = n if n in SIZES else SIZES[0]
        with self._lock:
            return model.decode_latents(z, label, size, noise_seed=seed, **sampling)

    def _chosen(self, values):
        """Return the label, the codes and the sampling options of the values of `controls`."""
        chosen = {"label": {}, "codes": {}, "option": {}}
        for control, value in zip(self.controls, values, strict=True):
            if not control.choices or value != ANY:
                chosen[control.role][control.name] = value
        return chosen["label"].get("class"), chosen["codes"], chosen["option"]

    def command(self, values, *arguments):
        """Return the command of the shell that draws the same.

        Args:
            values: The values of `controls`.
            *arguments: The first arguments after the source.
        """
        label, codes, sampling = self._chosen(values)
        words = ["kerasgan", "sample", self.source, *map(str, arguments)]
        if label is not None:
            named = label < len(self.names or ())
            words += ["--label", self.names[label] if named else str(label)]
        if codes:
            words += ["--codes", ",".join(f"{name}={value:g}" for name, value in codes.items())]
        starts = {control.name: control.start for control in self.controls}
        for name, value in sampling.items():
            if value != starts[name]:
                words += [f"--{name.replace('_', '-')}", str(value)]
        return printable(shlex.join(words))


def _picture(images, columns=None):
    image = pictures.picture(pictures.grid(images, columns))
    return notebook.enlarged(image, notebook.scale_of(image.height, image.width))


def _label(model, names):
    if model.num_classes is None:
        return []
    known = [*(names or ())][: model.num_classes]
    known += map(str, range(len(known), model.num_classes))
    choices = (("any", ANY), *((printable(name), i) for i, name in enumerate(known)))
    return [Control("class", "Class", "label", ANY, choices=choices)]


def _codes(model):
    if "codes" not in model.sampling_options:
        return []
    found = []
    for i, size in enumerate(model.categorical):
        choices = (("any", ANY), *((str(value), value) for value in range(size)))
        found.append(_code(f"categorical_{i}", ANY, choices=choices))
    names = model.code_names[len(model.categorical) :]
    return found + [_code(name, 0.0, low=-1.0, high=1.0, step=0.05) for name in names]


def _code(name, start, **more):
    return Control(name, name, "codes", start, **more)


def _options(model):
    """Return the sampling options that are numbers, words or switches, from the catalogue."""
    known = {name: entry for name, (entry, _) in made.sampling().items()}
    entries = [known[name] for name in model.sampling_options if name in known]
    return [_of_entry(entry) for entry in entries if entry.kind in ("integer", "number", "choice")]


def _of_entry(entry):
    """Return the `Control` of a sampling option of the catalogue."""
    label = entry.name.replace("_", " ").capitalize()
    if entry.kind == "choice":
        choices = tuple((str(choice), choice) for choice in entry.choices)
        start = entry.default or entry.choices[0]
        return Control(entry.name, label, "option", start, choices=choices)
    low = entry.minimum or 0
    high = entry.own_maximum or max(1, low)
    step = 1 if entry.kind == "integer" else (high - low) / 100
    start = high if entry.default is None else entry.default
    return Control(entry.name, label, "option", start, low, high, step)
