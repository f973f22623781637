"""One suite over every variant: registering a model tests it."""

import importlib.util

import keras
import numpy as np
import pytest
from by_hand import assert_held_out_losses
from keras import ops

import kerasgan
from kerasgan import networks
from kerasgan.gans import VARIANTS

every_variant = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)

# In these a variant does little of its own.
few_fast = pytest.mark.parametrize(
    "variant",
    [
        pytest.param(cls, id=name, marks=() if name in ("gan", "wgan_gp") else pytest.mark.slow)
        for name, cls in VARIANTS.items()
    ],
)


# What a variant needs beside its defaults on small networks.
SMALL = {
    kerasgan.InfoGAN: {"categorical": (3,), "continuous": 1},
    kerasgan.UnrolledGAN: {"unrolled_steps": 2},  # Each step more is compiled into the program.
}
SIZES = {kerasgan.FlowGAN: {"critic_width": 4, "hidden_layers": 1}}


def make(variant, compiled=True, architecture="mlp", size=None, **arguments):
    # Fully connected: convolutions take JAX many seconds to compile, and other tests have them.
    # Flows have an architecture of their own, and a convolutional critic.
    size = (
        {"mlp": {"width": 16, "depth": 2}, "dcgan": {"width": 4}}[architecture]
        | SIZES.get(variant, {})
        | (size or {})
    )
    named = "nice" if variant is kerasgan.FlowGAN else architecture
    pair = variant.default_networks(named, image_size=28, channels=1, latent_dim=8, **size)
    gan = variant(*pair, **{**SMALL.get(variant, {}), **arguments})
    if compiled:
        gan.compile()
    return gan


def values(network):
    return [ops.convert_to_numpy(v) for v in network.trainable_variables]


def changed(before, network):
    return any(not np.array_equal(a, b) for a, b in zip(before, values(network), strict=True))


def whole_state(gan):
    return [ops.convert_to_numpy(v) for v in (*gan.variables, *gan.optimizer.variables)]


def assert_same_state(a, b):
    for x, y in zip(whole_state(a), whole_state(b), strict=True):
        np.testing.assert_array_equal(x, y)
    for counter in ("critic_steps", "generator_steps", "critic_steps_this_round"):
        assert getattr(a, counter) == getattr(b, counter)


@every_variant
def test_two_rounds_compiled_are_two_rounds_run_eagerly(variant, images, backend_name):
    gan = make(variant, n_critic=2)
    rounds = np.concatenate([images] * 2 * gan.n_critic)
    histories = []
    # Op by op JAX takes minutes.
    for model in (gan,) if backend_name == "jax" else (gan, twin(gan, run_eagerly=True)):
        histories.append(model.fit(rounds, batch_size=64, shuffle=False, verbose=0).history)
        assert (model.critic_steps, model.generator_steps) == (2 * gan.n_critic, 2)
    penalties = {penalty.name for penalty in gan.penalties}
    assert set(histories[0]) == {"loss", "critic_loss", "generator_loss", *penalties, *gan.logged}
    assert_same_history(*histories, rtol=1e-4)


@few_fast
def test_convolutional_networks_train(variant, images):
    gan = make(variant, architecture="dcgan", n_critic=1)
    before = {id(v): ops.convert_to_numpy(v) for v in gan.trainable_variables}
    gan.fit(images, batch_size=32, verbose=0)
    for variable in gan.trainable_variables:
        if len(variable.shape) > 1:  # A bias of all scores moves no difference of two.
            value = ops.convert_to_numpy(variable)
            assert 0 < np.abs(value - before[id(variable)]).max() < 1, variable.path


def twin(gan, **arguments):
    """Return another model of the same configuration, weights and seeds."""
    other = type(gan).from_config(gan.get_config())
    other.compile(**arguments)
    other.set_weights(gan.get_weights())
    return other


def assert_same_history(first, *others, rtol=1e-5):
    for name, series in first.items():
        assert np.isfinite(series).all(), name
        for other in others:
            np.testing.assert_allclose(other[name], series, rtol=rtol, atol=1e-5, err_msg=name)


@every_variant
def test_each_step_moves_only_its_own_network(variant, images):
    gan = make(variant, n_critic=2)
    generator, critic, average = (
        values(gan.generator),
        values(gan.critic),
        gan.ema_generator.get_weights(),
    )
    gan.fit(images, batch_size=64, verbose=0)  # One critic step, no generator step.
    assert changed(critic, gan.critic)
    assert not changed(generator, gan.generator)
    for a, b in zip(average, gan.ema_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)

    frozen = make(variant, n_critic=1)
    zero = keras.optimizers.SGD(0.0)
    frozen.compile(critic_optimizer=zero)
    generator, critic = values(frozen.generator), values(frozen.critic)
    if isinstance(frozen, kerasgan.WGAN):  # Its critic step clips first, whatever the optimizer.
        critic = [np.clip(w, -frozen.clip, frozen.clip) for w in critic]
    frozen.fit(images, batch_size=64, verbose=0)
    assert changed(generator, frozen.generator)
    assert not changed(critic, frozen.critic)


