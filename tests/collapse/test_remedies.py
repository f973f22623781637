"""What a rescue changes."""

import dataclasses

import keras
import numpy as np
import pytest
from guarded_training import Sabotage, fit, guarded, healthy

import kerasgan
from kerasgan.augment import ADA, DiffAugment
from kerasgan.bench import mixtures
from kerasgan.collapse import BROKEN, remedies, snapshot
from kerasgan.collapse.detector import Detector


def test_a_shrinking_rate_does_not_rise_again():
    gan, _ = healthy()
    before = snapshot.take(gan, BROKEN)
    gan.optimizer.learning_rate = 1e-9  # A callback's doing.
    rates = remedies.rates(gan)
    snapshot.put_back(before, gan)
    remedies.apply(gan, 1, rates)
    assert remedies.rates(gan) == pytest.approx((5e-10, 5e-10))


def test_a_schedule_that_led_to_the_collapse_is_not_repeated():
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


# What the evidence asks for.

COPIES = ("copies", "layout")
ADDED = "DiffAugment of colour, translation and cutout added"


@pytest.fixture
def traced(monkeypatch):
    """A list that grows when a step that augments its images is compiled."""
    calls, transform = [], DiffAugment.transform

    def counted(self, images, noise):
        calls.append(len(images.shape))
        return transform(self, images, noise)

    monkeypatch.setattr(DiffAugment, "transform", counted)
    return calls


def test_copies_are_met_with_augmentation(traced):
    gan, real = healthy()
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    words = remedies.apply(gan, 1, evidence=COPIES)
    assert words[-1] == ADDED and any("learning rate" in word for word in words)
    assert isinstance(gan.augment, DiffAugment) and not gan.penalties and not traced
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    assert traced  # The steps were compiled anew.
    assert "R1" in remedies.apply(gan, 2, evidence=COPIES)[-1]
    assert remedies.apply(gan, 3, evidence=COPIES)[-1] == "critic steps a round 1 -> 2"


@pytest.mark.parametrize("evidence", [(), ("layout", "copies"), ("class 1", "blur")], ids=" ".join)
def test_other_evidence_is_met_as_without_any(evidence):
    gan, _ = healthy()
    assert len(remedies.apply(gan, 1, evidence=evidence)) == 3
    assert "R1" in remedies.apply(gan, 2, evidence=evidence)[-1]
    assert "critic steps" in remedies.apply(gan, 3, evidence=evidence)[-1]
    assert gan.augment is None


def test_a_model_that_augments_keeps_its_augmentation():
    gan, _ = healthy(augment=ADA(policy="color"))
    assert len(remedies.apply(gan, 1, evidence=COPIES)) == 3
    assert "R1" in remedies.apply(gan, 2, evidence=COPIES)[-1]
    assert isinstance(gan.augment, ADA)


def test_points_are_not_augmented():
    gan = kerasgan.GAN(*mixtures.networks())
    gan.compile()
    assert len(remedies.apply(gan, 1, evidence=COPIES)) == 3
    assert gan.augment is None


def test_a_schedule_to_blame_is_undone_first():
    gan, _ = healthy()
    raised = tuple(1e3 * rate for rate in remedies.rates(gan))
    assert len(remedies.apply(gan, 1, raised, COPIES)) == 3
    assert gan.augment is None
    assert remedies.apply(gan, 2, evidence=COPIES)[-1] == ADDED and not gan.penalties


