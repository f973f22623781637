"""Runs in a process of its own, on the backend and devices that its environment names.

python worker.py losses MODELS   losses of five rounds from fixed weights and fixed draws, and the
                                 first gradients
python worker.py samples FOLDER  images of a preset, sixteen of seed 1
python worker.py distributed MODEL  losses of five rounds over two virtual devices
python worker.py shell FOLDER    what `kerasgan train --devices` logs
python worker.py rank WHAT        the same in one of several processes, which the environment names
python worker.py rescued         what a guard does on two virtual devices
"""

import csv
import json
import os
import sys
import time
import zlib
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np
from keras import ops

import kerasgan
from kerasgan import backend
from kerasgan.adversarial import Batch
from kerasgan.data import to_uint8

BATCH = 16
PRIME = 997


def numbers(shape, seed, factors):
    """Return well-mixed fractions in (0, 1), exact in float32 on every backend."""
    step = ops.cast(seed.next()[1], "float32")
    total = step * 53.0 + 1.0
    for axis, factor in enumerate(factors):
        size = shape[axis]
        line = ops.cast(ops.arange(size), "float32") * factor
        total = total + ops.reshape(line, [-1 if a == axis else 1 for a in range(len(shape))])
    return (ops.mod(total, PRIME) + 0.5) / PRIME


FACTORS = (37.0, 101.0, 53.0, 29.0)


def fixed_normal(shape, seed=None, **_):
    return 1.4 * ops.sin(2 * np.pi * numbers(shape, seed, FACTORS[: len(shape)]))


def fixed_uniform(shape, seed=None, **_):
    return numbers(shape, seed, FACTORS[: len(shape)])


def fix_weights(model):
    """Give every random weight a value that depends on its place and shape alone."""
    average = {id(v) for v in model.ema_generator.weights}
    for i, variable in enumerate(v for v in model.weights if id(v) not in average):
        values = np.random.default_rng(i).standard_normal(variable.shape)
        if variable.name == "u":  # Of spectral normalisation.
            variable.assign(values / np.linalg.norm(values))
        elif variable.name == "gamma":
            variable.assign(1 + 0.02 * values)
        elif len(variable.shape) > 1:
            variable.assign(values / np.sqrt(np.prod(variable.shape[:-1])))
    model.ema_generator.set_weights(model.generator.get_weights())


def pictures(n):
    t = np.linspace(0, 3, 28, dtype="float32")
    phases = np.arange(n, dtype="float32")[:, None, None]
    return np.sin(t[None, :, None] * (1 + phases % 7) + t[None, None, :] * 2 + phases + 0.3)[
        ..., None
    ]


# What a variant needs beside its defaults: small codes, steps that do not let rounding grow, and
# scores whose differences show.
SMALL = {
    "infogan": {
        "categorical": (3,),
        "continuous": 1,
        "learning_rate": 1e-4,
        "critic_learning_rate": 1e-4,
    },
    "flow_gan": {"learning_rate": 1e-5},
    "fastgan": {"learning_rate": 1e-5},
    "wgan": {"clip": 0.1},
    "stylegan2": {"r1_every": 2, "path_every": 2},
}
# The networks of those that take no others.
NETWORKS = {
    "flow_gan": {"architecture": "nice", "width": 32, "depth": 2, "critic_width": 4},
    "stylegan2": {"mapping_layers": 1, "channel_base": 64, "channel_max": 4},
    "fastgan": {"width": 4},
}


@keras.saving.register_keras_serializable(package="worker")
class Seen(kerasgan.penalties.Penalty):
    """Adds nothing; its mean differs once the real images, the codes or the fakes are others."""

    batch_norm = "allowed"

    def __init__(self, name, weight=0.0, **options):
        super().__init__(weight, name=name, **options)

    def __call__(self, inputs):
        x = getattr(inputs, self.name.split("_")[1])
        return ops.mean(ops.cast(x, "float32") * ops.cos(ops.arange(x.shape[-1], dtype="float32")))


def seen():
    """Return penalties that log what both players' steps read."""
    whats, players = ("real", "z", "fake"), ("critic", "generator")
    return [Seen(f"seen_{what}_{who}", player=who) for who in players for what in whats]


def make(name, batch_norm=True, **options):
    variant = kerasgan.gans.VARIANTS[name]
    size = {"image_size": 28, "channels": 1, "latent_dim": 8}
    if name in NETWORKS:
        pair = variant.default_networks(**NETWORKS[name], **size)
    elif batch_norm:
        pair = variant.default_networks("dcgan", width=4, **size)
    else:
        norm = None if variant.critic_norm == "batch" else variant.critic_norm
        pair = variant.default_networks("mlp", width=32, depth=2, critic_norm=norm, **size)
    model = variant(*pair, **SMALL.get(name, {}), **options)
    fix_weights(model)
    model.compile()
    return model