@every_variant
def test_every_critic_step_sees_a_fresh_batch(variant, images, monkeypatch):
    gan = make(variant, n_critic=3)
    gan.compile(run_eagerly=True)
    seen = []

    def note(real, labels, penalties):
        seen.append(float(ops.convert_to_numpy(real)[0].sum()))

    monkeypatch.setattr(gan, "_critic_step", note)
    monkeypatch.setattr(gan, "_generator_step", lambda *args: seen.append("generator"))
    gan.fit(images, batch_size=8, verbose=0)
    assert [i for i, name in enumerate(seen) if name == "generator"] == [3, 7]
    batches = [value for value in seen if value != "generator"]
    assert len(set(batches)) == len(batches) == 8


@every_variant
def test_saving_gives_the_whole_state_back(variant, images, tmp_path):
    gan = make(variant)
    gan.fit(images, batch_size=8, verbose=0)
    gan.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_same_state(gan, loaded)
    np.testing.assert_array_equal(gan.sample(3, seed=4), loaded.sample(3, seed=4))
    for model in (gan, loaded):
        model.fit(images, batch_size=8, verbose=0)
    assert_same_state(gan, loaded)


@few_fast
def test_saving_weights_gives_the_whole_state_back(variant, images, tmp_path):
    gan = make(variant)
    gan.fit(images, batch_size=8, verbose=0)
    gan.save_weights(tmp_path / "model.weights.h5")
    other = make(variant)
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same_state(gan, other)


@every_variant
def test_config_round_trip(variant):
    gan = make(variant, compiled=False, n_critic=3, ema=0.9, seed=5)
    config = gan.get_config()
    again = variant.from_config(config)
    assert again.get_config() == config
    assert again.seed == 5


@every_variant
def test_sample_is_deterministic_batched_and_nhwc(variant):
    gan = make(variant, compiled=False)
    images = gan.sample(70, seed=1, batch_size=32)
    assert images.shape == (70, 28, 28, 1)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    np.testing.assert_allclose(images[:5], gan.sample(5, seed=1), atol=1e-6)
    assert not np.array_equal(gan.sample(5, seed=2), images[:5])
    assert not np.array_equal(gan.sample(2), gan.sample(2))


@every_variant
def test_predict_uses_what_sample_uses(variant):
    gan = make(variant)
    predicted = gan.predict(gan.latent_vectors(4, seed=3), verbose=0)
    np.testing.assert_allclose(predicted, gan.sample(4, seed=3), atol=1e-6)


@every_variant
def test_evaluate_equals_numpy_and_moves_nothing(variant, images):
    gan = make(variant)
    before = gan.get_weights()
    assert_held_out_losses(gan, images)
    for a, b in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@few_fast
def test_mixed_bfloat16_keeps_the_losses_close(variant, images):
    import tempfile

    full = make(variant, n_critic=1)
    with tempfile.TemporaryDirectory() as folder:
        full.save_weights(f"{folder}/m.weights.h5")
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            half = make(variant, n_critic=1)
        finally:
            keras.config.set_dtype_policy("float32")
        half.load_weights(f"{folder}/m.weights.h5")
    a, b = (
        model.fit(images, batch_size=64, shuffle=False, verbose=0).history for model in (full, half)
    )
    assert half.sample(2, seed=0).dtype == np.float32
    for name in ("critic_loss", "generator_loss"):
        np.testing.assert_allclose(a[name], b[name], rtol=0.05, atol=0.02)


@few_fast
def test_without_a_moving_average_the_generator_samples(variant, images):
    gan = make(variant, ema=None)
    assert gan.sampling_generator is gan.generator
    gan.fit(images, batch_size=8, verbose=0)
    assert gan.sample(2, seed=0).shape == (2, 28, 28, 1)


