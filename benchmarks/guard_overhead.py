"""The share of the training time that the collapse guard's checks take.

    python benchmarks/guard_overhead.py [--data fashion_mnist avatars] [--steps 10]

It writes `guard_overhead.json`.

The settings are those of `kerasgan train gan`: a DCGAN of the default width and batches of 64. The
guard checks as often as it does there, and writes its snapshot and files into a run folder on disk.
The time of a step is the median of `--steps` steps after the first ten, the time of a check the
median of five. The JSON also has the seconds that the guard takes once, when the training begins
and when it ends.
"""

import io
import json
import math
import statistics
import tempfile
import time
from pathlib import Path

import experiment
import keras

import kerasgan
from kerasgan.callbacks import CollapseGuard
from kerasgan.callbacks.collapse_guard import FEWEST_STEPS
from kerasgan.environment import describe
from kerasgan.recipe import Recipe

TAKES = "2 minutes"
SIZES = {"fashion_mnist": 28, "avatars": 64}
TITLES = {"fashion_mnist": "Fashion-MNIST", "avatars": "avatars at 64 pixels"}


class Clock(keras.callbacks.Callback):
    """Measures each step, from its beginning to the beginning of the next."""

    def __init__(self):
        super().__init__()
        self.seconds = []
        self.last = None

    def on_train_batch_begin(self, batch, logs=None):
        self.model.synchronize()  # JAX would only have queued the step.
        now = time.perf_counter()
        if self.last is not None:
            self.seconds.append(now - self.last)
        self.last = now


def measure(name, steps):
    """Return the figures of one data set."""
    data = kerasgan.data.load(name, image_size=SIZES[name])
    gan = Recipe("gan").build(data.image_shape)
    # The smallest number of epochs with as many steps as the guard leaves between two checks.
    interval = data.batches_per_epoch * math.ceil(FEWEST_STEPS / data.batches_per_epoch)
    clock = Clock()
    gan.fit(data.images[: 64 * (steps + 10)], epochs=1, verbose=0, callbacks=[clock])
    with tempfile.TemporaryDirectory() as folder:
        guard = CollapseGuard(data=data, folder=Path(folder), stream=io.StringIO())
        guard.set_model(gan)
        guard.set_params({"epochs": 50})
        began = time.perf_counter()
        guard.on_train_begin()
        prepared = time.perf_counter() - began
        checks = []
        for epoch in range(5):
            guard.on_epoch_begin(epoch)
            gan.critic_steps += interval
            began = time.perf_counter()
            guard.on_epoch_end(epoch, {})
            checks.append(time.perf_counter() - began)
        assert len(guard.journal.entries) == 5, guard.stream.getvalue()
        began = time.perf_counter()
        guard.on_train_end()
        report = time.perf_counter() - began
    step, check = statistics.median(clock.seconds[10:]), statistics.median(checks)
    return {
        "data": name,
        "milliseconds a step": 1000 * step,
        "steps from check to check": interval,
        "seconds a check": check,
        "share of the training time": check / (check + step * interval),
        "seconds once, at the beginning": prepared,
        "seconds once, for the report": report,
    }


def run(data=tuple(SIZES), steps=10, out=experiment.RESULTS):
    """Measure each data set and write the figures."""
    out.mkdir(parents=True, exist_ok=True)
    rows = [measure(name, steps) for name in data]
    found = {"environment": describe(keras.backend.backend()), "rows": rows}
    (out / "guard_overhead.json").write_text(json.dumps(found, indent=2) + "\n")


def table(folder=experiment.RESULTS):
    """Return the share of the training time, a row for each data set."""
    [found] = experiment.stored("guard_overhead.json", folder)
    rows = [
        [
            TITLES[row["data"]],
            f"{row['share of the training time']:.1%}",
            f"{row['milliseconds a step']:.0f}",
            f"{row['seconds a check']:.1f}",
            f"{row['steps from check to check']:,}",
        ]
        for row in found["rows"]
    ]
    head = ["Data", "Share of the training time", "Step, ms", "Check, s", "Steps between checks"]
    place = found["environment"]
    return (
        f"{experiment.markdown(head, rows)}\n\nBy `benchmarks/guard_overhead.py`, "
        f"{experiment.BACKENDS[place['backend']]}, {experiment.cores(place)}, "
        f"{experiment.day(place)}."
    )


if __name__ == "__main__":
    arguments = experiment.parser(__doc__)
    arguments.add_argument("--data", nargs="+", choices=list(SIZES), default=list(SIZES))
    arguments.add_argument("--steps", type=int, default=10)
    options = arguments.parse_args()
    run(**vars(options))
    print(table(options.out))
