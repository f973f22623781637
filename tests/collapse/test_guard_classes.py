"""The guard and the classes of a conditional training."""

import io

import keras
import numpy as np
import pytest
from guarded_training import guarded

import kerasgan
from kerasgan.collapse import DiversityMetric, features
from kerasgan.data import ImageDataset
from kerasgan.watch import Watcher

LABELS = np.arange(900) % 3
NAMES = ["ant", "bee", "cat"]


def conditional():
    """Return a conditional GAN that is healthy, and what it generates as its data."""
    keras.utils.set_random_seed(0)
    pair = kerasgan.networks.mlp(
        image_size=8, channels=1, latent_dim=6, width=16, depth=1, num_classes=3
    )
    gan = kerasgan.GAN(*pair, seed=0, ema=None)
    gan.compile(keras.optimizers.SGD(1e-6), keras.optimizers.SGD(1e-6))
    return gan, gan.sample(900, seed=5, labels=LABELS)


class OneImage(keras.callbacks.Callback):
    """Lets the generator draw one image of class 1 from an epoch on."""

    def __init__(self, epoch, monkeypatch):
        super().__init__()
        self.epoch, self.monkeypatch = epoch, monkeypatch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch != self.epoch:
            return
        sample = self.model.sample

        def spoiled(n, seed=None, labels=None):
            images = np.array(sample(n, seed=seed, labels=labels))
            if labels is not None:
                images[labels == 1] = images[labels == 1][0]
            return images

        self.monkeypatch.setattr(self.model, "sample", spoiled)


def test_a_class_that_collapses_alone_is_an_alarm_with_its_name(monkeypatch):
    gan, real = conditional()
    data = ImageDataset(real, LABELS, batch_size=60, class_names=NAMES)
    guard = guarded("warn", data=data, samples=300, every=15)
    gan.fit(data, epochs=6, verbose=0, callbacks=[OneImage(4, monkeypatch), guard])
    measured = [entry.measurement.classes for entry in guard.journal.entries]
    assert all(len(classes) == 3 for classes in measured)
    assert measured[-1][1] < 0.5 * measured[0][1]
    (decision,) = guard.journal.decisions
    assert decision.action == "warn" and guard.verdict.bad
    assert "class 1" in guard.verdict.evidence and "class 0" not in guard.verdict.evidence


def test_a_class_of_equal_images_is_left_out_and_the_others_are_watched():
    _, real = conditional()
    real[LABELS == 2] = real[2]
    metric = DiversityMetric(real, samples=300, labels=LABELS)
    found = metric.measure(real[:300], LABELS[:300])
    assert found.classes[0] and found.classes[1]
    assert found.classes[2:] in ((), (None,))


class Batches(keras.utils.PyDataset):
    """Batches in an order of their own, whose `labels` are in another."""

    def __init__(self, images, labels):
        super().__init__()
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images) // 60

    def __getitem__(self, index):
        rows = slice(900 - 60 * (index + 1), 900 - 60 * index)
        return self.images[rows], self.labels[rows]


def test_labels_of_unknown_order_are_sampled_but_no_class_is_watched():
    gan, real = conditional()
    guard = guarded("warn", data=Batches(real, LABELS), samples=300)
    data = ImageDataset(real, LABELS, batch_size=60)
    gan.fit(data, epochs=2, verbose=0, callbacks=[guard])
    assert guard.journal.entries and guard.verdict.state != "unknown"
    assert all(entry.measurement.classes == () for entry in guard.journal.entries)
    assert set(guard._labels) == {0, 1, 2}
    assert guard.stream.getvalue().count("no class is watched by itself") == 1
    assert guard.metric.images.dtype == np.uint8  # Small copies, for the report.


@pytest.mark.numpy
def test_a_watcher_says_what_it_cannot_see(monkeypatch):
    def broken(real, seed):
        raise np.linalg.LinAlgError("no convergence")

    monkeypatch.setattr(features, "Surface", broken)
    real = np.random.default_rng(0).uniform(-1, 1, (300, 16, 16, 1)).astype("float32")
    stream = io.StringIO()
    watcher = Watcher(real, samples=90, stream=stream)
    assert stream.getvalue().count("colours and textures cannot be measured") == 1
    watcher.check(real[:90])
    (entry,) = watcher.journal.entries
    assert entry.measurement.surface is None
    assert entry.measurement.distinct is not None and entry.measurement.detail
