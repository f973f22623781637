"""Steps: how many steps of the present epoch were taken, and whether it was cut short."""

from kerasgan.adversarial.each_step import EachStep


def at_once(model):
    """Return how many steps a model takes between two hooks."""
    return getattr(model, "steps_per_execution", 1)


def comes_round(batch, every, model):
    """Return whether a hook before step `batch` is the first since so many steps of the epoch."""
    return batch > 0 and batch % every < at_once(model)


class Steps(EachStep):
    """Counts the steps of each epoch, for callbacks that must tell a whole epoch from a cut one.

    A training may be stopped within an epoch, as by Ctrl-C. Keras then calls `on_epoch_end` all the
    same.

    Attributes:
        steps: Steps of the present epoch that have begun.
    """

    def __init__(self):
        super().__init__()
        self.steps = 0
        self._stopping = False

    def on_epoch_begin(self, epoch, logs=None):
        self.steps = 0
        self._stopping = False

    def on_train_batch_begin(self, batch, logs=None):
        # Before a step and not after it: a hook after each step would make JAX wait for its logs.
        of = self.params.get("steps")
        self.steps = batch + at_once(self.unsynced)
        if of:
            self.steps = min(self.steps, of)
        self._stopping = self._is_stopping()

    @property
    def cut(self):
        """Whether the epoch that ends now lacks some of its steps."""
        if not self._is_stopping():
            return False
        of = self.params.get("steps")
        # Where the number of steps is not known, a stop that was asked for before the last step
        # came from within the epoch.
        return self.steps < of if of else self._stopping

    def _is_stopping(self):
        return bool(getattr(self.unsynced, "stop_training", False))
