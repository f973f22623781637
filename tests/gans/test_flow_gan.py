"""Flow-GAN: its likelihood, its two extremes, and what it refuses."""

import math

import numpy as np
import pytest
from by_hand import assert_held_out_losses
from keras import ops

import kerasgan
from kerasgan import networks
from kerasgan.adversarial import Batch

IMAGES = np.random.default_rng(0).integers(0, 256, (32, 6, 6, 1)).astype("float32") / 127.5 - 1


def make(kind="nice", **arguments):
    pair = kerasgan.FlowGAN.default_networks(
        kind, image_size=6, channels=1, width=8, depth=2, hidden_layers=1, critic_width=8
    )
    gan = kerasgan.FlowGAN(*pair, n_critic=1, **arguments)
    gan.compile()
    return gan


@pytest.mark.parametrize(("kind", "prior"), [("nice", "logistic"), ("realnvp", "normal")])
def test_prior_is_the_flows(kind, prior):
    gan = make(kind)
    assert gan.prior == prior
    for z in (gan.latent_vectors(4000, seed=0), ops.convert_to_numpy(gan.draw_latents(4000))):
        assert z.shape == (4000, 36)
        spread = math.pi / math.sqrt(3) if prior == "logistic" else 1.0
        assert z.std() == pytest.approx(spread, rel=0.02)


def test_log_prob_in_nats_and_bits():
    gan = make()
    found = gan.log_prob(IMAGES, seed=3, batch_size=10)
    noise = np.random.default_rng(3).random(IMAGES.shape, dtype="float32")
    expected = ops.convert_to_numpy(
        ops.stop_gradient(
            gan.sampling_generator.log_prob(*map(ops.convert_to_tensor, (IMAGES, noise)))
        )
    )
    np.testing.assert_allclose(found["nats"], expected, rtol=1e-4)
    np.testing.assert_allclose(found["bits_per_dimension"], -expected / 36 / math.log(2), rtol=1e-4)
    with pytest.raises(ValueError, match=r"`x` must have the shape \(n, 6, 6, 1\)"):
        gan.log_prob(IMAGES[:, :5])


def test_the_objective_is_the_weighted_sum():
    gan = make(adversarial_weight=0.5, nll_weight=0.25)
    z = ops.convert_to_tensor(gan.latent_vectors(8, seed=0))
    batch = Batch(ops.convert_to_tensor(IMAGES[:8]), gan.generator(z), z)
    values = {}
    for weights in ((0.5, 0.25), (1.0, 0.0), (0.0, 1.0)):
        gan.adversarial_weight, gan.nll_weight = weights
        gan.seed_generator.state.assign([7, 0])  # The same dequantisation noise.
        loss = gan.generator_objective(batch, ())
        values[weights] = float(ops.convert_to_numpy(ops.stop_gradient(loss)))
    hybrid, adversarial, likelihood = values.values()
    assert hybrid == pytest.approx(0.5 * adversarial + 0.25 * likelihood, rel=1e-4)
    scores = ops.convert_to_numpy(ops.stop_gradient(gan.critic(batch.fake)))
    assert adversarial == pytest.approx(-scores.mean(), rel=1e-4, abs=1e-5)
    assert likelihood > 36 * math.log(2)  # Noise of 8 bits cannot be had for one bit a value.


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_the_extremes_train(weights):
    gan = make(adversarial_weight=weights[0], nll_weight=weights[1])
    history = gan.fit(IMAGES, batch_size=16, epochs=2, verbose=0).history
    # Bytes at random have 8 bits; a new flow is not far from that.
    assert np.allclose(history["bits_per_dimension"], 8.0, atol=1.0), history
    assert_held_out_losses(gan, IMAGES)


def test_likelihood_rises_when_it_is_trained():
    gan = make(adversarial_weight=0.0, learning_rate=5e-3, ema=None)
    black = np.full_like(IMAGES, -1.0) + np.float32(2 / 255) * (IMAGES > 0)
    before = gan.log_prob(black)["bits_per_dimension"].mean()
    gan.fit(black, batch_size=8, epochs=20, verbose=0)
    assert gan.log_prob(black)["bits_per_dimension"].mean() < before - 1.0


def test_refusals():
    generator, critic = networks.mlp(6, 1, latent_dim=36, width=8, depth=1)
    with pytest.raises(ValueError, match=r"`generator` must be a flow.*without inverse"):
        kerasgan.FlowGAN(generator, critic)
    narrow, _ = networks.mlp(6, 1, latent_dim=5, width=8, depth=1)
    narrow.inverse = narrow.log_prob = lambda *_: None
    narrow.prior = "normal"
    with pytest.raises(ValueError, match=r"as many latent numbers.*36.*Received: \(5,\)"):
        kerasgan.FlowGAN(narrow, critic)
    with pytest.raises(ValueError, match="must not both be zero"):
        make(adversarial_weight=0.0, nll_weight=0.0)


def test_flows_refuse_what_they_cannot_do():
    build = kerasgan.FlowGAN.default_networks
    with pytest.raises(ValueError, match=r"`architecture` must be one of.*nice"):
        build("resnet", image_size=6, channels=1)
    with pytest.raises(ValueError, match="take no `packing`"):
        build("nice", image_size=6, channels=1, packing=2)
    with pytest.raises(ValueError, match="`prior` must be the generator's, 'logistic'"):
        kerasgan.FlowGAN(*build(image_size=6, channels=1, width=4, depth=1), prior="uniform")
