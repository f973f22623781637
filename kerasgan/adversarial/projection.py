"""Projection: the vector whose image looks like a given picture."""

import dataclasses
import math

import keras
import numpy as np
from keras import ops

from kerasgan import validation
from kerasgan.adversarial import checks, moving_average
from kerasgan.metrics import extractors

RATE, RAMP_UP, RAMP_DOWN = 0.1, 0.05, 0.25  # Of Adam, and shares of the steps.
NOISE, NOISE_UNTIL = 0.05, 0.75  # On the vectors: a share of their spread, and of the steps.
NOISE_WEIGHT = 1e5  # Of what keeps maps of noise from holding a part of the picture.
SAMPLES = 1000  # That tell where the vectors lie.
LEAST_SIDE = 8  # Of maps of noise at which their structure is looked at.
# Layers of EfficientNet-Lite0 after which the maps are a half, a quarter, ... of the image's side.
DEPTHS = (
    "_blocks__0___bn2",
    "_blocks__2___bn2",
    "_blocks__4___bn2",
    "_blocks__10___bn2",
    "_blocks__15___bn2",
)


@dataclasses.dataclass(frozen=True)
class Projection:
    """What was found for some pictures.

    Attributes:
        styles: Their vectors, as `styles` of the model returns such.
        images: The images of these, `(n, height, width, channels)` in [-1, 1].
        distances: How far each is from its picture, by the distance that was lowered, `(n,)`.
        distance: The name of that distance.
    """

    styles: np.ndarray
    images: np.ndarray
    distances: np.ndarray
    distance: str


def project(model, images, steps=500, distance=None, labels=None, seed=0, progress=None):
    """Return the vectors of a model whose images look most like some pictures.

    Adam moves one vector for each picture, from the average style or from the best of some draws,
    towards a smaller distance. As in the authors' code noise is added to the vectors, which falls
    to zero over three quarters of the steps. The generator's maps of noise are moved too, and kept
    free of structure, so that the vectors need not explain single pixels.

    Departures: the distance is of the features of EfficientNet-Lite0 where it is installed, and of
    pixels, and not of VGG16. Several pictures are projected at once. The average style is that of
    1,000 samples, not 10,000.

    Args:
        model: An adversarial model.
        images: The pictures, floats in [-1, 1] or integers in 0..255 of the model's own shape.
        steps: How many; 1,000 in the authors' code.
        distance: "features" (needs EfficientNet-Lite0), or "pixels" at several sizes; by default
            the first one that there is.
        labels: Class numbers of a conditional model, as `sample` takes them; 0 by default.
        seed: Seed of the start and of the noise.
        progress: A callable `(done, total)`, or None.

    Returns:
        A `Projection`.

    Raises:
        ValueError: If the pictures have another shape, or an argument is out of range.

    Reference: Karras et al. 2020, https://arxiv.org/abs/1912.04958, appendix D; projector.py in
    NVlabs/stylegan2-ada-pytorch on GitHub.
    """
    validation.positive_integer("steps", steps)
    targets = _pictures(images, model.image_shape)
    if labels is None and model.num_classes is not None:
        labels = 0
    if labels is not None:
        labels = checks.labels(labels, len(targets), model.num_classes)
    away = _distance(distance)
    search = _Search(model, targets, labels, away, steps, seed)
    search.compile(
        keras.optimizers.Adam(_Ramp(steps), beta_1=0.9, beta_2=0.999, epsilon=1e-8),
        loss=lambda _, losses: ops.sum(losses),
    )
    n = len(targets)
    callbacks = [] if progress is None else [_Told(progress, steps)]
    search.fit(
        np.repeat(np.arange(steps, dtype="int32"), n),  # The number of the step.
        np.zeros(n * steps, "float32"),
        batch_size=n,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
    )
    styles = ops.convert_to_numpy(search.vectors)
    if model.style_layers is not None:
        styles = np.repeat(styles[:, None], model.style_layers, axis=1)
    images = model.decode_styles(styles, labels)
    found = away.between(ops.convert_to_tensor(images), ops.convert_to_tensor(targets))
    return Projection(styles, images, ops.convert_to_numpy(found), away.name)


