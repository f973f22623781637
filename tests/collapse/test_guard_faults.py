"""Errors in the guard: none ends the training, and none goes unsaid."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from guarded_training import Sabotage, fit, guarded, healthy
from processes import run_on_a_small_disk

from kerasgan import collapse
from kerasgan.callbacks import guard_records
from kerasgan.collapse import remedies, snapshot

ON_A_FULL_DISK = """
import json, sys
folder, *sys.path[:0] = sys.argv[1:]
import guarded_training as here
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
    assert epochs == 8 and "rescue" in actions  # From the states in memory.
    troubles = [line for line in said.splitlines() if "No space left on device" in line]
    assert troubles and len(set(troubles)) == len(troubles)  # Each is said once.


# What a check cannot do without.
ESSENTIAL = {
    "DiversityMetric.measure": collapse.DiversityMetric,
    "Detector.__call__": collapse.Detector,
    "snapshot.take": snapshot,
}


def out_of_order(*args, **kwargs):
    raise RuntimeError("out of order")


@pytest.mark.parametrize("part", ESSENTIAL)
def test_a_check_that_fails_leaves_the_state_unknown(part, monkeypatch, tmp_path):
    gan, real = healthy()
    guard = guarded(folder=tmp_path)
    fit(gan, real, guard, epochs=4)
    assert guard.verdict.state == "healthy"
    with monkeypatch.context() as patched:
        patched.setattr(ESSENTIAL[part], part.split(".")[1], out_of_order)
        history = fit(gan, real, guard, epochs=4).history
    assert len(history["loss"]) == 4 and np.isnan(history["diversity"]).all()
    assert guard.verdict.state == "unknown" and guard.collapsed is None
    said = guard.stream.getvalue()
    assert said.count("error: could not check the generator: RuntimeError: out of order") == 1
    assert "the training ends unchecked" in said
    assert [d.action for d in guard.journal.decisions] == ["error"]
    if part != "snapshot.take":  # Where the check itself was made, the page shows it.
        assert "<b>unknown</b>: could not check" in (tmp_path / "report.html").read_text()
    fit(gan, real, guard, epochs=1)
    assert guard.verdict.state == "healthy"


def test_a_collapse_stays_one_where_later_checks_fail(monkeypatch):
    gan, real = healthy()
    guard = guarded("warn")
    fit(gan, real, guard, epochs=5, others=[Sabotage([4])])
    monkeypatch.setattr(collapse.DiversityMetric, "measure", out_of_order)
    fit(gan, real, guard, epochs=2)
    assert guard.verdict.state == "collapsed" and guard.collapsed


@pytest.mark.parametrize("module", ["lost.write_check", "report.write"])
def test_pictures_and_reports_that_fail_do_not_keep_a_rescue_off(module, monkeypatch, tmp_path):
    owner, name = module.split(".")
    monkeypatch.setattr(getattr(guard_records, owner), name, out_of_order)
    gan, real = healthy()
    guard = guarded(folder=tmp_path)
    history = fit(gan, real, guard, others=[Sabotage([4])]).history
    assert len(history["loss"]) == 8 and guard.verdict.state == "healthy"
    assert sorted(d.action for d in guard.journal.decisions) == ["error", "rescue"]
    assert guard.stream.getvalue().count("RuntimeError: out of order") == 1


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


def test_images_that_became_nan_within_an_epoch_leave_the_report_whole(tmp_path):
    gan, real = healthy()
    guard = guarded("warn", folder=tmp_path, every=7)
    fit(gan, real, guard, epochs=5, others=[Sabotage([2], float("nan"))])
    assert "diverged" in {entry.state for entry in guard.journal.entries}
    assert "could not" not in guard.stream.getvalue()


# Rescues that fail.


