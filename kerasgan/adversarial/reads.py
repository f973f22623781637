"""How often the logs of steps are read. Each reading waits for the device."""

import time

import keras

from kerasgan.adversarial.feed import InTurn
from kerasgan.backend import private


class Reads:
    """Decides which steps of a `fit` hand their logs to Keras, which reads all that it is given.

    A callback that looks at each step gets the logs of each step. Keras' progress bar gets them
    once a second. Without either they are read when the epoch ends.

    Args:
        callbacks: The callbacks of a `fit`, in a list or in a `keras.callbacks.CallbackList`.
        verbose: What `fit` was given; Keras adds its progress bar where it is not 0.
    """

    def __init__(self, callbacks, verbose):
        callbacks = list(getattr(callbacks, "callbacks", callbacks))
        bars = [one for one in callbacks if isinstance(one, keras.callbacks.ProgbarLogger)]
        self.each = any(
            private.overrides(one, name)
            for one in callbacks
            if one not in bars and not isinstance(one, InTurn)
            for name in ("on_train_batch_end", "on_batch_end")
        )
        self.bar = bool(verbose or bars)
        self._last = None

    def due(self):
        """Return whether the step that was just taken hands over its logs."""
        if self.each or not self.bar:
            return self.each
        now = time.monotonic()
        if self._last is not None and now - self._last < 1:
            return False
        self._last = now
        return True
