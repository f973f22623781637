"""How fast a training goes."""

_MARKS = 256  # Remembered at most; then every second one is forgotten.


class Pace:
    """Tells from the past of a training how long the rest will take.

    Of the past the later half counts: programs are compiled in the first one, also those of steps
    and of pictures that come seldom.
    """

    def __init__(self):
        self._steps, self._seconds = 0, 0.0  # Of steps that were followed by another one.
        self._marks, self._stride = [(0, 0.0)], 1  # Both, after every so many steps.
        self._ends = []  # Of each whole epoch, the seconds from its last step to the next epoch.
        self.after = 0.0  # Of the last one, the seconds from its end to the next epoch.

    def add_step(self, seconds):
        """Count a step that another one of its epoch has followed."""
        self._steps += 1
        self._seconds += seconds
        if self._steps % self._stride == 0:
            self._marks.append((self._steps, self._seconds))
        if len(self._marks) > _MARKS:
            del self._marks[1::2]
            self._stride *= 2

    def add_end(self, seconds):
        """Count a whole epoch, of which this is the time from its last step to its end."""
        # What follows is not known yet: it is taken to be as after the epoch before.
        self._ends.append(seconds + self.after)

    def add_after(self, seconds):
        """Count what followed the end of the last epoch too."""
        if self._ends:
            self._ends[-1] += seconds - self.after
        self.after = seconds

    @property
    def step(self):
        """Seconds of a step, or None if none was counted."""
        if not self._steps:
            return None
        half = self._steps / 2
        steps, seconds = next(mark for mark in reversed(self._marks) if mark[0] <= half)
        return (self._seconds - seconds) / (self._steps - steps)

    @property
    def end(self):
        """Seconds from the last step of an epoch to the next epoch, or None."""
        recent = self._ends[max(1, len(self._ends) // 2) :] or self._ends
        return sum(recent) / len(recent) if recent else self.step

    def left(self, steps, epochs, of_this=None):
        """Return the seconds that are left, or None if nothing is known.

        Args:
            steps: Of a whole epoch.
            epochs: Whole epochs that are left.
            of_this: Steps that are left of the present one, if it is not over.
        """
        if self.end is None:
            return None
        step = self.step or 0.0  # Epochs of one step have their ends alone.
        seconds = epochs * ((steps - 1) * step + self.end)
        return seconds if of_this is None else seconds + (of_this - 1) * step + self.end
