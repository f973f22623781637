"""Training with an augmentation."""

import keras
import numpy as np
import pytest
from by_hand import assert_held_out_losses
from keras import ops
from small_networks import IMAGES, batch_of, pair

import kerasgan
from kerasgan import penalties


@pytest.mark.parametrize("packing", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("augment", [kerasgan.augment.DiffAugment, kerasgan.augment.ADA])
def test_augmented_training_and_its_state(augment, packing, tmp_path):
    gan = kerasgan.GAN(
        *pair(packing=packing),
        packing=packing,
        augment=augment(),
        penalties=[penalties.R1(1.0)],
    )
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    assert_held_out_losses(gan, IMAGES)  # Of images as they are.
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.get_config() == gan.get_config()
    for a, b in zip(gan.augment.weights, loaded.augment.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))
    for model in (gan, loaded):
        model.fit(IMAGES, batch_size=8, verbose=0)
    np.testing.assert_array_equal(gan.sample(2, seed=0), loaded.sample(2, seed=0))


def test_what_the_critic_judges_is_augmented_in_training_alone():
    gan = kerasgan.GAN(*pair(), augment=kerasgan.augment.DiffAugment())
    batch = batch_of(gan)
    plain = ops.convert_to_numpy(gan.critic(batch.real))
    judged = [
        ops.convert_to_numpy(ops.stop_gradient(gan.scorer.scores(batch.real, training=training)))
        for training in (False, True)
    ]
    np.testing.assert_allclose(judged[0], plain, rtol=1e-6)
    assert np.abs(judged[1] - plain).max() > 1e-4


def test_augmentations_that_do_not_fit():
    with pytest.raises(ValueError, match=r"`augment` must not be ADA.*loss='wasserstein'"):
        kerasgan.WGANGP(*pair(), augment=kerasgan.augment.ADA())
    with pytest.raises(ValueError, match="`augment` must be a layer"):
        kerasgan.GAN(*pair(), augment="color")


@pytest.mark.parametrize(
    ("options", "moves"),
    [
        ({"speed": 100, "interval": 1}, True),
        ({"fixed": 0.5, "rise": 9}, True),
        ({"fixed": 0.5}, False),
    ],
)
def test_a_probability_that_moves_is_logged(options, moves):
    ada = kerasgan.augment.ADA(policy="color", target=0.01, **options)
    gan = kerasgan.GAN(*pair(), augment=ada)
    gan.compile()
    fit = {"batch_size": 8, "epochs": 2, "validation_data": IMAGES, "verbose": 0}
    history = gan.fit(IMAGES, **fit).history
    assert "val_augment_probability" not in history
    if moves:
        last = float(ops.convert_to_numpy(ada.probability))
        assert history["augment_probability"][-1] == pytest.approx(last)
    assert ("augment_probability" in history) == moves
    assert "augment_probability" not in gan.evaluate(IMAGES, return_dict=True, verbose=0)