@pytest.mark.parametrize("part", [(remedies, "apply"), (remedies, "rates")], ids=lambda p: p[1])
def test_failed_rescues_are_counted_and_the_best_state_is_kept(part, monkeypatch, tmp_path):
    monkeypatch.setattr(*part, out_of_order)
    gan, real = healthy()
    guard = guarded(folder=tmp_path)
    fit(gan, real, guard, epochs=12, others=[Sabotage(range(4, 12))])
    *failed, stop = guard.journal.decisions
    assert [d.action for d in failed] == ["failed"] * 3 and stop.action == "stop"
    assert all("the rescue raised RuntimeError: out of order" in d.sentence for d in failed)
    assert guard.journal.failures == 3 and guard.journal.rescues == 0
    assert guard.stream.getvalue().count("guard: failed:") == 3
    assert guard.collapsed and gan.stop_training
    assert guard.metric.measure(gan.sample(200, seed=0)).diversity > 0.85
    text = (tmp_path / "report.html").read_text()
    assert "3 failed" in text and "the rescue raised RuntimeError: out of order" in text


def test_a_failed_rescue_after_which_the_generator_is_well_is_no_collapse(monkeypatch):
    monkeypatch.setattr(remedies, "apply", out_of_order)
    gan, real = healthy()
    guard = guarded()
    fit(gan, real, guard, others=[Sabotage([4])])
    (failed,) = guard.journal.decisions
    assert failed.action == "failed" and failed.back_to < failed.step  # It was put back.
    assert guard.verdict.state == "healthy" and guard.collapsed is None


def test_a_training_that_ends_with_a_failed_rescue_has_collapsed(monkeypatch, tmp_path):
    monkeypatch.setattr(remedies, "apply", out_of_order)
    gan, real = healthy()
    guard = guarded(folder=tmp_path)
    fit(gan, real, guard, others=[Sabotage([7])])
    assert "the rescue raised RuntimeError: out of order" in guard.collapsed
    best = guard.store.best(gan)
    measured = guard.metric.measure(gan.sample(200, seed=0))
    assert measured.level >= 0.95 * best.level
    resumed = guarded(folder=tmp_path)
    resumed.set_model(gan)
    resumed.see_training_data(real)
    resumed.on_train_begin()
    assert resumed.verdict.bad and resumed.journal.attempts == 1


def test_a_failed_rescue_does_not_end_a_part_of_a_training(monkeypatch):
    gan, real = healthy()
    guard = guarded(epochs=12)
    with monkeypatch.context() as patched:
        patched.setattr(remedies, "apply", out_of_order)
        fit(gan, real, guard, others=[Sabotage([7])])
    assert guard.verdict.bad and guard.collapsed is None
    fit(gan, real, guard, epochs=12, initial_epoch=8)
    assert guard.verdict.state == "healthy" and guard.collapsed is None


class WithoutPrivateName(keras.optimizers.SGD):
    """An optimizer that has no `_learning_rate` for kerasgan, as a later Keras may have none."""

    def __getattribute__(self, name):
        if name == "_learning_rate":
            asking = sys._getframe(1).f_globals["__name__"]
            if asking.startswith("kerasgan"):
                raise AttributeError(f"no attribute {name}")
        return super().__getattribute__(name)


def test_a_rescue_without_a_private_name_of_keras_has_failed():
    gan, real = healthy()
    gan.compile(WithoutPrivateName(1e-6), WithoutPrivateName(1e-6))
    guard = guarded()
    fit(gan, real, guard, epochs=12, others=[Sabotage(range(4, 12))])
    assert [d.action for d in guard.journal.decisions] == ["failed"] * 3 + ["stop"]
    assert "AttributeError: no attribute _learning_rate" in guard.stream.getvalue()
    assert guard.metric.measure(gan.sample(200, seed=0)).diversity > 0.85


def test_a_best_state_that_cannot_be_put_back_is_said(monkeypatch):
    monkeypatch.setattr(snapshot, "put_back", out_of_order)
    gan, real = healthy()
    guard = guarded("stop")
    fit(gan, real, guard, others=[Sabotage([4])])
    assert [d.action for d in guard.journal.decisions] == ["failed", "stop"]
    assert guard.journal.decisions[-1].back_to is None
    assert "the best state could not be put back: RuntimeError: out of order" in guard.collapsed
    gan, real = healthy()
    guard = guarded()
    fit(gan, real, guard, others=[Sabotage([7])])
    assert [d.action for d in guard.journal.decisions] == ["failed", "failed"]
    assert "the best state could not be put back" in guard.collapsed
