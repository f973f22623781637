"""Our callbacks, and Keras' own with an adversarial model."""

import csv
import io

import keras
import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan import callbacks, networks
from kerasgan.data import ImageDataset
from kerasgan.text import duration


@pytest.fixture
def gan():
    gan = kerasgan.GAN(*networks.mlp(28, 1, latent_dim=4, width=8, depth=1))
    gan.compile()
    return gan


def test_sample_grid_writes_every_epoch_and_an_animation(gan, images, tmp_path):
    callback = callbacks.SampleGrid(tmp_path, n=100, animation="gif")
    gan.fit(images, epochs=3, verbose=0, callbacks=[callback])
    names = sorted(path.name for path in tmp_path.glob("epoch*"))
    assert names == ["epoch_0001.png", "epoch_0002.png", "epoch_0003.png", "epochs.gif"]
    with Image.open(tmp_path / "epoch_0003.png") as picture:
        assert picture.size == (10 * 28 + 9, 10 * 28 + 9)
        drawn = np.asarray(picture)[:28, :28]
    expected = kerasgan.data.to_uint8(gan.sample(1, seed=0))[0, ..., 0]
    np.testing.assert_allclose(drawn.astype(int), expected.astype(int), atol=1)
    with Image.open(tmp_path / "epochs.gif") as animation:
        assert animation.n_frames == 3


def test_sample_grid_writes_the_last_epoch_whatever_its_interval(gan, images, tmp_path):
    callback = callbacks.SampleGrid(tmp_path, n=4, every=2, animation=None)
    gan.fit(images, epochs=3, verbose=0, callbacks=[callback])
    assert sorted(p.name for p in tmp_path.glob("epoch*")) == ["epoch_0002.png", "epoch_0003.png"]
    with pytest.raises(ValueError, match="`animation` must be one of"):
        callbacks.SampleGrid(tmp_path, animation="mp4")


def test_metrics_file_is_whole_and_replaces_repeated_epochs(gan, images, tmp_path):
    path = tmp_path / "metrics.csv"
    gan.fit(images, epochs=3, verbose=0, callbacks=[callbacks.MetricsFile(path)])
    first = list(csv.DictReader(path.open()))
    assert [row["epoch"] for row in first] == ["1", "2", "3"]
    assert float(first[0]["critic_loss"]) > 0
    gan.fit(images, initial_epoch=1, epochs=2, verbose=0, callbacks=[callbacks.MetricsFile(path)])
    again = list(csv.DictReader(path.open()))
    assert [row["epoch"] for row in again] == ["1", "2"]
    assert again[0] == first[0]
    assert again[1] != first[1]


def test_checkpoint_keeps_the_last_good_state(gan, images, tmp_path):
    path = tmp_path / "checkpoint.keras"
    checkpoint = callbacks.Checkpoint(path)
    gan.fit(images, batch_size=32, epochs=2, verbose=0, callbacks=[checkpoint])
    assert checkpoint.diverged is None
    good = gan.critic.get_weights()
    gan.critic.set_weights([np.full_like(w, np.nan) for w in good])
    gan.fit(images, batch_size=32, epochs=9, verbose=0, callbacks=[checkpoint])
    assert "critic_loss" in checkpoint.diverged or "loss" in checkpoint.diverged
    assert gan.critic_steps == 6  # It stopped after the first epoch that was not finite.
    kept = keras.saving.load_model(path)
    for a, b in zip(good, kept.critic.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_checkpoint_checks_within_an_epoch(gan, images, tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path / "c.keras", check_every=2)
    gan.critic.set_weights([np.full_like(w, np.nan) for w in gan.critic.get_weights()])
    gan.fit(np.concatenate([images] * 20), batch_size=4, verbose=0, callbacks=[checkpoint])
    assert checkpoint.diverged
    assert gan.critic_steps < 320
    assert not (tmp_path / "c.keras").exists()


def test_checkpoint_takes_no_score_for_a_loss(gan, images, tmp_path):
    class Score(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["frechet_distance"] = float("nan")

    checkpoint = callbacks.Checkpoint(tmp_path / "c.keras")
    gan.fit(images, batch_size=8, verbose=0, callbacks=[Score(), checkpoint])
    assert checkpoint.diverged is None and checkpoint.saved


def test_progress_tells_the_time_left_and_the_share_for_data(gan, images):
    stream = io.StringIO()
    dataset = ImageDataset(images, batch_size=32)
    gan.fit(dataset, epochs=2, verbose=0, callbacks=[callbacks.Progress(dataset, stream=stream)])
    first, last = stream.getvalue().strip().splitlines()
    assert first.startswith("epoch 1/2") and "left" in first
    assert "critic_loss" in last and "% of it for data" in last and "left" not in last


@pytest.mark.parametrize(
    ("seconds", "words"), [(8.12, "8.1 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


def test_standard_callbacks_work(gan, images, tmp_path):
    seen = []
    own = [
        keras.callbacks.ModelCheckpoint(
            tmp_path / "best.keras", monitor="critic_loss", mode="min", save_best_only=True
        ),
        keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.EarlyStopping(monitor="generator_loss", mode="min", patience=5),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)),
        keras.callbacks.ReduceLROnPlateau(monitor="critic_loss", mode="min", patience=5),
    ]
    pytest.importorskip("tensorboard")
    own.append(keras.callbacks.TensorBoard(tmp_path / "board"))
    gan.fit(images, epochs=2, verbose=0, callbacks=own)
    assert seen == [0, 1]
    assert len(list(csv.DictReader((tmp_path / "log.csv").open()))) == 2
    assert any((tmp_path / "board").rglob("events*"))
    best = keras.saving.load_model(tmp_path / "best.keras")
    assert best.critic_steps in (1, 2)


def test_backup_and_restore_goes_on_where_it_stopped(images, tmp_path):
    def make():
        keras.utils.set_random_seed(4)
        gan = kerasgan.GAN(*networks.mlp(28, 1, latent_dim=4, width=8, depth=1))
        gan.compile()
        return gan

    class Crash(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("crash")

    straight, broken, resumed = make(), make(), make()
    straight.fit(images, batch_size=16, epochs=4, verbose=0)
    backup = {"callbacks": [keras.callbacks.BackupAndRestore(tmp_path)], "verbose": 0}
    with pytest.raises(RuntimeError, match="crash"):
        broken.fit(
            images, batch_size=16, epochs=4, verbose=0,
            callbacks=[keras.callbacks.BackupAndRestore(tmp_path), Crash()],
        )  # fmt: skip
    resumed.fit(images, batch_size=16, epochs=4, **backup)
    for a, b in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_terminate_on_nan_ends_a_broken_training(gan, images):
    gan.critic.set_weights([np.full_like(w, np.nan) for w in gan.critic.get_weights()])
    gan.fit(images, batch_size=8, epochs=3, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert gan.critic_steps < 24


def test_sampling_in_the_middle_of_an_epoch(gan, images):
    drawn = []

    class Draw(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            drawn.append(self.model.sample(2, seed=0))

    gan.fit(images, batch_size=16, verbose=0, callbacks=[Draw()])
    assert len(drawn) == 4
    assert not np.array_equal(drawn[0], drawn[-1])
    np.testing.assert_array_equal(drawn[-1], gan.sample(2, seed=0))
