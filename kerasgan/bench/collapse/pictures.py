"""Photographs and drawings for the exam: their parts, what may happen to them, and an oracle.

`tools/exam_pictures.py` makes the files that are read here.
"""

from pathlib import Path

import keras
import numpy as np

from kerasgan.data import ImageDataset, from_uint8
from kerasgan.files import atomic
from kerasgan.metrics import clusters

CELLS = 200  # Of the oracle.
CLASS_CELLS = 12  # Of the oracle, for each class.
SIDE = 32  # Of the images that the oracle looks at.
EPOCHS = 15


def load(folder, kind, image_size, sources=None, classes=None, limit=None):
    """Return images of one kind, the part that each is from, and the class of each.

    Args:
        folder: Where `tools/exam_pictures.py` wrote its files.
        kind: "photographs", "emoji", "clipart" or "stamps".
        image_size: Height and width of the images.
        sources: "even" or "odd" to use half of the parts; None uses all.
        classes: Number of classes to divide the parts into; None for none.
        limit: Greatest number of images.

    Returns:
        Images `(n, image_size, image_size, 3)`, uint8; their parts, from 0; their classes or None.
    """
    with np.load(Path(folder) / f"{kind}.npz") as stored:
        images, parts = stored["images"], stored["parts"]
    if sources is not None:
        chosen = parts % 2 == ("even", "odd").index(sources)
        images, parts = images[chosen], parts[chosen] // 2
    order = np.random.default_rng(0).permutation(len(images))[:limit]
    images, parts = shrunk(images[order], image_size), parts[order]
    return images, parts, None if classes is None else parts % classes


