"""How `fit` takes its images: arrays become a dataset whose order follows the training."""

import contextlib
import copy

import keras

from kerasgan import backend, validation
from kerasgan.adversarial import checks
from kerasgan.adversarial.each_step import EachStep
from kerasgan.adversarial.watch import Watch
from kerasgan.data import ImageDataset
from kerasgan.data.ahead import Ahead


class Feed:
    """The images of one `fit`.

    An array, or an `ImageDataset`, is read in an order that depends on its seed and on how many
    steps the model has taken, and on nothing else: training twice for N epochs sees what training
    once for 2N epochs does, in one process or after a resume.

    Args:
        model: The adversarial model.
        x: What `fit` was given.
        y: Its labels.
        batch_size: Its batch size.
        shuffle: Whether arrays are shuffled.
        held_out: The arguments `validation_split`, `validation_data` and `validation_batch_size`.

    Attributes:
        x: The images, as a dataset of batches.
        batches: What Keras is given: its batches, those of an `ImageDataset` made ahead.
        batch_size: None, since a dataset brings its own batches.
        validation_data: Held-out images as Keras is given them, or None.
        validation_batch_size: Their batch size, where they are not a dataset.
        watch: A `Watch` of batches that come from elsewhere, or None.
    """

    def __init__(self, model, x, y, batch_size, shuffle, held_out):
        self.x = x
        self.batch_size = None
        self.validation_data = held_out["validation_data"]
        self.validation_batch_size = held_out["validation_batch_size"]
        if x is None:
            raise ValueError("`x` must be given: the real images. Received: x=None")
        with contextlib.suppress(TypeError):  # Some datasets do not know their length.
            if not is_array(x) and len(x) == 0:
                raise ValueError(
                    f"`x` must bring at least one batch. Received: an empty {type(x).__name__}"
                )
        if self.validation_data is not None:
            held_x, held_y, _ = keras.utils.unpack_x_y_sample_weight(self.validation_data)
            if is_array(held_x):
                size = self.validation_batch_size or batch_size
                self._hold_out(model, held_x, held_y, size)
            else:
                self.validation_data = in_tuples(self.validation_data)
        split = held_out["validation_split"]
        if is_array(x):
            size = 64 if batch_size is None else batch_size
            checks.divisible("batch_size", size, model.packing, model.accumulate)
            self.x = self._dataset(model, x, y, batch_size, shuffle, split)
        elif isinstance(x, (list, tuple)):
            raise ValueError(
                "`x` must be one array of images, with labels in `y`, or a dataset of batches. "
                f"Received: a {type(x).__name__}"
            )
        else:
            split = None if self.validation_data is not None else split or None
            check_dataset(model, x, y=y, batch_size=batch_size, validation_split=split)

        if isinstance(self.x, ImageDataset):
            for name, count in self.x.batch_sizes.items():
                checks.divisible(name, count, model.packing, model.accumulate)
        self.x = in_tuples(self.x)
        # The images of an `ImageDataset` were looked at when it was made.
        self.watch = None if isinstance(self.x, ImageDataset) else Watch("x")
        # On a CPU bytes would save nothing, and a compiler's floats differ in their last bit.
        bytes_travel = backend.accelerated()
        # A subclass may give other batches, and change them between two steps.
        plain = type(self.x) is ImageDataset
        self.batches = Ahead(self.x, backend.send, bytes_travel) if plain else self.x

    def _dataset(self, model, x, y, batch_size, shuffle, split):
        batch_size = 64 if batch_size is None else batch_size
        x, y = _as_images(x, model), _as_labels(y, len(x), model)
        if split and self.validation_data is None:
            validation.fraction("validation_split", split)
            first = int(len(x) * (1 - split))
            size = self.validation_batch_size or batch_size
            self._hold_out(model, x[first:], None if y is None else y[first:], size)
            x, y = x[:first], None if y is None else y[:first]
        return ImageDataset(x, y, batch_size=batch_size, shuffle=shuffle, seed=model.seed)

    def _hold_out(self, model, x, y, batch_size):
        self.validation_data = held_out(model, x, y, batch_size)
        self.validation_batch_size = None

    def close(self):
        """End what makes batches ahead."""
        if isinstance(self.batches, Ahead):
            self.batches.close()

    def callbacks(self, callbacks):
        """Return the callbacks, with those that keep a dataset in step or watch batches.

        Those that have `see_training_data` are given what is trained on, and those that have
        `see_callbacks` all that were given.
        """
        given = getattr(callbacks, "callbacks", callbacks) or ()
        given = given if isinstance(given, (list, tuple)) else [given]
        for callback in given:
            if hasattr(callback, "see_training_data"):
                callback.see_training_data(self.x)
            if hasattr(callback, "see_callbacks"):
                callback.see_callbacks(given)
        own = [_Follow(self.x, self.batches)] if hasattr(self.x, "seek") else []
        own += [self.watch] if self.watch else []
        last = [_Refreeze(), InTurn()]
        if isinstance(callbacks, keras.callbacks.CallbackList):
            for callback in (*own, *last):
                callbacks.append(callback)
            return callbacks
        if isinstance(callbacks, keras.callbacks.Callback):
            return [*own, callbacks, *last]
        return [*own, *(callbacks or ()), *last]


