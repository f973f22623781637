"""The guard in a training: what it notices, what it puts back, and what it survives."""

import dataclasses
import io
import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from processes import run_on_a_small_disk

import kerasgan
from kerasgan import callbacks, collapse
from kerasgan.callbacks import CollapseGuard
from kerasgan.collapse import BROKEN, remedies, snapshot
from kerasgan.collapse.detector import level

LATENT = 6
# What three backends find for weights that NumPy draws.
LOOK = (0.91800, 0.87755, 0.92256, 0.93358, 0.99541)


def healthy(seed=0, **arguments):
    """Return a GAN and real images that its generator draws already, so that it is healthy."""
    keras.utils.set_random_seed(seed)
    pair = kerasgan.networks.mlp(image_size=8, channels=1, latent_dim=LATENT, width=16, depth=1)
    gan = kerasgan.GAN(*pair, seed=seed, **{"ema": 0.5, **arguments})
    gan.compile(keras.optimizers.SGD(1e-6, momentum=0.5), keras.optimizers.SGD(1e-6, momentum=0.5))
    return gan, gan.sample(600, seed=5)


class Sabotage(keras.callbacks.Callback):
    """Breaks the generator at the start of some epochs."""

    def __init__(self, epochs, value=0.0):
        super().__init__()
        self.epochs, self.value = epochs, value

    def on_epoch_begin(self, epoch, logs=None):
        if epoch in self.epochs:
            for network in (self.model.generator, self.model.ema_generator):
                kernel = network.layers[-3].kernel
                kernel.assign(np.full(kernel.shape, self.value, "float32"))


class Noise(keras.callbacks.Callback):
    """Makes the generator a little worse from an epoch on."""

    def __init__(self, epoch, by):
        super().__init__()
        self.epoch, self.by = epoch, by

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            for network in (self.model.generator, self.model.ema_generator):
                kernel = network.layers[-3].kernel
                noise = np.random.default_rng(0).normal(0, self.by, kernel.shape)
                kernel.assign(keras.ops.convert_to_numpy(kernel) + noise)


def fit(gan, real, guard, epochs=8, others=(), **arguments):
    return gan.fit(
        real, batch_size=60, epochs=epochs, verbose=0, callbacks=[*others, guard], **arguments
    )


def guarded(policy="rescue", **arguments):
    return CollapseGuard(
        policy, **{"every": 10, "samples": 200, "stream": io.StringIO(), **arguments}
    )


def test_a_healthy_training_is_left_alone(tmp_path):
    gan, real = healthy()
    plain, _ = healthy()
    guard = guarded(folder=tmp_path)
    history = fit(gan, real, guard, epochs=5).history
    fit(plain, real, callbacks.Progress(stream=io.StringIO()), epochs=5)
    assert len(history["diversity"]) == 5 and np.nanmin(history["diversity"]) > 0.85
    assert guard.journal.decisions == [] and guard.collapsed is None
    assert {entry.state for entry in guard.journal.entries} <= {"learning", "healthy"}
    assert guard.verdict.state == "healthy" and guard.stream.getvalue() == ""
    for a, b in zip(gan.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))


@pytest.mark.parametrize("epochs", [4, 5])
def test_a_generator_that_had_time_and_learned_nothing_is_spoken_of(epochs):
    gan, _ = healthy()
    rng = np.random.default_rng(0)
    patterns = rng.uniform(-0.9, 0.9, (10, 8, 8, 1))
    real = patterns[rng.integers(10, size=600)] + rng.uniform(-0.1, 0.1, (600, 8, 8, 1))
    guard = guarded("warn")
    fit(gan, real.astype("float32"), guard, epochs=epochs)
    assert guard.verdict.state == "learning" and guard.collapsed is None
    assert guard.stream.getvalue().count("not learned: diversity 0.") == (epochs == 5)


@pytest.mark.parametrize("broken", [0.0, float("nan")], ids=["collapsed", "diverged"])
def test_rescue_puts_back_the_whole_state_and_changes_something(tmp_path, broken):
    gan, real = healthy()
    guard = guarded(folder=tmp_path)
    history = fit(gan, real, guard, others=[Sabotage([4], broken)]).history
    (decision,) = guard.journal.decisions
    assert decision.action == "rescue" and decision.epoch in (5, 6)
    assert any("learning rate" in change for change in decision.changes)
    assert decision.back_to < decision.step
    assert guard.collapsed is None and guard.verdict.state == "healthy"
    assert history["diversity"][-1] > 0.85
    assert float(gan.optimizer.generator_optimizer.learning_rate) == pytest.approx(5e-7)
    assert gan.critic_steps == 8 * 10  # The place in the data goes on.
    assert "rescue" in guard.stream.getvalue()
    assert (tmp_path / "report.html").exists()


