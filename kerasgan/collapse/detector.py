"""Classify a history of measurements: learning, healthy, collapsing, collapsed or diverged."""

import dataclasses
import itertools
import typing

from kerasgan.text import counted

# The guard reports "unknown" if a check failed; the detector never does.
STATES = ("learning", "healthy", "collapsing", "collapsed", "diverged", "unknown")
# These numbers were chosen on the runs of `kerasgan bench collapse` called "design". Three of them
# were changed after the runs called "exam" had been seen.
LEARNED = 0.45  # From this level on a loss counts in full,
FAINT = 0.25  # and up to this one not at all, unless the generator was on its way.
RISEN = 0.15  # A generator was on its way if it had reached this level at least,
GROWN = 2  # and as many times its lowest level before.
SUDDEN = 0.5  # A loss that counts as a collapse after one check,
OF_SURFACE = 0.45  # and one of the surface, whose 150 cells make it steadier.
LASTING = 0.4  # A loss that counts as a collapse after two checks in a row.
DIP = 0.2  # A loss that is reported.
DIVERSE = 0.7  # From this diversity on images count as diverse.
CHANCE = 0.25  # A class has few images in a check, so this much of a loss may be chance.
SOFT = 0.75  # The loss of sharpness that counts as a loss of all: no blur takes it all away.
WHOLE = (0.6, 0.9)  # FAINT and LEARNED of the share of images without a twin,
SHARP = (0.4, 0.7)  # and of sharpness.


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the detector concludes from a history.

    Args:
        state: One of `STATES`.
        sentence: The evidence, as a sentence.
        score: How strong the evidence for a collapse is, from 0 to 1: the share of the best value
            that the generator has lost, reduced where the best was low. It is the greatest of all
            kinds of evidence.
        evidence: What was lost, the greatest loss first: "layout" and "surface" for parts of the
            data, "copies", "blur", and "class 3" or the like for a single class. If half of the
            layout is lost, it comes first.
        far: Whether the generator is healthy, and its images are still far from the data.
    """

    state: str
    sentence: str
    score: float
    evidence: tuple = ()
    far: bool = False

    @property
    def bad(self):
        """Whether the training has collapsed or diverged."""
        return self.state in ("collapsed", "diverged")


class Loss(typing.NamedTuple):
    """What was lost of one kind of evidence.

    Attributes:
        name: Its name; see `Verdict`.
        score: The loss that counts, from 0 to 1.
        last: The loss at the last check, from 0 to 1.
        learned: How far the generator had come, from 0 to 1.
        risen: Whether it was on its way, however far it had come.
        now: The value at the last check.
        had: The best value that two checks in a row have reached.
        place: The index of the second of these checks.
    """

    name: str
    score: float = 0.0
    last: float = 0.0
    learned: float = 0.0
    risen: bool = False
    now: float | None = None
    had: float = 0.0
    place: int = 0

    @property
    def reported(self):
        """Whether the loss is large enough to be reported."""
        if self.learned == 1:
            return self.last >= DIP or self.score >= LASTING
        return self.score >= LASTING or (self.risen and self.last >= LASTING)


class Detector:
    """Decides from a history of measurements whether a generator has collapsed.

    A generator that has not learned yet scores like one that has collapsed, so one measurement
    says little. The detector follows several kinds of evidence (see `Verdict`). It compares the
    last value of each with the best that two checks in a row have reached:

    - a loss of half of the best, or of 45 % of colours and textures, is a collapse at once;
    - a loss of two fifths is a collapse if two checks in a row see it;
    - where the best was low, losses count in part. But if the generator had at least doubled what
      it showed, and had come to 0.15, a loss of two fifths that two checks in a row see is a
      collapse;
    - a loss of sharpness counts a third more, since no blur takes all of it away.

    Args:
        class_names: Names of the classes, for the sentences.
    """

    def __init__(self, class_names=None):
        self.class_names = class_names

    def __call__(self, measurements):
        """Return the `Verdict` on a list of `Measurement`s, the oldest first.

        Raises:
            ValueError: If the list is empty.
        """
        if not measurements:
            raise ValueError("`measurements` must hold at least one. Received: none")
        last = measurements[-1]
        if not last.finite:
            return self.diverged("generated images hold NaN or infinite values")
        losses = [_loss(name, measurements, read) for name, read in _kinds(measurements)]
        now = f"diversity {last.diversity:.2f}, {_share(last)} of the parts of the data generated"
        learned = losses[0].learned
        reported = sorted((loss for loss in losses if loss.reported), key=_size, reverse=True)
        score, far = max(loss.score for loss in losses), False
        if reported:
            state = "collapsed" if score >= LASTING else "collapsing"
            now += f"; {self._told(reported[0], measurements)}"
        else:
            state = "learning" if learned < 1 else "healthy"
            far = learned == 1 and bool(last.far)
            now += _far(last) if far else ""
        if state == "learning" and len(measurements) == 1:
            now += "; the first check tells nothing of a loss yet"
        elif state == "learning":
            now += f"; it has not learned {'much yet' if learned else 'enough to lose it'}"
        return Verdict(state, now, score, tuple(loss.name for loss in reported), far)

    def _told(self, loss, measurements):
        """Return a loss as text."""
        had, ago = measurements[loss.place], len(measurements) - 1 - loss.place
        when = f"{counted(ago, 'check')} ago"
        if loss.name == "layout":
            return f"{when} it was {had.diversity:.2f}, and {_share(had)}"
        what = SAID.get(loss.name) or f"the variety of {self._named(loss.name)}"
        return f"{what} is {loss.now:.2f}; {when} it was {loss.had:.2f}"

    def _named(self, name):
        number = int(name.split()[1])
        if self.class_names is not None and number < len(self.class_names):
            return f"{name} ({self.class_names[number]})"
        return name

    @staticmethod
    def diverged(sentence):
        """Return the verdict where a loss, a weight or an image is not finite."""
        return Verdict("diverged", sentence, 1.0)


SAID = {
    "surface": "the variety of colours and textures",
    "copies": "the share of images without a twin",
    "blur": "the sharpness",
}


def _kinds(measurements):
    """Yield the name of each kind of evidence, and a function from measurements to its value."""
    yield "layout", lambda m: m.layout
    yield "surface", lambda m: m.surface
    yield "copies", lambda m: m.distinct
    yield "blur", lambda m: m.sharpness if m.detail else None
    for label in range(max(len(m.classes) for m in measurements)):
        yield (
            f"class {label}",
            lambda m, label=label: m.classes[label] if label < len(m.classes) else None,
        )


def _loss(name, measurements, read):
    """Return the `Loss` of one kind of evidence."""
    values = [read(m) for m in measurements]
    places = [i for i, value in enumerate(values) if value is not None]
    values = [values[i] for i in places]
    if not values or places[-1] != len(measurements) - 1:
        return Loss(name)
    faint, full, counted = FAINT, LEARNED, values
    if name in ("copies", "blur"):
        # The noise of a generator that has learned nothing is sharp, and never the same.
        faint, full = WHOLE if name == "copies" else SHARP
        shown = [measurements[i].layout >= RISEN for i in places]
        counted = [value * has for value, has in zip(values, shown, strict=True)]
    pairs = [(min(pair), i) for i, pair in enumerate(itertools.pairwise(counted), 1)]
    best, second = max(pairs, key=lambda pair: pair[0], default=(0.0, 0))
    learned = min(1.0, max(0.0, (best - faint) / (full - faint)))
    chance = CHANCE if name.startswith("class ") else 0.0
    lost = [1 - value / best if best > 0 else 0.0 for value in values[-2:]]
    all_of_it = SOFT if name == "blur" else 1.0
    lost = [min(1.0, max(0.0, (loss - chance) / (1 - chance)) / all_of_it) for loss in lost]
    sudden = OF_SURFACE if name == "surface" else SUDDEN
    score = learned * max(min(lost), lost[-1] if learned * lost[-1] >= sudden else 0.0)
    risen = best >= RISEN and best >= GROWN * min(values[: second + 1])
    if risen and min(lost) >= LASTING:
        score = max(score, LASTING + learned * (min(lost) - LASTING))
    return Loss(name, score, lost[-1], learned, risen, values[-1], best, places[second])


def _far(measurement):
    """Return that images are far from the data, as the end of a sentence."""
    diverse = "diverse, but " if measurement.diversity >= DIVERSE else ""
    return (
        f"; {diverse}far from the data: their colours and textures are near {measurement.near:.2f} "
        f"of the real images, and the closeness of the fine structure is "
        f"{measurement.fidelity:.2f}; both are 1 for other real images"
    )


def _size(loss):
    """Return the order of a loss: if half of the layout is gone, it explains all else."""
    return loss.name == "layout" and loss.last >= SUDDEN, loss.score, loss.last


def _share(measurement):
    return f"{min(1.0, measurement.cells):.0%}"
