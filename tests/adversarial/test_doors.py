"""What users and authors of variants reach into: Keras' API, own state, penalties, sampling."""

import inspect
import json

import keras
import numpy as np
import pytest
from keras import ops

import kerasgan
from kerasgan import losses, networks, penalties

IMAGES = np.random.default_rng(0).uniform(-1, 1, (24, 8, 8, 1)).astype("float32")


def pair(**arguments):
    return networks.mlp(8, 1, latent_dim=6, width=8, depth=1, **arguments)


def array(x):
    return ops.convert_to_numpy(x)


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
    found = gan.fit(IMAGES, batch_size=24, shuffle=False, verbose=0).history["critic_loss"][0]
    fake = gan.fit(IMAGES, batch_size=24, verbose=0).history["generator_loss"][0]
    real = np.mean((array(gan.critic(IMAGES)) - 1) ** 3)
    assert np.isfinite(fake) and found == pytest.approx(real, abs=1.0)
    gan.save(tmp_path / "m.keras")
    assert isinstance(keras.saving.load_model(tmp_path / "m.keras").adversarial_loss, Cubic)
    with pytest.raises(ValueError, match=r"ADA with a loss whose zero.*loss='cubic'"):
        kerasgan.GAN(*pair(), loss=Cubic(), augment=kerasgan.augment.ADA())
    with pytest.raises(ValueError, match=r"`loss` must be one of .*kerasgan\.losses\.Loss"):
        kerasgan.GAN(*pair(), loss=len)


# Sampling.


