"""A checkpoint within a long epoch: a training that is killed loses ten minutes at most."""

import csv
import io

import keras
import numpy as np
import pytest
from keras import ops

import kerasgan
from kerasgan import callbacks, networks, storage
from kerasgan.adversarial.each_step import EachStep
from kerasgan.callbacks import checkpoint as checkpoint_module
from kerasgan.collapse import Journal
from kerasgan.data import ImageDataset

EPOCHS, STEPS = 3, 20
IMAGES = np.random.default_rng(0).uniform(-1, 1, (8 * STEPS, 8, 8, 1)).astype("float32")


class Killed(Exception):
    pass


class Clock(EachStep):
    """A clock that each step moves by a minute; it kills the training before one of its steps."""

    def __init__(self, kill=None):
        super().__init__()
        self.kill = kill

    def on_train_batch_begin(self, batch, logs=None):
        if self.unsynced.critic_steps == self.kill:
            raise Killed

    def monotonic(self):
        return 60.0 * self.unsynced.critic_steps


@pytest.fixture
def clock(monkeypatch):
    def start(kill=None):
        clock = Clock(kill)
        monkeypatch.setattr(checkpoint_module, "time", clock)
        return clock

    return start


def made():
    keras.utils.set_random_seed(3)
    gan = kerasgan.GAN(*networks.mlp(8, 1, latent_dim=4, width=8, depth=1), seed=3)
    gan.compile()
    return gan


def train(gan, folder, clock, **options):
    """Train to the end as the command line does, from where the model stands."""
    data = ImageDataset(IMAGES, batch_size=8)
    guard = callbacks.CollapseGuard(
        "rescue", data, every=7, samples=50, folder=folder, stream=io.StringIO(), epochs=EPOCHS
    )
    watchers = [
        clock,
        guard,
        callbacks.MetricsFile(folder / "metrics.csv"),
        callbacks.Checkpoint(folder / "checkpoint.keras", **options),
    ]
    first, batch = divmod(gan.critic_steps, STEPS)
    for start, end, skip in ((first, first + 1, batch), (first + 1, EPOCHS, 0)):
        if start < end:
            data.seek(start, skip)
            gan.fit(data, initial_epoch=start, epochs=end, verbose=0, callbacks=watchers)


def resumed(folder):
    return storage.load_model(folder / "checkpoint.keras")


def rows(folder):
    with open(folder / "metrics.csv", newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        del row["seconds"]
    return [{name: float(value) for name, value in row.items() if value} for row in found]


def checks(folder):
    return [(e.epoch, e.step, e.state) for e in Journal.read(folder / "guard/journal.json").entries]


@pytest.mark.parametrize("kills", [[5], [15], [35], [19, 39], [12, 25, 58]])
def test_a_killed_training_goes_on_from_at_most_ten_minutes_before(kills, clock, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    train(straight := made(), whole, clock(), minutes=None)
    gan = made()
    for kill in kills:
        with pytest.raises(Killed):
            train(gan, killed, clock(kill))
        if kill < 10:
            assert not (killed / "checkpoint.keras").exists()
            gan = made()
        else:
            gan = resumed(killed)
            assert kill - 10 <= gan.critic_steps <= kill
    train(gan, killed, clock())
    assert (gan.critic_steps, gan.generator_steps) == (60, 60)
    for a, b in zip(gan.variables, straight.variables, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), atol=1e-6)
    assert checks(killed) == checks(whole)
    for row, expected in zip(rows(killed), rows(whole), strict=True):
        assert row == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert not (killed / "metrics.part.json").exists()


def test_a_kill_between_the_part_and_the_checkpoint_loses_no_row(clock, tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    train(made(), whole, clock(), minutes=None)
    saved = []

    def save(model, path, notes=None):
        saved.append(model.critic_steps)
        if len(saved) == 2:  # Within the first epoch, for the second time.
            raise Killed
        storage.save_model(model, path, notes)

    monkeypatch.setattr(checkpoint_module, "save_model", save)
    with pytest.raises(Killed):
        train(made(), killed, clock(), minutes=5)
    assert saved == [5, 10] and resumed(killed).critic_steps == 5
    train(resumed(killed), killed, clock(), minutes=5)
    for row, expected in zip(rows(killed), rows(whole), strict=True):
        assert row == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_how_often_it_saves(clock, tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(
        checkpoint_module, "save_model", lambda model, path: saved.append(model.critic_steps)
    )
    for minutes, expected in ((10, [10, 20, 30, 40, 50, 60]), (None, [20, 40, 60])):
        saved.clear()
        train(made(), tmp_path, clock(), minutes=minutes)
        assert saved == expected
    with pytest.raises(ValueError, match="`minutes` must be a positive number"):
        callbacks.Checkpoint(tmp_path / "c.keras", minutes=0)


def test_a_state_that_is_not_finite_is_not_saved_within_an_epoch(clock, tmp_path):
    class Break(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 8:
                weight = self.model.critic.weights[0]
                weight.assign(weight * np.nan)
            if batch > 8:  # The guard may put a healthy state back: nothing stops here.
                assert not self.model.stop_training

    gan, checkpoint = made(), callbacks.Checkpoint(tmp_path / "checkpoint.keras")
    data = ImageDataset(IMAGES, batch_size=8)
    gan.fit(data, verbose=0, callbacks=[clock(), Break(), checkpoint])
    assert checkpoint.diverged and not list(tmp_path.iterdir())


def test_the_states_after_some_epochs_are_kept(tmp_path):
    class Note(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            noted.append([np.array(ops.convert_to_numpy(w)) for w in self.model.weights])

    noted, gan = [], made()
    checkpoint = callbacks.Checkpoint(tmp_path / "checkpoint.keras", keep_every=2)
    gan.fit(IMAGES[:32], batch_size=8, epochs=5, verbose=0, callbacks=[Note(), checkpoint])
    kept = sorted(path.name for path in (tmp_path / "epochs").iterdir())
    assert kept == ["0002.keras", "0004.keras"]
    for path, epoch in (("epochs/0004.keras", 4), ("checkpoint.keras", 5)):
        stored = storage.load_model(tmp_path / path)
        assert stored.critic_steps == 4 * epoch
        for a, b in zip(stored.weights, noted[epoch - 1], strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(a), b)
    with pytest.raises(ValueError, match="`keep_every` must be a positive integer"):
        callbacks.Checkpoint(tmp_path / "c.keras", keep_every=0)


def test_an_epoch_that_was_cut_is_not_kept(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.stop_training = batch == 1

    checkpoint = callbacks.Checkpoint(tmp_path / "checkpoint.keras", keep_every=1)
    made().fit(IMAGES[:32], batch_size=8, verbose=0, callbacks=[Stop(), checkpoint])
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.keras"]