def _pictures(images, shape):
    images = np.asarray(images)
    if images.ndim == 3:
        images = images[None]
    checks.shape("images", images.shape, shape)
    if not len(images):
        raise ValueError("`images` must be at least one picture. Received: none")
    if images.dtype.kind in "ui" and images.min() >= 0 and images.max() <= 255:
        return images.astype("float32") / 127.5 - 1.0
    images = images.astype("float32")
    if not np.isfinite(images).all() or np.abs(images).max() > 1.001:
        raise ValueError(
            "`images` must be integers in 0..255 or floats in [-1, 1]. Received: values from "
            f"{images.min():g} to {images.max():g}"
        )
    return images


def _distance(name):
    known = {"features": Features, "pixels": Pixels}
    if name is None:
        name = "features" if extractors.EfficientNetLite0.installed() else "pixels"
    validation.choice("distance", name, known)
    return known[name]()


class Pixels:
    """The mean squared difference of pixels, summed over the image and its shrunken copies."""

    name = "pixels"

    def between(self, a, b):
        """Return the distances of two batches of images, `(n,)`."""
        found = 0.0
        while True:
            found = found + ops.mean(ops.square(a - b), axis=(1, 2, 3))
            if min(a.shape[1:3]) < 2 * LEAST_SIDE or any(side % 2 for side in a.shape[1:3]):
                return found
            a, b = (ops.average_pool(x, 2, 2, data_format="channels_last") for x in (a, b))


class Features(Pixels):
    """The same, and the squared differences of EfficientNet-Lite0's features at each place.

    The features at a place are scaled to a length of 1, as in LPIPS
    (https://arxiv.org/abs/1801.03924), whose learned weights are not used.
    """

    name = "features of EfficientNet-Lite0, and pixels"

    def __init__(self):
        extractor = extractors.EfficientNetLite0()
        self.side = extractor.side
        network = extractor.model
        outputs = [network.get_layer(name).output for name in DEPTHS]
        self.network = keras.Model(network.inputs[0], outputs)
        self.network.trainable = False
        self.prepared = extractor.preprocess

    def between(self, a, b):
        found = super().between(a, b)
        for x, y in zip(self._seen(a), self._seen(b), strict=True):
            found = found + ops.mean(ops.sum(ops.square(x - y), axis=-1), axis=(1, 2))
        return found

    def _seen(self, images):
        channels = images.shape[-1]
        if channels == 4:  # Over white.
            alpha = 0.5 * (images[..., 3:] + 1.0)
            images = alpha * images[..., :3] + 1.0 - alpha
        elif channels != 3:
            images = ops.repeat(ops.mean(images, axis=-1, keepdims=True), 3, axis=-1)
        if images.shape[1:3] != (self.side, self.side):
            images = ops.image.resize(
                images, (self.side, self.side), antialias=True, data_format="channels_last"
            )
        for maps in self.network(self.prepared(images), training=False):
            yield maps * ops.rsqrt(ops.sum(ops.square(maps), axis=-1, keepdims=True) + 1e-10)