def shrunk(images, side):
    """Return uint8 images shrunk to a side by means over square blocks."""
    n, height, _, channels = images.shape
    by = height // side
    if by == 1:
        return images
    found = np.empty((n, side, side, channels), "uint8")
    for rows in np.array_split(np.arange(n), max(1, n // 256)):
        blocks = images[rows].reshape(len(rows), side, by, side, by, channels)
        found[rows] = np.round(blocks.mean((2, 4)))
    return found


class ChangingData(ImageDataset):
    """Images of which something is taken away during a training, so that the generator loses it.

    Args:
        images: The images, uint8.
        labels: Their classes, or None.
        parts: The part that each is from.
        events: Dictionaries with `at`, a critic step, and one of

            - `parts`: the share of the parts that is left;
            - `images`: the number of images that is left;
            - `class` and `images`: the same for one class alone;
            - `blur`: the standard deviation of a blur, in pixels;
            - `noise`: the standard deviation of noise, of a range from -1 to 1;
            - `generated`: what `imposed` does, which does not concern the data.

            Where there are labels, `parts` and `images` go with a `class`.
        **options: Of `ImageDataset`.
    """

    def __init__(self, images, labels, parts, events, **options):
        super().__init__(images, labels, **options)
        self.parts = parts
        self.events = sorted(events, key=lambda event: event["at"])
        self.used = np.arange(len(images))
        self.blur = self.noise = 0.0

    def advance(self, step):
        """Let the events up to a critic step happen."""
        while self.events and self.events[0]["at"] <= step:
            self._happen(self.events.pop(0))

    def _happen(self, event):
        if "generated" in event:
            return
        if self.labels is not None and "class" not in event and {"parts", "images"} & {*event}:
            raise ValueError(f"`class` must say whose images are taken away. Received: {event}")
        rng = np.random.default_rng([self.seed, event["at"]])
        self.blur = event.get("blur", self.blur)
        self.noise = event.get("noise", self.noise)
        own = np.arange(len(self.images))
        if "class" in event:
            own = own[self.labels == event["class"]]
        kept = np.unique(self.used[own])
        if "parts" in event:  # The order of the parts is that of the seed, whatever the step.
            order = np.random.default_rng(self.seed).permutation(self.parts.max() + 1)
            left = order[: max(1, round(event["parts"] * len(order)))]
            kept = kept[np.isin(self.parts[kept], left)]
        if "images" in event:
            kept = rng.permutation(kept)[: event["images"]]
        if len(kept) < len(own):
            self.used = self.used.copy()
            self.used[own] = rng.choice(kept, len(own))

    def _gather(self, rows, count):
        images = from_uint8(self.images[self.used[rows]])
        if self.blur:
            images = _blurred(images, self.blur)
        if self.noise:
            rng = np.random.default_rng([self.seed, int(np.atleast_1d(rows)[0]), self.epoch])
            images = images + rng.normal(0, self.noise, images.shape)
        return np.clip(images, -1, 1).astype("float32")


def imposed(images, events, step, labels=None):
    """Return generated images with what befalls them, for collapses that no short training shows.

    Args:
        images: In [-1, 1], `(n, height, width, channels)`.
        events: Those of a recipe. One with `generated` changes the images from its step `at` on:

            - `repeat`: so many of them come again and again;
            - `class` and `repeat`: the same for the images of one class;
            - `blur` and `noise`: as in `ChangingData`;
            - `collapse`: whether that is a collapse, for the truth of the exam.
        step: The critic step.
        labels: The classes that were asked for.
    """
    for event in events:
        change = event.get("generated")
        if not change or event["at"] > step:
            continue
        rng = np.random.default_rng(event["at"])
        if "repeat" in change:
            rows = np.arange(len(images))
            own = rows if "class" not in change else rows[labels == change["class"]]
            rows[own] = rng.choice(own[: change["repeat"]], len(own))
            images = images[rows]
        if "blur" in change:
            images = _blurred(images, change["blur"])
        if "noise" in change:
            images = np.clip(images + rng.normal(0, change["noise"], images.shape), -1, 1)
    return images.astype("float32")


def _blurred(images, width):
    from scipy import ndimage

    return ndimage.gaussian_filter(images, (0, width, width, 0))


class Changing(keras.callbacks.Callback):
    """Tells a `ChangingData` how far the training is."""

    def __init__(self, data):
        super().__init__()
        self.data = data
        self.taken = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.data.advance(self.taken)
        self.taken += 1


class Cells:
    """Divides images by what a network sees that was taught the parts that they are from.

    The detector is given no labels, so it cannot see in this way. A cell is smaller than a part:
    of a hundred different images at most a hundred cells are filled.

    Args:
        network: A Keras model from images of 32 pixels to features; see `taught`.
        real: Real images, uint8.
        cells: Number of cells.
    """

    def __init__(self, network, real, cells=CELLS):
        self.network = network
        self.centres = clusters.kmeans(self._features(real), min(cells, len(real) // 5), seed=0)

    def __call__(self, images):
        """Return the cell of each image, from 0."""
        return clusters.assign(self._features(images), self.centres)[0]

    def _features(self, images):
        if images.dtype == np.uint8:
            images = from_uint8(images)
        n, height, _, channels = images.shape
        by = height // SIDE
        images = images.reshape(n, SIDE, by, SIDE, by, channels).mean((2, 4))
        found = self.network.predict(images, batch_size=250, verbose=0)
        return found / np.linalg.norm(found, axis=1, keepdims=True).clip(1e-6)


def taught(path, images, parts):
    """Return a network of features that was trained to tell the parts of images, or read it.

    Args:
        path: A .keras file, which is written if it is not there.
        images: uint8, `(n, 32, 32, 3)`.
        parts: Integers from 0.
    """
    if path.exists():
        return keras.saving.load_model(path)
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.RandomFlip("horizontal")(x)
    x = keras.layers.GaussianNoise(0.1)(x)
    for filters in (32, 64, 128):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    features = keras.layers.Dense(64, activation="relu")(keras.layers.Dropout(0.5)(x))
    model = keras.Model(inputs, keras.layers.Dense(int(parts.max()) + 1)(features))
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    held_out = len(images) // 5
    pair = from_uint8(images), parts
    history = model.fit(
        *(array[held_out:] for array in pair),
        validation_data=tuple(array[:held_out] for array in pair),
        epochs=EPOCHS,
        verbose=0,
    )
    found = keras.Model(inputs, features)
    with atomic(path) as temporary:
        found.save(temporary)
    path.with_suffix(".txt").write_text(f"{history.history['val_accuracy'][-1]:.4f}\n", "utf-8")
    return found
