"""What a train step of kerasgan costs, against loops written by hand.

    python benchmarks/step_overhead.py [--backend all] [--models gan wgan wgan_gp] [--json FILE]

Of kerasgan's models these are measured: `gan`, `wgan` and `wgan_gp` as they are; `unrolled_gan`,
whose generator looks five steps of the critic's Adam ahead, with the minimax loss; and `r1_r2`, a
GAN with the relativistic loss and both zero-centred penalties. The critics of the last three have
no batch normalisation.

Three contenders train the same DCGAN on the same batches in one process, and take turns:

- `fit`: `gan.fit` as a user calls it, callbacks, logging and data feeding included. One `fit`
  runs from end to end; a callback stops it at the beginning of a step, lets the others have their
  turn, and lets it go on. So everything that every step pays is counted, and what `fit` pays once
  for each call or epoch is not.
- `Keras loop`: the same Keras networks and optimizers in a loop of the backend's own.
- `native loop`: the same architecture in the backend's own layers (torch.nn in NCHW, jax.lax,
  tf.nn), with the backend's own optimizers or ones written out.

Each does the work of a whole round: fresh latent vectors and a fresh batch in every critic step,
the generator's forward pass without gradients, penalty or clipping, both optimizers, moving
statistics, and the generator's moving average. The hand-written loops do not keep the running
means of the losses that `fit` logs. All start with the same weights; before the clock runs, one
short training checks that they did the same: equal numbers of parameters, and losses and
distances travelled that agree as far as different random draws let them.

A turn is some rounds, and ends when its last computation has; the first rounds, which compile,
are not timed. A ratio is that of two neighbouring turns. The printed number is the median, with
the least and the greatest; the target asks the median. `noise` is the median change from one turn
of the Keras loop to its next: ratios that differ by less are alike. Read the table only if the
machine was quiet; the load that it had is printed.
"""

import argparse
import importlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

BACKENDS = ("tensorflow", "jax", "torch")
MODELS = ("gan", "wgan", "wgan_gp", "unrolled_gan", "r1_r2")
TARGETS = {"keras": 1.05, "native": 1.15}  # At most this, by the medians of the ratios.
WARM_UP_ROUNDS = 2
CHECK_ROUNDS = 2
UPDATES_A_TURN = 24  # Of either network; so many rounds a turn if `--rounds` is not given.


