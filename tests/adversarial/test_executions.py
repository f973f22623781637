"""Several steps between two moments in which Keras calls its hooks."""

import keras
import numpy as np
import pytest
from doors import IMAGES, array, pair

import kerasgan

DATA = np.tile(IMAGES, (4, 1, 1, 1))  # 96 images.


def trained(k, variant=kerasgan.GAN, epochs=2, data=DATA, labels=None, fit=None, **arguments):
    keras.utils.set_random_seed(1)
    networks = pair(num_classes=3) if labels is not None else pair()
    model = variant(*networks, seed=3, **arguments)
    model.compile(steps_per_execution=k)
    model.fit(data, labels, batch_size=8, epochs=epochs, verbose=0, **(fit or {}))
    weights = [array(w) for w in (*model.weights, *model.optimizer.variables)]
    return model, weights


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"variant": kerasgan.WGANGP, "n_critic": 3},
        {"variant": kerasgan.R3GAN, "burn_in": 20},
        {"penalties": [kerasgan.penalties.R1(2.0, every=4)], "loss": "relativistic"},
        {"labels": np.arange(96) % 3},
    ],
    ids=["gan", "wgan_gp", "r3gan", "lazy", "labels"],
)
def test_several_steps_are_those_that_would_be_taken_singly(arguments):
    single, expected = trained(1, **arguments)
    several, found = trained(5, **arguments)  # 12 steps in an epoch: 5, 5 and 2.
    counters = ("critic_steps", "generator_steps", "critic_steps_this_round")
    assert [getattr(single, c) for c in counters] == [getattr(several, c) for c in counters]
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_hooks_and_logs():
    begun, seen = [], []

    class Look(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            begun.append((batch, self.model.critic_steps))

        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["critic_loss"])

    model, _ = trained(5, epochs=1, fit={"callbacks": [Look()]})
    assert begun == [(0, 0), (5, 5), (10, 10)]
    assert len(seen) == 3 and np.isfinite(seen).all()
    history = model.fit(DATA, batch_size=8, verbose=0).history
    assert {"critic_loss", "generator_loss", "loss"} <= set(history)


def test_batches_that_nobody_has_looked_at(backend_name):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 12

        def __getitem__(self, index):
            return (DATA[8 * index : 8 * index + 8],)

    keras.utils.set_random_seed(1)
    found = []
    for k in (1, 5):
        keras.utils.set_random_seed(1)
        model = kerasgan.GAN(*pair(), seed=3)
        model.compile(steps_per_execution=k)
        model.fit(Batches(), epochs=2, verbose=0)
        assert model.critic_steps == 24
        found.append([array(w) for w in model.weights])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_held_out_batches():
    found = []
    for k in (1, 5):
        keras.utils.set_random_seed(1)
        model = kerasgan.GAN(*pair(), seed=3)
        model.compile(steps_per_execution=k)
        history = model.fit(
            DATA, batch_size=8, epochs=2, verbose=0, validation_data=DATA[:56]
        ).history
        found.append([*history["val_critic_loss"], *history["critic_loss"]])
    np.testing.assert_array_equal(*found)


def test_wrong_numbers_are_refused():
    model = kerasgan.GAN(*pair())
    for wrong in (0, -1, 2.0, "4", True):
        with pytest.raises(ValueError, match="`steps_per_execution` must be a positive integer"):
            model.compile(steps_per_execution=wrong)


def test_it_is_saved_with_the_model(tmp_path):
    model, _ = trained(3, epochs=1)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").steps_per_execution == 3
    model.train_on_batch(DATA[:8])
    model.evaluate(DATA[:8], verbose=0)
