"""What any variant combines with: packing, penalties, historical averaging, features."""

import dataclasses

import keras
import numpy as np
import pytest
from by_hand import assert_held_out_losses
from keras import layers, ops
from small_networks import IMAGES, LABELS, batch_of, number, objective, pair

import kerasgan
from kerasgan import backend, penalties

# Packing.


def test_packing_stacks_neighbours_along_the_channels():
    gan = kerasgan.WGANGP(*pair(packing=3), packing=3)
    packed = ops.convert_to_numpy(gan.scorer.pack(ops.convert_to_tensor(IMAGES)))
    assert packed.shape == (8, 8, 8, 3)
    for m in range(3):
        np.testing.assert_array_equal(packed[..., m : m + 1], IMAGES[m::3])
    back = gan.scorer.unpack(ops.convert_to_tensor(packed))
    np.testing.assert_array_equal(ops.convert_to_numpy(back), IMAGES)


@pytest.mark.parametrize("variant", [kerasgan.PacGAN, kerasgan.WGANGP, kerasgan.R3GAN])
def test_variants_pack(variant):
    gan = variant(*pair(packing=2), packing=2, n_critic=1)
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    assert_held_out_losses(gan, IMAGES[:4])
    seeds = ops.convert_to_numpy(gan.seed_generator.state).copy()
    found = []
    for n in (4, 5):  # One image is no pack.
        gan.seed_generator.state.assign(seeds)
        found.append(gan.evaluate(IMAGES[:n], batch_size=4, verbose=0))
    assert found[0] == found[1]


def test_a_batch_that_packing_does_not_divide_is_refused():
    gan = kerasgan.PacGAN(*pair(packing=3), packing=3)
    gan.compile()
    with pytest.raises(
        ValueError, match=r"`batch_size` must be divisible by packing=3.*Received: 8"
    ):
        gan.fit(IMAGES, batch_size=8, verbose=0)
    with pytest.raises(ValueError, match=r"packing=2 times its channels"):
        kerasgan.PacGAN(*pair(), packing=2)


# Penalties.


def test_penalties_add_up_with_their_weights():
    gan = kerasgan.GAN(*pair(), penalties=[penalties.R1(3.0), penalties.R2(5.0)])
    gan.compile()
    batch = batch_of(gan)
    expected = [
        penalties.zero_centred_penalty(lambda x: gan.critic(x), images)
        for images in (batch.real, batch.fake)
    ]
    plain = number(objective(gan, batch, penalties=False))
    found = number(objective(gan, batch))
    assert found == pytest.approx(
        plain + 3 * number(expected[0]) + 5 * number(expected[1]), rel=1e-5
    )


def test_zero_centred_penalties_share_the_passes_of_the_loss():
    class Apart(penalties.R1):
        at = None  # As a penalty that takes a gradient of its own.

        def __call__(self, inputs):
            return penalties.zero_centred_penalty(inputs.scores, inputs.real)

    found = []
    for r1 in (penalties.R1(3.0), Apart(3.0)):
        gan = kerasgan.GAN(*pair(packing=2), packing=2, penalties=[r1, penalties.R2(5.0)])
        gan.set_weights(
            [0.1 * np.cos(np.arange(w.size)).reshape(w.shape) for w in gan.get_weights()]
        )
        gan.compile()
        batch, passes = batch_of(gan), []
        batch = dataclasses.replace(batch, z=None)
        score = gan.scorer.scores_of_packed
        gan.scorer.scores_of_packed = lambda *a, score=score, p=passes: p.append(1) or score(*a)
        fakes = ops.convert_to_tensor(IMAGES[6:12])
        batch = dataclasses.replace(batch, fake=fakes)
        loss, gradients = backend.value_and_grad(
            lambda gan=gan, batch=batch: objective(gan, batch, training=True),
            gan.critic_variables(),
        )
        found.append((len(passes), number(loss), [ops.convert_to_numpy(g) for g in gradients]))
    assert (found[0][0], found[1][0]) == (2, 3)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-5)
    for first, second in zip(found[0][2], found[1][2], strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)