def main():
    """Measure in this process, or in one process for each backend, and print the table."""
    options = _parse()
    if options.backend == "all":
        reports = [_in_a_process(backend) for backend in BACKENDS]
    else:
        reports = [measure(options)]
    if options.json:
        with open(options.json, "w") as file:
            json.dump(reports, file, indent=2)
    print(markdown(reports))
    return 0


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--backend", choices=(*BACKENDS, "all"), default="all")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--width", type=int, default=64, help="feature maps beside the image")
    parser.add_argument("--image-size", type=int, default=28, help="28, 32, 64 or 128")
    parser.add_argument("--channels", type=int, default=1, help="1 or 3")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument(
        "--rounds",
        type=int,
        help=f"rounds in a turn; about {UPDATES_A_TURN} updates if it is not given",
    )
    parser.add_argument("--repeats", type=int, default=7, help="turns of each contender")
    parser.add_argument(
        "--threads", type=int, help="run on so many cores (Linux); all if not given"
    )
    parser.add_argument("--json", metavar="FILE", help="write the results there too")
    options = parser.parse_args()
    for name in ("width", "batch_size", "rounds", "repeats", "threads"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1; received {value}")
    return options


def _in_a_process(backend):
    """Return the report of one backend, measured by this script in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report.json")
        arguments = [*sys.argv[1:], "--backend", backend, "--json", path]
        subprocess.run(
            [sys.executable, __file__, *arguments], check=True, stdout=subprocess.DEVNULL
        )
        with open(path) as file:
            return json.load(file)[0]


def measure(options):
    """Return the report of one backend: environment and, for each model, times and ratios."""
    os.environ["KERAS_BACKEND"] = options.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if options.threads is not None:
        # The thread pools of all three backends are as large as the affinity that they find.
        cores = sorted(os.sched_getaffinity(0))
        if options.threads > len(cores):
            raise SystemExit(f"--threads: there are {len(cores)} cores; got {options.threads}")
        os.sched_setaffinity(0, cores[: options.threads])
    import keras

    from kerasgan.bench import environment

    keras.utils.set_random_seed(0)
    settings = {name: value for name, value in vars(options).items() if name != "json"}
    report = {"environment": environment.describe(options.backend), "settings": settings}
    report["models"] = {}
    for model in options.models:
        started = time.perf_counter()
        report["models"][model] = Contest(options, model).measure()
        seconds = time.perf_counter() - started
        print(f"{options.backend} {model}: done in {seconds:.0f} s", file=sys.stderr)
    report["environment"]["load at the end"] = environment.load()
    return report


class Contest:
    """The three contenders of one model on one backend.

    Args:
        options: The parsed command line.
        model: One of `MODELS`.
    """

    def __init__(self, options, model):
        import keras
        import numpy as np

        from kerasgan import networks

        hand_written = importlib.import_module("hand_written")
        loops = importlib.import_module(f"hand_written.{options.backend}")
        variant, arguments, critic_norm = _recipe(model)
        size = {"image_size": options.image_size, "channels": options.channels}
        size["width"] = options.width
        size["critic_norm"] = critic_norm
        self.gan = variant(*networks.dcgan(**size), **arguments)
        self.gan.compile()
        shape = (options.batch_size, *self.gan.image_shape)
        rng = np.random.default_rng(0)
        # Smooth random images: their statistics do not matter, only that they are no constants.
        batches = [np.tanh(rng.standard_normal(shape, "float32")) for _ in range(8)]
        self.data = _batches_of(keras.utils.PyDataset, batches)
        task = hand_written.Task.of(self.gan, options.batch_size)
        copies = [networks.dcgan(**size) for _ in range(2)]
        (generator, critic), (average, _) = copies
        for copy, network in (
            (generator, self.gan.generator),
            (average, self.gan.generator),
            (critic, self.gan.critic),
        ):
            copy.set_weights(network.get_weights())
        self.loops = {
            "keras": loops.KerasLoop(task, batches, generator, critic, average),
            "native": loops.NativeLoop(task, batches, self.gan.generator, self.gan.critic),
        }
        self.n_critic = task.n_critic
        self.rounds = options.rounds or max(1, UPDATES_A_TURN // (self.n_critic + 1))
        self.repeats = options.repeats

    def measure(self):
        """Return times in ms for each critic step, ratios, and what the check found."""
        check = self.check()
        for loop in self.loops.values():
            loop.play(WARM_UP_ROUNDS)
        seconds = self._take_turns()
        steps = self.rounds * self.n_critic
        milliseconds = {name: [1e3 * s / steps for s in turns] for name, turns in seconds.items()}
        ratios = {
            name: [a / b for a, b in zip(seconds["fit"], seconds[name], strict=True)]
            for name in TARGETS
        }
        changes = [abs(b / a - 1.0) for a, b in itertools.pairwise(seconds["keras"])]
        return {
            "rounds in a turn": self.rounds,
            "critic steps in a turn": steps,
            "milliseconds": milliseconds,
            "ratios": ratios,
            "met": {name: statistics.median(ratios[name]) <= TARGETS[name] for name in TARGETS},
            "noise": statistics.median(changes) if changes else None,
            "check": check,
        }

    def _take_turns(self):
        import keras

        warm_up = WARM_UP_ROUNDS * self.n_critic
        turn = self.rounds * self.n_critic
        seconds = {name: [] for name in ("fit", *self.loops)}
        clock = {"started": None}

        def on_train_batch_begin(step, logs=None):
            # Not on_train_batch_end: a callback with one makes Keras wait for every step.
            if step < warm_up or (step - warm_up) % turn:
                return
            _synchronize(self.gan)
            if clock["started"] is not None:
                seconds["fit"].append(time.perf_counter() - clock["started"])
                for name, loop in self.loops.items():
                    seconds[name].append(loop.turn(self.rounds))
            clock["started"] = time.perf_counter()

        callback = keras.callbacks.Callback()
        callback.on_train_batch_begin = on_train_batch_begin
        self.data.length = warm_up + self.repeats * turn + 1  # The last closes the last turn.
        self.gan.fit(self.data, verbose=0, callbacks=[callback])
        return seconds

    def check(self):
        """Train all three briefly from the same weights; raise if they do different work."""
        found = {}
        before = self._snapshot_of_ours()
        self.data.length = CHECK_ROUNDS * self.n_critic
        history = self.gan.fit(self.data, verbose=0).history
        after = self._snapshot_of_ours()
        losses = {player: history[f"{player}_loss"][0] for player in ("critic", "generator")}
        found["fit"] = _summary(losses, before, after)
        for name, loop in self.loops.items():
            before = loop.snapshot()
            played = loop.play(CHECK_ROUNDS)
            losses = {player: statistics.mean(map(float, played[player])) for player in played}
            found[name] = _summary(losses, before, loop.snapshot())
        for name in self.loops:
            _compare(name, found["fit"], found[name])
        return found

    def _snapshot_of_ours(self):
        import keras

        generator, critic = self.gan.generator, self.gan.critic
        groups = {
            "generator": generator.trainable_variables,
            "critic": critic.trainable_variables,
            "statistics": (*generator.non_trainable_variables, *critic.non_trainable_variables),
            "average": self.gan.ema_generator.variables,
        }
        return {
            name: [keras.ops.convert_to_numpy(v).copy() for v in group]
            for name, group in groups.items()
        }


def _recipe(model):
    """Return the class of a model, its arguments, and the normalisation of its critic."""
    from kerasgan import gans
    from kerasgan.penalties import R1, R2

    if model == "unrolled_gan":
        return gans.UnrolledGAN, {"loss": "minimax", "unrolled_steps": 5}, None
    if model == "r1_r2":
        return gans.GAN, {"loss": "relativistic", "penalties": [R1(10.0), R2(10.0)]}, None
    variant = gans.VARIANTS[model]
    return variant, {}, variant.critic_norm


def _batches_of(base, batches):
    """Return a dataset of `length` batches, those given in turn; `base` is Keras' PyDataset."""

    class FixedBatches(base):
        def __init__(self):
            super().__init__()
            self.length = 1

        def __len__(self):
            return self.length

        def __getitem__(self, index):
            return batches[index % len(batches)]

    return FixedBatches()


def _synchronize(gan):
    """Wait until `gan`'s last step is done, in the middle of `fit`."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        # Keras' own containers: JAX takes them for leaves and would wait for nothing.
        jax.block_until_ready([v for values in gan._jax_state.values() for v in values])
    elif keras.backend.backend() == "torch":
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
    else:
        gan.critic.weights[0].numpy()
        gan.generator.weights[0].numpy()


def _summary(losses, before, after):
    import numpy as np

    summary = {f"{player}_loss": float(loss) for player, loss in losses.items()}
    for name in before:
        squares = [np.square(b - a).sum() for a, b in zip(before[name], after[name], strict=True)]
        summary[f"{name} parameters"] = sum(int(a.size) for a in before[name])
        summary[f"{name} travelled"] = float(np.sqrt(sum(squares)))
    return summary


def _compare(name, ours, theirs):
    """Raise unless two summaries describe the same work."""
    for key, value in ours.items():
        other = theirs[key]
        if key.endswith("parameters"):
            same = value == other
        else:
            allowed = 0.05 if key.endswith("loss") else 0.0  # A WGAN's first losses are near zero.
            same = abs(value - other) <= allowed + 0.1 * max(abs(value), abs(other))
        if not same:
            raise SystemExit(
                f"fit and the {name} loop do different work: {key} is {value:g} and {other:g}"
            )


def markdown(reports):
    """Return the reports as Markdown: where and how it was measured, then one table."""
    first = reports[0]
    settings, where = first["settings"], first["environment"]
    versions = {k: v for report in reports for k, v in report["environment"]["versions"].items()}
    loads = [
        f"{e['load at the start']} to {e['load at the end']} ({e['backend']})"
        for e in (report["environment"] for report in reports)
    ]
    lines = [
        f"- Machine: {where['machine']}, {where['cores']} cores, "
        f"{where['accelerator'] or 'no accelerator'}; "
        f"{', '.join(report['environment']['date'] for report in reports)}",
        f"- Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}",
        f"- Load average, start to end, itself included: {', '.join(loads)}",
        f"- DCGAN of width {settings['width']}, {settings['image_size']} pixels, "
        f"{settings['channels']} channel(s), batches of {settings['batch_size']}, seed 0; "
        f"N = {settings['repeats']} turns of each contender, interleaved",
        f"- Targets: fit / Keras loop <= {TARGETS['keras']}, fit / native loop "
        f"<= {TARGETS['native']}, by the median; times are ms a critic step, the generator's "
        "steps spread over them",
        "",
        "| backend | model | fit | Keras loop | native loop | fit / Keras loop | met | "
        "fit / native loop | met | noise |",
        "|---|---|---:|---:|---:|---:|---|---:|---|---:|",
    ]
    for report in reports:
        for model, result in report["models"].items():
            lines.append(_row(report["environment"]["backend"], model, result))
    return "\n".join(lines)


def _row(backend, model, result):
    cells = [backend, model]
    for name in ("fit", "keras", "native"):
        cells.append(f"{statistics.median(result['milliseconds'][name]):.1f}")
    for name in ("keras", "native"):
        ratios = result["ratios"][name]
        cells.append(f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})")
        cells.append("yes" if result["met"][name] else "no")
    cells.append("-" if result["noise"] is None else f"{100 * result['noise']:.1f} %")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