def test_moving_average_follows_its_definition(images):
    gan = make(kerasgan.GAN, ema=0.5)
    gan.compile(run_eagerly=True)
    first = gan.generator.get_weights()
    gan.fit(images, batch_size=64, verbose=0)
    decay = min(0.5, (1 + 1) / (10 + 1))
    for a, w, average in zip(
        first, gan.generator.get_weights(), gan.ema_generator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(average, decay * a + (1 - decay) * w, rtol=1e-5, atol=1e-6)


def test_training_twice_is_training_once_for_as_long(images):
    once, twice = make(kerasgan.WGANGP, seed=3), make(kerasgan.WGANGP, seed=3)
    twice.set_weights(once.get_weights())
    once.fit(images, batch_size=8, epochs=2, verbose=0)
    for _ in range(2):
        twice.fit(images, batch_size=8, epochs=1, verbose=0)
    assert_same_state(once, twice)


def test_wgan_clips_before_each_critic_step(images):
    gan = make(kerasgan.WGAN, clip=0.003)
    gan.compile(critic_optimizer=keras.optimizers.SGD(0.0))
    before = values(gan.critic)
    gan.fit(images, batch_size=64, verbose=0)
    for a, b in zip(before, values(gan.critic), strict=True):
        np.testing.assert_array_equal(np.clip(a, -0.003, 0.003).astype("float32"), b)


def test_wgan_warmup_is_that_of_the_authors():
    gan = make(kerasgan.WGAN, compiled=False, warmup=True)
    needed = [gan.critic_steps_per_round(step) for step in (0, 24, 25, 499, 500, 501)]
    assert needed == [100, 100, 5, 5, 100, 5]


@pytest.mark.parametrize(
    ("variant", "generator", "critic", "n_critic"),
    [
        (kerasgan.GAN, (2e-4, 0.5, 0.999), (2e-4, 0.5, 0.999), 1),
        (kerasgan.WGANGP, (1e-4, 0.0, 0.9), (1e-4, 0.0, 0.9), 5),
        (kerasgan.DRAGAN, (2e-4, 0.5, 0.999), (2e-4, 0.5, 0.999), 1),
        (kerasgan.SNGAN, (2e-4, 0.0, 0.9), (2e-4, 0.0, 0.9), 5),
        (kerasgan.UnrolledGAN, (1e-3, 0.5, 0.999), (1e-4, 0.5, 0.999), 1),
        (kerasgan.InfoGAN, (1e-3, 0.5, 0.999), (2e-4, 0.5, 0.999), 1),
        (kerasgan.FlowGAN, (1e-4, 0.5, 0.9), (1e-4, 0.5, 0.9), 5),
        (kerasgan.R3GAN, (2e-4, 0.0, 0.9), (2e-4, 0.0, 0.9), 1),
    ],
)
def test_default_optimizers_are_the_papers(variant, generator, critic, n_critic):
    gan = make(variant)
    assert gan.n_critic == n_critic
    for player, expected in (("generator", generator), ("critic", critic)):
        adam = getattr(gan.optimizer, f"{player}_optimizer")
        assert isinstance(adam, keras.optimizers.Adam)
        assert (float(adam.learning_rate), adam.beta_1, adam.beta_2) == pytest.approx(expected)


def test_default_optimizers_of_wgan_are_the_papers():
    rmsprop = make(kerasgan.WGAN).optimizer.generator_optimizer
    assert float(rmsprop.learning_rate) == pytest.approx(5e-5)
    assert (make(kerasgan.WGAN).clip, make(kerasgan.WGAN).n_critic) == (0.01, 5)
    assert make(kerasgan.WGANGP).gp_weight == 10.0


@pytest.mark.parametrize("name", [n for n in VARIANTS if n != "flow_gan"])
def test_every_variant_has_residual_networks(name):
    variant = VARIANTS[name]
    generator, critic = variant.default_networks("resnet", image_size=32, channels=1, width=2)
    gan = variant(generator, critic, **({"packing": variant.packs} if variant.packs > 1 else {}))
    assert gan.sample(1, seed=0).shape == (1, 32, 32, 1)
    normalised = any(
        isinstance(layer, keras.layers.BatchNormalization) for layer in generator._flatten_layers()
    )
    assert normalised == (name != "r3gan")


def test_setting_the_learning_rate_keeps_the_ratio():
    gan = make(kerasgan.GAN)
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(4e-3))
    gan.optimizer.learning_rate = 5e-4
    assert float(gan.optimizer.generator_optimizer.learning_rate) == pytest.approx(5e-4)
    assert float(gan.optimizer.critic_optimizer.learning_rate) == pytest.approx(2e-3)


class Batches(keras.utils.PyDataset):
    def __init__(self, images, labels):
        super().__init__()
        self.images, self.labels = images, labels

    def __len__(self):
        return 4

    def __getitem__(self, i):
        rows = slice(16 * i, 16 * i + 16)
        if self.labels is None:
            return (self.images[rows],)
        return self.images[rows], self.labels[rows]


