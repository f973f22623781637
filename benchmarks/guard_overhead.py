"""What the collapse guard costs: the share of the training time that its looks take.

    python benchmarks/guard_overhead.py [--data fashion_mnist avatars] [--steps 10] [--json FILE]

The settings are those of `kerasgan train gan`: DCGAN of the default width, batches of 64, a look as
often as the guard takes one, with its snapshot and files, in a run folder on disk. A step's time is
the median of `--steps` steps after the first ten, a look's the median of five. What the guard does
once, when training begins and ends, stands beside.
"""

import argparse
import io
import json
import math
import statistics
import tempfile
import time
from pathlib import Path

import keras

import kerasgan
from kerasgan.bench.environment import describe
from kerasgan.callbacks import CollapseGuard
from kerasgan.callbacks.collapse_guard import FEWEST_STEPS

SIZES = {"fashion_mnist": 28, "avatars": 64}


class Clock(keras.callbacks.Callback):
    """Times each step, from the beginning of one to that of the next."""

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
    channels = data.image_shape[-1]
    gan = kerasgan.GAN(
        *kerasgan.GAN.default_networks(image_size=SIZES[name], channels=channels), seed=0
    )
    gan.compile()
    # An epoch, or as many as make the steps that the guard leaves between two looks.
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
        looks = []
        for epoch in range(5):
            guard.on_epoch_begin(epoch)
            gan.critic_steps += interval
            began = time.perf_counter()
            guard.on_epoch_end(epoch, {})
            looks.append(time.perf_counter() - began)
        assert len(guard.journal.entries) == 5, guard.stream.getvalue()
        began = time.perf_counter()
        guard.on_train_end()
        report = time.perf_counter() - began
    step, look = statistics.median(clock.seconds[10:]), statistics.median(looks)
    return {
        "data": name,
        "milliseconds a step": 1000 * step,
        "steps from look to look": interval,
        "seconds a look": look,
        "share of the training time": look / (look + step * interval),
        "seconds once, at the beginning": prepared,
        "seconds once, for the report": report,
    }


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    rows = [measure(name, options.steps) for name in options.data]
    found = {"environment": describe(keras.backend.backend()), "rows": rows}
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