@keras.saving.register_keras_serializable("tests")
class Noisy(keras.layers.Layer):
    """Adds noise, at inference too."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, x):
        return x + 0.1 * keras.random.normal(ops.shape(x), seed=self.seed_generator)


def noisy_generator():
    z = keras.Input((6,))
    x = keras.layers.Dense(64, activation="tanh", kernel_initializer="ones")(z)
    return keras.Model(z, Noisy()(keras.layers.Reshape((8, 8, 1))(x)))


def test_noise_at_inference_is_of_the_seed_alone():
    gan = kerasgan.GAN(noisy_generator(), pair()[1])
    whole = gan.sample(7, seed=3)
    np.testing.assert_allclose(gan.sample(7, seed=3, batch_size=2), whole, atol=1e-6)
    np.testing.assert_allclose(gan.sample(4, seed=3), whole[:4], atol=1e-6)
    assert np.abs(gan.sample(7, seed=4) - whole).max() > 0.1
    noise = gan.decode_latents(np.zeros((6, 6)))
    assert np.abs(noise[1:] - noise[:-1]).min(axis=(1, 2, 3)).max() < 0.1
    assert 0.08 < noise.std() < 0.12 and abs(np.corrcoef(noise.reshape(6, -1))[0, 1]) < 0.5
    np.testing.assert_allclose(noise[0, 0, :3, 0], NOISE, atol=1e-5)  # The same everywhere.
    assert np.abs(gan.decode_latents(np.zeros((6, 6)), noise_seed=1) - noise).max() > 0.1
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)  # Training draws as Keras does.


NOISE = [-0.00416198, 0.01735141, 0.16230404]


class Scaled(kerasgan.GAN):
    """A variant with a sampling option."""

    sampling_options = ("truncation", "shift")

    def decode(self, z, labels=None, network=None, truncation=1.0, shift="none"):
        images = super().decode(truncation * z, labels, network)
        return images if shift == "none" else -images


def test_sampling_options_are_handed_on(backend_name, tmp_path):
    gan = Scaled(*pair())
    z = gan.latent_vectors(5, seed=1)
    expected = gan.decode_latents(0.5 * z)
    for found in (
        gan.sample(5, seed=1, truncation=0.5),
        gan.sample(5, seed=1, truncation=np.full((5, 1), 0.5, "float32"), batch_size=2),
        gan.decode_latents(z, truncation=0.5),
        gan.predict(z, verbose=0, truncation=0.5),
        -gan.sample(5, seed=1, truncation=0.5, shift="negative"),
        array(gan.decode(ops.convert_to_tensor(z), truncation=0.5)),
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(gan.predict(z, verbose=0), gan.sample(5, seed=1), atol=1e-6)
    ends = gan.interpolate(3, 1, 2, truncation=0.5)[[0, -1]]
    both = [gan.sample(1, seed, truncation=0.5)[0] for seed in (1, 2)]
    np.testing.assert_allclose(ends, both, atol=1e-5)
    with pytest.raises(ValueError, match=r"options of a Scaled are: truncation, shift.*codes=3"):
        gan.sample(2, codes=3)
    with pytest.raises(ValueError, match="options of a GAN are: none"):
        kerasgan.GAN(*pair()).sample(2, truncation=0.5)
    if backend_name == "tensorflow":
        import tensorflow as tf

        gan.export(str(tmp_path / "saved"), verbose=False, truncation=0.5)
        loaded = tf.saved_model.load(str(tmp_path / "saved"))
        np.testing.assert_allclose(np.array(loaded.serve(z)), expected, atol=1e-5)


def test_latent_vectors_with_more_axes():
    z = keras.Input((2, 3, 4))
    x = keras.layers.Dense(64, activation="tanh")(keras.layers.Flatten()(z))
    gan = kerasgan.GAN(keras.Model(z, keras.layers.Reshape((8, 8, 1))(x)), pair()[1])
    assert gan.latent_shape == (2, 3, 4) and gan.latent_dim == 24
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    assert gan.sample(3, seed=0).shape == (3, 8, 8, 1)
    assert gan.interpolated_latents(5, 0, 1).shape == (5, 2, 3, 4)
    with pytest.raises(ValueError, match=r"shape \(n, 2, 3, 4\). Received: shape \(2, 24\)"):
        gan.decode_latents(np.zeros((2, 24)))


@keras.saving.register_keras_serializable("tests")
class Faded(kerasgan.GAN):
    """Its generator takes a number beside the latent vector."""

    def generator_inputs(self, z, labels=None):
        return [z, ops.ones_like(z[:, :1])]


def test_generators_take_what_they_need():
    z, alpha = keras.Input((6,)), keras.Input((1,))
    x = keras.layers.Dense(64)(keras.layers.Concatenate()([z, alpha]))
    generator = keras.Model([z, alpha], keras.layers.Reshape((8, 8, 1))(ops.tanh(x)))
    gan = Faded(generator, pair()[1])
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    inputs = [gan.latent_vectors(3, 1), np.ones((3, 1), "float32")]
    np.testing.assert_allclose(gan.sample(3, seed=1), array(gan.ema_generator(inputs)), atol=1e-6)
    with pytest.raises(ValueError, match="overrides `generator_inputs`"):
        kerasgan.GAN(generator, pair()[1])


# The API of Keras.


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_arguments_have_keras_order(method):
    ours = list(inspect.signature(getattr(kerasgan.GAN, method)).parameters)
    theirs = list(inspect.signature(getattr(keras.Model, method)).parameters)
    theirs = [name for name in theirs if name != "kwargs"]
    assert ours[: len(theirs)] == theirs


def test_positional_arguments_as_keras_documents_them():
    gan = kerasgan.GAN(*pair())
    gan.compile("adam", "sgd", None, False, 1, "auto", True)
    history = gan.fit(IMAGES, None, 8, 2, 0, None, 0.25, None, False)
    assert len(history.history["val_critic_loss"]) == 2 and gan.critic_steps == 4
    assert set(gan.evaluate(IMAGES, None, 8, 0)) >= {"critic_loss", "generator_loss"}
    assert len(gan.evaluate(IMAGES, None, 8, 0, None, None, None, False)) == 3
    assert gan.predict(gan.latent_vectors(4, 0), 2, 0).shape == (4, 8, 8, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"optimizer": "adam"}, "pass `generator_optimizer` and `critic_optimizer`"),
        ({"loss": "mse"}, "`loss` is an argument of the constructor"),
        ({"metrics": ["accuracy"]}, r"`metrics` must be None.*callbacks\.Scores"),
        ({"steps_per_execution": 4}, "`steps_per_execution` must be 1"),
    ],
)
def test_what_compile_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        kerasgan.GAN(*pair()).compile(**arguments)
    with pytest.raises(TypeError, match="takes no argument 'colour'"):
        kerasgan.GAN(*pair()).compile(colour=1)


def test_the_optimizer_counts():
    gan = kerasgan.WGANGP(*pair(), n_critic=2)
    gan.compile()
    gan.fit(IMAGES, batch_size=4, verbose=0)
    assert int(array(gan.optimizer.iterations)) == gan.critic_steps == 6


def test_discriminator_is_another_name_of_critic():
    generator, critic = pair()
    gan = kerasgan.GAN(generator, discriminator=critic)
    assert gan.discriminator is gan.critic is critic
    for arguments, received in (({}, "neither"), ({"discriminator": critic}, "both")):
        networks_ = (generator, critic) if arguments else (generator,)
        with pytest.raises(ValueError, match=f"must be given once. Received: {received}"):
            kerasgan.GAN(*networks_, **arguments)


def test_summary_shows_both_networks():
    lines = []
    gan = kerasgan.GAN(*pair())
    gan.summary(print_fn=lambda line, **_: lines.append(line))
    text = "\n".join(lines)
    assert "Generator of GAN" in text and "Critic of GAN" in text
    assert "mlp_generator" in text and "mlp_critic" in text
    assert f"{gan.critic.count_params():,} parameters" in text


def test_what_compile_is_given_comes_first():
    gan = kerasgan.GAN(*pair(), learning_rate=1e-3)
    gan.compile()
    assert float(array(gan.optimizer.critic_optimizer.learning_rate)) == pytest.approx(1e-3)
    gan.compile(keras.optimizers.Adam(5e-4), keras.optimizers.Adam(2e-4))
    config = gan.get_config()
    assert config["learning_rate"] == pytest.approx(5e-4)
    assert config["critic_learning_rate"] == pytest.approx(2e-4)
    apart = kerasgan.GAN(*pair(), critic_learning_rate=1e-4)
    apart.compile()
    assert float(array(apart.optimizer.critic_optimizer.learning_rate)) == pytest.approx(1e-4)
    r3gan = kerasgan.R3GAN(*pair(), final_learning_rate=1e-4)
    r3gan.compile(keras.optimizers.Adam(1e-5), "auto")
    again = kerasgan.R3GAN.from_config(r3gan.get_config())
    assert again.learning_rate == pytest.approx(1e-5)


def test_configurations_of_version_0_1_still_open():
    config = kerasgan.InfoGAN(*networks.mlp(8, 1, latent_dim=20, width=8)).get_config()
    for new, old in (("learning_rate", "alpha"), ("critic_learning_rate", "critic_alpha")):
        config[old] = 3e-4
        del config[new]
    config["penalty_interval"] = 4
    config["penalties"] = [
        {
            "module": "kerasgan.penalties",
            "class_name": "R1",
            "config": {"weight": 2.0},
            "registered_name": "kerasgan>R1",
        }
    ]
    gan = kerasgan.InfoGAN.from_config(json.loads(json.dumps(config)))
    assert gan.learning_rate == gan.critic_learning_rate == 3e-4
    assert [(p.weight, p.every) for p in gan.penalties] == [(2.0, 4)]


def test_a_process_group_is_refused(backend_name, monkeypatch):
    if backend_name != "torch":
        pytest.skip("process groups are PyTorch's")
    import torch

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    gan = kerasgan.GAN(*pair())
    gan.compile()
    with pytest.raises(ValueError, match=r"one process.*Received: a process group of 2"):
        gan.fit(IMAGES, batch_size=8, verbose=0)
