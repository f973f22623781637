"""What an epoch's logs hold: what was measured in it, and nothing else."""

import io

import keras
import numpy as np
import pytest
from doors import IMAGES, pair

import kerasgan
from kerasgan.penalties import R1


def test_no_loss_of_a_generator_that_took_no_step():
    gan = kerasgan.WGANGP(*pair(), n_critic=5)
    gan.compile()
    with pytest.warns(UserWarning, match="took no step: it moves after 5 critic steps.*3 batches"):
        history = gan.fit(IMAGES, batch_size=8, verbose=0).history
    assert set(history) == {"critic_loss", "gradient_penalty"}
    history = gan.fit(IMAGES, batch_size=8, epochs=3, verbose=0).history
    assert len(history["critic_loss"]) == 3 and len(history["generator_loss"]) == 2
    assert 0.0 not in history["generator_loss"] and np.isfinite(history["loss"]).all()
    assert "val_generator_loss" in gan.fit(
        IMAGES[:8], validation_data=(IMAGES[8:],), batch_size=8, verbose=0
    ).history  # fmt: skip


def test_no_value_of_a_lazy_penalty_that_was_not_due():
    gan = kerasgan.GAN(*pair(), penalties=[R1(1.0, every=4)])
    gan.compile()
    history = gan.fit(IMAGES[:16], batch_size=8, epochs=4, verbose=0).history
    assert len(history["r1"]) == 2 and min(history["r1"]) > 0
    assert len(history["loss"]) == 4


def test_a_callback_sees_each_measurement_once():
    gan = kerasgan.GAN(*pair())
    gan.compile()
    guard = kerasgan.callbacks.CollapseGuard("warn", stream=io.StringIO(), samples=100)
    images = np.random.default_rng(1).uniform(-1, 1, (240, 8, 8, 1)).astype("float32")
    scores = kerasgan.callbacks.Scores(images, metrics=["frechet_distance"], samples=100, every=3)
    stopping = keras.callbacks.EarlyStopping("diversity", patience=3, mode="max")
    callbacks = [guard, scores, stopping]
    history = gan.fit(images, batch_size=16, epochs=40, verbose=0, callbacks=callbacks).history
    assert len(history["loss"]) == 40  # 600 steps: four checks.
    assert len(history["diversity"]) == len(guard.journal.entries) == 4
    assert len(history["frechet_distance"]) == 14


def test_likelihood_alone_trains_no_critic():
    flow = kerasgan.networks.flow(image_size=4, channels=1, width=8)
    gan = kerasgan.FlowGAN(*flow, adversarial_weight=0.0)
    gan.compile()
    critic = [np.array(w) for w in gan.critic.get_weights()]
    images = np.random.default_rng(0).uniform(-1, 1, (24, 4, 4, 1)).astype("float32")
    history = gan.fit(images, batch_size=8, verbose=0).history
    assert gan.generator_steps == gan.critic_steps == 3
    assert set(history) == {"generator_loss", "bits_per_dimension"}
    for before, after in zip(critic, gan.critic.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
