"""StyleGAN2: its schedule, its styles and its sampling options."""

import keras
import numpy as np
import pytest
from keras import ops

import kerasgan
from kerasgan.gans.stylegan2 import usual_gamma

SIZE = {"latent_dim": 6, "mapping_layers": 1, "channel_base": 64, "channel_max": 4}
IMAGES = np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 3)).astype("float32")
LABELS = np.arange(32) % 3


def make(compiled=True, size=8, networks=None, **options):
    pair = kerasgan.StyleGAN2.default_networks(image_size=size, **SIZE, **(networks or {}))
    gan = kerasgan.StyleGAN2(*pair, **options)
    if compiled:
        gan.compile()
    return gan


@pytest.fixture(scope="module")
def trained():
    gan = make(r1_every=1, path_every=1)  # One program.
    # Strengths and biases that are zero at first would hide what depends on them.
    gan.fit(IMAGES, batch_size=8, epochs=2, verbose=0)
    for block in gan.ema_generator.synthesis.blocks:
        block.refine.strength.assign(0.5)
    return gan


@pytest.mark.parametrize(
    ("size", "gamma"), [(64, 0.0256), (256, 0.8192), (512, 6.5536), (1024, 52.4288)]
)
def test_gamma_is_that_of_the_authors_auto(size, gamma):
    """train.py: `0.0002 * res ** 2 / mb`, with `mb = min(4096 // res, 32)` on one GPU."""
    assert usual_gamma(size, size) == pytest.approx(gamma)


