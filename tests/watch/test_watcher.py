"""What a `Watcher` says of images that any program has generated."""

import io

import numpy as np
import pytest
from written_pictures import COLLAPSING, HEALTHY, patterns

import kerasgan
from kerasgan.watch import Watcher

REAL = patterns(600, seed=1000)


def watched(kinds, **options):
    watcher = Watcher(REAL, samples=100, stream=io.StringIO(), **options)
    return watcher, [watcher.check(patterns(100, i, k), 500 * i) for i, k in enumerate(kinds)]


def test_a_healthy_generator():
    watcher, verdicts = watched(HEALTHY)
    assert [v.state for v in verdicts[1:]] == ["healthy"] * 3
    assert watcher.journal.decisions == []
    assert [entry.step for entry in watcher.journal.entries] == [0, 500, 1000, 1500]


def test_a_collapse_is_told_once_and_reported(tmp_path):
    told = []
    watcher, verdicts = watched(COLLAPSING, folder=tmp_path, on_collapse=told.append)
    assert [v.bad for v in verdicts] == [False] * 3 + [True] * 2
    (decision,) = watcher.journal.decisions
    assert told == [decision] and (decision.action, decision.step) == ("warn", 1500)
    seen = [entry.evidence for entry in watcher.journal.entries]
    assert seen == [v.evidence for v in verdicts] and "layout" in seen[3]
    watcher.write_report()
    page = (tmp_path / "report.html").read_text()
    assert "What it lost" in page and "collapsed" in page


def test_it_says_what_the_guard_says():
    """The same images, handed to a guard's metric and detector, give the same verdicts."""
    metric = kerasgan.collapse.DiversityMetric(REAL, samples=100, cells=33, seed=0)
    detector, seen, expected = kerasgan.collapse.Detector(), [], []
    for i, kinds in enumerate(COLLAPSING):
        seen.append(metric.measure(patterns(100, i, kinds)))
        expected.append(detector(seen))
    assert watched(COLLAPSING)[1] == expected


def test_images_that_do_not_fit():
    watcher = Watcher(REAL, samples=100)
    for wrong in (np.zeros((50, 8, 8, 1)), np.zeros((100, 9, 8, 1))):
        with pytest.raises(ValueError, match=r"shape \(100, 8, 8, 1\).*Received: shape"):
            watcher.check(wrong)
