"""The unrolled gradient against finite differences of a simulation in float64 NumPy."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasgan
from kerasgan import backend
from kerasgan.adversarial import Batch

RNG = np.random.default_rng(0)
REAL, Z = RNG.standard_normal((5, 4)), RNG.standard_normal((5, 3))
RATE = 0.05


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def scores(weights, x):
    w, b, v, c = weights
    return np.tanh(x @ w + b) @ v + c


def critic_gradients(weights, real, fake):
    """The gradients of the minimax loss with respect to the critic's four arrays."""
    w, b, v, c = weights
    total = [np.zeros_like(a) for a in weights]
    for x, sign in ((real, -1.0), (fake, 1.0)):
        hidden = np.tanh(x @ w + b)
        slope = sign * sigmoid(sign * (hidden @ v + c)) / len(x)
        back = (slope @ v.T) * (1 - hidden**2)
        for array, part in zip(
            total, (x.T @ back, back.sum(0), hidden.T @ slope, slope.sum(0)), strict=True
        ):
            array += part
    return total


def unrolled_loss(theta, weights, steps, inner):
    fake = Z @ theta
    first = [np.zeros_like(a) for a in weights]
    second = [np.zeros_like(a) for a in weights]
    for t in range(1, steps + 1):
        gradients = critic_gradients(weights, REAL, fake)
        if inner == "sgd":
            weights = [w - RATE * g for w, g in zip(weights, gradients, strict=True)]
            continue
        first = [0.5 * m + 0.5 * g for m, g in zip(first, gradients, strict=True)]
        second = [0.999 * s + 0.001 * g**2 for s, g in zip(second, gradients, strict=True)]
        scale = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.5**t)
        weights = [
            w - scale * m / np.sqrt(s + 1e-16)
            for w, m, s in zip(weights, first, second, strict=True)
        ]
    # The whole objective: its real term depends on the generator by way of the weights.
    real = -np.mean(np.log1p(np.exp(-scores(weights, REAL))))
    return real - np.mean(np.log1p(np.exp(scores(weights, fake))))


@pytest.mark.parametrize("inner", ["sgd", "adam"])
@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_gradient_through_the_updates(steps, inner):
    generator = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, use_bias=False), layers.Reshape((2, 2, 1))]
    )
    critic = keras.Sequential(
        [
            keras.Input((2, 2, 1)),
            layers.Flatten(),
            layers.Dense(3, activation="tanh"),
            layers.Dense(1),
        ]
    )
    weights = [RNG.standard_normal(w.shape) for w in critic.get_weights()]
    theta = RNG.standard_normal((3, 4))
    critic.set_weights(weights)
    generator.set_weights([theta])
    gan = kerasgan.UnrolledGAN(
        generator, critic, unrolled_steps=steps, inner=inner, critic_learning_rate=RATE
    )
    gan.compile()
    real = ops.convert_to_tensor(REAL.reshape(-1, 2, 2, 1).astype("float32"))
    z = ops.convert_to_tensor(Z.astype("float32"))
    loss, (found,) = backend.value_and_grad(
        lambda: gan.generator_objective(Batch(real, generator(z), z), ()),
        generator.trainable_variables,
    )
    assert float(loss) == pytest.approx(unrolled_loss(theta, weights, steps, inner), rel=1e-4)
    expected, h = np.empty_like(theta), 1e-5
    for index in np.ndindex(*theta.shape):
        up, down = theta.copy(), theta.copy()
        up[index] += h
        down[index] -= h
        expected[index] = (
            unrolled_loss(up, weights, steps, inner) - unrolled_loss(down, weights, steps, inner)
        ) / (2 * h)
    found = ops.convert_to_numpy(found)
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4 * np.abs(expected).max())
    for before, after in zip(weights, critic.get_weights(), strict=True):
        np.testing.assert_allclose(before, after, rtol=1e-6)  # The real critic stays.


def test_an_augmentation_learns_in_the_critics_own_step_alone():
    pair = kerasgan.networks.mlp(8, 1, latent_dim=4, width=8, depth=1)
    ada = kerasgan.augment.ADA(interval=100, policy="color")
    gan = kerasgan.UnrolledGAN(*pair, unrolled_steps=2, augment=ada)
    gan.compile(run_eagerly=True)
    images = RNG.uniform(-1, 1, (12, 8, 8, 1)).astype("float32")
    gan.fit(images, batch_size=4, verbose=0)
    assert float(ops.convert_to_numpy(gan.augment.steps)) == 3


def test_each_step_ahead_draws_anew():
    pair = kerasgan.networks.mlp(8, 1, latent_dim=4, width=8, depth=1)
    gan = kerasgan.UnrolledGAN(*pair, unrolled_steps=2, augment=kerasgan.augment.DiffAugment())
    gan.compile(run_eagerly=True)
    seeds, noise = [], gan.scorer.noise

    def note(state):
        seeds.append(tuple(np.asarray(state).tolist()))

    def noted(*args):
        state = gan.seed_generator.state
        if keras.backend.backend() == "jax":  # Inside a gradient the seeds are traced.
            import jax

            jax.debug.callback(note, ops.convert_to_tensor(state))
        else:
            note(ops.convert_to_numpy(state))
        return noise(*args)

    gan.scorer.noise = noted
    real = ops.convert_to_tensor(RNG.uniform(-1, 1, (4, 8, 8, 1)).astype("float32"))
    with backend.no_gradients():
        z = gan.draw_latents(4)
    gan.generator_objective(Batch(real, gan.generator(z), z), ())
    if keras.backend.backend() == "jax":
        import jax

        jax.effects_barrier()
    assert len(seeds) > 6 and len(set(seeds)) == len(seeds)


def test_the_real_critic_takes_one_step(images):
    def trained(steps):
        keras.utils.set_random_seed(0)
        pair = kerasgan.networks.mlp(28, 1, latent_dim=4, width=8, depth=1)
        for i, network in enumerate(pair):
            network.set_weights(
                [np.random.default_rng(i).normal(0, 0.1, w.shape) for w in network.get_weights()]
            )
        gan = kerasgan.UnrolledGAN(*pair, unrolled_steps=steps)
        gan.compile()
        gan.fit(images, batch_size=64, verbose=0)
        return gan

    far, near = trained(3), trained(0)
    for a, b in zip(far.critic.get_weights(), near.critic.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    assert any(
        np.abs(a - b).max() > 1e-6
        for a, b in zip(far.generator.get_weights(), near.generator.get_weights(), strict=True)
    )
