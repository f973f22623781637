"""The batches of an `ImageDataset`, one ahead of the training."""

import concurrent.futures
import time

import keras

SMALL = 1 << 16  # Bytes of a batch that is made sooner than a thread is asked for it.


class Ahead(keras.utils.PyDataset):
    """Hands out the batches of an `ImageDataset`; the next one is made while one is trained on.

    The order is that of the data set. One thread makes batches; `close` ends it.

    Args:
        dataset: An `ImageDataset`. Its `seconds` grow by the time that the training waits.
        send: A callable that begins to copy the arrays of a batch to the device.
        as_stored: Whether uint8 images stay bytes, a quarter of the floats' size. The step makes
            them floats.
    """

    def __init__(self, dataset, send, as_stored):
        super().__init__()
        self._dataset = dataset
        self._send = send
        self._as_stored = as_stored
        self._next = None  # The position of the batch that is being made, and its future.
        small = dataset.images[0].nbytes * dataset.batch_size < SMALL
        self._thread = None if small else concurrent.futures.ThreadPoolExecutor(1, "kerasgan-data")

    def __len__(self):
        return len(self._dataset)

    def __getitem__(self, index):
        began = time.perf_counter()
        if self._thread is None:
            batch = self._make(index)
        else:
            position, made = self._next or (None, None)
            if position != self._position(index):  # The data set was turned to another epoch.
                made = self._thread.submit(self._make, index)
            batch = made.result()
            self._next = None
            if index + 1 < len(self):
                after = self._thread.submit(self._make, index + 1)
                self._next = self._position(index + 1), after
        self._dataset.seconds += time.perf_counter() - began
        return batch

    def _position(self, index):
        return self._dataset.epoch, len(self), index

    def _make(self, index):
        batch = self._dataset.batch(index, self._as_stored)
        return self._send(batch if isinstance(batch, tuple) else (batch,))

    def close(self):
        """End the thread."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
