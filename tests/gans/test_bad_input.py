"""What is refused, and that the error says what, why and what was received."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasgan
from kerasgan import networks
from kerasgan.adversarial import feed
from kerasgan.adversarial.feed import held_out


def pair(**arguments):
    return networks.mlp(8, 1, latent_dim=4, width=8, depth=1, **arguments)


@pytest.fixture
def gan():
    gan = kerasgan.GAN(*pair())
    gan.compile()
    return gan


GOOD = np.zeros((64, 8, 8, 1), "float32")


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((64, 9, 8, 1), "float32"), r"shape \(n, 8, 8, 1\).*Received.*\(64, 9, 8, 1\)"),
        (np.zeros((64, 1, 8, 8), "float32"), "Channels come last"),
        (np.zeros((64, 8, 8), "float32"), "channel axis"),
        (np.where(np.arange(64)[:, None, None, None] == 3, np.nan, GOOD), "finite.*64 NaN"),
        (GOOD + 200.0, r"\[-1, 1\].*Received: values equal to 200"),
        (GOOD.astype("int64"), "dtype int64"),
        (GOOD[:0], "empty"),
        (GOOD[:8], "`batch_size` must not be larger"),
        (None, "`x` must be given"),
        ([GOOD, GOOD], "one array"),
    ],
)
def test_images_that_do_not_fit(gan, x, words):
    with pytest.raises(ValueError, match=f"(?s){words}"):
        gan.fit(x, verbose=0)


def test_streams_that_do_not_fit(gan):
    class Stream(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, i):
            return (np.zeros((4, 8, 8, 3), "float32"),)

    with pytest.raises(ValueError, match=r"\(n, 8, 8, 1\)"):
        gan.fit(Stream(), verbose=0)


def test_what_only_arrays_can_have_is_refused_beside_a_dataset(gan):
    dataset = kerasgan.data.ImageDataset(GOOD, batch_size=16)
    for name, value in (("batch_size", 4), ("y", np.zeros(64)), ("validation_split", 0.25)):
        with pytest.raises(ValueError, match=f"`{name}` goes with arrays.*ImageDataset"):
            gan.fit(dataset, verbose=0, **{name: value})
    with pytest.raises(ValueError, match="`y` goes with arrays"):
        gan.evaluate(dataset, np.zeros(64), verbose=0)


def test_a_split_has_a_batch_size_of_its_own(gan, monkeypatch):
    sizes = []
    monkeypatch.setattr(feed, "held_out", lambda *args: sizes.append(args[-1]) or held_out(*args))
    gan.fit(GOOD, batch_size=16, validation_split=0.25, validation_batch_size=4, verbose=0)
    assert sizes == [4]


@pytest.mark.parametrize("weight", ["class_weight", "sample_weight"])
def test_weights_have_no_meaning(gan, weight):
    with pytest.raises(ValueError, match=f"`{weight}`"):
        gan.fit(GOOD, verbose=0, **{weight: {0: 1.0}})


def test_networks_that_do_not_fit():
    generator, critic = pair()
    other = networks.mlp(9, 1, latent_dim=4, width=8, depth=1)[1]
    with pytest.raises(ValueError, match=r"`critic` does not fit.*9, 9, 1.*Received.*8, 8, 1"):
        kerasgan.GAN(generator, other)
    with pytest.raises(ValueError, match="latent vectors"):
        kerasgan.GAN(other, critic)
    with pytest.raises(ValueError, match=r"`generator` must be a keras\.Model"):
        kerasgan.GAN(lambda z: z, critic)
    with pytest.raises(ValueError, match="must be built"):
        kerasgan.GAN(keras.Sequential([layers.Dense(4)]), critic)
    two = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"one score.*Received.*\(None, 2\)"):
        kerasgan.GAN(generator, two)


def test_gradient_penalty_refuses_batch_norm():
    generator, critic = networks.mlp(8, 1, latent_dim=4, width=8, depth=2, critic_norm="batch")
    with pytest.raises(ValueError, match=r"batch normalisation.*Received: the layers"):
        kerasgan.WGANGP(generator, critic)
    kerasgan.GAN(generator, critic)


@pytest.mark.parametrize(
    ("variant", "arguments"),
    [
        (kerasgan.GAN, {"loss": "cross_entropy"}),
        (kerasgan.GAN, {"n_critic": 0}),
        (kerasgan.GAN, {"n_critic": 1.5}),
        (kerasgan.GAN, {"ema": 1.0}),
        (kerasgan.WGAN, {"clip": 0}),
        (kerasgan.WGAN, {"clip": float("nan")}),
        (kerasgan.WGANGP, {"gp_weight": -1}),
        (kerasgan.WGANGP, {"learning_rate": True}),
    ],
)
def test_arguments_out_of_range(variant, arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"(?s)`{name}` must be.*Received"):
        variant(*pair(), **arguments)


@pytest.mark.parametrize(
    ("builder", "arguments", "name"),
    [
        (networks.dcgan, {"image_size": 30}, "image_size"),
        (networks.dcgan, {"width": 0}, "width"),
        (networks.mlp, {"latent_dim": -2}, "latent_dim"),
        (networks.mlp, {"critic_norm": "layer"}, "norm"),
    ],
)
def test_builders_refuse(builder, arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` must be.*Received"):
        builder(**arguments)


def test_one_optimizer_for_both_is_refused(gan):
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="two instances"):
        gan.compile(adam, adam)


def test_mixed_float16_is_refused():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        gan = kerasgan.GAN(*pair())
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match="mixed_bfloat16"):
        gan.compile()


@pytest.mark.parametrize("n", [0, -1, 2.0])
def test_sample_refuses(gan, n):
    with pytest.raises(ValueError, match="`n` must be a positive integer"):
        gan.sample(n)
    with pytest.raises(ValueError, match=r"`z` must have the shape \(n, 4\)"):
        gan.decode_latents(np.zeros((2, 5)))


def test_infogan_needs_latent_vectors_of_one_axis():
    z = keras.Input((2, 12))
    x = keras.layers.Dense(64, activation="tanh")(keras.layers.Flatten()(z))
    generator = keras.Model(z, keras.layers.Reshape((8, 8, 1))(x))
    with pytest.raises(ValueError, match=r"of one axis.*Received: \(None, 2, 12\)"):
        kerasgan.InfoGAN(generator, networks.mlp(8, 1, latent_dim=6, width=8)[1])