def test_three_rescues_at_most_then_the_best_state_is_kept():
    gan, real = healthy()
    guard = guarded()
    fit(gan, real, guard, epochs=30, others=[Sabotage(range(4, 30))])
    actions = [decision.action for decision in guard.journal.decisions]
    assert actions == ["rescue"] * 3 + ["stop"]
    assert len({decision.changes for decision in guard.journal.decisions[:3]}) == 3
    assert gan.stop_training and guard.collapsed
    assert guard.gauge.measure(gan.sample(200, seed=0)).diversity > 0.85


def test_stop_keeps_the_best_state():
    gan, real = healthy()
    guard = guarded("stop")
    history = fit(gan, real, guard, others=[Sabotage([4])]).history
    assert [d.action for d in guard.journal.decisions] == ["stop"]
    assert guard.collapsed and len(history["loss"]) < 8
    assert guard.gauge.measure(gan.sample(200, seed=0)).diversity > 0.85


def test_warn_only_says_so():
    gan, real = healthy()
    guard = guarded("warn")
    history = fit(gan, real, guard, others=[Sabotage([4])]).history
    assert [d.action for d in guard.journal.decisions] == ["warn"]
    assert guard.collapsed and len(history["loss"]) == 8
    assert guard.gauge.measure(gan.sample(200, seed=0)).diversity < 0.5


def test_without_a_healthy_state_it_says_so_and_stops():
    gan, real = healthy()
    guard = guarded()
    fit(gan, real, guard, others=[Sabotage([0], float("nan"))])
    (decision,) = guard.journal.decisions
    assert decision.action == "stop" and "no healthy state" in decision.sentence
    assert guard.collapsed


def test_other_callbacks_may_use_the_diversity(tmp_path):
    gan, real = healthy()
    stop = keras.callbacks.EarlyStopping("diversity", mode="max", patience=1, baseline=2.0)
    history = gan.fit(
        real, batch_size=60, epochs=9, verbose=0, callbacks=[guarded("warn"), stop]
    ).history
    assert len(history["diversity"]) < 9


def test_a_resumed_training_has_its_looks_and_snapshots(tmp_path):
    gan, real = healthy()
    first = guarded(folder=tmp_path)
    fit(gan, real, first, epochs=4)
    second = guarded(folder=tmp_path)
    fit(gan, real, second, epochs=8, others=[Sabotage([4])], initial_epoch=4)
    assert second.journal.entries[:4] == first.journal.entries
    assert [d.action for d in second.journal.decisions] == ["rescue"]
    assert second.journal.decisions[0].back_to <= first.journal.entries[-1].step


def test_snapshots_are_few_and_fit(tmp_path):
    gan, real = healthy()
    guard = guarded(folder=tmp_path)
    fit(gan, real, guard, epochs=7)
    assert len(guard.shelf.snapshots) <= 3
    files = list((tmp_path / "guard").glob("snapshot-*.npz"))
    assert len(files) == len(guard.shelf.snapshots)
    other, _ = healthy(packing=1, ema=None)
    assert guard.shelf.best(gan) and guard.shelf.best(other) is None
    files[0].write_bytes(b"damaged")
    shelf = snapshot.Shelf(tmp_path / "guard")
    shelf.load(gan)
    assert len(shelf.snapshots) == len(files) - 1


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


# What must not end the training.


ON_A_FULL_DISK = """
import json, sys
folder, *sys.path[:0] = sys.argv[1:]
import test_guard as here
gan, real = here.healthy()
guard = here.guarded(folder=folder)
history = here.fit(gan, real, guard, others=[here.Sabotage([4])]).history
actions = [decision.action for decision in guard.journal.decisions]
print(json.dumps([len(history["loss"]), actions, guard.stream.getvalue()]))
"""


def test_a_full_disk_is_survived(tmp_path):
    here = Path(__file__).parent
    done = run_on_a_small_disk(
        "24k", tmp_path, [sys.executable, "-c", ON_A_FULL_DISK, tmp_path, here, here.parent]
    )
    assert done.returncode == 0, done.stderr[-2000:]
    epochs, actions, said = json.loads(done.stdout.splitlines()[-1])
    assert epochs == 8 and actions == ["rescue"]  # From the states in memory.
    troubles = [line for line in said.splitlines() if "No space left on device" in line]
    assert troubles and len(set(troubles)) == len(troubles)  # Each is said once.