def test_defaults_are_the_authors_auto():
    gan = make()
    penalties = {p.name: (p.weight, p.every) for p in gan.penalties}
    assert penalties == {"r1": (pytest.approx(usual_gamma(8, 8)), 16), "path_length": (2.0, 4)}
    assert gan.mixing == 0.9 and gan.adversarial_loss.name == "non_saturating"
    # A half-life of 10,000 images at 32 a batch, and of 5 % of the steps so far before that.
    steps = np.array([1.0, 101.0, 6251.0, 1e6])
    found = [float(ops.convert_to_numpy(gan.ema_decay(ops.convert_to_tensor(s)))) for s in steps]
    expected = [0.0, 0.5 ** (1 / 5.0), 0.5 ** (1 / 312.5), 0.5 ** (1 / 312.5)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_averages_are_tracked(trained):
    average = ops.convert_to_numpy(trained.ema_generator.mapping.average)
    assert np.abs(average).max() > 1e-3
    assert float(ops.convert_to_numpy(trained.penalties[1].average)) > 0
    gan = make(compiled=False)
    z = gan.draw_latents(16)
    w = ops.convert_to_numpy(gan.generator.mapping(z[:, :6])).mean(axis=0)
    for step in (1, 2):
        gan.stages(z)
        found = ops.convert_to_numpy(gan.generator.mapping.average)
        np.testing.assert_allclose(found, (1 - 0.995**step) * w, rtol=1e-4, atol=1e-7)
    gan.stages(z, training=False)
    np.testing.assert_array_equal(gan.generator.mapping.average, found)


@pytest.mark.slow
def test_lazy_penalties_come_when_they_are_due():
    gan = make(r1_every=4, path_every=2)
    history = gan.fit(IMAGES, batch_size=8, epochs=1, verbose=0).history  # Four steps.
    assert np.isfinite([history["r1"][0], history["path_length"][0]]).all()
    without = make(gamma=0.0, path_weight=0.0)
    assert not without.penalties
    assert {"r1", "path_length"}.isdisjoint(without.fit(IMAGES, batch_size=8, verbose=0).history)


def test_truncation_leads_to_the_average(trained):
    whole, half, none = (trained.sample(8, seed=1, truncation=t) for t in (1.0, 0.5, 0.0))
    np.testing.assert_allclose(trained.sample(8, seed=1), whole, atol=1e-4)
    assert np.ptp(none, axis=0).max() < 1e-5
    spread = [images.std(axis=0).mean() for images in (none, half, whole)]
    assert spread[0] < spread[1] < spread[2]


def test_noise(trained):
    constant, none = (trained.sample(4, seed=1, noise=kind) for kind in ("constant", "none"))
    np.testing.assert_allclose(constant, trained.sample(4, seed=1), atol=1e-4)
    random = trained.sample(4, seed=1, noise="random")
    assert np.abs(constant - none).max() > 1e-3 and np.abs(random - constant).max() > 1e-3
    np.testing.assert_allclose(random[:2], trained.sample(2, seed=1, noise="random"), atol=1e-5)
    z = np.repeat(trained.latent_vectors(1, seed=1), 2, axis=0)
    first, second = trained.decode_latents(z, noise="random")
    assert np.abs(first - second).max() > 1e-3  # An image's noise is its own.


def test_styles_are_mixed():
    gan = make(compiled=False, mixing=0.5)
    z = gan.draw_latents(4)
    assert z.shape == (4, 2 * 6 + 2)
    count = gan.generator.synthesis.styles
    z = ops.convert_to_numpy(z).copy()
    for chance, place, own in ((0.6, 0.5, count), (0.4, 0.0, 1), (0.4, 0.999, count - 1)):
        z[:, -2:] = chance, place
        styles = ops.convert_to_numpy(gan.stages(ops.convert_to_tensor(z))[0])
        firsts = [np.array_equal(styles[0, i], styles[0, 0]) for i in range(count)]
        assert firsts == [True] * own + [False] * (count - own)
    assert make(compiled=False, mixing=0.0).draw_latents(4).shape == (4, 6)


@pytest.mark.slow
def test_conditional_training():
    gan = make(networks={"num_classes": 3}, r1_every=1, path_every=1)
    gan.fit(IMAGES, LABELS, batch_size=8, verbose=0)
    ones, twos = gan.sample(4, seed=0, labels=1), gan.sample(4, seed=0, labels=[2] * 4)
    assert ones.shape == (4, 8, 8, 3) and not np.array_equal(ones, twos)
    found = gan.evaluate(IMAGES, LABELS, batch_size=8, verbose=0, return_dict=True)
    assert np.isfinite(list(found.values())).all()


def test_the_state_comes_back(trained, tmp_path):
    trained.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    options = {"truncation": 0.7, "noise": "random"}
    np.testing.assert_array_equal(
        loaded.sample(4, seed=3, **options), trained.sample(4, seed=3, **options)
    )
    assert loaded.get_config() == trained.get_config()
    averages = [float(ops.convert_to_numpy(m.penalties[1].average)) for m in (trained, loaded)]
    assert averages[0] == averages[1]


@pytest.mark.slow
def test_images_need_not_be_square():
    gan = make(size=(8, 12), r1_every=1, path_every=1)
    images = np.random.default_rng(0).uniform(-1, 1, (8, 8, 12, 3)).astype("float32")
    gan.fit(images, batch_size=8, verbose=0)
    assert gan.sample(2, seed=0).shape == (2, 8, 12, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": -1.0}, "`gamma` must be a non-negative number"),
        ({"mixing": 1.5}, "`mixing` must be in"),
        ({"r1_every": 0}, "`r1_every` must be a positive integer"),
        ({"path_every": 0.5}, "`path_every` must be a positive integer"),
        ({"ema_ramp": 0.0}, "`ema_ramp` must be a positive number"),
        ({"learning_rate": -1.0}, "`learning_rate` must be a positive number"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_bad_sampling(trained):
    for options, message in (
        ({"truncation": -0.5}, "`truncation` must be a non-negative number"),
        ({"noise": "some"}, "`noise` must be one of"),
        ({"psi": 0.5}, "the sampling options of a StyleGAN2 are: truncation, noise"),
    ):
        with pytest.raises(ValueError, match=message):
            trained.sample(2, seed=0, **options)
    plain = kerasgan.GAN(*kerasgan.networks.mlp(8, 1, latent_dim=4, width=8))
    with pytest.raises(ValueError, match="the sampling options of a GAN are: none"):
        plain.sample(2, truncation=0.5)


def test_other_generators_are_refused():
    pair = kerasgan.networks.mlp(8, 3, latent_dim=4, width=8)
    with pytest.raises(ValueError, match=r"`generator` must be a kerasgan\.networks\.StyleGAN2"):
        kerasgan.StyleGAN2(*pair)
