"""The guard in a training: what it notices, what it puts back, and how the training ends."""

import io

import keras
import numpy as np
import pytest
from guarded_training import LATENT, Noise, Sabotage, fit, guarded, healthy

import kerasgan
from kerasgan import callbacks
from kerasgan.callbacks import CollapseGuard


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
def test_a_generator_that_had_time_and_learned_nothing_is_mentioned(epochs):
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
    (alarm,) = (e for e in guard.journal.entries if e.step == decision.step)
    assert ("layout" in alarm.evidence) == (alarm.state == "collapsed")
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
    assert guard.metric.measure(gan.sample(200, seed=0)).diversity > 0.85


def test_stop_keeps_the_best_state():
    gan, real = healthy()
    guard = guarded("stop")
    history = fit(gan, real, guard, others=[Sabotage([4])]).history
    assert [d.action for d in guard.journal.decisions] == ["stop"]
    assert guard.collapsed and len(history["loss"]) < 8
    assert guard.metric.measure(gan.sample(200, seed=0)).diversity > 0.85


def test_warn_only_says_so():
    gan, real = healthy()
    guard = guarded("warn")
    history = fit(gan, real, guard, others=[Sabotage([4])]).history
    assert [d.action for d in guard.journal.decisions] == ["warn"]
    assert guard.collapsed and len(history["loss"]) == 8
    assert guard.metric.measure(gan.sample(200, seed=0)).diversity < 0.5


def test_without_a_healthy_state_it_says_so_and_stops():
    gan, real = healthy()
    guard = guarded()
    fit(gan, real, guard, others=[Sabotage([0], float("nan"))])
    (decision,) = guard.journal.decisions
    assert decision.action == "stop" and "no healthy state" in decision.sentence
    assert guard.collapsed


@pytest.mark.parametrize("part", ["weight", "slot", "moving average"])
def test_what_broke_since_the_losses_were_computed_is_rescued_before_the_checkpoint(tmp_path, part):
    class Break(keras.callbacks.Callback):
        """Breaks one value at the end of an epoch, as the last update of it would."""

        def on_epoch_end(self, epoch, logs=None):
            network = self.model.generator if part == "weight" else self.model.ema_generator
            variable = network.layers[-3].kernel
            if part == "slot":
                variable = self.model.optimizer.critic_optimizer.variables[-1]
            if epoch == 2:  # Two epochs before the next check.
                value = np.array(keras.ops.convert_to_numpy(variable))
                value.flat[-1] = np.inf
                variable.assign(value)

    gan, real = healthy()
    guard = guarded(every=20)
    saved = callbacks.Checkpoint(tmp_path / "checkpoint.keras")
    gan.fit(real, batch_size=60, epochs=6, verbose=0, callbacks=[Break(), guard, saved])
    (decision,) = guard.journal.decisions
    assert decision.action == "rescue" and decision.step == 30
    assert saved.diverged is None and gan.critic_steps == 60


def test_other_callbacks_may_use_the_diversity(tmp_path):
    gan, real = healthy()
    stop = keras.callbacks.EarlyStopping("diversity", mode="max", patience=1, baseline=2.0)
    history = gan.fit(
        real, batch_size=60, epochs=9, verbose=0, callbacks=[guarded("warn"), stop]
    ).history
    assert len(history["diversity"]) < 9


def test_a_resumed_training_has_its_checks_and_snapshots(tmp_path):
    gan, real = healthy()
    first = guarded(folder=tmp_path)
    fit(gan, real, first, epochs=4)
    second = guarded(folder=tmp_path)
    fit(gan, real, second, epochs=8, others=[Sabotage([4])], initial_epoch=4)
    assert second.journal.entries[:4] == first.journal.entries
    assert [d.action for d in second.journal.decisions] == ["rescue"]
    assert second.journal.decisions[0].back_to <= first.journal.entries[-1].step


def test_a_folder_of_another_training_is_not_believed(tmp_path):
    gan, real = healthy()
    fit(gan, real, guarded(folder=tmp_path), epochs=6)
    again, _ = healthy()
    guard = guarded(folder=tmp_path)
    fit(again, real, guard, others=[Sabotage([4])])
    assert [entry.step for entry in guard.journal.entries][:3] == [10, 20, 30]
    assert [d.action for d in guard.journal.decisions] == ["rescue"]
    assert guard.journal.decisions[0].back_to < 50
    longest = max(s.step for s in guard.store.snapshots)
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


def test_a_guard_serves_a_second_fit(tmp_path):
    gan, real = healthy()
    guard = guarded("stop")
    fit(gan, real, guard, others=[Sabotage([4])])
    assert guard.collapsed
    gan.compile(keras.optimizers.Adam(1e-7), keras.optimizers.Adam(1e-7))
    fit(gan, real, guard, epochs=3)
    assert guard.collapsed is None


def test_labels_are_sampled_as_the_data_have_them():
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


def test_bad_arguments():
    for arguments, rule in (
        ({"policy": "pray"}, "`policy`"),
        ({"every": 0}, "`every`"),
        ({"epochs": 0}, "`epochs`"),
        ({"samples": 2.5}, "`samples`"),
    ):
        with pytest.raises(ValueError, match=rule):
            CollapseGuard(**arguments)


# Worse at the end, but not by so much that it is a collapse.
RESCUED = (Sabotage([3]), Noise(7, 0.1))


@pytest.mark.parametrize("epochs", [None, 8])
def test_a_rescued_training_ends_with_its_best_state(tmp_path, epochs):
    gan, real = healthy()
    guard = guarded(folder=tmp_path, epochs=epochs)
    history = fit(gan, real, guard, epochs=8, others=RESCUED).history
    actions = [decision.action for decision in guard.journal.decisions]
    assert actions == ["rescue", "keep"] and guard.collapsed is None
    best = guard.store.best(gan)
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


@pytest.mark.parametrize("epochs", [[7], [3, 7]])
def test_a_collapse_in_the_last_epoch_is_put_back_too(epochs):
    gan, real = healthy()
    guard = guarded()
    history = fit(gan, real, guard, epochs=8, others=[Sabotage(epochs)]).history
    assert guard.journal.decisions[-1].action in ("rescue", "keep") and guard.collapsed is None
    found = guard.metric.measure(gan.sample(200, seed=0))
    best = guard.store.best(gan)
    assert found.level >= 0.95 * best.level and history["diversity"][-1] == best.diversity


def test_the_end_of_a_training_is_checked():
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