@pytest.mark.parametrize("every", [10, 7], ids=["after an epoch", "within an epoch"])
def test_a_guard_augments_and_the_training_is_resumed(every, monkeypatch, tmp_path):
    judge = Detector.__call__

    def knowing(self, measurements):
        return dataclasses.replace(judge(self, measurements), evidence=COPIES)

    monkeypatch.setattr(Detector, "__call__", knowing)
    gan, real = healthy()
    guard = guarded(folder=tmp_path, every=every)
    fit(gan, real, guard, others=[Sabotage([4])])
    (rescue,) = guard.journal.decisions
    assert rescue.action == "rescue" and rescue.changes[-1] == ADDED
    assert guard.verdict.state == "healthy"
    kerasgan.storage.save_model(gan, tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(again.augment, DiffAugment)
    resumed = guarded(folder=tmp_path, every=every)
    fit(again, real, resumed, epochs=16, others=[Sabotage([12])], initial_epoch=8)
    assert [d.action for d in resumed.journal.decisions] == ["rescue", "rescue"]
    assert "R1" in resumed.journal.decisions[1].changes[-1]
    assert resumed.verdict.state == "healthy" and again.critic_steps == 160


# An augmentation with a state, added in the middle of a training.


def adaptive():
    return ADA(target=0.01, speed=1000, interval=1, policy="color")


@pytest.fixture
def augmented():
    """A GAN that trained with ADA after a snapshot without it, real images and the snapshot."""
    gan, real = healthy()
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    taken = snapshot.take(gan, BROKEN)
    gan.critic.layers[-1].bias.assign([9.0])  # All scores are positive.
    gan.add_augment(adaptive())
    gan.make_train_function(force=True)
    gan.fit(real, batch_size=60, epochs=1, verbose=0)
    return gan, real, taken


def probability(model):
    return float(keras.ops.convert_to_numpy(model.augment.probability))


def test_a_snapshot_of_before_is_put_back(augmented, tmp_path):
    gan, _, taken = augmented
    assert probability(gan) == pytest.approx(0.6)  # 600 images of 1,000.
    with open(tmp_path / "snapshot-000000010.npz", "wb") as file:
        taken.write(file)
    store = snapshot.SnapshotStore(tmp_path)
    store.load(gan)
    snapshot.put_back(store.best(gan), gan)
    again = dict(zip(map(id, snapshot._held(taken, gan)), taken.values, strict=True))
    for variable in (*gan.generator.weights, *gan.ema_generator.weights, *gan.critic.weights):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), again[id(variable)])
    assert probability(gan) == pytest.approx(0.6)
    other, _ = healthy(ema=None)
    other.add_augment(adaptive())
    assert not snapshot.fits(taken, other)


def test_a_later_snapshot_holds_the_state_of_the_augmentation(augmented):
    gan, real, _ = augmented
    later = snapshot.take(gan, BROKEN)
    gan.fit(real[:120], batch_size=60, epochs=1, verbose=0)
    assert probability(gan) == pytest.approx(0.72)
    snapshot.put_back(later, gan)
    assert probability(gan) == pytest.approx(0.6)
    without, _ = healthy()
    assert not snapshot.fits(later, without)


def test_a_model_from_a_file_goes_on_alike(augmented, tmp_path):
    gan, real, taken = augmented
    kerasgan.storage.save_model(gan, tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    later = snapshot.take(gan, BROKEN)
    assert probability(loaded) == probability(gan)
    assert snapshot.fits(taken, loaded) and snapshot.fits(later, loaded)
    for model in (gan, loaded):
        model.fit(real[:120], batch_size=60, epochs=1, verbose=0)
    assert probability(loaded) == pytest.approx(0.72)
    for a, b in zip(gan.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))
    snapshot.put_back(later, loaded)
    after = snapshot.take(loaded, BROKEN)
    for a, b in zip(later.values, after.values, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_preset_of_it_has_its_weights(augmented, tmp_path):
    gan, _, _ = augmented
    gan.save_to_preset(tmp_path / "preset")
    again = kerasgan.from_preset(tmp_path / "preset")
    assert probability(again) == pytest.approx(0.6)
    np.testing.assert_allclose(again.sample(9, seed=1), gan.sample(9, seed=1), atol=1e-6)


def test_what_cannot_be_added():
    gan, _ = healthy(augment=DiffAugment())
    with pytest.raises(ValueError, match="`augment` can be added to a model that has none"):
        gan.add_augment(DiffAugment())
    gan, _ = healthy(kind=kerasgan.WGAN)
    with pytest.raises(ValueError, match="`augment` must not be ADA"):
        gan.add_augment(ADA())
    with pytest.raises(ValueError, match=r"must be a layer of kerasgan\.augment"):
        gan.add_augment("ada")
    assert gan.augment is None and gan.scorer.augment is None
