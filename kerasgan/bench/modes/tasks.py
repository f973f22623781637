"""What is learned in each benchmark, with which networks, and how it is scored."""

import dataclasses
import functools
import json
import math
import typing
from pathlib import Path

import keras
import numpy as np
from keras import layers

from kerasgan import metrics, networks
from kerasgan.bench import mixtures
from kerasgan.data import load, stacked
from kerasgan.layers import SpectralConv2D, SpectralDense
from kerasgan.metrics.extractors import GarmentsAndDigits
from kerasgan.metrics.extractors.garments_and_digits import VERSION

RECIPES = Path(__file__).with_name("recipes")
_MERGED = ("networks", "arguments")  # A recipe adds to what all share.


@dataclasses.dataclass(frozen=True)
class Task:
    """A benchmark.

    Args:
        name: Its name on the command line.
        samples: How many samples are scored.
        real: A callable from a number of images and a seed to real ones.
        training: How many real images there are to learn from.
        networks: A callable from a recipe to a generator and a critic.
        modes: A callable from images to their `kerasgan.metrics.Modes`.
        data: What the data are, in words.
        judge: What tells the modes, in words.
        moments: Shares of the steps at which it is scored.
        drawn: How many samples are kept of each moment.
        shares: A callable that returns each mode's share of the data; None where they are equal.
    """

    name: str
    samples: int
    real: typing.Callable
    training: int
    networks: typing.Callable
    modes: typing.Callable
    data: str
    judge: str
    moments: tuple
    drawn: int
    shares: typing.Callable | None = None

    def score(self, images, seed=0):
        """Return the modes, the KL and the high-quality share of images, real ones beside them."""
        real = _modes_of_real(self, len(images), seed)
        if np.isfinite(images).all():
            found = self.modes(images)
        else:  # It diverged, and draws nothing.
            found = metrics.Modes(0, math.inf, 0.0, (0.0,) * len(real.shares))
        shares = self.shares and self.shares()
        return metrics.mode_results(
            found, real, len(images), self.data, self.judge, seed, sampled=shares
        )

    @property
    def folder(self):
        """Where its recipes are."""
        return RECIPES / self.name.replace("-", "_")

    @property
    def protocol(self):
        """What all of its recipes share."""
        return json.loads((self.folder / "protocol.json").read_text(encoding="utf-8"))

    def stem(self, steps):
        """Return what the table and the pictures of so many steps are called."""
        return self.name if steps == self.protocol["budgets"]["short"] else f"{self.name}-{steps}"

    def recipes(self, names=None):
        """Return its recipes, or those of some names, each over what all share.

        Raises:
            ValueError: For a name that is none.
        """
        paths = {path.stem: path for path in sorted(self.folder.glob("*.json"))}
        del paths["protocol"]
        names = list(dict.fromkeys(name.strip() for name in names or paths))
        for name in names:
            if name not in paths:
                raise ValueError(f"{name!r} is no recipe of {self.name}: {', '.join(paths)}")
        shared = self.protocol["recipe"]
        found = []
        for name in names:
            own = json.loads(paths[name].read_text(encoding="utf-8"))
            merged = {key: {**shared.get(key, {}), **own.get(key, {})} for key in _MERGED}
            found.append({"name": name, **shared, **own, **merged})
        return found


@functools.cache
def _modes_of_real(task, n, seed):
    return task.modes(task.real(n, seed=[7, seed]))


def _mixture(name, centres, sigma, scale, words):
    """Return the task of a mixture.

    Its points are divided by `scale` to lie within [-1, 1], as images do; inside the networks they
    have the size that the papers give them.
    """
    centres, sigma = centres / scale, sigma / scale

    def real(n, seed):
        return mixtures.draw(centres, sigma, n, seed)[0]

    def modes(points):
        flat = np.asarray(points).reshape(len(points), 2)
        return metrics.modes_of_mixture(flat, centres, sigma)

    pair = functools.partial(_dense, scale=scale)
    judge = "nearest centre, within 3 sigma of it"
    moments = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0)
    return Task(name, 2500, real, 100_000, pair, modes, words, judge, moments, drawn=600)


def _dense(recipe, scale):
    """Return the networks of points.

    Of a recipe's `networks`: `latent_dim`, `width` and `depth` of either network; `critic_norm`,
    "spectral" or None; `minibatch`, the kernels of a minibatch discrimination in the critic; and
    `flow`, the arguments of an invertible generator instead.
    """
    size = recipe["networks"]
    packing = recipe.get("arguments", {}).get("packing", 1)
    inner = size["width"], size["depth"]
    if "flow" in size:
        generator = networks.FlowGenerator(image_size=1, channels=2, **size["flow"])
    else:
        generator = mixtures.generator(size["latent_dim"], *inner, slope=0.0, scale=scale)
    norm, kernels = size.get("critic_norm"), size.get("minibatch")
    return generator, mixtures.critic(*inner, packing, norm, scale, kernels)


