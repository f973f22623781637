"""Small networks with random images, and the objectives of a model that has them."""

import numpy as np
from keras import ops

from kerasgan import networks
from kerasgan.adversarial import Batch

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (24, 8, 8, 1)).astype("float32")
LABELS = np.arange(24) % 3


def number(x):
    return float(ops.convert_to_numpy(ops.stop_gradient(x)))


def pair(**arguments):
    return networks.mlp(8, 1, latent_dim=6, width=8, depth=2, **arguments)


def batch_of(gan, n=6):
    z = ops.convert_to_tensor(RNG.standard_normal((n, gan.latent_dim)).astype("float32"))
    return Batch(ops.convert_to_tensor(IMAGES[:n]), gan.generator(z), z)


def objective(gan, batch, penalties=True, player="critic", training=False):
    """Return what a player minimises, with or without its penalties."""
    chosen = gan._penalties_of(player) if penalties else ()
    return getattr(gan, f"{player}_objective")(batch, chosen, training=training)
