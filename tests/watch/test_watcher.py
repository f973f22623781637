"""What a `Watcher` says of images that any program has generated."""

import io

import numpy as np
import pytest
from written_pictures import COLLAPSING, HEALTHY, patterns

import kerasgan
from kerasgan.data import to_uint8
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


def test_the_folder_may_be_text_and_may_hold_another_watch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for samples, kinds in ((100, COLLAPSING), (40, HEALTHY)):
        stream = io.StringIO()
        watcher = Watcher(REAL, samples=samples, folder="runs/loop", stream=stream)
        for i, known in enumerate(kinds):
            watcher.check(patterns(samples, i, known))
        watcher.write_report()
        assert "error" not in stream.getvalue()
    page = (tmp_path / "runs" / "loop" / "report.html").read_text()
    assert "What it lost" not in page and not list(tmp_path.rglob("alarm-*"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (127.5 * (REAL + 1), r"in \[-1, 1\]"),
        ((127.5 * (REAL + 1)).astype("int64"), "uint8"),
        (REAL[0], "shape"),
        ("photos", "shape"),
        (np.where(np.arange(600)[:, None, None, None] == 5, np.nan, REAL), "1 of 600 images"),
    ],
)
def test_real_images_of_another_kind(wrong, words):
    with pytest.raises(ValueError, match=words):
        Watcher(wrong)


def test_images_of_another_range():
    for wrong in (127.5 * (REAL + 1), (127.5 * (REAL + 1)).astype("int32"), REAL > 0):
        with pytest.raises(ValueError, match=r"floats in \[-1, 1\]"):
            Watcher(REAL, samples=100).check(wrong)
    with pytest.warns(UserWarning, match="none is dark|should hold images in"):
        Watcher(REAL, samples=100).check((REAL + 1) / 2)
    watcher = Watcher(REAL, samples=100, stream=io.StringIO())
    as_bytes = watcher.check(to_uint8(patterns(100, 0)))
    assert as_bytes.state in ("learning", "healthy")
    assert watcher.check(patterns(100, 1)).state == "healthy"
    assert watcher.check(np.full_like(patterns(100, 1), 1e30)).bad