@pytest.mark.parametrize(
    "part", ["Gauge.measure", "lost.write_look", "snapshot.take", "Detector.__call__"]
)
def test_whatever_fails_inside_the_training_goes_on(part, monkeypatch, tmp_path):
    def fail(*args, **kwargs):
        raise RuntimeError("out of order")

    owner, name = part.split(".")
    module = callbacks.collapse_guard
    monkeypatch.setattr(getattr(module, owner), name, fail)
    gan, real = healthy()
    guard = guarded(folder=tmp_path)
    assert len(fit(gan, real, guard).history["loss"]) == 8
    assert guard.stream.getvalue().count("out of order") == 1


def test_a_report_that_cannot_be_written_is_survived(monkeypatch, tmp_path):
    monkeypatch.setattr(callbacks.collapse_guard.report, "write", lambda folder: 1 / 0)
    gan, real = healthy()
    guard = guarded(folder=tmp_path)
    fit(gan, real, guard, others=[Sabotage([4])])
    assert [d.action for d in guard.journal.decisions] == ["rescue"]
    assert "division by zero" in guard.stream.getvalue()


def test_data_that_cannot_be_read_twice_must_be_passed():
    gan, real = healthy()

    def batches():
        while True:
            yield (real[:60],)

    guard = guarded()
    gan.fit(batches(), epochs=2, steps_per_epoch=10, verbose=0, callbacks=[guard])
    assert "`data` must be real images that can be read twice" in guard.stream.getvalue()
    assert "CollapseGuard(data=...)" in guard.stream.getvalue()
    gan, guard = healthy()[0], guarded(data=real)
    gan.fit(batches(), epochs=2, steps_per_epoch=10, verbose=0, callbacks=[guard])
    assert len(guard.journal.entries) == 2


def test_too_few_images_are_said():
    gan, real = healthy()
    guard = guarded()
    gan.fit(real[:30], batch_size=10, epochs=2, verbose=0, callbacks=[guard])
    assert "at least 40 real images" in guard.stream.getvalue()


def test_a_folder_of_another_training_is_not_believed(tmp_path):
    gan, real = healthy()
    fit(gan, real, guarded(folder=tmp_path), epochs=6)
    again, _ = healthy()
    guard = guarded(folder=tmp_path)
    fit(again, real, guard, others=[Sabotage([4])])
    assert [entry.step for entry in guard.journal.entries][:3] == [10, 20, 30]
    assert [d.action for d in guard.journal.decisions] == ["rescue"]
    assert guard.journal.decisions[0].back_to < 50
    longest = max(s.step for s in guard.shelf.snapshots)
    assert longest <= again.critic_steps