def rounds(model, count=5, checksums=None):
    """Return the losses after each of the steps of `count` rounds.

    Args:
        model: An adversarial model.
        count: The number of rounds.
        checksums: A list that gets one of the model's weights after each step.
    """
    steps = count * model.n_critic
    batches = pictures(steps * BATCH).reshape(steps, BATCH, 28, 28, 1)
    history = []

    class Note(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            history.append({name: float(value) for name, value in logs.items()})

    for batch in batches:
        model.fit(batch, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[Note()])
        if checksums is not None:
            checksums.append(zlib.crc32(b"".join(w.tobytes() for w in model.get_weights())))
    return history


def gradients(model):
    """Return the gradients of both networks' losses, each projected onto a fixed direction."""
    real = ops.convert_to_tensor(pictures(BATCH))
    found = []
    for player, variables in (
        ("critic", model.critic_variables()),
        ("generator", model.generator.trainable_variables),
    ):
        z = model.draw_latents(BATCH)

        def loss(player=player, z=z):
            batch = Batch(real, model._generate(z, None), z)
            if player == "generator":
                return model.generator_objective(batch, ())
            return model.critic_objective(batch, model._penalties_of("critic"))

        for i, gradient in enumerate(backend.value_and_grad(loss, variables)[1]):
            gradient = ops.convert_to_numpy(gradient).astype("float64")
            direction = np.random.default_rng(i).standard_normal(gradient.shape)
            direction /= np.linalg.norm(direction)
            found.append([float(np.linalg.norm(gradient)), float((gradient * direction).sum())])
    return found


# The others are fully connected here: convolutions take JAX long to compile.
CONVOLUTIONAL = ("gan", "wgan", "wgan_gp", "sngan")


def losses(names):
    keras.random.normal, keras.random.uniform = fixed_normal, fixed_uniform
    report = {}
    for name in names.split(","):
        first, second = (make(name, batch_norm=name in CONVOLUTIONAL) for _ in range(2))
        report[name] = {"gradients": gradients(first), "losses": rounds(second)}
    return report


def samples(folder):
    return kerasgan.from_preset(folder).sample(16, seed=1).tolist()


def distributed(name):
    """Five rounds on one device, then on two; the draws are the backend's own."""
    alone = rounds(make(name, batch_norm=False))
    with two_devices():
        together = rounds(make(name, batch_norm=False))
    return {"alone": alone, "together": together}


def alone(name):
    """Five rounds in this process."""
    return rounds(make(name, batch_norm=False, penalties=seen()))


def odd():
    """Train on two devices with a last batch of one image, and return the logs and the weights."""
    with two_devices():
        gan = make("gan", batch_norm=False)
        images = kerasgan.data.ImageDataset(pictures(BATCH + 1), None, BATCH, drop_remainder=False)
        logs = gan.fit(images, epochs=2, verbose=0, validation_data=images).history
    weights = [
        np.abs(w).max() for network in (gan.generator, gan.critic) for w in network.get_weights()
    ]
    return {"logs": logs, "largest weight": float(np.max(weights))}


def rescued():
    """Train on two devices under a guard, break the generator in between, and say what it did."""
    keras.utils.set_random_seed(0)  # All processes draw the same images.
    with two_devices():
        pair = kerasgan.networks.mlp(image_size=8, channels=1, latent_dim=6, width=16, depth=1)
        gan = kerasgan.GAN(*pair, seed=0, ema=0.5)
        gan.compile(keras.optimizers.SGD(1e-6), keras.optimizers.SGD(1e-6))
        guard = kerasgan.callbacks.CollapseGuard("rescue", every=10, samples=200, stream=sys.stderr)

        def broken(epoch, logs):
            if epoch == 3:
                for network in (gan.generator, gan.ema_generator):
                    kernel = network.layers[-3].kernel
                    kernel.assign(np.zeros(kernel.shape, "float32"))

        sabotage = keras.callbacks.LambdaCallback(on_epoch_begin=broken)
        real = gan.sample(600, seed=5)
        history = gan.fit(
            real, batch_size=60, epochs=6, verbose=0, callbacks=[sabotage, guard]
        ).history
    return {
        "actions": [decision.action for decision in guard.journal.decisions],
        "complaints": sorted(guard._records.complaints),
        "diversity": history.get("diversity", [None])[-1],  # A process that follows has none.
        "largest weight": float(np.abs(gan.generator.layers[-3].kernel.numpy()).max()),
    }


def shell(folder):
    """Train by the command on one device, on all, and on all and then on one; give the rows."""
    from kerasgan_cli import main

    if keras.backend.backend() == "torch":  # A process stands for a device.
        backend.devices = lambda: 2
    folder = Path(folder)
    np.save(folder / "images.npy", to_uint8(pictures(64)))
    network = ["--network", "mlp", "--width", "8", "--latent-dim", "4", "--batch-size", "16"]
    common = ["train", "wgan_gp", "--data", str(folder / "images.npy"), *network, "--guard", "warn"]

    def command(*words):
        try:
            main([*words])
        except SystemExit as end:
            assert end.code == 0, words

    found = {}
    for name, devices, epochs in (("one", "1", 3), ("all", "all", 3), ("both", "2", 2)):
        place = ["--run-dir", str(folder / name), "--epochs", str(epochs)]
        command(*common, *place, "--devices", devices)
    command("train", "--resume", str(folder / "both" / "0001-wgan_gp-images"), "--epochs", "3")
    for name in ("one", "all", "both"):
        text = (folder / name / "0001-wgan_gp-images" / "metrics.csv").read_text()
        rows = csv.DictReader(text.splitlines())
        found[name] = [[float(row[k]) for k in ("critic_loss", "gradient_penalty")] for row in rows]
    return found


def rank(what):
    """Train in a group of processes, and return what the one that leads has seen."""
    number, count = backend.GROUP.launched()
    with backend.GROUP.joined(number, count) if count > 1 else nullcontext():
        if what == "rescued":
            return rescued()
        if what in CASES:
            return case(what)
        if what == "waits":
            print("ready", flush=True)
            time.sleep(300)
        if what == "disagreeing":
            make("gan", batch_norm=False).fit(pictures(16 + number), batch_size=2, verbose=0)
        if what == "undivided":
            make("gan", batch_norm=False).fit(pictures(9), batch_size=3, verbose=0)
        checksums = []
        model = make(what, batch_norm=False, penalties=seen())
        losses = rounds(model, checksums=checksums)
        return {"losses": losses, "weights": checksums}


CASES = ("alone changes", "raises", "freezes", "changes", "twice")


def case(what):
    """Train twice with a callback of the leader's, and return the losses and the weights."""
    model = make("wgan_gp", batch_norm=False)
    images = pictures(6 * BATCH)

    class Act(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if what == "freezes" and epoch == 1:
                next(layer for layer in model.critic.layers if layer.weights).trainable = False
            if "changes" in what and epoch == 1:
                model.n_critic = 2
                model.penalties[0].weight = 20.0
                model.make_train_function(force=True)  # A traced step goes on with the old one.

        def on_epoch_end(self, epoch, logs=None):
            if "changes" in what and epoch == 1:
                model.critic.set_weights([0.9 * w for w in model.critic.get_weights()])

    if what == "raises":
        model.before_critic_step = lambda: 1 / 0
    losses = []
    for _ in range(2):
        history = model.fit(
            images, batch_size=BATCH, epochs=3, shuffle=False, verbose=0, callbacks=[Act()]
        ).history
        losses += history.get("critic_loss", [])
    weights = [float(np.abs(w).sum()) for w in model.get_weights()]
    return {"losses": losses, "weights": weights, "steps": model.critic_steps}


def stopped(folder):
    """Stop a run of the command within its second epoch, go on, and give the steps of its model."""
    from kerasgan_cli import main, training

    backend.devices = lambda: 2
    folder = Path(folder)
    np.save(folder / "images.npy", to_uint8(pictures(64)))
    usual = training._Interrupt.on_train_batch_begin

    def interrupted(self, batch, logs=None):
        if self.model.critic_steps == 6:  # An epoch has four.
            self.requested = True
        usual(self, batch, logs)

    def command(*words):
        try:
            main([*words])
        except SystemExit as end:
            return end.code

    training._Interrupt.on_train_batch_begin = interrupted
    small = ["--network", "mlp", "--width", "8", "--latent-dim", "4", "--batch-size", "16"]
    place = ["--data", str(folder / "images.npy"), "--run-dir", str(folder / "r")]
    codes = [command("train", "gan", *place, *small, "--epochs", "4", "--devices", "2")]
    training._Interrupt.on_train_batch_begin = usual
    run = folder / "r" / "0001-gan-images"
    codes.append(command("train", "--resume", str(run), "--devices", "2"))
    return {"codes": codes, "steps": keras.saving.load_model(run / "model.keras").critic_steps}


def two_devices():
    if keras.backend.backend() == "torch" or backend.GROUP.size() > 1:
        return nullcontext()
    if keras.backend.backend() == "jax":
        devices = keras.distribution.list_devices()
        assert len(devices) == 2, devices
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
        return nullcontext()
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    return strategy.scope()


if __name__ == "__main__":
    if (
        sys.argv[1] in ("distributed", "odd", "rescued", "shell")
        and keras.backend.backend() == "tensorflow"
    ):
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
