"""One suite over every variant: registering a model tests it."""

import keras
import numpy as np
import pytest
from by_hand import assert_held_out_losses
from keras import ops
from small_variants import (
    assert_same_history,
    assert_same_state,
    changed,
    make,
    twin,
    values,
)

import kerasgan
from kerasgan.gans import VARIANTS

every_variant = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)


def fast(*names):
    """Try every variant, and in `make test` those of these names."""
    return pytest.mark.parametrize(
        "variant",
        [
            pytest.param(cls, id=name, marks=() if name in names else pytest.mark.slow)
            for name, cls in VARIANTS.items()
        ],
    )


# In these a variant does little of its own.
few_fast = fast("gan", "wgan_gp")
# In these it does where it has a step, a network or a state of its own.
own_fast = fast("gan", "unrolled_gan", "infogan", "flow_gan")


@own_fast
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


@own_fast
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


@own_fast
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
    np.testing.assert_allclose(images[:5], gan.sample(5, seed=1), atol=1e-5)
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
