"""Says of generated images, whoever made them, what the guard would say."""

import numpy as np

from kerasgan.callbacks.guard_records import GuardRecords
from kerasgan.collapse import Detector, DiversityMetric, Entry
from kerasgan.data import from_uint8
from kerasgan.data.dataset import checked_images
from kerasgan.data.pixels import warn_without_dark
from kerasgan.text import extent

PER_CELL = 3  # Generated images for each part into which the real images are divided, at least.
MOST_CELLS = 50
FAR_OUT = 1.5  # No generator for images in [-1, 1] has such values at the start.


class Watcher:
    """Measures batches of generated images, and notices when the generator loses what it had.

    It is the part of `kerasgan.callbacks.CollapseGuard` that needs no model: it measures, decides
    and reports, and restores nothing. Use it in a training loop of your own, or with
    `kerasgan watch` beside another program.

    Args:
        images: At least 40 real images, an `ImageDataset` or an array `(n, height, width,
            channels)`, uint8 or floats in [-1, 1].
        samples: Generated images in a check. Fewer than about 300 make the verdicts less certain.
        folder: Where to write `report.html` and `guard/journal.json`, or None.
        on_collapse: A callable or a command that is told of a collapse; see
            `kerasgan.collapse.message.send`.
        seed: Seed of the choice of real images.
        stream: Where to print messages; by default `sys.stdout`.

    Attributes:
        verdict: The `kerasgan.collapse.Verdict` of the last check, or None.
        samples: Generated images in a check: at most a third of the real images.

    Raises:
        DataError: If the real images are no such array.
        MetricError: If there are too few of them, or all are equal.

    Example:
    ```python
    watcher = kerasgan.watch.Watcher(real, samples=500)
    for step in range(steps):
        ...
        if step % 500 == 0 and watcher.check(generate(500), step).bad:
            break
    ```
    """

    def __init__(self, images, samples=1000, folder=None, on_collapse=None, seed=0, stream=None):
        images = checked_images(getattr(images, "images", images))
        cells = min(MOST_CELLS, max(10, samples // PER_CELL))
        self.metric = DiversityMetric(images, samples, cells, seed)
        self.samples = self.metric.samples
        self.image_shape = tuple(images.shape[1:])
        self.verdict = None
        self._detector = Detector()
        self._place = (0, 0)
        self._records = GuardRecords(folder, stream, lambda: self._place, on_collapse)
        if self.metric.unseen:
            self._records.say(self.metric.unseen)
        self._records.begin()
        self._records.write_exemplars(self.metric)

    @property
    def journal(self):
        """The `kerasgan.collapse.Journal` of all checks."""
        return self._records.journal

    def check(self, images, step=None):
        """Measure generated images and return the `kerasgan.collapse.Verdict`.

        Args:
            images: At least `samples` images `(n, height, width, channels)`, uint8 or floats in
                [-1, 1]. What lies outside is clipped, except in the first check.
            step: Where the training is; by default the number of the check, from 1.

        Raises:
            ValueError: If the images have another shape, are fewer than `samples`, or are of
                another range in the first check.
        """
        images = np.asarray(images)
        if images.shape[1:] != self.image_shape or len(images) < self.samples:
            expected = ", ".join(map(str, (self.samples, *self.image_shape)))
            raise ValueError(
                f"`images` must have the shape ({expected}) or hold more images. Received: shape "
                f"{images.shape}"
            )
        images = self._in_range(images[: self.samples])
        number = len(self.journal.entries) + 1
        self._place = number, number if step is None else step
        measurement = self.metric.measure(images)
        before, verdict = self.verdict, self._detector([*self.journal.current, measurement])
        self.verdict = verdict
        entry = Entry(*self._place, measurement, verdict.state, verdict.sentence, verdict.evidence)
        self._records.add(entry, self.metric, images, verdict.bad)
        if verdict.bad and not (before and before.bad):  # Once for each collapse.
            self._records.decide("warn", verdict.sentence)
        self._records.write_journal()
        return verdict

    def _in_range(self, images):
        """Return images as floats in [-1, 1]; NaN stays."""
        if images.dtype == np.uint8:
            return from_uint8(images)
        if not np.issubdtype(images.dtype, np.floating):
            raise ValueError(
                f"`images` must be uint8 or floats in [-1, 1]. Received: dtype {images.dtype}"
            )
        if not self.journal.entries and np.isfinite(images).all():
            # Later a generator that diverges may leave the range, and that is to be seen.
            low, high = float(images.min()), float(images.max())
            if max(-low, high) > FAR_OUT:
                raise ValueError(
                    "`images` must be floats in [-1, 1], or uint8. Received: values "
                    f"{extent(low, high)}"
                )
            warn_without_dark("images", low, high)
        return np.clip(images, -1, 1).astype("float32")

    def write_report(self, frames=()):
        """Write `report.html` into the folder, if there is one.

        Args:
            frames: Paths of pictures that show the training, in its order.
        """
        self._records.write_report(frames)