def test_held_out_losses_have_lazy_penalties_once():
    gan = kerasgan.GAN(*pair(), penalties=[penalties.R1(3.0, every=2)])
    gan.compile()
    batch = batch_of(gan)
    once = number(penalties.zero_centred_penalty(gan.critic, batch.real))
    plain = number(objective(gan, batch, penalties=False))
    assert number(objective(gan, batch)) == pytest.approx(plain + 3 * once, rel=1e-5)
    training = number(objective(gan, batch, training=True))
    assert training == pytest.approx(plain + 6 * once, rel=1e-5)


def test_batch_norm_under_penalties():
    networks_ = pair(critic_norm="batch")
    with pytest.raises(ValueError, match="batch normalisation with gradient_penalty"):
        kerasgan.GAN(*networks_, penalties=[penalties.GradientPenalty(10.0)])
    with pytest.warns(UserWarning, match="batch normalisation with r1"):
        kerasgan.GAN(*networks_, penalties=[penalties.R1(10.0)])


@pytest.mark.parametrize("given", [["r1"], 10.0, [None]])
def test_what_is_no_penalty_is_refused(given):
    with pytest.raises(ValueError, match="`penalties` must be a list"):
        kerasgan.GAN(*pair(), penalties=given)


# The rest.


def test_everything_at_once_round_trips(tmp_path):
    gan = kerasgan.WGANGP(
        *pair(packing=2),
        packing=2,
        penalties=[penalties.R1(1.0), penalties.DRAGANPenalty(2.0)],
        historical_averaging=0.1,
        loss="relativistic",
        prior="uniform",
        n_critic=1,
    )
    gan.compile()
    gan.fit(IMAGES, batch_size=8, verbose=0)
    gan.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.get_config() == gan.get_config()
    for model in (gan, loaded):
        model.fit(IMAGES, batch_size=8, verbose=0)
    for a, b in zip(gan.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))


def test_historical_averaging_follows_its_definition():
    gan = kerasgan.GAN(*pair(), historical_averaging=2.0, ema=None)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), run_eagerly=True)

    def loss_on(real):
        return lambda: 0.0 * ops.sum(gan.critic(real))

    gan._move("critic", loss_on, gan.critic_variables(), (IMAGES[:8],))
    assert number(gan.trackers["critic_loss"].result()) == 0  # No past, no distance.
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), run_eagerly=True)
    seen = []
    for start in (0, 8, 16):
        gan.fit(IMAGES[start : start + 8], batch_size=8, verbose=0)
        seen.append([ops.convert_to_numpy(v).copy() for v in gan.critic.trainable_variables])
    for i, past in enumerate(gan._past["critic"]):
        mean = np.mean([weights[i] for weights in seen], axis=0)
        np.testing.assert_allclose(ops.convert_to_numpy(past), mean, rtol=1e-4, atol=1e-6)
    distance = sum(
        np.sum((ops.convert_to_numpy(v) - ops.convert_to_numpy(p)) ** 2)
        for v, p in zip(gan.critic.trainable_variables, gan._past["critic"], strict=True)
    )
    gan.critic_loss = lambda batch, scores, training: 0.0 * ops.sum(scores.real)
    logs = gan.fit(IMAGES[:8], batch_size=8, verbose=0).history
    assert logs["critic_loss"][0] == pytest.approx(2 * distance, rel=1e-3)


def test_feature_matching_equals_numpy():
    gan = kerasgan.GAN(*pair(), loss="feature_matching")
    batch = batch_of(gan)
    found = number(objective(gan, batch, player="generator"))
    real, fake = (
        ops.convert_to_numpy(gan.scorer.body.features(x)).mean(0) for x in (batch.real, batch.fake)
    )
    assert found == pytest.approx(((real - fake) ** 2).sum(), rel=1e-5)
    head = gan.critic.layers[-1]
    np.testing.assert_allclose(
        ops.convert_to_numpy(head(gan.scorer.body.features(batch.real))),
        ops.convert_to_numpy(gan.critic(batch.real)),
        rtol=1e-5,
    )


