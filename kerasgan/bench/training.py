"""Trainings that stop for a check after given numbers of critic steps."""

import time

import keras
import numpy as np


class AtSteps(keras.callbacks.Callback):
    """Calls `check(step)` after given numbers of critic steps, and ends training at the last.

    Args:
        steps: Numbers of critic steps.
        check: A callable that takes one of them.

    Attributes:
        spent: Seconds, and seconds of one core, that the checks have taken.
    """

    def __init__(self, steps, check):
        super().__init__()
        self.steps = set(steps)
        self.check = check
        self.taken = 0
        self.spent = np.zeros(2)

    def on_train_batch_begin(self, batch, logs=None):
        # This runs before the next step: after a step, JAX would have to wait for its logs.
        if self.taken in self.steps:
            start = _clocks()
            self.check(self.taken)
            self.spent += _clocks() - start
        if self.taken >= max(self.steps):
            self.model.stop_training = True
        self.taken += 1


def train(model, dataset, steps, check, callbacks=()):
    """Train until the last of `steps`, check the model at each, and return what training took.

    Args:
        model: A compiled model.
        dataset: A `kerasgan.data.ImageDataset`.
        steps: Numbers of critic steps.
        check: A callable that takes one of them.
        callbacks: Other Keras callbacks, which are called first.

    Returns:
        The seconds, and the seconds of one core, which depend less on other programs of the
        machine. Neither includes the checks.
    """
    watcher = AtSteps(steps, check)
    epochs = -(-(max(steps) + 1) // dataset.batches_per_epoch)
    start = _clocks()
    model.fit(dataset, epochs=epochs, verbose=0, callbacks=[*callbacks, watcher])
    return tuple(_clocks() - start - watcher.spent)


def _clocks():
    return np.array([time.perf_counter(), time.process_time()])
