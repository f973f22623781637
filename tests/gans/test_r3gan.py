"""The schedules of R3GAN and its optimizer."""

import keras
import numpy as np
import pytest
from keras import ops
from small_networks import IMAGES, batch_of, number, objective, pair

import kerasgan
from kerasgan import catalogue, penalties
from kerasgan.adversarial.burn_in import BurnInAdam, cosine


def test_r3gan_schedules():
    assert number(cosine(1.0, 0.1, 0, 100)) == pytest.approx(1.0)
    assert number(cosine(1.0, 0.1, 50, 100)) == pytest.approx(0.55)
    assert number(cosine(1.0, 0.1, 400, 100)) == pytest.approx(0.1)
    gan = kerasgan.R3GAN(*pair(), gamma=2.0, final_gamma=0.5, burn_in=10, ema=0.99)
    gan.compile()
    assert number(gan.penalty_weight(gan.penalties[0])) == pytest.approx(2.0)
    assert number(gan.ema_decay(ops.convert_to_tensor(10.0))) == pytest.approx(0.99, rel=1e-5)
    middle = 0.5 ** (1 / (0.5 * np.log(0.5) / np.log(0.99)))
    assert number(gan.ema_decay(ops.convert_to_tensor(5.0))) == pytest.approx(middle, rel=1e-5)
    for _ in range(4):
        gan.fit(IMAGES, batch_size=8, verbose=0)
    assert number(gan.penalty_weight(gan.penalties[1])) == pytest.approx(0.5)


def test_burn_in_adam_equals_numpy():
    variable = keras.Variable(np.array([1.0, -2.0], "float32"))
    optimizer = BurnInAdam(0.1, 0.5, beta_1=0.3, beta_2=0.9, final_beta_2=0.99, burn_in=4)
    w, m, s = np.array([1.0, -2.0]), 0.0, 0.0
    for t in range(6):
        gradient = np.array([0.5, -1.0]) * (t + 1)
        optimizer.apply([ops.convert_to_tensor(gradient.astype("float32"))], [variable])
        wave = 0.5 * (1 + np.cos(np.pi * min(t / 4, 1)))
        rate, beta_2 = 0.1 * (0.5 + 0.5 * wave), 0.99 - 0.09 * wave
        m = 0.3 * m + 0.7 * gradient
        s = beta_2 * s + (1 - beta_2) * gradient**2
        rate *= np.sqrt(1 - beta_2 ** (t + 1)) / (1 - 0.3 ** (t + 1))
        w = w - rate * m / (np.sqrt(s) + 1e-8)
    np.testing.assert_allclose(ops.convert_to_numpy(variable), w, rtol=1e-4)


def test_the_learning_rate_of_r3gan_falls():
    gan = kerasgan.R3GAN(*pair(), learning_rate=1e-5)
    gan.compile()
    assert gan.optimizer.generator_optimizer.final_factor == pytest.approx(0.25)
    with pytest.raises(ValueError, match="`final_learning_rate` must not be above `learning_rate`"):
        kerasgan.R3GAN(*pair(), learning_rate=1e-5, final_learning_rate=1e-4)


def test_held_out_losses_of_r3gan_do_not_follow_the_schedule():
    gan = kerasgan.R3GAN(*pair(), gamma=8.0, final_gamma=0.0, burn_in=2)
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    logs = gan.evaluate(IMAGES, batch_size=24, verbose=0)
    assert logs["r1"] > 0
    batch = batch_of(gan)
    expected = 8 * sum(
        number(penalties.zero_centred_penalty(gan.critic, x)) for x in (batch.real, batch.fake)
    )
    found = number(objective(gan, batch)) - number(objective(gan, batch, penalties=False))
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("cifar-10", (0.05, 0.55, 39062, 768, 32)),
        ("ffhq-64", (2.0, 0.3, 78125, 768, 64)),
        ("ffhq-256", (150.0, 0.3, 78125, 768, 256)),
        ("imagenet-32", (0.5, 0.5, 48828, 1536, 32)),
        ("imagenet-64", (1.0, 0.4, 48828, 1536, 64)),
    ],
)
def test_constants_are_those_of_the_authors_train_py(config, expected):
    known = catalogue.CONFIGURATIONS[config]
    found = known.arguments()
    assert (known.gamma, known.augmented, found["burn_in"], known.width, known.image_size) == (
        expected
    )
    assert found["final_gamma"] == pytest.approx(known.gamma / 10)
    # Images of the half-life: 5e6, 5e5 or 5e7.
    half_life = np.log(0.5) / np.log(found["ema"]) * known.batch_size
    wanted = 5e6 if config == "cifar-10" else 5e5 if "ffhq" in config else 5e7
    assert half_life == pytest.approx(wanted, rel=1e-4)


def test_a_configuration_makes_the_whole_model(tmp_path):
    size = {"width": 16, "image_size": 8, "depth": 1, "channels": 1}
    gan = kerasgan.R3GAN.configured("ffhq-64", batch_size=8, networks=size)
    assert gan.generator.output_shape == (None, 8, 8, 1) and gan.latent_dim == 64
    assert (gan.gamma, gan.final_gamma, gan.burn_in) == (2.0, 0.2, 2_500_000)
    assert gan.augment.get_config()["fixed"] == 0.3 and gan.augment.rise == 2_500_000
    assert gan.augment.multipliers == {"color": 0.5}
    gan.compile()
    before = gan.generator.get_weights()
    history = gan.fit(IMAGES[:, :8, :8], batch_size=8, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    after = gan.generator.get_weights()
    assert any(not np.array_equal(*both) for both in zip(before, after, strict=True))
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.sample(2, seed=1), gan.sample(2, seed=1), atol=1e-6)
    plain = kerasgan.R3GAN.configured("ffhq-64", networks=size, augment=None, gamma=1.0)
    assert plain.augment is None and plain.gamma == 1.0
    with pytest.raises(ValueError, match="`config` must be one of"):
        kerasgan.R3GAN.configured("lsun")
    with pytest.raises(ValueError, match="`batch_size` must be a positive integer"):
        kerasgan.R3GAN.configured("ffhq-64", batch_size=0)
