"""`ImageDataset`: images in memory or on disk as shuffled float32 batches."""

import math
import mmap
import threading
import time
import weakref

import keras
import numpy as np

from kerasgan import notebook
from kerasgan.data import labels as forms
from kerasgan.data.pixels import (
    DataError,
    float_range,
    from_uint8,
    non_negative_int,
    positive_int,
    straight,
    to_uint8,
    warn_without_dark,
)
from kerasgan.text import extent, printable


class ImageDataset(keras.utils.PyDataset):
    """Batches of images for `fit`, float32 NHWC in [-1, 1].

    The order depends on `seed` and the number of the pass over the images alone, and `seek` chooses
    the epoch, which is one pass unless `steps_per_epoch` says otherwise. A resumed run thus gets
    exactly the batches that an uninterrupted one would have got. The data set never advances
    by itself: the training loop calls `seek(epoch)` when an epoch begins. It passes
    `shuffle=False` to Keras' `fit`, whose default would shuffle the batches a second time with
    Python's unseeded generator.

    A batch is made when it is asked for. `fit` asks for the next one in a thread while it trains on
    the present one.

    Args:
        images: Array-like `(num_examples, height, width, channels)`, uint8 or float32 in [-1, 1];
            a NumPy memory map is read batch by batch.
        labels: Optional numbers `(num_examples,)` or `(num_examples, 1)`; batches are then
            `(images, labels)`.
        batch_size: Examples in a batch.
        shuffle: Whether each epoch has its own order; False keeps the order of `images`.
        seed: Non-negative integer, the seed of the order.
        drop_remainder: Whether a last batch that is smaller than `batch_size` is left out.
        name: A name of the images, for printing.
        class_names: Optional names of the labels.
        skipped: Optional `(path, reason)` pairs of the files that could not be used.
        content: Optional dictionary that identifies the images; see `kerasgan.data.content`.
        unlabelled: Optional sentence that says why there are no labels.
        mirror: Whether a batch has each image mirrored, left for right, with a probability of one
            half. What is mirrored depends on the seed, the pass and the place in it alone.
            `images` and `take` are not mirrored, so neither are the real images of the guard and of
            metrics.
        steps_per_epoch: Batches of an epoch, where it is not one pass over the images: some passes
            and a part of one, of which the next epoch has the rest. None for one pass.

    Attributes:
        seconds: Time spent making batches so far; assign 0 to start again.

    Raises:
        DataError: If the arrays are empty, of the wrong rank or dtype, hold NaN, infinity or values
            outside [-1, 1], or are fewer than `batch_size`.

    Example:
    ```python
    dataset = ImageDataset(images, batch_size=64, seed=7)
    dataset.seek(epoch=3)
    first_batch = dataset[0]
    ```
    """

    untuned = True  # See `backend.private`.

    def __init__(
        self,
        images,
        labels=None,
        batch_size=64,
        shuffle=True,
        seed=0,
        drop_remainder=True,
        name="images",
        class_names=None,
        skipped=(),
        content=None,
        unlabelled=None,
        mirror=False,
        steps_per_epoch=None,
    ):
        super().__init__()
        self.images = checked_images(images)
        self.labels = None if labels is None else forms.checked(labels, len(self.images))
        self.batch_size = positive_int("batch_size", batch_size)
        if self.batch_size > len(self.images):
            raise DataError(
                "`batch_size` must not be larger than the number of images. "
                f"Received: batch_size={self.batch_size} and {len(self.images)} images"
            )
        self.shuffle = bool(shuffle)
        self.seed = non_negative_int("seed", seed)
        self.drop_remainder = bool(drop_remainder)
        self.mirror = bool(mirror)
        self.name = name
        self.class_names = class_names
        self.skipped = [tuple(pair) for pair in skipped]
        self.content = content
        self.unlabelled = unlabelled
        if steps_per_epoch is not None:
            steps_per_epoch = positive_int("steps_per_epoch", steps_per_epoch)
        self.steps_per_epoch = steps_per_epoch
        self.seconds = 0.0
        self._epoch = 0
        self._offset = 0
        self._make_unpicklable()

    def _make_unpicklable(self):
        self._lock = threading.Lock()
        self._order = None  # (pass, permutation, mirrored), made when first needed
        shape = (self.batch_size, *self.image_shape)
        self._bytes, self._floats = _Buffers(shape, np.uint8), _Buffers(shape, np.float32)

    def __getstate__(self):
        left_out = {"_lock", "_order", "_bytes", "_floats"}
        return {key: value for key, value in self.__dict__.items() if key not in left_out}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._make_unpicklable()

    @property
    def num_examples(self):
        """Number of images."""
        return len(self.images)

    @property
    def image_shape(self):
        """Shape of an image, `(height, width, channels)`."""
        return tuple(self.images.shape[1:])

    @property
    def batches_per_epoch(self):
        """Number of batches in a whole epoch."""
        return self.steps_per_epoch or self.batches_per_pass

    @property
    def batches_per_pass(self):
        """Number of batches in one pass over the images."""
        full, rest = divmod(self.num_examples, self.batch_size)
        return full + (rest > 0 and not self.drop_remainder)

    @property
    def batch_sizes(self):
        """The sizes of all batches of an epoch, by what errors call them."""
        rest = 0 if self.drop_remainder else self.num_examples % self.batch_size
        return {"batch_size": self.batch_size, "the last batch": rest}

    @property
    def epoch(self):
        """The current epoch, from 0."""
        return self._epoch

    def seek(self, epoch, batch=0):
        """Go to an epoch and skip its first `batch` batches.

        Afterwards `len(dataset)` is the number of remaining batches, and `dataset[0]` is the next.

        Args:
            epoch: Non-negative integer.
            batch: Batches already seen, from 0 to `batches_per_epoch - 1`.

        Raises:
            DataError: If either is out of range.
        """
        epoch, batch = non_negative_int("epoch", epoch), non_negative_int("batch", batch)
        if batch >= self.batches_per_epoch:
            raise DataError(
                f"`batch` must be less than batches_per_epoch={self.batches_per_epoch}. "
                f"Received: {batch}"
            )
        with self._lock:
            self._epoch, self._offset = epoch, batch

    def __len__(self):
        return self.batches_per_epoch - self._offset

    def __getitem__(self, index):
        started = time.perf_counter()
        batch = self.batch(index)
        with self._lock:
            self.seconds += time.perf_counter() - started
        return batch

    def batch(self, index, as_stored=False):
        """Return the batch `dataset[index]`, without adding to `seconds`.

        Args:
            index: From 0 to `len(dataset) - 1`.
            as_stored: Whether uint8 images stay bytes.

        Raises:
            IndexError: If there is no such batch.
        """
        with self._lock:
            epoch, offset = self._epoch, self._offset
            if not 0 <= index < self.batches_per_epoch - offset:
                raise IndexError(f"batch {index} of {self.batches_per_epoch - offset}")
            before = epoch * self.batches_per_epoch + offset + index
            number, place = divmod(before, self.batches_per_pass)
            order, mirrored = self._order_of(number)
        start = place * self.batch_size
        stop = min(start + self.batch_size, self.num_examples)
        rows = slice(start, stop) if order is None else order[start:stop]
        images = self._gather(rows, stop - start)
        if mirrored is not None:
            turned = mirrored[start:stop]
            images[turned] = images[turned, :, ::-1]
        if images.dtype == np.uint8 and not as_stored:
            images = from_uint8(images, self._floats.empty()[: stop - start])
        return images if self.labels is None else (images, self.labels[rows])

    def _gather(self, rows, count):
        """Return a copy of some images, uint8 or float32."""
        buffers = self._bytes if self.images.dtype == np.uint8 else self._floats
        images = buffers.empty()[:count]
        if isinstance(rows, slice):
            images[...] = self.images[rows]
            return images
        return _take(self.images, rows, images)

    def _order_of(self, number):
        """Return a pass's permutation, or None, and which places are mirrored, or None."""
        if not self.shuffle and not self.mirror:
            return None, None
        if self._order is None or self._order[0] != number:
            order = mirrored = None
            if self.shuffle:
                order = _generator(self.seed, number).permutation(self.num_examples)
            if self.mirror:
                mirrored = _generator(self.seed, number, 1).random(self.num_examples) < 0.5
            self._order = (number, order, mirrored)
        return self._order[1:]

    def take(self, n):
        """Return the first `n` images, unshuffled, float32 in [-1, 1]. Their labels: `labels[:n]`.

        Args:
            n: From 1 to `num_examples`.

        Raises:
            DataError: If there are fewer than `n` images.
        """
        n = positive_int("n", n)
        if n > self.num_examples:
            raise DataError(f"`n` must be at most {self.num_examples}. Received: {n}")
        return _as_floats(self.images[:n])

    def __repr__(self):
        height, width, channels = self.image_shape
        return (
            f"<ImageDataset {self.name}: {self.num_examples} images {height}x{width}x{channels}, "
            f"{self.batches_per_epoch} batches of {self.batch_size}"
            f"{', mirrored at random' if self.mirror else ''}>"
        )

    def _repr_html_(self):
        """Return what a notebook shows: a line of text and the first images."""

        def first():
            images = np.asarray(self.images[: notebook.some(32, self.image_shape)])
            return straight(to_uint8(images))

        return notebook.html_of(printable(repr(self)[1:-1]), first, 8)


