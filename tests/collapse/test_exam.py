"""The arithmetic of the exam."""

import math

import pytest

from kerasgan.bench.collapse import exam

pytestmark = pytest.mark.numpy


def test_onset_is_where_the_modes_fell_and_stayed():
    assert exam.onset([0.2, 0.5, 1.0, 1.0, 1.0]) is None
    assert exam.onset([0.2, 0.9, 1.0, 1.0, 0.6, 0.5]) == 4
    assert exam.onset([0.9, 1.0, 1.0, 0.5, 0.9, 1.0]) is None  # It came back.
    assert exam.onset([0.9, 1.0, 1.0, 0.5, 0.9, 0.7, 0.6]) == 5
    assert exam.onset([0.9, 1.0, 1.0, *[0.2] * 5, 0.9]) == 3  # It came back too late.
    assert exam.onset([0.0, 0.0, 0.0]) is None  # It never had anything.
    assert exam.onset([0.1, 0.9, 0.1, 0.1]) is None  # One lucky check.
    assert exam.onset([0.9, 1.0, 1.0, 0.2]) is None  # The run ends before it is known to last.
    assert exam.onset([]) is None


def test_auroc_by_hand():
    assert exam.auroc([3, 4], [1, 2]) == 1
    assert exam.auroc([1, 2], [3, 4]) == 0
    assert exam.auroc([1, 3], [2]) == 0.5
    assert exam.auroc([1], [1]) == 0.5
    assert math.isnan(exam.auroc([], [1]))


def history(modes, level):
    record = {"coverage": 1.0, "vendi": 1.0, "spread": 1.0, "js": 0.0, "finite": True}
    return {
        "recipe": {"name": "made up", "seed": 0},
        "looks": [
            {**record, "modes": m, "diversity": x, "cells": x}
            for m, x in zip(modes, level, strict=True)
        ],
    }


def test_figures():
    collapsed = history([0.5, 1, 1, 1, 0.2, 0.1], [0.4, 0.9, 0.9, 0.9, 0.2, 0.1])
    healthy = history([0.5, 1, 1, 1, 1, 1], [0.4, 0.9, 0.9, 0.88, 0.9, 0.9])
    early = history(
        [0.5, 1, 1, 1, 1, 1, 1, 0.2, 0.1], [0.4, 0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.2, 0.1]
    )
    result = exam.examine(early)
    assert result["false_alarm"] and (result["onset"], result["alarm"], result["delay"]) == (
        7,
        7,
        0,
    )
    missed = history([0.5, 1, 1, 1, 0.2, 0.1], [0.4, 0.9, 0.9, 0.9, 0.9, 0.9])
    results = [exam.examine(h) for h in (collapsed, healthy, missed)]
    assert [r["alarm"] for r in results] == [4, None, None]
    assert [r["delay"] for r in results] == [0, None, None]
    found = exam.figures(results)
    assert found["collapsed"] == 2 and found["healthy"] == 1
    assert found["caught"] == 1 and found["false_alarms"] == 0 and found["median_delay"] == 0
    assert found["auroc"] == pytest.approx(0.75, abs=0.26)


def test_a_run_that_keeps_every_mode_and_loses_their_shares_has_collapsed():
    run = history([1.0] * 6, [0.9] * 6)
    for record, share in zip(run["looks"], [0.8, 0.8, 0.8, 0.5, 0.5, 0.5], strict=True):
        record["overlap"] = share
    assert exam.examine(run)["onset"] is None  # Of other runs only the modes count.
    run["recipe"]["half"] = "later"
    assert exam.examine(run)["onset"] == 3
