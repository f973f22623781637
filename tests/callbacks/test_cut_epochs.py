"""Epochs that were cut short, as by Ctrl-C: no row, no picture, until they are whole."""

import csv

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan import callbacks, networks
from kerasgan.data import ImageDataset


class Stop(keras.callbacks.Callback):
    """Stops as the command line does: the step that has begun is the last."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_begin(self, batch, logs=None):
        if batch == self.step:
            self.model.stop_training = True


@pytest.fixture
def gan():
    gan = kerasgan.GAN(*networks.mlp(28, 1, latent_dim=4, width=8, depth=1))
    gan.compile()
    return gan


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_row_of_a_cut_epoch_is_that_of_both_parts(images, tmp_path):
    def made():
        keras.utils.set_random_seed(3)
        gan = kerasgan.GAN(*networks.mlp(28, 1, latent_dim=4, width=8, depth=1), seed=3)
        gan.compile()
        return gan

    data = ImageDataset(images, batch_size=8)
    whole, cut = made(), made()
    data.seek(0)
    whole.fit(data, epochs=1, verbose=0, callbacks=[callbacks.MetricsFile(tmp_path / "whole.csv")])
    path = tmp_path / "cut.csv"
    data.seek(0)
    cut.fit(data, epochs=1, verbose=0, callbacks=[Stop(2), callbacks.MetricsFile(path)])
    assert not path.exists() and cut.critic_steps == 3
    data.seek(0, 3)
    cut.fit(data, epochs=1, verbose=0, callbacks=[Stop(1), callbacks.MetricsFile(path)])
    assert not path.exists() and cut.critic_steps == 5
    data.seek(0, 5)
    cut.fit(data, epochs=1, verbose=0, callbacks=[callbacks.MetricsFile(path)])
    (found,), (expected,) = rows(path), rows(tmp_path / "whole.csv")
    for name in ("critic_loss", "generator_loss"):
        assert float(found[name]) == pytest.approx(float(expected[name]), rel=1e-3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.csv", "whole.csv"]


def test_a_part_counts_only_where_the_training_goes_on_from_it(gan, images, tmp_path):
    data, path = ImageDataset(images, batch_size=8), tmp_path / "m.csv"
    gan.fit(data, epochs=1, verbose=0, callbacks=[Stop(2), callbacks.MetricsFile(path)])
    other = kerasgan.GAN(*networks.mlp(28, 1, latent_dim=4, width=8, depth=1))
    other.compile()  # As one that was saved before the epoch.
    metrics = callbacks.MetricsFile(path)
    history = other.fit(data, epochs=1, verbose=0, callbacks=[metrics]).history
    (row,) = rows(path)
    assert float(row["critic_loss"]) == pytest.approx(history["critic_loss"][0], rel=1e-4)


def test_batches_of_unknown_number_can_be_cut_too(gan, images, tmp_path):
    def batches():
        for _ in range(8):
            yield (images[:8],)

    path, folder = tmp_path / "m.csv", tmp_path / "samples"
    watchers = [callbacks.MetricsFile(path), callbacks.SampleGrid(folder, n=4, animation=None)]
    gan.fit(batches(), epochs=1, verbose=0, callbacks=[Stop(2), *watchers])
    assert not path.exists() and not list(folder.glob("epoch_*"))


def test_a_stop_after_a_whole_epoch_keeps_its_row_and_its_picture(gan, images, tmp_path):
    path, folder = tmp_path / "m.csv", tmp_path / "samples"
    watchers = [callbacks.MetricsFile(path), callbacks.SampleGrid(folder, n=4, animation=None)]
    early = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(gan, "stop_training", True)
    )
    gan.fit(images, batch_size=8, epochs=3, verbose=0, callbacks=[early, *watchers])
    assert len(rows(path)) == 1 and len(list(folder.glob("epoch_*"))) == 1


def test_a_cut_epoch_has_no_picture(gan, images, tmp_path):
    grid = callbacks.SampleGrid(tmp_path, n=4, animation=None)
    gan.fit(images, batch_size=8, epochs=3, verbose=0, callbacks=[Stop(2), grid])
    assert not list(tmp_path.glob("epoch_*"))
    assert np.isfinite(gan.sample(2, seed=0)).all()