def _generator(*entropy):
    """Return NumPy's generator of numbers that no version changes."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def _take(images, rows, out):
    """Copy some rows of an array into `out`, and return `out`."""
    if images.flags.c_contiguous:
        # "clip" writes into `out` directly; the default mode would go through a copy.
        return np.take(images, rows, axis=0, out=out, mode="clip")
    out[...] = images[rows]  # `np.take` would first copy the whole of a transposed array.
    return out


def _as_floats(images, out=None):
    """Return a float32 copy, so that a caller who changes a batch does not change the data."""
    if images.dtype == np.uint8:
        return from_uint8(images, out)
    if out is None:
        return np.array(images, np.float32)
    out[...] = images
    return out


class _Buffers:
    """Memory for batches, which is reused once no array refers to it.

    TensorFlow makes `malloc` return large blocks to the system at once. Each new batch of 3 MB then
    costs 2 ms of page faults, five times as long as filling it. The pages are aligned too, so the
    backends may use a batch without a copy.
    """

    def __init__(self, shape, dtype):
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._free = []

    def empty(self):
        """Return an uninitialised array."""
        try:
            memory = self._free.pop()
        except IndexError:
            memory = mmap.mmap(-1, math.prod(self._shape) * self._dtype.itemsize)
        flat = np.frombuffer(memory, self._dtype)
        # Every view keeps `flat` alive, also a view that a backend holds: the base of a view is the
        # last array below it. When `flat` is deleted, its memory can be reused.
        weakref.finalize(flat, self._free.append, memory).atexit = False
        return flat.reshape(self._shape)


def checked_images(images):
    """Return images as a uint8 or float32 array, or a memory map as it is.

    Raises:
        DataError: If they are empty, of the wrong rank or dtype, or hold NaN, infinity or values
            outside [-1, 1]. If no float is dark, as of images in [0, 1], there is a warning.
    """
    images = np.asanyarray(images)  # `asarray` would turn a memory map into a plain view.
    if images.ndim != 4:
        raise DataError(
            "`images` must have the shape (num_examples, height, width, channels). "
            f"Received: shape {images.shape}"
        )
    if 0 in images.shape:
        raise DataError(f"`images` must not be empty. Received: shape {images.shape}")
    if images.dtype == np.float64:
        images = images.astype(np.float32)
    if images.dtype not in (np.uint8, np.float32):
        raise DataError(
            "`images` must be uint8 (0 to 255) or float32 in [-1, 1]. "
            f"Received: dtype {images.dtype}"
        )
    if images.dtype == np.float32:
        low, high = float_range(images)
        if low < -1 or high > 1:
            raise DataError(
                "`images` of floats must be in [-1, 1]; for values in 0..255 use "
                "`kerasgan.data.from_uint8(images.astype('uint8'))`. "
                f"Received: values {extent(low, high)}"
            )
        warn_without_dark("images", low, high)
    return images
