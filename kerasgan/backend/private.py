"""Every private name of Keras and of the backends that the package uses.

Private names may go in any release, so each stands here once, with what it is for and what happens
without it. `kerasgan` pins Keras to the minor release with which these were tried, and a test calls
each function.
"""

import contextlib
import functools
import threading

from keras import ops

from kerasgan.backend import counter_noise

_active = threading.local()


@contextlib.contextmanager
def _inside(name, value):
    """Return a context inside of which `_active` has this attribute, in this thread."""
    before = getattr(_active, name, None)
    setattr(_active, name, value)
    try:
        yield
    finally:
        setattr(_active, name, before)


def weights_that_can_train(model):
    """Return the weights that a model trains where none of its layers is frozen, in their order.

    `Layer._trainable_variables`. Without it, `historical_averaging` loses its means when a part of
    a network is frozen.
    """
    known = {id(v) for layer in flat_layers(model) for v in layer._trainable_variables}
    return [v for v in model.variables if id(v) in known]


def remember_what_saving_skips():
    """Let Keras remember which attributes of an optimizer it does not save.

    `saving_lib.get_attr_skipset`. Keras 3.15 looks for what it remembers under another name than
    that under which it writes it, and so makes an optimizer for each save. On TensorFlow each costs
    0.07 MB that never come back, as two optimizers did after every epoch. Without this, memory
    grows.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from keras.src.backend.common import global_state
        from keras.src.saving import saving_lib

        name = "saving_attr_skiplist_Optimizer"
        if global_state.get_global_attribute(name) is None:
            global_state.set_global_attribute(name, saving_lib.get_attr_skipset("Optimizer"))


def flat_layers(model):
    """Return all layers of a model, nested ones included, the model itself first.

    `Layer._flatten_layers`. Without it, batch normalisation in a user's critic is not found and
    spectral normalisation takes no power iterations.
    """
    return list(model._flatten_layers())


def place_after(model, layer, others):
    """Move a layer that was given to a model last behind the last of some others.

    `Layer._layers`, whose order is that of `model.weights`. Without it, a model that was given a
    layer in training lists its weights in another order than the model that is loaded from its
    file, and presets and snapshots mix them up.
    """
    layers = model._layers
    if not any(layer is one for one in layers):
        return
    layers[:] = [one for one in layers if one is not layer]
    known = {id(other) for other in others}
    last = max(i for i, one in enumerate(layers) if id(one) in known)
    layers.insert(last + 1, layer)


def loss_tracker(model):
    """Return the metric with which Keras tracks the loss of `compile(loss=...)`, or None.

    `Trainer._loss_tracker`, which `Model.metrics` lists. Without it, this unused metric is stored
    beside a subclass's own.
    """
    return getattr(model, "_loss_tracker", None)


def own_optimizer_variables(optimizer):
    """Return the variables of a `MultiOptimizer` itself, without those of the optimizers in it.

    `BaseOptimizer._variables`. Without it, a stored model holds the state of both optimizers twice.
    """
    return optimizer._variables


def learning_rate_setting(optimizer):
    """Return what an optimizer's learning rate was set to: a variable, a schedule or a callable.

    `Optimizer._learning_rate`; the public property returns the present value. Without it, a guard
    cannot tell a constant rate from a schedule and cannot lower it.
    """
    return optimizer._learning_rate


def adam_moments(optimizer, variable=None):
    """Return Adam's first and second moments: two lists, or those of one variable.

    `Adam._momentums`, `Adam._velocities` and `Optimizer._get_variable_index`. Without them,
    `BurnInAdam` and the unrolled steps of Adam cannot be computed.
    """
    groups = optimizer._momentums, optimizer._velocities
    if variable is None:
        return groups
    index = optimizer._get_variable_index(variable)
    return tuple(group[index] for group in groups)


def give_back_jax_state(model, state):
    """Give a model on JAX the values back that Keras took out of its variables for an epoch.

    `Trainer._jax_state`, `Trainer._jax_state_synced` and `jax_state_sync`. Without it, an error or
    an interrupt in a step leaves a model without weights, which cannot be used any more.

    Args:
        model: The model.
        state: Lists of values by "trainable", "non_trainable", "optimizer" and "metrics".
    """
    import jax

    if any(leaf.is_deleted() for leaf in jax.tree.leaves(state)):  # The step had taken them.
        return
    model._jax_state = {f"{name}_variables": values for name, values in state.items()}
    model._jax_state_synced = False
    model.jax_state_sync()


def exact_moments():
    """Return a context in which Keras' normalisation layers can be differentiated twice.

    `keras.src.backend.tensorflow.nn._compute_moments`, on TensorFlow alone. It calls
    `tf.nn.moments`, whose variance stops the gradient of the mean: the first derivative is right,
    the second is not. Without it, penalties on gradients and unrolled steps are wrong where a
    critic holds BatchNormalization, LayerNormalization or GroupNormalization.
    """
    _install_exact_moments()
    return _inside("exact_moments", True)


@functools.cache
def _install_exact_moments():
    from keras.src.backend.tensorflow import nn

    usual = nn._compute_moments

    @functools.wraps(usual)
    def moments(x, axes, keepdims):
        if not getattr(_active, "exact_moments", None):
            return usual(x, axes, keepdims)
        mean = ops.mean(x, axes, keepdims=True)
        variance = ops.mean(ops.square(x - mean), axes, keepdims=True)
        if not keepdims:
            mean, variance = ops.squeeze(mean, axes), ops.squeeze(variance, axes)
        return mean, variance

    nn._compute_moments = moments


def independent_seeds():
    """Return a context in which the random numbers of two seeds have nothing to do with each other.

    `keras.src.backend.torch.random.torch_seed_generator`, on PyTorch alone. It adds a seed and the
    number of the draw, so that draws 1, 2, ... of seed 0 are draws 0, 1, ... of seed 1. Without it,
    two trials with neighbouring seeds see the same noise.
    """
    _install_independent_seeds()
    return _inside("independent_seeds", True)


@functools.cache
def _install_independent_seeds():
    import torch
    from keras.src.backend.torch import random

    usual = random.torch_seed_generator

    @torch.compiler.disable
    def seed_generator(seed):
        device = random.get_device()
        if device == "meta" or not getattr(_active, "independent_seeds", None):
            return usual(seed)
        first, draw = (int(n) for n in random.draw_seed(seed))
        return torch.Generator(device=device).manual_seed(_mixed(first, draw))

    random.torch_seed_generator = seed_generator


def _mixed(seed, draw):
    """Return 63 bits of a hash of two numbers, that of splitmix64."""
    x = ((seed % 2**32 << 32 | draw % 2**32) + 0x9E3779B97F4A7C15) % 2**64
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ x >> shift) * factor % 2**64
    return (x ^ x >> 31) >> 1


def torch_update_step(optimizer):
    """Return the method with which an optimizer on PyTorch moves all variables, or None.

    `TorchParallelOptimizer._parallel_update_step`. Without it, Adam runs in Keras' own passes,
    about twelve for one kernel.
    """
    return getattr(optimizer, "_parallel_update_step", None)


def replace_torch_update_step(optimizer, step):
    """Let an optimizer on PyTorch move all variables by `step`; see `torch_update_step`."""
    object.__setattr__(optimizer, "_parallel_update_step", step)


def torch_fused_adam(*tensors, **options):
    """Run Adam's step on lists of tensors in one kernel.

    `torch._fused_adam_`, the function behind `torch.optim.Adam(fused=True)`. Without it, see
    `torch_update_step`.
    """
    import torch

    return torch._fused_adam_(*tensors, **options)


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
            noise = getattr(_active, "noise", None)
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
    return _inside("noise", counter_noise.CounterNoise(seeds, shared))


def noise_from(source):
    """Return a context in which Keras draws numbers from a source; see `NoiseTape`."""
    _install()
    return _inside("noise", source)


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
    with _inside("noise", None), _inside("independent_seeds", apart):
        return getattr(_random(), name)(*args, **kwargs)


class _Recording:
    def __init__(self, calls):
        self._calls = calls

    def __getattr__(self, name):
        def draw(*args, **kwargs):
            if name not in ("normal", "uniform", "truncated_normal", "randint", "dropout"):
                raise NotImplementedError(f"its draws by keras.random.{name} depend on the data")
            apart = getattr(_active, "independent_seeds", None)
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


def torch_graph(fn, *args):
    """Run a function of tensors on PyTorch, and return its operations as a `torch.fx.GraphModule`.

    `torch.fx.experimental.proxy_tensor.make_fx`. Without it, steps on PyTorch run layer by layer.
    `torch.nn.functional.one_hot` reads the labels on the host, so that no trace can contain it; in
    `keras.src.backend.torch.nn` it is replaced for that time. Without that, steps of conditional
    networks run layer by layer.
    """
    import torch
    from keras.src.backend.torch import nn
    from torch.fx.experimental import proxy_tensor

    class Functional:
        def __getattr__(self, name):
            return getattr(torch.nn.functional, name)

        def one_hot(self, labels, num_classes):
            classes = torch.arange(num_classes, device=labels.device)
            return (labels.unsqueeze(-1) == classes).to(torch.int64)

    usual, nn.tnn = nn.tnn, Functional()
    try:
        return proxy_tensor.make_fx(fn)(*args)
    finally:
        nn.tnn = usual
