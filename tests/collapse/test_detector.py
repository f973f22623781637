"""The detector on histories whose truth is plain."""

import numpy as np
import pytest

from kerasgan.collapse import Detector, Measurement

pytestmark = pytest.mark.numpy

DETECT = Detector()


def measured(level, coverage=None, finite=True):
    """Return the measurement of a generator that shows a share of the data, as well as it can."""
    coverage = level if coverage is None else coverage
    return Measurement(level, level, coverage, level, level, 0.0, finite)


def states(levels, coverages=None):
    coverages = [None] * len(levels) if coverages is None else coverages
    seen = [measured(x, c) for x, c in zip(levels, coverages, strict=True)]
    return [DETECT(seen[: i + 1]).state for i in range(len(seen))]


def test_a_slow_starter_is_learning_and_never_collapses():
    found = states(np.linspace(0.02, 0.9, 40))
    assert found[0] == "learning" and found[-1] == "healthy"
    assert set(found) == {"learning", "healthy"}


def test_one_that_never_learned_has_nothing_to_lose():
    noise = np.random.default_rng(0).uniform(0.02, 0.2, 60)
    assert set(states(noise)) == {"learning"}


def test_half_of_a_training_lost_at_once_is_a_collapse_too():
    before = [0.2, 0.3, 0.45, 0.46]
    assert states([*before, 0.02, 0.02])[4:] == ["collapsing", "collapsed"]
    # An untrained generator's cloud loses some of its level while it takes shape.
    assert set(states([0.4, 0.4, 0.3, 0.3, 0.35])) == {"learning"}


def test_the_noise_of_a_healthy_run_is_no_alarm():
    rng = np.random.default_rng(1)
    for _ in range(20):
        levels = np.clip(0.9 + 0.04 * rng.standard_normal(60), 0, 1)
        assert not {"collapsed", "diverged"} & set(states(levels))


def test_a_sudden_loss_is_seen_in_the_same_check():
    found = states([0.3, 0.6, 0.8, 0.9, 0.9, 0.2, 0.1])
    assert found[4:] == ["healthy", "collapsed", "collapsed"]


def test_a_smaller_loss_is_seen_in_the_second_check():
    found = states([0.3, 0.6, 0.9, 0.9, 0.59, 0.58, 0.58])
    assert found[4:] == ["collapsing", "collapsed", "collapsed"]


def test_a_dip_that_heals_is_no_collapse():
    found = states([0.3, 0.6, 0.9, 0.9, 0.65, 0.88, 0.9])
    assert found[4:] == ["collapsing", "healthy", "healthy"]


def test_a_slow_decline_is_seen_in_the_end():
    found = states([0.5, 0.9, 0.9, *np.linspace(0.88, 0.4, 20)])
    assert found[-1] == "collapsed" and "collapsing" in found


def test_a_collapse_that_swings_between_modes_stays_one():
    found = states([0.5, 0.9, 0.9, 0.3, 0.5, 0.2, 0.45])
    assert found[3] == found[5] == "collapsed"
    assert set(found[3:]) <= {"collapsed", "collapsing"}


def test_better_pictures_of_less_are_a_collapse_all_the_same():
    levels = [0.5, 0.9, 0.9, 0.9, 0.4, 0.4]
    assert states(levels, [0.2, 0.5, 0.5, 0.5, 0.6, 0.6])[-1] == "collapsed"


def test_what_is_not_finite_has_diverged():
    verdict = DETECT([measured(0.5), measured(0.0, finite=False)])
    assert verdict.state == "diverged" and verdict.bad and verdict.score == 1


def test_the_sentence_says_what_was_lost():
    seen = [measured(x) for x in (0.5, 0.9, 0.9, 0.9, 0.1)]
    sentence = DETECT(seen).sentence
    assert "diversity 0.10" in sentence and "0.90" in sentence and "2 checks ago" in sentence


def test_an_empty_history_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        DETECT([])
