"""Classify a history of measurements: learning, healthy, collapsing, collapsed or diverged."""

import dataclasses
import itertools
import math

# The guard reports "unknown" if a check failed; the detector never does.
STATES = ("learning", "healthy", "collapsing", "collapsed", "diverged", "unknown")
# These numbers were chosen on the half of `kerasgan bench collapse` called "design".
FAINT = 0.25  # Up to this level the generator has nothing to lose.
LEARNED = 0.45  # From this level on a loss counts in full; between the two it counts in part.
SUDDEN = 0.5  # A loss that counts as a collapse after one check.
LASTING = 0.4  # A loss that counts as a collapse after two checks in a row.
DIP = 0.2  # A loss that is reported.


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the detector concludes from a history.

    Args:
        state: One of `STATES`.
        sentence: The evidence, as a sentence.
        score: How strong the evidence for a collapse is, from 0 to 1: the share of its best level
            that the generator has lost, reduced where the best level was low.
    """

    state: str
    sentence: str
    score: float

    @property
    def bad(self):
        """Whether the training has collapsed or diverged."""
        return self.state in ("collapsed", "diverged")


class Detector:
    """Decides from a history of measurements whether a generator has collapsed.

    A generator that has not learned yet scores like one that has collapsed, so one measurement
    says little. The detector compares the last level (see `level`) with the best level that two
    checks in a row have reached:

    - a loss of half of the best level is a collapse at once;
    - a loss of two fifths is a collapse if two checks in a row see it;
    - where the best level was low, losses count in part.
    """

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
        levels = [level(measurement) for measurement in measurements]
        best, place = _best(levels)
        now = f"diversity {last.diversity:.2f}, {_share(last)} of the parts of the data generated"
        learned = min(1.0, (best - FAINT) / (LEARNED - FAINT))
        if learned <= 0:
            return Verdict("learning", f"{now}; it has not learned enough to lose it", 0.0)
        lost = [learned * max(0.0, 1 - x / best) for x in levels[-2:]]
        score = max(min(lost), lost[-1] if lost[-1] >= SUDDEN else 0.0)
        had, ago = measurements[place], len(measurements) - 1 - place
        then = f"; {ago} check{'s' * (ago > 1)} ago it was {had.diversity:.2f}, and {_share(had)}"
        if score >= LASTING:
            return Verdict("collapsed", now + then, score)
        if learned < 1:
            return Verdict("learning", f"{now}; it has not learned much yet", score)
        if lost[-1] >= DIP:
            return Verdict("collapsing", now + then, score)
        return Verdict("healthy", now, score)

    @staticmethod
    def diverged(sentence):
        """Return the verdict where a loss, a weight or an image is not finite."""
        return Verdict("diverged", sentence, 1.0)


def level(measurement):
    """Return how much of the real data a `Measurement` shows, from 0 to about 1.

    The level is the mean of `diversity` and `cells`, times the cube root of `coverage`. Coverage
    lowers the level of blurred images, which may lie in every cell but near no real image.
    """
    shown = (measurement.diversity + measurement.cells) / 2
    return math.cbrt(max(0.0, measurement.coverage)) * shown


def _share(measurement):
    return f"{min(1.0, measurement.cells):.0%}"


def _best(levels):
    """Return the highest level that two checks in a row reached, and the index of the second."""
    pairs = [(min(pair), i) for i, pair in enumerate(itertools.pairwise(levels), 1)]
    return max(pairs, key=lambda pair: pair[0], default=(0.0, 0))
