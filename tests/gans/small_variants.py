"""Small models of every variant, and what compares two of them."""

import numpy as np
from keras import ops

import kerasgan

# What a variant needs beside its defaults on small networks.
SMALL = {
    kerasgan.InfoGAN: {"categorical": (3,), "continuous": 1},
    kerasgan.UnrolledGAN: {"unrolled_steps": 2},  # Each step more is compiled into the program.
    kerasgan.StyleGAN2: {"r1_every": 1, "path_every": 1},  # So that there are few programs.
}
SIZES = {
    kerasgan.FlowGAN: {"critic_width": 4, "hidden_layers": 1},
    kerasgan.FastGAN: {"width": 2},
    kerasgan.StyleGAN2: {"mapping_layers": 1, "channel_base": 64, "channel_max": 4},
}
# Those that take one architecture alone.
OWN = {kerasgan.FlowGAN: "nice", kerasgan.FastGAN: "fastgan", kerasgan.StyleGAN2: "stylegan2"}


def make(variant, compiled=True, architecture="mlp", size=None, **arguments):
    # Fully connected: convolutions take JAX many seconds to compile, and other tests have them.
    # Flows have an architecture of their own, and a convolutional critic.
    own = {"mlp": {"width": 16, "depth": 2}, "dcgan": {"width": 4}}[architecture]
    if variant in (kerasgan.FastGAN, kerasgan.StyleGAN2):
        own = {}
    size = {**own, **SIZES.get(variant, {}), **(size or {})}
    named = OWN.get(variant, architecture)
    pair = variant.default_networks(named, image_size=28, channels=1, latent_dim=8, **size)
    gan = variant(*pair, **{**SMALL.get(variant, {}), **arguments})
    if compiled:
        gan.compile()
    return gan


def values(network):
    return [ops.convert_to_numpy(v) for v in network.trainable_variables]


def changed(before, network):
    return any(not np.array_equal(a, b) for a, b in zip(before, values(network), strict=True))


def twin(gan, **arguments):
    """Return another model of the same configuration, weights and seeds."""
    other = type(gan).from_config(gan.get_config())
    other.compile(**arguments)
    other.set_weights(gan.get_weights())
    return other


def whole_state(gan):
    return [ops.convert_to_numpy(v) for v in (*gan.variables, *gan.optimizer.variables)]


def assert_same_state(a, b):
    for x, y in zip(whole_state(a), whole_state(b), strict=True):
        np.testing.assert_array_equal(x, y)
    for counter in ("critic_steps", "generator_steps", "critic_steps_this_round"):
        assert getattr(a, counter) == getattr(b, counter)


def assert_same_history(first, *others, rtol=1e-5):
    for name, series in first.items():
        assert np.isfinite(series).all(), name
        for other in others:
            np.testing.assert_allclose(other[name], series, rtol=rtol, atol=1e-5, err_msg=name)
