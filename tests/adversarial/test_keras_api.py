"""The API that users of Keras expect."""

import inspect
import json

import keras
import pytest
from doors import IMAGES, array, pair

import kerasgan
from kerasgan import networks, penalties

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
        ({"critic_optimizer": "mse"}, "first two arguments.*the loss is an argument.*'mse'"),
        ({"metrics": ["accuracy"]}, r"`metrics` must be None.*callbacks\.Scores"),
        ({"steps_per_execution": 0}, "`steps_per_execution` must be a positive integer"),
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
    gan.summary(80, None, lambda line, **_: lines.append(line), True)
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


def test_every_penalty_keeps_its_own_laziness():
    gan = kerasgan.R3GAN(*pair(), penalties=[penalties.R1(1.0), penalties.R2(1.0, every=3)])
    gan.penalties[0].every, gan.penalties[1].every = 16, 1
    config = json.loads(json.dumps(gan.get_config()))
    assert [p.every for p in kerasgan.R3GAN.from_config(config).penalties] == [16, 1, 1, 3]


class Shifted(kerasgan.GAN):
    """Moves the latent vectors by a weight of its own, which the generator's optimizer trains."""

    def __init__(self, *args, known=True, **kwargs):
        super().__init__(*args, **kwargs)
        self.known = known
        self.shift = self.add_weight(shape=(self.latent_dim,), initializer="zeros", name="shift")

    def generator_inputs(self, z, labels=None):
        return z + self.shift

    def generator_variables(self):
        own = [self.shift] if self.known else []
        return [*super().generator_variables(), *own]


def test_a_weight_of_the_generators_side_is_trained():
    gan = Shifted(*pair())
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    assert (array(gan.shift) != 0).all()
    with pytest.raises(ValueError, match=r"hold every weight that trains.*neither holds.*/shift"):
        Shifted(*pair(), known=False).compile()
