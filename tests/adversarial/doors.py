"""What the tests of this folder share."""

import numpy as np
from keras import ops

from kerasgan import networks

IMAGES = np.random.default_rng(0).uniform(-1, 1, (24, 8, 8, 1)).astype("float32")


def pair(**arguments):
    return networks.mlp(8, 1, latent_dim=6, width=8, depth=1, **arguments)


def array(x):
    return ops.convert_to_numpy(x)