def test_feature_matching_needs_features():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(ops.reshape(x, (-1, 64)))

    critic = Own()
    critic(IMAGES[:1])
    with pytest.raises(ValueError, match="last layer takes one tensor of features"):
        kerasgan.GAN(pair()[0], critic, loss="feature_matching")


@pytest.mark.parametrize(
    "arguments", [{"real_label": 0.0}, {"real_label": 1.2}, {"real_label": 0.9, "loss": "hinge"}]
)
def test_label_out_of_range(arguments):
    with pytest.raises(ValueError, match="`real_label`"):
        kerasgan.GAN(*pair(), **arguments)


def test_uniform_prior():
    gan = kerasgan.GAN(*pair(), prior="uniform")
    for z in (gan.latent_vectors(500, seed=0), ops.convert_to_numpy(gan.draw_latents(500))):
        assert -1 <= z.min() < -0.9 and 0.9 < z.max() <= 1 and abs(z.std() - 3**-0.5) < 0.02


def test_sngan_iterates_once_a_critic_step():
    generator, critic = pair(critic_norm="spectral")
    gan = kerasgan.SNGAN(generator, critic, n_critic=3)
    gan.compile()
    layer = next(layer for layer in critic.layers if hasattr(layer, "iterate"))
    vectors = [ops.convert_to_numpy(layer.u).copy()]
    kernel = ops.convert_to_numpy(layer.kernel)
    gan.fit(IMAGES[:8], batch_size=8, verbose=0)
    w = kernel.reshape(-1, kernel.shape[-1]).T  # (out, in), before this step moved it.
    v = w.T @ vectors[0].reshape(-1)
    u = w @ (v / np.linalg.norm(v))
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer.u).reshape(-1), u / np.linalg.norm(u), rtol=1e-4, atol=1e-5
    )
    with pytest.raises(ValueError, match="spectrally normalised"):
        kerasgan.SNGAN(*pair())


def test_gradients_of_every_loss_equal_finite_differences():
    from kerasgan.losses import LOSSES, Scores

    # Away from the corners of the hinge loss at -1 and 1.
    scores = np.float32([[-2.0, 0.3, 0.8, 1.7, -0.6], [1.4, -0.2, -1.5, 0.1, 2.2]])[..., None]
    for name, loss in LOSSES.items():
        if name == "feature_matching":  # It is of features; see its own test.
            continue
        both = [
            lambda r, f, play=play: play(Scores(real=r, fake=f))
            for play in (loss().critic, loss().generator)
        ]
        for function in both:
            variable = keras.Variable(scores[1])
            _, (found,) = backend.value_and_grad(
                lambda f=function, v=variable: f(ops.convert_to_tensor(scores[0]), v + 0.0),
                [variable],
            )
            expected, h = np.empty((5, 1)), 1e-2
            for i in range(5):
                step = np.zeros((5, 1), "float32")
                step[i] = h
                values = [number(function(scores[0], scores[1] + d)) for d in (step, -step)]
                expected[i] = (values[0] - values[1]) / (2 * h)
            found = ops.convert_to_numpy(found)
            np.testing.assert_allclose(found, expected, atol=2e-3, err_msg=name)


def test_datasets_are_checked_as_arrays_are():
    gan = kerasgan.PacGAN(*pair(packing=3), packing=3)
    gan.compile()
    uneven = kerasgan.data.ImageDataset(IMAGES, batch_size=8)
    with pytest.raises(ValueError, match=r"divisible by packing=3.*Received: 8"):
        gan.fit(uneven, verbose=0)
    rest = kerasgan.data.ImageDataset(IMAGES[:20], batch_size=9, drop_remainder=False)
    for method in (gan.fit, gan.evaluate):
        with pytest.raises(ValueError, match=r"`the last batch` must be divisible.*Received: 2"):
            method(rest, verbose=0)
    conditional = kerasgan.GAN(*pair(num_classes=3))
    conditional.compile()
    wrong = kerasgan.data.ImageDataset(IMAGES, LABELS + 1, batch_size=8)
    with pytest.raises(ValueError, match=r"must lie in 0..2. Received: labels from 1 to 3"):
        conditional.fit(wrong, verbose=0)
