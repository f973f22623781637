"""Snapshots: whole, few, and of the right model."""

import dataclasses

import keras
import numpy as np
import pytest
from guarded_training import Sabotage, fit, guarded, healthy

import kerasgan
from kerasgan import collapse
from kerasgan.collapse import BROKEN, snapshot


def test_snapshots_are_few_and_fit(tmp_path):
    gan, real = healthy()
    guard = guarded(folder=tmp_path)
    fit(gan, real, guard, epochs=7)
    assert len(guard.store.snapshots) <= 3
    files = list((tmp_path / "guard").glob("snapshot-*.npz"))
    steps = {int(path.stem.split("-")[1]) for path in files}
    assert steps == guard.journal.marked_snapshots >= set(guard.store.steps)
    assert len(files) <= 4  # Those of the last two epochs.
    other, _ = healthy(packing=1, ema=None)
    assert guard.store.best(gan) and guard.store.best(other) is None
    files[0].write_bytes(b"damaged")
    store = snapshot.SnapshotStore(tmp_path / "guard")
    store.load(gan)
    assert len(store.snapshots) == len(files) - 1


def test_put_back_is_exact():
    gan, real = healthy()
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    taken = snapshot.take(gan, BROKEN)
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    snapshot.put_back(taken, gan)
    again = snapshot.take(gan, BROKEN)
    for a, b in zip(taken.values, again.values, strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.schedule == taken.schedule and again.step == 20


def test_a_fallen_state_is_not_kept_as_a_healthy_one(monkeypatch):
    gan, real = healthy()
    guard = guarded()
    levels = iter([0.3, 0.36, 0.36, 0.1, 0.1, 0.3])
    measure = collapse.DiversityMetric.measure

    def scaled(self, images, labels=None):
        found, x = measure(self, images), next(levels)
        return dataclasses.replace(
            found, diversity=x, cells=x, coverage=1.0, surface=None, distinct=None, detail=()
        )

    monkeypatch.setattr(collapse.DiversityMetric, "measure", scaled)
    fit(gan, real, guard, epochs=4)
    assert max(s.level for s in guard.store.snapshots) == pytest.approx(0.36)
    assert min(s.level for s in guard.store.snapshots) >= 0.3


class Counting(kerasgan.GAN):
    """Counts its critic steps in a weight and in a metric of its own."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")
        self.steps_of_epoch = keras.metrics.Sum(name="steps_of_epoch")

    def before_critic_step(self):
        super().before_critic_step()
        self.steps.assign_add(1.0)
        self.steps_of_epoch.update_state(1.0)


def counts(gan):
    return float(gan.steps.numpy()), float(gan.steps_of_epoch.result())


def test_own_weights_and_own_metrics_are_put_back(tmp_path):
    gan, real = healthy(kind=Counting)
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    taken = snapshot.take(gan, BROKEN)
    gan.fit(real, batch_size=100, epochs=1, verbose=0)
    assert counts(gan) == (16, 6)
    snapshot.put_back(taken, gan)
    assert counts(gan) == (10, 10)
    with open(tmp_path / "snapshot-000000010.npz", "wb") as file:
        taken.write(file)
    store = snapshot.SnapshotStore(tmp_path)
    store.load(gan)
    gan.fit(real, batch_size=100, epochs=1, verbose=0)
    snapshot.put_back(store.snapshots[0], gan)
    assert counts(gan) == (10, 10)


def test_a_rescue_puts_own_weights_back():
    gan, real = healthy(kind=Counting)
    guard = guarded()
    fit(gan, real, guard, others=[Sabotage([4])])
    (rescue,) = guard.journal.decisions
    assert counts(gan)[0] == rescue.back_to + 8 * 10 - rescue.step


def test_own_metrics_may_be_infinite():
    gan, _ = healthy(kind=Counting)
    gan.steps_of_epoch.total.assign(float("inf"))
    assert snapshot.take(gan, BROKEN).finite
    gan.steps.assign(float("inf"))
    assert not snapshot.take(gan, BROKEN).finite


def test_snapshots_of_earlier_versions_fit(tmp_path):
    """They hold no metrics, which a model without metrics of its own has not either."""
    gan, _ = healthy()
    variables = [
        *gan.trainable_variables,
        *gan.non_trainable_variables,
        *gan.optimizer.variables,
    ]
    values = {f"value_{i}": v.numpy() if i else v.numpy() + 1 for i, v in enumerate(variables)}
    about, scores = np.array([2, 1, 0]), np.array([0.9, 0.8])
    np.savez(tmp_path / "snapshot-000000000.npz", about=about, scores=scores, **values)
    store = snapshot.SnapshotStore(tmp_path)
    store.load(gan)
    (found,) = store.snapshots
    # What their level meant is not comparable, so any other snapshot is as good.
    assert (found.level, found.schedule, found.metrics) == (0.0, (2, 1), [])
    snapshot.put_back(found, gan)
    np.testing.assert_array_equal(gan.trainable_variables[0].numpy(), values["value_0"])
    assert gan.generator_steps == 2


def test_a_snapshot_does_not_fit_where_other_layers_are_frozen(tmp_path):
    gan, _ = healthy()
    taken = snapshot.take(gan, BROKEN)
    with open(tmp_path / "snapshot.npz", "wb") as file:
        taken.write(file)
    again = snapshot.Snapshot.read(tmp_path / "snapshot.npz")
    assert snapshot.fits(taken, gan) and snapshot.fits(again, gan)
    gan.critic.trainable = False  # Keras lists the weights in another order now.
    assert not snapshot.fits(taken, gan) and not snapshot.fits(again, gan)
