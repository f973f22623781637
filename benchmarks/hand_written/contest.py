"""The three implementations that `step_overhead.py` compares, interleaved in one process."""

import importlib
import itertools
import statistics
import time

import keras
import numpy as np

from hand_written import Task
from kerasgan import gans, networks
from kerasgan.data import ImageDataset
from kerasgan.penalties import R1, R2

WARM_UP_ROUNDS = 2
CHECK_ROUNDS = 2
UPDATES_A_TURN = 24  # Updates of one network in a turn, if `--rounds` is not given.


class Contest:
    """The three contenders of one model on one backend.

    Args:
        options: The parsed command line of `step_overhead.py`.
        model: The name of a model.
        targets: What the ratios to each loop should be at most, by the median.
        tolerance: How much the losses and distances of the check may differ, relative to them.
    """

    def __init__(self, options, model, targets, tolerance=0.1):
        self.tolerance = tolerance
        if options.backend == "torch":  # Steps are traced before turns are timed.
            importlib.import_module("kerasgan.backend.torch_traced").WARM_UP = 0
        self.targets = targets
        loops = importlib.import_module(f"hand_written.{options.backend}")
        variant, arguments, critic_norm = _recipe(model)
        size = {"image_size": options.image_size, "channels": options.channels}
        size["width"] = options.width
        size["critic_norm"] = critic_norm
        self.gan = variant(*networks.dcgan(**size), **arguments)
        self.at_once = options.at_once
        self.gan.compile(steps_per_execution=self.at_once)
        shape = (options.batch_size, *self.gan.image_shape)
        rng = np.random.default_rng(0)
        # Smooth random images: their statistics do not matter, but they must not be constant.
        batches = [np.tanh(rng.standard_normal(shape, "float32")) for _ in range(8)]
        self.data = _FixedBatches(batches)
        task = Task.of(self.gan, options.batch_size)
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
        if self.at_once > 1:  # Turns begin and end between two programs.
            self.rounds = self.at_once
        self.repeats = options.repeats

    def measure(self):
        """Return times in ms for each critic step, ratios, and the figures of the check."""
        check = self.check()
        for loop in self.loops.values():
            loop.train(WARM_UP_ROUNDS)
        seconds = self._take_turns()
        steps = self.rounds * self.n_critic
        milliseconds = {name: [1e3 * s / steps for s in turns] for name, turns in seconds.items()}
        ratios = {
            name: [a / b for a, b in zip(seconds["fit"], seconds[name], strict=True)]
            for name in self.targets
        }
        changes = [abs(b / a - 1.0) for a, b in itertools.pairwise(seconds["keras"])]
        return {
            "rounds in a turn": self.rounds,
            "critic steps in a turn": steps,
            "milliseconds": milliseconds,
            "ratios": ratios,
            "met": {
                name: statistics.median(ratios[name]) <= self.targets[name] for name in self.targets
            },
            "noise": statistics.median(changes) if changes else None,
            "check": check,
        }

    def _take_turns(self):
        warm_up = (WARM_UP_ROUNDS if self.at_once == 1 else self.at_once) * self.n_critic
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
            found_losses = loop.train(CHECK_ROUNDS)
            losses = {p: statistics.mean(map(float, values)) for p, values in found_losses.items()}
            found[name] = _summary(losses, before, loop.snapshot())
        for name in self.loops:
            _compare(name, found["fit"], found[name], self.tolerance)
        return found

    def _snapshot_of_ours(self):
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
    if model == "unrolled_gan":
        return gans.UnrolledGAN, {"loss": "minimax", "unrolled_steps": 5}, None
    if model == "r1_r2":
        return gans.GAN, {"loss": "relativistic", "penalties": [R1(10.0), R2(10.0)]}, None
    variant = gans.VARIANTS[model]
    return variant, {}, variant.critic_norm


class _FixedBatches(ImageDataset):
    """An epoch of `length` batches: those given, in turn."""

    def __init__(self, batches):
        super().__init__(np.concatenate(batches), batch_size=len(batches[0]), shuffle=False)
        self.batches = batches
        self.length = 1

    @property
    def batches_per_epoch(self):
        return self.length

    def __getitem__(self, index):
        return self.batches[index % len(self.batches)]


def _synchronize(gan):
    """Wait until `gan`'s last step is done, in the middle of `fit`."""
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
    summary = {f"{player}_loss": float(loss) for player, loss in losses.items()}
    for name in before:
        squares = [np.square(b - a).sum() for a, b in zip(before[name], after[name], strict=True)]
        summary[f"{name} parameters"] = sum(int(a.size) for a in before[name])
        summary[f"{name} travelled"] = float(np.sqrt(sum(squares)))
    return summary


def _compare(name, ours, theirs, tolerance):
    """Raise unless two summaries describe the same work."""
    for key, value in ours.items():
        other = theirs[key]
        if key.endswith("parameters"):
            same = value == other
        else:
            allowed = 0.05 if key.endswith("loss") else 0.0  # A WGAN's first losses are near zero.
            same = abs(value - other) <= allowed + tolerance * max(abs(value), abs(other))
        if not same:
            raise SystemExit(
                f"fit and the {name} loop do different work: {key} is {value:g} and {other:g}"
            )
