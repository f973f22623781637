"""What a rescue changes."""

import keras
import pytest
from guarded_training import healthy

import kerasgan
from kerasgan.collapse import BROKEN, remedies, snapshot


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
