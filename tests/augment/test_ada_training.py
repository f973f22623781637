"""The controller of ADA: against NumPy, in compiled training steps and on replicas."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from augmented import SMALL, numpy
from keras import ops

from kerasgan import backend
from kerasgan.augment import ADA


def seeded_noise(images, seed):
    """Return the noise that a model passes: its own seeds, and as many rows as images."""

    def noise(kind, *shape):
        draw = {"uniform": keras.random.uniform, "normal": keras.random.normal}[kind]
        return backend.replica_rows(lambda n: draw((n, *shape), seed=seed), ops.shape(images)[0])

    return noise


class NumpyController:
    def __init__(self, target, speed, interval, bound):
        self.target, self.speed, self.interval, self.bound = target, speed, interval, bound
        self.p, self.r, self.scores = 0.0, 0.0, []

    def observe(self, scores):
        self.scores.append(np.sign(scores).ravel())
        if len(self.scores) == self.interval:
            signs = np.concatenate(self.scores)
            self.r, self.scores = signs.mean(), []
            self.p += np.sign(self.r - self.target) * len(signs) / self.speed
            self.p = min(max(self.p, 0.0), self.bound)


def test_the_controller_equals_numpy():
    layer = ADA(target=0.5, speed=100, interval=3, max_probability=0.55)
    expected = NumpyController(0.5, 100, 3, 0.55)
    generator, seen = np.random.default_rng(1), []
    for step in range(36):
        mean = 2.0 if step < 18 else -0.3
        scores = generator.normal(mean, 1.0, (6 if step % 2 else 4, 1)).astype("float32")
        layer.observe(ops.convert_to_tensor(scores))
        expected.observe(scores)
        seen.append(float(numpy(layer.probability.value)))
        assert seen[-1] == pytest.approx(expected.p, abs=1e-6)
        assert float(numpy(layer.overfitting.value)) == pytest.approx(expected.r, abs=1e-6)
    assert max(seen) == pytest.approx(0.55) and seen[-1] == 0.0


class Toy(backend.Trainer, keras.Model):
    """A linear critic, R1 through the augmentation, and the controller, all in one loss."""

    def __init__(self, augment):
        super().__init__()
        self.augment = augment
        self.dense = keras.layers.Dense(1)
        self.dense.build((None, 48))
        self.seed = keras.random.SeedGenerator(0)
        self.built = True

    def critic(self, images):
        seen = self.augment.transform(images, seeded_noise(images, self.seed))
        return self.dense(ops.reshape(seen, (-1, 48)))

    def _train_on(self, real, generator_turn):
        def loss():
            scores = self.critic(real)
            self.augment.observe(scores)
            penalty = ops.mean(ops.square(backend.gradient(self.critic, real)))
            return ops.mean(ops.softplus(-scores)) + penalty

        value, gradients = backend.value_and_grad(loss, self.dense.trainable_variables)
        self.optimizer.apply(gradients, self.dense.trainable_variables)
        return {"loss": value}


KERNEL = np.random.default_rng(0).standard_normal((48, 1)) / 20


def trained(mode):
    """Return a toy after two epochs that run "eager", "auto" or "xla"."""
    model = Toy(ADA(target=0.1, speed=40, interval=2))
    model.compile(
        optimizer=keras.optimizers.SGD(0.01),
        run_eagerly=mode == "eager",
        jit_compile=mode == "xla" or (mode == "auto" and backend.resolve_jit("auto")),
    )
    model.dense.kernel.assign(KERNEL)
    model.dense.bias.assign([9.0])  # All scores are positive.
    real = np.tile(SMALL, (5, 1, 1, 1))
    # Batches of 4, 4, 2, 4, 4, 2 images, or of 5 on JAX, which compiles for each size.
    size = 5 if keras.backend.backend() == "jax" else 4
    model.fit(real, batch_size=size, epochs=2, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("mode", ["auto", pytest.param("xla", marks=pytest.mark.slow)])
def test_training_steps(mode, backend_name, tmp_path):
    if mode == "xla" and backend_name != "tensorflow":
        pytest.skip("JAX compiles by default; torch.compile takes minutes")
    model = trained(mode)
    probability = 20 / 40
    assert float(numpy(model.augment.probability.value)) == pytest.approx(probability)
    assert float(numpy(model.augment.overfitting.value)) == 1.0
    kernel = numpy(model.dense.kernel.value)
    assert 1e-4 < np.abs(kernel - KERNEL).max() < 1
    if backend_name != "jax":  # Operation by operation it takes minutes.
        np.testing.assert_allclose(kernel, numpy(trained("eager").dense.kernel.value), atol=5e-4)

    model.save_weights(tmp_path / "toy.weights.h5")
    again = Toy(ADA(target=0.1, speed=40, interval=2))
    again.load_weights(tmp_path / "toy.weights.h5")
    assert float(numpy(again.augment.probability.value)) == pytest.approx(probability)


REPLICAS = """
import json, keras, tensorflow as tf
from kerasgan.augment import ADA
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    layer = ADA(target=0.2, speed=100, interval=2)
@tf.function
def step(scores):
    def replica():
        i = tf.distribute.get_replica_context().replica_id_in_sync_group
        with tf.GradientTape():
            layer.observe(scores[i])
    strategy.run(replica)
# Each replica alone would move the other way, or by half as much.
for _ in range(2):
    step(tf.constant([[1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, -1.0, -1.0]]))
values = [strategy.experimental_local_results(v.value) for v in layer.weights]
print(json.dumps([[v.numpy().tolist() for v in pair] for pair in values[:2]]))
"""


@pytest.mark.slow
def test_replicas_move_the_probability_together(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("JAX programs see the whole batch; PyTorch has no replicas")
    done = subprocess.run(
        [sys.executable, "-c", REPLICAS], env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    probability, overfitting = json.loads(done.stdout.strip().splitlines()[-1])
    np.testing.assert_allclose(probability, [0.2, 0.2], rtol=1e-6)
    np.testing.assert_allclose(overfitting, [0.6, 0.6], rtol=1e-6)
