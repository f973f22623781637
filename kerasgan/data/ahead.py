"""The batches of an `ImageDataset`, one ahead of the training."""

import collections
import concurrent.futures
import time
import zlib

import keras
import numpy as np

SMALL = 1 << 16  # Bytes of a batch that is made sooner than a thread is asked for it.
KEPT = 4096  # Positions: Keras may read so many batches before a step takes the first of them.


class Ahead(keras.utils.PyDataset):
    """Hands out the batches of an `ImageDataset`; the next one is made while one is trained on.

    The order is that of the data set. One thread makes batches; `close` ends it.

    Args:
        dataset: An `ImageDataset`. Its `seconds` grow by the time that the training waits.
        send: A callable that begins to copy the arrays of a batch to the device.
        as_stored: Whether uint8 images stay bytes, a quarter of the floats' size. The step makes
            them floats.
    """

    untuned = True  # See `backend.private`.

    def __init__(self, dataset, send, as_stored):
        super().__init__()
        self._dataset = dataset
        self._send = send
        self._as_stored = as_stored
        self._next = None  # The position of the batch that is being made, and its future.
        # Of the last batches, from the first that no step has taken; see `at`.
        self.positions = collections.deque(maxlen=KEPT)
        small = dataset.images[0].nbytes * dataset.batch_size < SMALL
        self._thread = None if small else concurrent.futures.ThreadPoolExecutor(1, "kerasgan-data")

    @property
    def batch_sizes(self):
        """Those of the data set: a batch is that of all processes together."""
        return self._dataset.batch_sizes

    @property
    def identity(self):
        """What two processes compare that are to read the same batches, as text."""
        dataset = self._dataset
        ends = np.ascontiguousarray(dataset.images[[0, -1]])
        size = "x".join(map(str, dataset.image_shape))
        return (
            f"{dataset.num_examples} images of {size} in batches of {dataset.batch_size}, seed "
            f"{dataset.seed}, checksum {zlib.crc32(ends):08x}"
            f"{', mirrored' if dataset.mirror else ''}"
        )

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
        self.positions.append(self._position(index))
        return batch

    def at(self, epoch, left, index):
        """Return the batch at one of the `positions` of another process's."""
        if (self._dataset.epoch, len(self)) != (epoch, left):
            self._dataset.seek(epoch, self._dataset.batches_per_epoch - left)
        return self[index]

    def _position(self, index):
        return self._dataset.epoch, len(self), index

    def _make(self, index):
        batch = self._dataset.batch(index, self._as_stored)
        return self._send(batch if isinstance(batch, tuple) else (batch,))

    def close(self):
        """End the thread."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
