"""A training reads nothing from the device between two looks, so the device never waits."""

import keras
import numpy as np
import pytest

import kerasgan


@pytest.fixture
def reads(backend_name, monkeypatch):
    """A list that grows by one name with each reading of a value on the host."""
    found = []

    def count(cls, name):
        usual = getattr(cls, name)

        def counting(*args, **kwargs):
            found.append(name)
            return usual(*args, **kwargs)

        monkeypatch.setattr(cls, name, counting)

    if backend_name == "torch":
        import torch

        for name in ("item", "tolist", "numpy", "cpu", "__float__", "__int__", "__bool__"):
            count(torch.Tensor, name)
    elif backend_name == "jax":
        import jax

        cls = type(jax.numpy.zeros(1))
        for name in ("item", "tolist", "__array__", "__float__", "__int__", "__bool__"):
            count(cls, name)
    else:
        import tensorflow as tf

        cls = type(tf.zeros(1))
        for name in ("numpy", "__array__", "__float__", "__int__"):
            count(cls, name)
    from keras.src import backend

    count(backend, "convert_to_numpy")  # On JAX it reads past all methods.
    return found


@pytest.fixture
def images():
    return np.tanh(np.random.default_rng(0).standard_normal((200, 8, 8, 1), "float32"))


@pytest.fixture
def model():
    pair = kerasgan.networks.mlp(image_size=8, channels=1, width=4, latent_dim=3)
    model = kerasgan.R3GAN(*pair, burn_in=100)
    model.compile()
    return model


def test_the_reads_of_an_epoch_do_not_grow_with_its_steps(model, images, reads):
    found = []
    for n in (40, 40, 200):  # The first one compiles too.
        reads.clear()
        model.fit(images[:n], batch_size=2, verbose=0)
        found.append(list(reads))
    assert len(found[1]) == len(found[2]), set(found[2])
    assert found[1]  # The losses of the epoch: the count counts.


def test_a_callback_that_looks_at_each_step_gets_its_logs(model, images):
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["critic_loss"])

    model.fit(images[:20], batch_size=2, verbose=0, callbacks=[Look()])
    assert len(seen) == 10 and np.isfinite(seen).all()


@pytest.mark.parametrize("listed", [False, True])
def test_the_progress_bar_shows_losses(model, images, capsys, listed):
    bars = [keras.callbacks.ProgbarLogger()]
    given = {"callbacks": bars, "verbose": 0} if listed else {"verbose": 1}
    if listed:
        bars[0].set_params({"verbose": 1, "epochs": 1, "steps": 10})
        bars[0].verbose = 1
    history = model.fit(images[:20], batch_size=2, **given)
    assert history.history["critic_loss"]
    if not listed:
        assert "critic_loss" in capsys.readouterr().out


def test_a_training_puts_its_state_into_the_variables_only_to_look(model, images, tmp_path):
    """Each time costs a small network half a step on JAX, where steps work on values alone."""
    if keras.backend.backend() != "jax":
        pytest.skip("variables hold the state on the other backends")
    usual, found = model.jax_state_sync, []
    object.__setattr__(model, "jax_state_sync", lambda: (found.append(1), usual()))
    counts = []
    for n in (40, 40, 200):
        found.clear()
        callbacks = [
            kerasgan.callbacks.SampleGrid(tmp_path / str(n)),
            kerasgan.callbacks.Checkpoint(tmp_path / "model.keras"),
            kerasgan.callbacks.Progress(),
            kerasgan.callbacks.MetricsFile(tmp_path / f"{len(counts)}.csv"),
            kerasgan.callbacks.CollapseGuard(data=images, every=10_000),
        ]
        model.fit(images[:n], batch_size=2, verbose=0, callbacks=callbacks)
        counts.append(len(found))
    assert counts[1] and counts[1] == counts[2], counts