def in_tuples(x):
    """Return a torch `DataLoader` whose batches are tuples, which Keras unpacks on each backend."""
    kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(x).__mro__}
    if "torch.utils.data.dataloader.DataLoader" not in kinds or x.collate_fn is None:
        return x
    x = copy.copy(x)
    x.collate_fn = _Collated(x.collate_fn)
    return x


class _Collated:
    """A `collate_fn` whose result is a tuple; worker processes may unpickle it."""

    def __init__(self, collate):
        self.collate = collate

    def __call__(self, examples):
        batch = self.collate(examples)
        return tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


class _Follow(keras.callbacks.Callback):
    """Turns a dataset to the epoch that the model's step counter stands in."""

    def __init__(self, dataset, batches):
        super().__init__()
        self.dataset = dataset
        self.batches = batches

    def on_train_begin(self, logs=None):
        if isinstance(self.batches, Ahead):  # Keras has looked at some on TensorFlow.
            self.batches.positions.clear()

    def on_epoch_begin(self, epoch, logs=None):
        seen = self.model.critic_steps // self.dataset.batches_per_epoch
        if self.dataset.epoch != seen:  # A position inside this epoch is kept.
            self.dataset.seek(seen)


class _Refreeze(keras.callbacks.Callback):
    """Lets layers that a callback froze before an epoch be frozen in its steps, on each backend."""

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.model.make_train_function()  # It compiles anew if other weights train now.


class InTurn(EachStep):
    """Has Keras call the hooks after a step in this thread, and counts the steps that are left.

    Where no callback has such a hook, Keras would still hand the empty logs of each step to another
    thread.
    """

    def on_train_batch_begin(self, batch, logs=None):
        steps = self.params.get("steps")
        left = None if steps is None else steps - batch
        object.__setattr__(self.unsynced, "_steps_left", left)  # Keras would look at the number.

    def on_train_batch_end(self, batch, logs=None):
        pass


def check_dataset(model, dataset, **for_arrays):
    """Raise ValueError for arguments that only arrays can have, or a dataset that does not fit.

    Labels and batches are looked at where the dataset is an `ImageDataset`.

    Args:
        model: The adversarial model.
        dataset: A dataset of batches.
        **for_arrays: Arguments of `fit` beside it, which must be None.
    """
    for name, value in for_arrays.items():
        if value is not None:
            what = "labels" if name == "y" else f"{name}={value!r}"
            raise ValueError(
                f"`{name}` goes with arrays; a dataset brings its own batches and labels. "
                f"Received: {what} with x of type {type(dataset).__name__}"
            )
    if not isinstance(dataset, ImageDataset):
        return
    for name, count in dataset.batch_sizes.items():
        checks.divisible(name, count, model.packing)
    if model.num_classes is not None and dataset.labels is not None:
        checks.labels(dataset.labels, dataset.num_examples, model.num_classes)


def held_out(model, x, y, batch_size):
    """Return a dataset of an array's images in their order, all that packing leaves."""
    x, y = _as_images(x, model), _as_labels(y, len(x), model)
    whole = len(x) - len(x) % model.packing
    x, y = x[:whole], None if y is None else y[:whole]
    size = min(64 if batch_size is None else batch_size, whole)
    size = max(size - size % model.packing, model.packing)
    return ImageDataset(x, y, batch_size=size, shuffle=False, drop_remainder=False)


def _as_images(x, model):
    x = keras.ops.convert_to_numpy(x)
    checks.shape("x", x.shape, model.image_shape)
    return x


def _as_labels(y, n, model):
    if model.num_classes is None:
        return y
    if y is None:
        raise ValueError(
            "`y` must be given: conditional networks need the label of each image. Received: y=None"
        )
    return checks.labels(keras.ops.convert_to_numpy(y), n, model.num_classes)


def is_array(x):
    """Return whether `x` is one array or tensor, not a dataset of batches."""
    return hasattr(x, "shape") and hasattr(x, "dtype") and hasattr(x, "__getitem__")