@functools.cache
def _digits():
    found = load("mnist")
    return found.images, found.labels


def _stacks(n, seed):
    """Return `n` images `(28, 28, 3)`, uint8: three digits of MNIST's training set as channels."""
    return stacked.stack(*_digits(), n, seed)[0]


def _shares_of_stacks():
    """Return the shares of the 1,000 modes: MNIST's digits are not equally frequent."""
    digits = np.bincount(_digits()[1], minlength=10) / len(_digits()[1])
    return np.einsum("a,b,c->abc", digits, digits, digits).ravel()


def _modes_of_stacks(images):
    images = np.asarray(images)
    if images.dtype == np.uint8:
        images = images.astype("float32") / 127.5 - 1
    digits = [
        GarmentsAndDigits.classify(np.clip(images[..., c : c + 1], -1, 1), digits=True)
        for c in range(3)
    ]
    return metrics.modes_of_labels(100 * digits[0] + 10 * digits[1] + digits[2], stacked.MODES)


def _convolutions(recipe):
    """Return the networks of stacked digits.

    Of a recipe's `networks`: `latent_dim`; `start`, the side of the generator's first map, and
    `generator`, the widths of its maps from there on, each twice as large as the one before;
    `critic`, the widths of its maps, each half as large; `kernel`, the side of its kernels;
    `slope` of its LeakyReLU; `critic_norm`, "batch", "spectral" or None; and `flow`, the arguments
    of an invertible generator instead.
    """
    size = recipe["networks"]
    return _stack_generator(size), _stack_critic(size, recipe)


def _stack_generator(size):
    if "flow" in size:
        return networks.FlowGenerator(image_size=28, channels=3, **size["flow"])
    weights = keras.initializers.RandomNormal(0.0, 0.02)

    def normed(x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))

    z = keras.Input((size["latent_dim"],))
    side, first = size["start"], size["generator"][0]
    x = layers.Dense(side * side * first, kernel_initializer=weights)(z)
    x = normed(layers.Reshape((side, side, first))(x))
    for width in size["generator"][1:]:
        x = layers.Conv2DTranspose(width, 4, 2, "same", kernel_initializer=weights)(x)
        side *= 2
        if side == 8:
            x, side = layers.Cropping2D(((0, 1), (0, 1)))(x), 7
        x = normed(x)
    last = layers.Conv2D if side == 28 else layers.Conv2DTranspose
    kernel, stride = (3, 1) if side == 28 else (4, 2)
    images = last(3, kernel, stride, "same", activation="tanh", kernel_initializer=weights)(x)
    return keras.Model(z, images)


def _stack_critic(size, recipe):
    weights = keras.initializers.RandomNormal(0.0, 0.02)
    spectral = size.get("critic_norm") == "spectral"
    convolution = SpectralConv2D if spectral else layers.Conv2D
    dense = SpectralDense if spectral else layers.Dense
    packed = x = keras.Input((28, 28, 3 * recipe.get("arguments", {}).get("packing", 1)))
    for i, width in enumerate(size["critic"]):
        x = convolution(width, size["kernel"], 2, "same", kernel_initializer=weights)(x)
        if size.get("critic_norm") == "batch" and i > 0:
            x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        x = layers.LeakyReLU(size["slope"])(x)
    return keras.Model(packed, dense(1, kernel_initializer=weights)(layers.Flatten()(x)))


def _tasks():
    ring = "ring of 8 modes, radius 1, sigma 0.01"
    grid = "grid of 25 modes at {-4, -2, 0, 2, 4}^2, sigma 0.05"
    stacks = (
        "three digits of MNIST as channels, 1,000 modes, as frequent as its training set has them; "
        "the divergence is to equal shares"
    )
    judge = f"the digits that garments_and_digits {VERSION} tells in each channel"
    moments = (0.25, 0.5, 1.0)  # Telling the digits of one moment takes 13 s of one core.
    shared = (_stacks, stacked.COUNT, _convolutions, _modes_of_stacks, stacks, judge, moments, 40)
    shared += (_shares_of_stacks,)
    return (
        _mixture("ring", mixtures.ring(8, 1.0), 0.01, 1.25, ring),
        _mixture("grid", mixtures.grid(5, 4.0), 0.05, 5.0, grid),
        Task("stacked-mnist", 26_000, *shared),
        Task("stacked-mnist-small", 25_600, *shared),
    )


TASKS = {task.name: task for task in _tasks()}
