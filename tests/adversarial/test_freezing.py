"""`freeze`: the levels of a critic whose weights stay."""

import keras
import numpy as np
import pytest
from doors import array
from keras import layers

import kerasgan
from kerasgan import networks
from kerasgan.adversarial import freezing

SMALL = {
    "dcgan": {"image_size": 32, "width": 4, "latent_dim": 4},
    "resnet": {"image_size": 32, "width": 4, "latent_dim": 4, "style": "r3gan", "depth": 1},
    "stylegan2": {"image_size": 16, "latent_dim": 4, "channel_base": 64, "channel_max": 4},
}
VARIANTS = {"dcgan": "GAN", "resnet": "R3GAN", "stylegan2": "StyleGAN2"}
LEVELS = {"dcgan": [32, 16, 8], "resnet": [32, 16, 8, 4], "stylegan2": [16, 8, 4]}


def pair(name, **options):
    return getattr(networks, name)(**{**SMALL[name], **options})


@pytest.mark.parametrize("name", SMALL)
def test_levels_are_those_of_the_maps(name):
    _, critic = pair(name)
    found = freezing.levels(critic)
    sides = [{max(layer.input.shape[2:3]) for layer in level} for level in found]
    assert sides == [{side} for side in LEVELS[name]]
    known = {id(w) for level in found for layer in level for w in layer.weights}
    left = [w.path for w in critic.weights if id(w) not in known]
    assert left and all(part.split("/")[0].startswith(("dense", "last", "score")) for part in left)


@pytest.mark.parametrize("name", SMALL)
def test_frozen_levels_stay_and_others_move(name, tmp_path):
    generator, critic = pair(name)
    gan = getattr(kerasgan, VARIANTS[name])(generator, critic, freeze=2)
    frozen = [layer for level in freezing.levels(critic)[:2] for layer in level]
    before = [[array(w) for w in layer.weights] for layer in frozen]
    moving = {id(w) for w in critic.trainable_variables}
    assert moving and not moving & {id(w) for layer in frozen for w in layer.weights}
    others = [array(w) for w in critic.trainable_variables]
    side = generator.output_shape[1]
    images = np.random.default_rng(0).uniform(-1, 1, (8, side, side, 3)).astype("float32")
    gan.compile()
    gan.fit(images, batch_size=4, verbose=0)
    for layer, weights in zip(frozen, before, strict=True):
        for a, b in zip(layer.weights, weights, strict=True):
            np.testing.assert_array_equal(array(a), b)
    pairs = zip(critic.trainable_variables, others, strict=True)
    assert any(not np.array_equal(array(a), b) for a, b in pairs)
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert len(loaded.critic.trainable_variables) == len(moving)


def test_unfreezing_is_kept_too(tmp_path):
    gan = kerasgan.GAN(*pair("dcgan"), freeze=1)
    freezing.unfreeze(gan.critic)
    assert len(gan.critic.trainable_variables) == len(pair("dcgan")[1].trainable_variables)
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert all(layer.trainable for layer in loaded.critic.layers)


def test_a_critic_of_ones_own_in_either_layout():
    critic = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(4, 4, 2, "same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Conv2D(4, 4, 2, "same"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    found = [[layer.name for layer in level] for level in freezing.levels(critic)]
    assert [len(level) for level in found] == [1, 2]


@pytest.mark.parametrize(
    ("freeze", "message"),
    [
        (4, "must be at most 3: the critic .* has maps of 3 sizes"),
        (-1, "`freeze` must be a positive integer"),
        (1.0, "`freeze` must be a positive integer"),
        (True, "Received: freeze=True|at most"),
    ],
)
def test_refusals(freeze, message):
    with pytest.raises(ValueError, match=message):
        kerasgan.GAN(*pair("dcgan"), freeze=freeze)


def test_networks_without_maps():
    with pytest.raises(ValueError, match=r"at most 0: the critic .* has no feature maps"):
        kerasgan.GAN(*networks.mlp(image_size=8, channels=1, width=8), freeze=1)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.all = keras.Sequential([layers.Flatten(), layers.Dense(1)])

        def call(self, x):
            return self.all(x)

    critic = Own()
    critic(np.zeros((1, 8, 8, 1), "float32"))
    generator, _ = networks.mlp(image_size=8, channels=1, width=8)
    with pytest.raises(ValueError, match=r"`freeze` needs a critic|has no feature maps"):
        kerasgan.GAN(generator, critic, freeze=1)
