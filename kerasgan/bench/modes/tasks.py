"""The benchmarks: their data, their networks, their recipes and their scores."""

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
from kerasgan.recipe import Recipe

RECIPES = Path(__file__).with_name("recipes")
# Entries of a benchmark's recipe that do not affect the training.
WORDS = ("title", "why", "published", "behind", "trials")
# How many levels of dictionaries an entry of a recipe is merged over the shared one.
_DEPTHS = {"networks": 1, "arguments": 1, "optimizers": 2}


@dataclasses.dataclass(frozen=True)
class Task:
    """A benchmark.

    Args:
        name: Its name on the command line.
        samples: How many generated images are scored.
        real: A callable from a number of images and a seed to this number of real images.
        training: How many real images a model is trained on.
        networks: A callable from a recipe's `networks` and the packing of its critic to a
            generator and a critic.
        modes: A callable from images to their `kerasgan.metrics.Modes`.
        data: A description of the data.
        classifier: A description of how the mode of an image is found.
        moments: Shares of the training after which a model is scored.
        kept: How many generated images of each moment are stored.
        shares: A callable that returns the share of each mode in the data; None for equal shares.
    """

    name: str
    samples: int
    real: typing.Callable
    training: int
    networks: typing.Callable
    modes: typing.Callable
    data: str
    classifier: str
    moments: tuple
    kept: int
    shares: typing.Callable | None = None

    def score(self, images, seed=0):
        """Return the modes, the KL and the high-quality share of generated images.

        Each result holds the value of as many real images too.

        Args:
            images: Generated images.
            seed: Seed of the real images.

        Returns:
            A list of `kerasgan.metrics.Result`.
        """
        real = _modes_of_real(self, len(images), seed)
        if np.isfinite(images).all():
            found = self.modes(images)
        else:  # A model that diverged generates no mode.
            found = metrics.Modes(0, math.inf, 0.0, (0.0,) * len(real.shares))
        shares = self.shares and self.shares()
        return metrics.mode_results(
            found, real, len(images), self.data, self.classifier, seed, sampled=shares
        )

    @property
    def folder(self):
        """The folder of its recipes."""
        return RECIPES / self.name.replace("-", "_")

    @property
    def protocol(self):
        """The texts and step budgets; `recipe` has the entries that all recipes share."""
        return json.loads((self.folder / "protocol.json").read_text(encoding="utf-8"))

    def stem(self, steps):
        """Return the name, without ending, of the files with the results for a number of steps."""
        return self.name if steps == self.protocol["budgets"]["short"] else f"{self.name}-{steps}"

    def recipes(self, names=None):
        """Return its recipes, each merged over what all share.

        A recipe is a dictionary: `name`; texts (`WORDS`); `networks`, for `Task.networks`; and
        other fields of a `kerasgan.recipe.Recipe`, without `seed` and `length`.

        Args:
            names: Names of recipes; None for all.

        Raises:
            ValueError: If there is no recipe with one of the names.
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
            found.append({"name": name, **_merged(shared, own)})
        return found

    def build(self, recipe, seed, steps):
        """Return the compiled model of a recipe.

        Args:
            recipe: One of `recipes()`.
            seed: Seed of the training.
            steps: Critic steps of the training.
        """
        beside = ("name", "networks", *WORDS)
        fields = {key: value for key, value in recipe.items() if key not in beside}
        training = Recipe.from_json({**fields, "seed": seed, "length": {"steps": steps}})
        pair = self.networks(recipe["networks"], training.arguments.get("packing", 1))
        return training.build(networks=pair)


def _merged(shared, own):
    """Return a recipe of its own entries over the shared ones."""
    return {**shared, **{key: _over(shared.get(key), own[key], _DEPTHS.get(key, 0)) for key in own}}


def _over(shared, own, depth):
    if not depth or shared is None:
        return own
    return {**shared, **{key: _over(shared.get(key), own[key], depth - 1) for key in own}}


@functools.cache
def _modes_of_real(task, n, seed):
    return task.modes(task.real(n, seed=[7, seed]))


def _mixture(name, centres, sigma, scale, words):
    """Return the task of a mixture.

    Points are divided by `scale`, so that they lie in [-1, 1] as images do. The networks multiply
    by `scale` inside, so that their hidden layers see points of the papers' size.
    """
    centres, sigma = centres / scale, sigma / scale

    def real(n, seed):
        return mixtures.sample(centres, sigma, n, seed)[0]

    def modes(points):
        flat = np.asarray(points).reshape(len(points), 2)
        return metrics.modes_of_mixture(flat, centres, sigma)

    pair = functools.partial(_dense, scale=scale)
    classifier = "nearest centre, within 3 sigma of it"
    moments = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0)
    return Task(name, 2500, real, 100_000, pair, modes, words, classifier, moments, kept=600)


def _dense(size, packing, scale):
    """Return the networks for points.

    Args:
        size: `latent_dim`, `width` and `depth` of both networks; optionally `critic_norm`,
            "spectral" or None; `minibatch`, the kernels of a minibatch discrimination in the
            critic; and `flow`, the arguments of an invertible generator instead of the usual one.
        packing: Points that one score of the critic is for.
        scale: See `_mixture`.
    """
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


def _convolutions(size, packing):
    """Return the networks for stacked digits.

    Args:
        size: `latent_dim`; `start`, the side of the generator's first maps; `generator`, the
            widths of its maps, whose side doubles from one to the next; `critic`, the widths of
            the critic's maps, whose side halves; `kernel`, the side of the critic's kernels;
            `slope` of its LeakyReLU; optionally `critic_norm`, "batch", "spectral" or None; and
            `flow`, the arguments of an invertible generator instead of the usual one.
        packing: Images that one score of the critic is for.
    """
    return _stack_generator(size), _stack_critic(size, packing)


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


def _stack_critic(size, packing):
    weights = keras.initializers.RandomNormal(0.0, 0.02)
    spectral = size.get("critic_norm") == "spectral"
    convolution = SpectralConv2D if spectral else layers.Conv2D
    dense = SpectralDense if spectral else layers.Dense
    packed = x = keras.Input((28, 28, 3 * packing))
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
    digits = f"the digits that garments_and_digits {VERSION} tells in each channel"
    moments = (0.25, 0.5, 1.0)  # Classifying the digits of one moment takes 13 s of one core.
    shared = (_stacks, stacked.COUNT, _convolutions, _modes_of_stacks, stacks, digits, moments, 40)
    shared += (_shares_of_stacks,)
    return (
        _mixture("ring", mixtures.ring(8, 1.0), 0.01, 1.25, ring),
        _mixture("grid", mixtures.grid(5, 4.0), 0.05, 5.0, grid),
        Task("stacked-mnist", 26_000, *shared),
        Task("stacked-mnist-small", 25_600, *shared),
    )


TASKS = {task.name: task for task in _tasks()}
