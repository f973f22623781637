"""A subclass's own state, penalties of either player, and losses of your own."""

import re

import keras
import numpy as np
import pytest
from doors import IMAGES, array, pair
from keras import ops

import kerasgan
from kerasgan import losses, networks, penalties

# A subclass's own state.


@keras.saving.register_keras_serializable("tests")
class Counting(kerasgan.GAN):
    """Counts its critic steps in a weight, and averages the scores of real images in a metric."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")
        self.spread = keras.metrics.Mean(name="spread")

    def critic_loss(self, batch, scores, training=True):
        if training:
            self.count.assign_add(1.0)
            self.spread.update_state(ops.stop_gradient(ops.std(scores.real)))
        return super().critic_loss(batch, scores, training)


def counting():
    gan = Counting(*pair())
    gan.compile()
    return gan


def test_own_weights_and_metrics_are_saved_and_loaded(tmp_path):
    gan = counting()
    history = gan.fit(IMAGES, batch_size=8, verbose=0).history
    assert float(array(gan.count)) == 3
    assert history["spread"][0] == pytest.approx(float(array(gan.spread.result())))
    gan.save(tmp_path / "m.keras")
    gan.save_weights(tmp_path / "m.weights.h5")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    other = counting()
    other.load_weights(tmp_path / "m.weights.h5")
    for model in (loaded, other):
        assert float(array(model.count)) == 3
        for a, b in zip(gan.spread.variables, model.spread.variables, strict=True):
            np.testing.assert_array_equal(array(a), array(b))
    for model in (gan, loaded):
        model.fit(IMAGES, batch_size=8, verbose=0)
    assert float(array(loaded.count)) == 6
    for a, b in zip(gan.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(array(a), array(b))


def test_own_weights_come_with_a_preset(tmp_path):
    gan = counting()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    gan.save_to_preset(tmp_path / "preset")
    assert float(array(kerasgan.from_preset(tmp_path / "preset").count)) == 3


# Penalties of either player, lazy ones, two of one kind.


@keras.saving.register_keras_serializable("tests")
class Brightness(penalties.Penalty):
    """The squared mean of the generated images, and its moving average in a weight."""

    name = "brightness"

    def build(self, add_weight):
        self.mean = add_weight(shape=(), initializer="zeros", trainable=False)

    def __call__(self, inputs):
        value = ops.square(ops.mean(inputs.generate(inputs.z)))
        self.mean.assign(ops.stop_gradient(0.5 * self.mean + 0.5 * value))
        return value


def test_a_penalty_on_the_generator_moves_it_and_has_state(tmp_path):
    gan = kerasgan.GAN(*pair(), penalties=[Brightness(1000.0, player="generator")], ema=None)
    gan.compile(keras.optimizers.SGD(1e-3), keras.optimizers.SGD(0.0))
    before = abs(gan.sample(200, seed=0).mean())
    history = gan.fit(IMAGES, batch_size=8, epochs=40, verbose=0).history
    assert abs(gan.sample(200, seed=0).mean()) < before / 4
    assert history["brightness"][-1] < history["brightness"][0]
    (penalty,) = gan.penalties
    assert float(array(penalty.mean)) > 0
    gan.save(tmp_path / "m.keras")
    (loaded,) = keras.saving.load_model(tmp_path / "m.keras").penalties
    assert float(array(loaded.mean)) == float(array(penalty.mean))
    assert loaded.get_config() == penalty.get_config()
    assert loaded.player == "generator"


def test_two_penalties_of_one_kind_have_two_names():
    gan = kerasgan.GAN(*pair(), penalties=[penalties.R1(1.0), penalties.R1(3.0)])
    named = kerasgan.GAN(*pair(), penalties=[penalties.R1(1.0, name="a"), penalties.R1(3.0)])
    for model, names in ((gan, ("r1", "r1_2")), (named, ("a", "r1"))):
        model.compile()
        history = model.fit(IMAGES, batch_size=24, verbose=0).history
        assert history[names[0]][0] == pytest.approx(history[names[1]][0], rel=1e-5)
    gan.add_penalty(penalties.R1(1.0))
    gan.make_train_function(force=True)
    assert "r1_3" in gan.fit(IMAGES, batch_size=24, verbose=0).history


def test_a_lazy_penalty_comes_every_k_steps_and_weighs_k_times_as_much():
    class Constant(penalties.Penalty):
        name = "constant"

        def __call__(self, inputs):
            return ops.convert_to_tensor(1.0)

    def losses_of(every, player):
        gan = kerasgan.GAN(*pair(), penalties=[Constant(5.0, every=every, player=player)], ema=None)
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
        gan.set_weights([np.zeros_like(w) for w in gan.get_weights()])
        return [
            gan.fit(IMAGES[:8], batch_size=8, verbose=0).history[f"{player}_loss"][0]
            for _ in range(4)
        ]

    for player in penalties.PLAYERS:
        plain = np.log(2) * (2 if player == "critic" else 1)
        assert losses_of(1, player) == pytest.approx([plain + 5] * 4, rel=1e-5)
        assert losses_of(3, player) == pytest.approx([plain + 15, plain, plain, plain + 15])


def test_lazy_penalties_survive_a_config():
    config = penalties.R1(2.0, every=16, name="lazy").get_config()
    again = penalties.R1.from_config(config)
    assert (again.weight, again.every, again.name) == (2.0, 16, "lazy")
    with pytest.raises(ValueError, match="`player` must be 'critic' for R1"):
        penalties.R1(1.0, player="generator")
    with pytest.raises(ValueError, match="`every` must be a positive integer"):
        penalties.R1(1.0, every=0)


def test_ada_observes_under_any_loss():
    class Blind(kerasgan.GAN):
        def critic_loss(self, batch, scores, training=True):
            return ops.mean(ops.square(self.critic(batch.real)))

    gan = Blind(*pair(), augment=kerasgan.augment.ADA(interval=10))
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    assert float(array(gan.augment.steps)) == 3


# Losses.


@keras.saving.register_keras_serializable("tests")
class Cubic(losses.Loss):
    name = "cubic"
    has_zero = False

    def critic(self, scores):
        return ops.mean((scores.real - 1.0) ** 3) + ops.mean(scores.fake**3)

    def generator(self, scores):
        return ops.mean((scores.fake - 1.0) ** 3)


def test_a_loss_of_your_own(tmp_path):
    gan = kerasgan.GAN(*pair(), loss=Cubic())
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    z = gan.latent_vectors(24, seed=1)
    gan.draw_latents = lambda rows: ops.convert_to_tensor(z)
    found = gan.fit(IMAGES, batch_size=24, verbose=0).history
    fake = array(gan.critic(gan.generator(z, training=True), training=True))
    real = array(gan.critic(IMAGES, training=True))
    expected = np.mean((real - 1) ** 3) + np.mean(fake**3)
    assert found["critic_loss"][0] == pytest.approx(expected, rel=1e-4)
    assert found["generator_loss"][0] == pytest.approx(np.mean((fake - 1) ** 3), rel=1e-4)
    gan.save(tmp_path / "m.keras")
    assert isinstance(keras.saving.load_model(tmp_path / "m.keras").adversarial_loss, Cubic)
    with pytest.raises(ValueError, match=r"under a loss whose zero.*loss='cubic'"):
        kerasgan.GAN(*pair(), loss=Cubic(), augment=kerasgan.augment.ADA())
    with pytest.raises(ValueError, match=r"`loss` must be one of .*kerasgan\.losses\.Loss"):
        kerasgan.GAN(*pair(), loss=len)


@keras.saving.register_keras_serializable("tests")
class Remembering(Brightness):
    """Its weight is of another shape than that of `Counting`."""

    name = "remembering"

    def build(self, add_weight):
        self.mean = add_weight(shape=(), initializer="zeros", trainable=False)
        self.image = add_weight(shape=(8, 8, 1), initializer="zeros", trainable=False)


@pytest.mark.parametrize("name", ["a/b", "past_b"])  # Version 0.1 had weights named past_0.
def test_weights_of_a_penalty_that_is_added_later_stay_apart(tmp_path, name):
    gan = counting()
    gan.add_penalty(Remembering(1.0, player="generator", name=name))
    gan.count.assign(5.0)
    (penalty,) = gan.penalties
    penalty.mean.assign(7.0)
    penalty.image.assign(np.ones((8, 8, 1)))
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    (again,) = loaded.penalties  # Made by the constructor, before the subclass makes its own.
    assert float(array(loaded.count)) == 5 and float(array(again.mean)) == 7
    assert array(again.image).min() == 1
    gan.save_weights(tmp_path / "m.weights.h5")
    stored = re.escape(f"penalty_{name.replace('/', '|')}_0")
    with pytest.raises(ValueError, match=rf"must be \['weight_0'\]. Received: .*{stored}"):
        counting().load_weights(tmp_path / "m.weights.h5")


def test_names_in_the_logs_never_coincide():
    given = [penalties.R1(1.0, name=n) for n in ("r1", "r1_2", "r1", "critic_loss", "loss")]
    gan = kerasgan.GAN(*pair(), penalties=given)
    gan.compile()
    logs = gan.fit(IMAGES, batch_size=24, verbose=0).history
    names = ["r1", "r1_2", "r1_3", "critic_loss_2", "loss_2"]
    assert set(logs) == {"loss", "critic_loss", "generator_loss", *names}


@keras.saving.register_keras_serializable("tests")
class Slope(penalties.Penalty):
    """The gradients of scores, of either player."""

    def of(self, gradients):
        return ops.mean(ops.abs(gradients))


class OfReal(Slope):
    at = "real"


class OfFake(Slope):
    at = "fake"


def test_penalties_on_gradients_of_either_player():
    gan = kerasgan.GAN(
        *pair(),
        penalties=[OfFake(1.0), OfFake(1.0, "generator", name="fake"), OfReal(1.0), OfReal(1.0)],
        ema=None,
    )
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    logs = gan.evaluate(IMAGES, batch_size=24, verbose=0)
    assert logs["fake"] == pytest.approx(logs["offake"], rel=1e-5) and logs["fake"] > 0
    assert logs["ofreal"] == pytest.approx(logs["ofreal_2"], rel=1e-6)
    gradients = kerasgan.backend.gradient(gan.critic, ops.convert_to_tensor(IMAGES))
    assert logs["ofreal"] == pytest.approx(np.abs(array(gradients)).mean(), rel=1e-4)
    with pytest.raises(NotImplementedError, match=r"Penalty must implement `__call__"):
        penalties.Penalty(1.0)(None)


def test_what_a_penalty_is_given():
    seen = []

    class Spy(penalties.Penalty):
        def __call__(self, inputs):
            shape = tuple(inputs.noise("normal", 3).shape)
            seen.append((self.player, shape, inputs.training, tuple(inputs.z.shape)))
            return ops.convert_to_tensor(1.0)

    gan = kerasgan.PacGAN(
        *networks.mlp(8, 1, latent_dim=6, width=8, packing=2),
        packing=2,
        penalties=[Spy(1.0, player) for player in penalties.PLAYERS],
    )
    gan.compile(run_eagerly=True)
    gan.fit(IMAGES[:8], batch_size=8, verbose=0)
    gan.evaluate(IMAGES[:8], batch_size=8, verbose=0)
    rows = {"critic": (4, 3), "generator": (8, 3)}
    assert {s[:3] for s in seen} == {(p, rows[p], t) for p in rows for t in (True, False)}


def test_losses_of_your_own_are_found_by_custom_objects():
    class Own(losses.Loss):
        def critic(self, scores):
            return ops.mean(scores.fake)

    config = kerasgan.GAN(*pair(), loss=Own()).get_config()
    again = kerasgan.GAN.from_config(config, custom_objects={"Own": Own})
    assert isinstance(again.adversarial_loss, Own)
    with pytest.raises(NotImplementedError, match=r"Own must implement `generator\(scores\)`"):
        again.adversarial_loss.generator(None)
    Own.has_zero = False
    with pytest.raises(ValueError, match="Received: loss='Own'"):
        kerasgan.GAN(*pair(), loss=Own(), augment=kerasgan.augment.ADA())
