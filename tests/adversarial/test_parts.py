"""Batches that are taken in parts."""

import keras
import numpy as np
import pytest
from doors import IMAGES, array, pair

import kerasgan

R1 = kerasgan.penalties.R1


def trained(accumulate, variant=kerasgan.GAN, networks=None, labels=None, **arguments):
    keras.utils.set_random_seed(1)
    model = variant(*(networks or pair)(), seed=3, **arguments)
    model.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05), accumulate=accumulate)
    history = model.fit(IMAGES, labels, batch_size=12, epochs=3, verbose=0).history
    return model, [array(w) for w in model.weights], history


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"penalties": [R1(5.0)], "loss": "relativistic"},
        {"historical_averaging": 0.1},
        {"variant": kerasgan.WGAN, "n_critic": 2, "clip": 0.05},
    ],
    ids=["plain", "r1", "historical", "wgan"],
)
def test_parts_move_the_weights_as_the_whole_batch_does(arguments):
    _, whole, losses = trained(1, **arguments)
    _, parts, same = trained(3, **arguments)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)
    for name, values in losses.items():
        np.testing.assert_allclose(values, same[name], rtol=1e-4, atol=1e-5)


def test_labels_go_with_their_images():
    labels = np.arange(24) % 3
    networks = lambda: pair(num_classes=3)  # noqa: E731
    (_, whole, _), (_, parts, _) = (trained(k, networks=networks, labels=labels) for k in (1, 2))
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def test_parts_have_noise_and_statistics_of_their_own():
    size = {"image_size": 28, "channels": 1, "width": 2, "latent_dim": 2}
    networks = kerasgan.networks.dcgan(**size, critic_norm=None)
    model = kerasgan.WGANGP(*networks, n_critic=2, seed=0)
    model.compile(accumulate=2)
    images = np.tanh(np.random.default_rng(0).standard_normal((24, 28, 28, 1), "float32"))
    before = [array(v) for v in model.generator.non_trainable_variables]
    history = model.fit(images, batch_size=4, verbose=0).history
    assert np.isfinite([history["critic_loss"], history["gradient_penalty"]]).all()
    for a, b in zip(before, model.generator.non_trainable_variables, strict=True):
        assert np.isfinite(array(b)).all() and not np.array_equal(a, array(b))


def test_a_batch_must_be_divisible():
    with pytest.raises(ValueError, match="divisible by accumulate=5"):
        trained(5)
    with pytest.raises(ValueError, match="each part by packing=2"):
        trained(4, networks=lambda: pair(packing=2), packing=2)
    model, *_ = trained(3)
    with pytest.raises(ValueError, match="divisible by accumulate=3"):
        model.train_on_batch(IMAGES[:4])
    model.evaluate(IMAGES[:4], verbose=0)
    for wrong in (0, 1.5, True, "2"):
        with pytest.raises(ValueError, match="`accumulate` must be a positive integer"):
            model.compile(accumulate=wrong)


def test_it_is_saved_with_the_model(tmp_path):
    model, *_ = trained(3)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").accumulate == 3


def test_memory_is_that_of_a_part(backend_name):
    """JAX says what a program needs; the other backends take one part after the other too."""
    if backend_name != "jax":
        pytest.skip("only JAX says how much memory a program needs")
    import jax

    from kerasgan import backend

    needed = []
    for parts in (1, 4):
        generator, critic = kerasgan.networks.dcgan(image_size=64, width=8, critic_norm=None)
        model = kerasgan.GAN(generator, critic, seed=0)
        model.compile(accumulate=parts)
        images = np.zeros((64, 64, 64, 3), "float32")
        variables = [*model.variables, *model.optimizer.variables]

        def step(values, images, model=model, variables=variables):
            with backend.substituted(variables, values):
                return model._train_on((images,), True)

        program = jax.jit(step).lower([v.value for v in variables], images).compile()
        needed.append(program.memory_analysis().temp_size_in_bytes)
    assert needed[1] < 0.5 * needed[0], needed
