"""Every private name of Keras and of the backends that has to do with random numbers.

See `private.py`.
"""

import functools
import weakref

import keras
from keras import ops

from kerasgan.backend import counter_noise
from kerasgan.backend.private import active, inside


def independent_seeds():
    """Return a context in which the random numbers of two seeds have nothing to do with each other.

    `keras.src.backend.torch.random.torch_seed_generator`, on PyTorch alone. It adds a seed and the
    number of the draw, so that draws 1, 2, ... of seed 0 are draws 0, 1, ... of seed 1. Without it,
    two trials with neighbouring seeds see the same noise.
    """
    _install_independent_seeds()
    return inside("independent_seeds", True)


@functools.cache
def _install_independent_seeds():
    import torch
    from keras.src.backend.torch import random

    usual = random.torch_seed_generator

    @torch.compiler.disable
    def seed_generator(seed):
        device = random.get_device()
        if device == "meta" or not getattr(active, "independent_seeds", None):
            return usual(seed)
        if isinstance(seed, keras.random.SeedGenerator):
            first, draw = _next_of(seed)
        else:
            first, draw = random.draw_seed(seed).tolist()
        return torch.Generator(device=device).manual_seed(_mixed(first, draw))

    random.torch_seed_generator = seed_generator


_counted = weakref.WeakKeyDictionary()  # The state of each seed generator as the host knows it.


def _next_of(generator):
    """Return the seed of a generator and the number of the draw, on PyTorch, and count the draw.

    `Tensor._version` tells whether the state is what it was after the last draw. Without it, each
    draw waits until an accelerator has computed all that came before, to read two numbers.
    """
    import torch

    state = generator.state.value
    known, version, first, draw = _counted.get(generator, (None, None, None, None))
    if state is not known or state._version != version:
        first, draw = state.tolist()
    with torch.no_grad():
        state[1] += 1
    _counted[generator] = state, state._version, first, draw + 1
    return first, draw


def _mixed(seed, draw):
    """Return 63 bits of a hash of two numbers, that of splitmix64."""
    x = ((seed % 2**32 << 32 | draw % 2**32) + 0x9E3779B97F4A7C15) % 2**64
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ x >> shift) * factor % 2**64
    return (x ^ x >> 31) >> 1


def _random():
    """Return the module through which `keras.random` and Keras' layers draw numbers.

    `keras.src.backend.random`. Without it, a generator whose layers draw noise at inference cannot
    be given the noise of a seed.
    """
    from keras.src.backend import random

    return random


@functools.cache
def _install():
    """Let Keras draw by `counter_noise` in a thread that is inside of `noise_of`."""
    module = _random()

    def replaced(name, draw):
        @functools.wraps(draw)
        def function(*args, **kwargs):
            noise = getattr(active, "noise", None)
            if noise is None:
                return draw(*args, **kwargs)
            if not hasattr(noise, name):
                raise NotImplementedError(
                    f"a generator cannot draw by keras.random.{name} when it samples: the noise "
                    "of an image is computed from its seed, which is done for normal, "
                    "truncated_normal, uniform, randint, categorical and dropout."
                )
            return getattr(noise, name)(*args, **kwargs)

        return function

    covered = ("normal", "truncated_normal", "uniform", "randint", "categorical", "dropout")
    for name in (*covered, "beta", "binomial", "gamma", "shuffle"):
        setattr(module, name, replaced(name, getattr(module, name)))


def noise_of(seeds, shared):
    """Return a context in which what layers draw depends on the seed of each image alone.

    It holds in this thread. What is drawn for one image does not depend on the backend, the size of
    the batch, or the image's place in it; see `counter_noise.CounterNoise`.

    Args:
        seeds: int32 of shape `(batch_size,)`.
        shared: The int32 seed of what is drawn for the batch as a whole.
    """
    _install()
    return inside("noise", counter_noise.CounterNoise(seeds, shared))


def noise_from(source):
    """Return a context in which Keras draws numbers from a source; see `NoiseTape`."""
    _install()
    return inside("noise", source)


class NoiseTape:
    """The draws of random numbers in one step, which can be repeated ahead of another.

    A step draws in the same order each time. So what it would draw can be drawn before it, from the
    same seeds, and handed to it.
    """

    def __init__(self):
        self._calls = []

    def recording(self):
        """Return a source that draws as usual and notes each draw."""
        return _Recording(self._calls)

    def draw(self):
        """Return new numbers for all draws of a step."""
        return [_drawn(*call) for call in self._calls]

    def replaying(self, numbers):
        """Return a source that hands out what `draw` returned."""
        return _Replaying(self._calls, numbers)


def _drawn(name, args, kwargs, apart):
    with inside("noise", None), inside("independent_seeds", apart):
        return getattr(_random(), name)(*args, **kwargs)


class _Recording:
    def __init__(self, calls):
        self._calls = calls

    def __getattr__(self, name):
        def draw(*args, **kwargs):
            if name not in ("normal", "uniform", "truncated_normal", "randint", "dropout"):
                raise NotImplementedError(f"its draws by keras.random.{name} depend on the data")
            apart = getattr(active, "independent_seeds", None)
            given = args
            if name == "dropout":  # What it draws is what it makes of ones.
                given = (ops.ones_like(args[0]), *args[1:])
            self._calls.append((name, given, kwargs, apart))
            drawn = _drawn(name, given, kwargs, apart)
            return args[0] * drawn if name == "dropout" else drawn

        return draw


class _Replaying:
    def __init__(self, calls, numbers):
        self._left = iter(zip(calls, numbers, strict=True))

    def __getattr__(self, name):
        def draw(*args, **kwargs):
            (expected, *_), drawn = next(self._left, (("no more",), None))
            if name != expected:
                raise NotImplementedError(f"a step drew {name} where another drew {expected}")
            return args[0] * drawn if name == "dropout" else drawn

        return draw