def test_scores_that_are_nan_are_no_divergence():
    class Score(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["frechet_distance"] = float("nan")

    gan, real = healthy()
    guard = guarded()
    fit(gan, real, guard, others=[Score()])
    assert guard.journal.decisions == [] and len(guard.journal.entries) == 8


def test_a_divergence_stands_in_the_report(tmp_path):
    gan, real = healthy()
    guard = guarded("stop", folder=tmp_path)
    fit(gan, real, guard, others=[Sabotage([4], float("nan"))])
    assert guard.journal.entries[-1].state == "diverged"
    text = (tmp_path / "report.html").read_text()
    assert "<b>diverged</b>" in text and "Lower both learning rates" in text


def test_images_that_became_nan_within_an_epoch_leave_the_report_whole(tmp_path):
    gan, real = healthy()
    guard = guarded("warn", folder=tmp_path, every=7)
    fit(gan, real, guard, epochs=5, others=[Sabotage([2], float("nan"))])
    assert "diverged" in {entry.state for entry in guard.journal.entries}
    assert "could not" not in guard.stream.getvalue()


def test_a_rescue_that_fails_is_not_tried_for_ever(monkeypatch):
    def fail(*args):
        raise RuntimeError("out of order")

    monkeypatch.setattr(remedies, "apply", fail)
    gan, real = healthy()
    guard = guarded()
    fit(gan, real, guard, epochs=12, others=[Sabotage(range(4, 12))])
    assert [d.action for d in guard.journal.decisions] == ["rescue"] * 3 + ["stop"]


def test_a_guard_serves_a_second_fit(tmp_path):
    gan, real = healthy()
    guard = guarded("stop")
    fit(gan, real, guard, others=[Sabotage([4])])
    assert guard.collapsed
    gan.compile(keras.optimizers.Adam(1e-7), keras.optimizers.Adam(1e-7))
    fit(gan, real, guard, epochs=3)
    assert guard.collapsed is None


def test_labels_are_drawn_as_the_data_have_them():
    pair = kerasgan.networks.mlp(
        image_size=8, channels=1, latent_dim=LATENT, width=16, depth=1, num_classes=2
    )
    gan = kerasgan.GAN(*pair, ema=None)
    gan.compile()
    labels = np.array([0] * 540 + [1] * 60)
    real = gan.sample(600, seed=1, labels=labels)
    guard = guarded(data=kerasgan.data.ImageDataset(real, labels, batch_size=60))
    gan.fit(real, labels, batch_size=60, epochs=2, verbose=0, callbacks=[guard])
    assert np.mean(guard._labels) == pytest.approx(0.1, abs=0.06)


def test_a_shrinking_rate_does_not_rise_again():
    gan, _ = healthy()
    before = snapshot.take(gan, BROKEN)
    gan.optimizer.learning_rate = 1e-9  # A callback's doing.
    rates = remedies.rates(gan)
    snapshot.put_back(before, gan)
    remedies.apply(gan, 1, rates)
    assert remedies.rates(gan) == pytest.approx((5e-10, 5e-10))


def test_bad_arguments():
    for arguments, rule in (
        ({"policy": "pray"}, "`policy`"),
        ({"every": 0}, "`every`"),
        ({"epochs": 0}, "`epochs`"),
        ({"samples": 2.5}, "`samples`"),
    ):
        with pytest.raises(ValueError, match=rule):
            CollapseGuard(**arguments)


def test_a_schedule_that_led_to_the_collapse_is_not_played_again():
    gan, real = healthy()
    jump = keras.optimizers.schedules.PiecewiseConstantDecay([5], [1e-4, 1e-1])
    gan.compile(keras.optimizers.SGD(jump), keras.optimizers.SGD(1e-4))
    before = snapshot.take(gan, BROKEN)
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    rates = remedies.rates(gan)
    assert rates == pytest.approx((1e-1, 1e-4))
    snapshot.put_back(before, gan)
    words = remedies.apply(gan, 1, rates)
    assert any("constant from here on" in word for word in words)
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    assert remedies.rates(gan) == pytest.approx((1e-4, 1e-4))
    remedies.apply(gan, 2)
    assert remedies.rates(gan) == pytest.approx((5e-5, 5e-5))


# Worse at the end, but not by so much that it is a collapse.
RESCUED = (Sabotage([3]), Noise(7, 0.1))


@pytest.mark.parametrize("epochs", [None, 8])
def test_a_rescued_training_ends_with_its_best_state(tmp_path, epochs):
    gan, real = healthy()
    guard = guarded(folder=tmp_path, epochs=epochs)
    history = fit(gan, real, guard, epochs=8, others=RESCUED).history
    actions = [decision.action for decision in guard.journal.decisions]
    assert actions == ["rescue", "keep"] and guard.collapsed is None
    best = guard.shelf.best(gan)
    assert guard.journal.decisions[-1].back_to == best.step
    for value, variable in zip(best.values, gan.trainable_variables, strict=False):
        np.testing.assert_array_equal(value, keras.ops.convert_to_numpy(variable))
    assert history["diversity"][-1] == best.diversity
    assert "best state" in (tmp_path / "report.html").read_text()


def test_a_part_of_a_longer_training_ends_where_it_is(tmp_path):
    gan, real = healthy()
    guard = guarded(folder=tmp_path, epochs=99)
    fit(gan, real, guard, epochs=8, others=RESCUED)
    assert [decision.action for decision in guard.journal.decisions] == ["rescue"]


def test_a_training_without_a_rescue_ends_where_it_is():
    gan, real = healthy()
    guard = guarded()
    fit(gan, real, guard, epochs=8, others=[Noise(7, 0.1)])
    assert guard.journal.decisions == []


def test_a_schedule_of_learning_rates_is_scaled_and_saved(tmp_path):
    gan, real = healthy()
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([5], [1e-3, 1e-4])
    gan.compile(keras.optimizers.SGD(schedule), keras.optimizers.SGD(1e-4))
    words = remedies.apply(gan, 2)
    assert float(gan.optimizer.generator_optimizer.learning_rate) == pytest.approx(5e-5)
    assert any("R1" in word for word in words)
    history = gan.fit(real, batch_size=60, epochs=1, verbose=0).history
    assert "r1" in history
    assert float(gan.optimizer.generator_optimizer.learning_rate) == pytest.approx(5e-6)
    kerasgan.storage.save_model(gan, tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert float(again.optimizer.generator_optimizer.learning_rate) == pytest.approx(5e-6)
    assert [p.name for p in again.penalties] == ["r1"]


def test_the_same_weights_give_the_same_look_on_every_backend():
    draw = np.random.default_rng(0)
    gan, _ = healthy()
    weights = [draw.normal(0, len(w) ** -0.5, w.shape) for w in gan.generator.get_weights()]
    gan.generator.set_weights(weights)
    gan.ema_generator.set_weights(weights)
    gauge = collapse.Gauge(gan.sample(900, seed=1), samples=300)
    look = gauge.measure(gan.sample(300, seed=2)[:150].repeat(2, axis=0))
    found = (look.diversity, look.cells, look.coverage, look.vendi, look.spread)
    assert found == pytest.approx(LOOK, abs=1e-3)


@pytest.mark.parametrize("epochs", [[7], [3, 7]])
def test_a_collapse_in_the_last_epoch_is_put_back_too(epochs):
    gan, real = healthy()
    guard = guarded()
    history = fit(gan, real, guard, epochs=8, others=[Sabotage(epochs)]).history
    assert guard.journal.decisions[-1].action in ("rescue", "keep") and guard.collapsed is None
    look = guard.gauge.measure(gan.sample(200, seed=0))
    best = guard.shelf.best(gan)
    assert level(look) >= 0.95 * best.level and history["diversity"][-1] == best.diversity


def test_the_end_of_a_training_is_looked_at():
    gan, real = healthy()
    guard = guarded("warn", every=30)
    fit(gan, real, guard, epochs=8, others=[Sabotage([7])])
    assert [entry.step for entry in guard.journal.entries] == [30, 60, 80]
    assert guard.collapsed is not None
    healthy_end = guarded("warn", every=30)
    gan, real = healthy()
    fit(gan, real, healthy_end, epochs=8)
    assert [entry.step for entry in healthy_end.journal.entries] == [30, 60]


def test_a_guard_forgets_another_model():
    gan, real = healthy()
    guard = guarded()
    fit(gan, real, guard, epochs=4, others=[Sabotage([2])])
    assert guard.journal.rescues == 1
    other, real = healthy(seed=1)
    fit(other, real, guard, epochs=2)
    assert guard.journal.rescues == 0
    assert [entry.step for entry in guard.journal.entries] == [10, 20]


def test_a_guard_that_only_warns_keeps_nothing(tmp_path):
    gan, real = healthy()
    fit(gan, real, guarded(folder=tmp_path), epochs=4, others=[Sabotage([2])])
    warning = guarded("warn", folder=tmp_path)
    gan.fit(
        real,
        batch_size=60,
        initial_epoch=4,
        epochs=6,
        verbose=0,
        callbacks=[Noise(4, 0.1), warning],
    )
    assert {d.action for d in warning.journal.decisions} == {"rescue"}


def test_a_resumed_training_knows_that_it_had_collapsed(tmp_path):
    gan, real = healthy()
    fit(gan, real, guarded("warn", folder=tmp_path), epochs=4, others=[Sabotage([2])])
    resumed = guarded("warn", folder=tmp_path, every=1000)
    resumed.set_model(gan)
    resumed.see_training_data(real)
    resumed.on_train_begin()
    assert resumed.verdict.state == "collapsed"


def test_a_fallen_state_is_not_kept_as_a_healthy_one(monkeypatch):
    gan, real = healthy()
    guard = guarded()
    levels = iter([0.3, 0.36, 0.36, 0.1, 0.1, 0.3])
    measure = collapse.Gauge.measure

    def scaled(self, images):
        look, x = measure(self, images), next(levels)
        return dataclasses.replace(look, diversity=x, cells=x, coverage=1.0)

    monkeypatch.setattr(collapse.Gauge, "measure", scaled)
    fit(gan, real, guard, epochs=4)
    assert max(s.level for s in guard.shelf.snapshots) == pytest.approx(0.36)
    assert min(s.level for s in guard.shelf.snapshots) >= 0.3


def test_what_a_rescue_says_of_rates_is_what_they_are():
    gan, real = healthy()
    falling = [keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.5) for _ in range(2)]
    gan.compile(*(keras.optimizers.SGD(rate) for rate in falling))
    before = snapshot.take(gan, BROKEN)
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    rates = remedies.rates(gan)
    snapshot.put_back(before, gan)
    words = remedies.apply(gan, 1, rates)
    for player, rate in zip(("generator", "critic"), remedies.rates(gan), strict=True):
        assert any(w.startswith(f"the {player}") and w.endswith(f"-> {rate:.3g}") for w in words)