class _Search(keras.Model):
    """Vectors that are moved until their images look like pictures.

    Args:
        model: The adversarial model.
        targets: The pictures.
        labels: Class numbers, or None.
        away: A distance.
        steps: How many steps there are.
        seed: Seed of the start and of the noise.
    """

    def __init__(self, model, targets, labels, away, steps, seed):
        super().__init__(name="search", dtype="float32")
        self.generator = moving_average.copy(model.sampling_generator)
        self.network = getattr(away, "network", None)  # So that Keras knows its variables.
        object.__setattr__(self, "of", model)  # Past Keras, which would move it too.
        self.away = away
        self.steps = steps
        self.labels = None if labels is None else ops.convert_to_tensor(labels)
        self.targets = ops.convert_to_tensor(targets)
        self.seeds = keras.random.SeedGenerator(seed)
        start, self.spread = _start(model, targets, labels, seed)
        self.vectors = self.add_weight(
            name="vectors", shape=start.shape, initializer=_of(start), trainable=True
        )
        self.maps = []
        if model.style_layers is not None:
            rng = np.random.default_rng([seed, 1])
            for i, sides in enumerate(self.generator.synthesis.noise_sides):
                drawn = rng.standard_normal((len(targets), *sides, 1), dtype="float32")
                self.maps.append(
                    self.add_weight(name=f"noise_{i}", shape=drawn.shape, initializer=_of(drawn))
                )

    def call(self, step):
        now = ops.cast(step[0], "float32") / self.steps
        strength = self.spread * NOISE * ops.square(ops.maximum(1.0 - now / NOISE_UNTIL, 0.0))
        vectors = ops.convert_to_tensor(self.vectors)
        vectors = vectors + strength * keras.random.normal(self.vectors.shape, seed=self.seeds)
        maps = [_normalized(ops.convert_to_tensor(noise)) for noise in self.maps]
        if self.maps:
            styles = ops.repeat(vectors[:, None], self.of.style_layers, axis=1)
            images = self.generator.synthesis(styles, noise=maps)
        else:
            images = self.of.decode(vectors, self.labels, self.generator)
        found = self.away.between(images, self.targets)
        return found + NOISE_WEIGHT * sum(_structure(noise) for noise in maps)


def _of(values):
    return lambda shape, dtype=None: ops.convert_to_tensor(values, dtype=dtype)


def _start(model, targets, labels, seed):
    """Return where the vectors begin, `(n, size)`, and how far such vectors are from their mean."""
    n = len(targets)
    if model.style_layers is not None:
        classes = [None] * n if labels is None else [int(label) for label in labels]
        means, squares = {}, []
        for label in dict.fromkeys(classes):
            found = model.styles(SAMPLES, seed, label)[:, 0]
            means[label] = found.mean(axis=0)
            squares.append(((found - means[label]) ** 2).sum() / SAMPLES)
        return np.stack([means[label] for label in classes]), math.sqrt(np.mean(squares))
    found = model.latent_vectors(SAMPLES, seed)
    best = np.empty((n, *found.shape[1:]), "float32")
    for i, target in enumerate(targets):
        one = None if labels is None else int(labels[i])
        images = model.decode_latents(found, one)
        best[i] = found[((images - target) ** 2).mean(axis=(1, 2, 3)).argmin()]
    return best, math.sqrt((found**2).sum() / SAMPLES)


def _normalized(noise):
    """Return maps of noise with a mean of 0 and a variance of 1."""
    axes = (1, 2, 3)
    noise = noise - ops.mean(noise, axis=axes, keepdims=True)
    return noise * ops.rsqrt(ops.mean(ops.square(noise), axis=axes, keepdims=True) + 1e-8)


def _structure(noise):
    """Return how much neighbours in a map of noise have in common, at several sizes, `(n,)`."""
    found = 0.0
    while True:
        for axis in (1, 2):
            alike = ops.mean(noise * ops.roll(noise, 1, axis=axis), axis=(1, 2, 3))
            found = found + ops.square(alike)
        if min(noise.shape[1:3]) <= LEAST_SIDE or any(side % 2 for side in noise.shape[1:3]):
            return found
        noise = ops.average_pool(noise, 2, 2, data_format="channels_last")


@keras.saving.register_keras_serializable(package="kerasgan")
class _Ramp(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises at the beginning and falls along half a cosine at the end.

    Args:
        steps: How many steps there are.
    """

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def __call__(self, step):
        now = ops.cast(step, "float32") / self.steps
        falls = ops.minimum((1.0 - now) / RAMP_DOWN, 1.0)
        falls = 0.5 - 0.5 * ops.cos(math.pi * falls)
        return RATE * falls * ops.minimum(now / RAMP_UP, 1.0)

    def get_config(self):
        return {"steps": self.steps}


class _Told(keras.callbacks.Callback):
    """Tells how many steps were taken, about a hundred times."""

    def __init__(self, progress, steps):
        super().__init__()
        self.progress = progress
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == self.steps or (batch + 1) % max(1, self.steps // 100) == 0:
            self.progress(batch + 1, self.steps)
