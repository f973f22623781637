"""Progress: the time left by a clock that the test turns, and the lines it prints."""

import io
import re

import numpy as np
import pytest

from kerasgan.callbacks import Progress, progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Model:
    stop_training = False


class Clock:
    def __init__(self):
        self.now = 1000.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def seconds(text):
    unit = {"s": 1, "min": 60, "h": 3600}
    return sum(float(n) * unit[u] for n, u in re.findall(r"([\d.]+) (h|min|s)\b", text))


def train(bar, clock, epochs, steps, first=60.0, each=1.0, rest=5.0, between=0.0, start=0):
    """Go through the epochs of one `fit`, and return (epoch, what was said, the time) triples."""
    bar.set_params({"epochs": epochs, "steps": steps})
    bar.set_model(Model())
    bar.on_train_begin()
    said = []

    def hear(epoch):
        found = re.search(r"left (.*?)[\x1b\n]", bar.stream.getvalue())
        if found:
            said.append((epoch, seconds(found[1]), clock.now))
        bar.stream.seek(0)
        bar.stream.truncate()

    for epoch in range(start, epochs):
        bar.on_epoch_begin(epoch)
        for step in range(steps):
            bar.on_train_batch_begin(step)
            hear(epoch)
            clock.now += first if epoch == start and step == 0 else each
        clock.now += rest
        bar.on_epoch_end(epoch, {})
        hear(epoch)
        clock.now += between
    return said


def worst(said, end, from_epoch=0):
    late = [(text, end - now) for epoch, text, now in said if epoch >= from_epoch]
    assert late
    return max(abs(text - left) / left for text, left in late if left > 20)


def test_the_time_left_counts_what_follows_the_steps_and_not_compilation(clock):
    bar = Progress(stream=Terminal(), epochs=10)
    said = train(bar, clock, 10, 10)
    assert worst(said, clock.now, from_epoch=1) < 0.01
    # At the end of the first epoch, too, of which only the compiling step is left out.
    assert worst([triple for triple in said if triple[2] == 1000 + 60 + 9 + 5], clock.now) < 0.01


def test_the_time_left_counts_callbacks_after_it(clock):
    bar = Progress(stream=Terminal(), epochs=10)
    said = train(bar, clock, 10, 10, between=10.0)
    assert worst(said, clock.now, from_epoch=1) < 0.2


def test_what_only_the_first_epoch_compiles_is_forgotten(clock):
    bar = Progress(stream=Terminal(), epochs=6)
    bar.set_params({"epochs": 6, "steps": 10})
    bar.set_model(Model())
    bar.on_train_begin()
    for epoch in range(2):
        bar.on_epoch_begin(epoch)
        for step in range(10):
            bar.on_train_batch_begin(step)
            clock.now += 1
        clock.now += 90 if epoch == 0 else 2  # The first pictures are compiled, too.
        bar.on_epoch_end(epoch, {})
    line = bar.stream.getvalue().splitlines()[-1]
    assert seconds(line.split("left ")[1]) == pytest.approx(4 * 12, rel=0.05)


def test_epochs_of_one_step(clock):
    bar = Progress(stream=Terminal(), epochs=10)
    said = train(bar, clock, 10, 1, each=20.0)
    assert worst(said, clock.now, from_epoch=2) < 0.01


def test_the_rest_of_an_epoch_does_not_shorten_those_to_come(clock):
    class Data:
        batches_per_epoch = 100
        seconds = 0.0

    bar = Progress(Data(), stream=Terminal(), epochs=10)
    said = train(bar, clock, 1, 5, first=1.0)  # Ctrl-C had cut the first epoch.
    now = clock.now
    assert said[-1][1] == pytest.approx(9 * 105, rel=0.05)
    said = train(bar, clock, 10, 100, first=1.0, start=1)
    assert clock.now - now == 9 * 105 and worst(said, clock.now, from_epoch=1) < 0.05


def begun(epochs, steps):
    """Return a bar in its first epoch."""
    bar = Progress(stream=Terminal(), epochs=epochs)
    bar.set_params({"epochs": epochs, "steps": steps})
    bar.set_model(Model())
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    return bar


def test_the_first_step_says_that_it_compiles(clock):
    bar = begun(epochs=2, steps=3)
    bar.on_train_batch_begin(0)
    assert "compiling the first step" in bar.stream.getvalue()
    clock.now += 0.1
    bar.on_train_batch_begin(1)
    assert "compiling" not in bar.stream.getvalue().split("\r")[-1]


def test_a_cut_epoch_is_no_whole_one(clock):
    bar = begun(epochs=9, steps=10)
    for step in range(4):
        bar.on_train_batch_begin(step)
        clock.now += 1
    bar.model.stop_training = True
    bar.on_epoch_end(0, {"critic_loss": 0.5})
    line = bar.stream.getvalue().splitlines()[-1]
    assert "epoch 1/9  stopped after 4 of 10 steps  critic_loss 0.5000" in line
    assert "left" not in line.split("stopped")[1]


@pytest.mark.parametrize(
    ("epochs", "steps", "each"),
    [(60, 150, 0.1), (3, 3000, 0.1), (100, 30, 0.5), (1, 5000, 0.1), (60, 20, 1.0), (4, 400, 1.0)],
)
def test_after_a_tenth_the_time_left_is_right(clock, epochs, steps, each):
    """With kinds of steps that compile late, looks inside epochs, and checkpoints after them."""
    bar = Progress(stream=Terminal(), epochs=epochs)
    bar.set_params({"epochs": epochs, "steps": steps})
    bar.set_model(Model())
    bar.on_train_begin()
    said, taken, began = [], 0, clock.now
    for epoch in range(epochs):
        bar.on_epoch_begin(epoch)
        for step in range(steps):
            bar.on_train_batch_begin(step)
            found = re.search(r"left (.*?)[\x1b\n]", bar.stream.getvalue())
            if found:
                said.append((seconds(found[1]), clock.now))
            bar.stream.seek(0)
            bar.stream.truncate()
            taken += 1
            clock.now += each + {1: 20.0, 5: 10.0, 17: 10.0}.get(taken, 0.0)
            clock.now += 3.0 if taken % 150 == 0 else 0.0
        clock.now += 30.0 if epoch == 0 and epochs > 1 else 2.0
        bar.on_epoch_end(epoch, {})
    whole = clock.now - began
    late = [(text, clock.now - now) for text, now in said if now - began > whole / 10]
    assert len(late) > 10
    assert max(abs(text - left) / left for text, left in late if left > whole / 10) < 0.2


def test_a_log_hears_of_a_long_epoch_soon_and_then_seldom(clock):
    bar = Progress(stream=io.StringIO(), epochs=1)
    began, said = clock.now, []
    bar.set_params({"epochs": 1, "steps": 2000})
    bar.set_model(Model())
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    for step in range(2000):
        before = bar.stream.tell()
        bar.on_train_batch_begin(step)
        if bar.stream.tell() > before:
            said.append(clock.now - began)
        clock.now += 1.0
    assert said[:4] == pytest.approx([5, 15, 35, 75], abs=4)
    assert np.diff(said).max() <= 62 and len(said) < 45
    assert "left" in bar.stream.getvalue().splitlines()[-1]