@pytest.mark.parametrize("with_labels", [False, True])
@pytest.mark.parametrize("kind", ["array", "tf.data", "PyDataset", "DataLoader"])
def test_fit_takes_every_kind_of_data(kind, with_labels, images):
    labels = np.arange(64) if with_labels else None
    gan = make(kerasgan.GAN)
    if kind == "array":
        gan.fit(images, labels, batch_size=16, verbose=0)
    elif kind == "tf.data":
        tf = pytest.importorskip("tensorflow")
        parts = (images, labels) if with_labels else images
        gan.fit(tf.data.Dataset.from_tensor_slices(parts).batch(16), verbose=0)
    elif kind == "PyDataset":
        gan.fit(Batches(images, labels), verbose=0)
    else:
        torch = pytest.importorskip("torch")
        parts = [torch.tensor(images)] + ([torch.tensor(labels)] if with_labels else [])
        dataset = torch.utils.data.TensorDataset(*parts)
        gan.fit(torch.utils.data.DataLoader(dataset, batch_size=16), verbose=0)
    assert gan.critic_steps == 4


def test_validation_split_is_the_last_quarter(images):
    gan = make(kerasgan.GAN)
    other = twin(gan)
    options = {"batch_size": 16, "verbose": 0}
    split = gan.fit(images, validation_split=0.25, **options).history
    given = other.fit(images[:48], validation_data=(images[48:],), **options).history
    assert gan.critic_steps == other.critic_steps == 3
    assert {"val_critic_loss", "val_generator_loss"} < set(split)
    assert_same_history(split, given)


class OwnGenerator(keras.Model):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.dense = keras.layers.Dense(784, activation="tanh")

    def call(self, z):
        return ops.reshape(self.dense(z), (-1, 28, 28, 1))


def test_a_subclassed_generator_trains_once_it_was_called(images):
    generator = OwnGenerator()
    generator(np.zeros((1, 6), "float32"))
    critic = networks.mlp(28, 1, width=8, depth=1)[1]
    gan = kerasgan.GAN(generator, critic)
    gan.compile()
    gan.fit(images, batch_size=32, verbose=0)
    assert gan.latent_dim == 6 and gan.sample(2, seed=0).shape == (2, 28, 28, 1)


def test_means_weigh_a_smaller_batch_by_its_images(images):
    gan = make(kerasgan.WGANGP)
    gan.log("critic_loss", ops.convert_to_tensor(1.0), 64)
    gan.log("critic_loss", ops.convert_to_tensor(5.0), 16)
    assert float(gan.trackers["critic_loss"].result()) == pytest.approx(1.8)


def test_uint8_images_are_the_floats_that_they_stand_for(images):
    pixels = kerasgan.data.to_uint8(images)
    floats = kerasgan.data.from_uint8(pixels)
    gan = make(kerasgan.GAN)
    models = (gan, twin(gan), twin(gan))
    histories = [
        model.fit(x, batch_size=16, validation_data=held_out, verbose=0).history
        for model, x, held_out in zip(
            models, (pixels, floats, pixels), (pixels, floats, (floats,)), strict=True
        )
    ]
    assert "val_critic_loss" in histories[0]
    assert_same_history(*histories)


def test_users_own_networks_train(images):
    generator = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(784, activation="tanh"),
            keras.layers.Reshape((28, 28, 1)),
        ]
    )
    critic = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    gan = kerasgan.WGANGP(generator, critic, n_critic=1)
    gan.compile()
    gan.fit(images, batch_size=32, verbose=0)
    assert gan.latent_dim == 6
    assert gan.sample(2, seed=0).shape == (2, 28, 28, 1)


@pytest.mark.parametrize("format", ["tf_saved_model", "onnx"])
def test_export_gives_the_same_images(format, tmp_path, backend_name):
    gan = make(kerasgan.WGANGP)
    z = gan.latent_vectors(3, seed=1)
    if format == "onnx":
        pytest.importorskip("onnx")
        runtime = pytest.importorskip("onnxruntime")
        if backend_name == "jax":
            pytest.importorskip("jax2onnx")
        if backend_name != "torch":
            pytest.importorskip("tf2onnx")
        else:
            pytest.importorskip("onnxscript")
        path = str(tmp_path / "model.onnx")
        gan.export(path, format="onnx", verbose=False)
        session = runtime.InferenceSession(path)
        (found,) = session.run(None, {session.get_inputs()[0].name: z})
    else:
        if backend_name == "torch" and not importlib.util.find_spec("torch_xla"):
            pytest.skip("Keras writes a SavedModel on PyTorch with torch_xla only")
        tf = pytest.importorskip("tensorflow")
        gan.export(str(tmp_path / "saved"), verbose=False)
        served = tf.saved_model.load(str(tmp_path / "saved"))
        found = served.serve(z)
    np.testing.assert_allclose(np.array(found), gan.sample(3, seed=1), atol=1e-5)
