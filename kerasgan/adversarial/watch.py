"""Whether batches that nobody has looked at hold what the networks expect."""

from keras import ops

from kerasgan.adversarial.each_step import EachStep
from kerasgan.data.pixels import warn_without_dark
from kerasgan.text import extent

TOLERANCE = 1e-3  # Of values that a resize or a conversion rounds.


def usable(images, labels, model):
    """Return a batch that a step can be taken on, and what was measured of the given one.

    Layers report labels out of range, and packing an odd batch, unclearly or not at all. The
    `Watch` raises an error that names the argument. Until it does, NaN becomes grey and other
    values are clipped, so that no weight breaks.

    Args:
        images: `(batch_size, height, width, channels)`; the batch of a replica may be empty.
        labels: Class numbers `(batch_size,)`, or None.
        model: The adversarial model.

    Returns:
        Images, labels, and a dict of float32 scalars, which are computed with the step.
    """
    seen = _measured(images, labels, model)
    if images.shape[0] is None and model.packing > 1:
        whole = ops.shape(images)[0] - ops.shape(images)[0] % model.packing
        images = images[:whole]
    finite = ops.isfinite(images)
    images = ops.clip(ops.where(finite, images, ops.zeros_like(images)), -1.0, 1.0)
    if labels is not None:
        labels = ops.clip(labels, 0, model.num_classes - 1)
    return images, labels, seen


def _measured(images, labels, model):
    # Counts are positive also in the mean over replicas, which Keras takes of these.
    found = {
        "outside": ops.sum(ops.cast(ops.abs(images) > 1.0 + TOLERANCE, "float32")),
        "nan": ops.sum(ops.cast(ops.logical_not(ops.isfinite(images)), "float32")),
        "highest": ops.max(images, initial=-1.0),
        "minus lowest": ops.max(-images, initial=-1.0),
    }
    if images.shape[0] is None:
        found["odd"] = ops.cast(ops.shape(images)[0] % model.packing, "float32")
    if labels is not None:
        wrong = ops.logical_or(labels < 0, labels >= model.num_classes)
        found["wrong labels"] = ops.sum(ops.cast(wrong, "float32"))
        numbers = ops.cast(labels, "float32")
        found["highest label"] = ops.max(numbers, initial=-(2.0**31))
        found["minus lowest label"] = ops.max(-numbers, initial=-(2.0**31))
    return found


class Watch(EachStep):
    """Remembers what `usable` measured, and raises an error where a batch cannot be trained on.

    It looks at the first batch before the second one, and at all of them when the epoch ends; in
    between, nothing waits for the device.

    Args:
        name: What an error calls the images, as "x".
    """

    def __init__(self, name):
        super().__init__()
        self.name = name
        self.found = None
        self.warned = False

    def add(self, found):
        """Remember what was measured of one more batch, a dict."""
        self.found = (
            found
            if self.found is None
            else {key: ops.maximum(value, found[key]) for key, value in self.found.items()}
        )

    def check(self):
        """Raise or warn about the batches since the last check.

        Raises:
            ValueError: If an image holds NaN, infinity or a value outside [-1, 1], or a label is no
                class number.
        """
        if self.found is None:
            return
        found = {key: float(ops.convert_to_numpy(value)) for key, value in self.found.items()}
        self.found = None
        if found.get("odd"):
            raise ValueError(
                f"`{self.name}` must bring batches whose size is divisible by packing="
                f"{self.model.packing}, the images that the critic scores together; leave out a "
                "smaller last batch with drop_remainder=True. Received: a batch with a remainder"
            )
        low, high = 0.0 - found["minus lowest"], found["highest"]
        if found["nan"]:
            raise ValueError(
                f"`{self.name}` must be finite. Received: a batch with NaN or infinity"
            )
        if found["outside"]:
            raise ValueError(
                f"`{self.name}` must hold images in [-1, 1]; for values in 0..255 use "
                f"`x / 127.5 - 1`. Received: a batch with values {extent(low, high)}"
            )
        if found.get("wrong labels"):
            first, last = 0.0 - found["minus lowest label"], found["highest label"]
            raise ValueError(
                f"the labels beside `{self.name}` must lie in 0..{self.model.num_classes - 1}. "
                f"Received: a batch with labels {extent(first, last)}"
            )
        if not self.warned:
            self.warned = warn_without_dark(self.name, low, high)

    def on_train_batch_begin(self, batch, logs=None):
        if 0 < batch <= self.unsynced.steps_per_execution:  # The second time.
            self._check_in_training()

    def on_epoch_end(self, epoch, logs=None):
        self._check_in_training()

    def _check_in_training(self):
        try:
            self.check()
        except ValueError:
            self.model.synchronize()  # The error leaves `fit`, and a model that can be used.
            raise
