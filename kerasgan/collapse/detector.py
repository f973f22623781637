"""What the history of looks says: learning, healthy, collapsing, collapsed or diverged."""

import dataclasses
import itertools
import math

STATES = ("learning", "healthy", "collapsing", "collapsed", "diverged")
# Chosen on the half of `kerasgan bench collapse` that is for design.
FAINT = 0.25  # The level up to which there is nothing to lose.
LEARNED = 0.45  # The level from which on a loss counts in full; in between it counts in part.
SUDDEN = 0.5  # The loss that one look is believed.
LASTING = 0.4  # The loss that two looks in a row are believed.
DIP = 0.2  # The loss that is mentioned.


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the detector makes of a history.

    Args:
        state: One of `STATES`.
        sentence: The evidence, in plain words.
        score: How strong it is, from 0 to 1: the share of its best level that the generator lost,
            less where it had not learned much.
    """

    state: str
    sentence: str
    score: float

    @property
    def bad(self):
        """Whether there is something to put back."""
        return self.state in ("collapsed", "diverged")


class Detector:
    """Judges a history of looks by what the generator once had.

    A generator that has not learned yet scores like one that has collapsed, so the level of a look
    says nothing by itself: the detector compares it with the best that two looks in a row have
    seen, and believes the less in a loss the less there was to lose. A loss of half is believed at
    once; a loss of two fifths if the next look sees it too.
    """

    def __call__(self, looks):
        """Return the `Verdict` on a history of `Look`s, the oldest first.

        Raises:
            ValueError: If there is none.
        """
        if not looks:
            raise ValueError("`looks` must hold at least one look. Received: none")
        last = looks[-1]
        if not last.finite:
            return self.diverged("generated images hold NaN or infinite values")
        levels = [level(look) for look in looks]
        best, place = _best(levels)
        now = f"diversity {last.diversity:.2f}, {_share(last)} of the parts of the data drawn"
        learned = min(1.0, (best - FAINT) / (LEARNED - FAINT))
        if learned <= 0:
            return Verdict("learning", f"{now}; it has not learned enough to lose it", 0.0)
        lost = [learned * max(0.0, 1 - x / best) for x in levels[-2:]]
        score = max(min(lost), lost[-1] if lost[-1] >= SUDDEN else 0.0)
        had, ago = looks[place], len(looks) - 1 - place
        then = f"; {ago} look{'s' * (ago > 1)} ago it was {had.diversity:.2f}, and {_share(had)}"
        if score >= LASTING:
            return Verdict("collapsed", now + then, score)
        if learned < 1:
            return Verdict("learning", f"{now}; it has not learned much yet", score)
        if lost[-1] >= DIP:
            return Verdict("collapsing", now + then, score)
        return Verdict("healthy", now, score)

    @staticmethod
    def diverged(what):
        """Return the verdict on numbers that are not finite."""
        return Verdict("diverged", what, 1.0)


def level(look):
    """Return how much of the real data a look shows, from 0 to about 1.

    How much of the data is drawn, and with less weight how near real images the generated ones
    come: a blur over everything has the first alone.
    """
    return math.cbrt(max(0.0, look.coverage)) * (look.diversity + look.cells) / 2


def _share(look):
    return f"{min(1.0, look.cells):.0%}"


def _best(levels):
    """Return the highest level that two looks in a row had, and the second one's number."""
    pairs = [(min(pair), i) for i, pair in enumerate(itertools.pairwise(levels), 1)]
    return max(pairs, key=lambda pair: pair[0], default=(0.0, 0))
