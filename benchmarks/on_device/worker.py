"""The process that measures for `gpu.py`: it reads tasks as lines of JSON, and answers in lines."""

import json
import os
import resource
import sys
import time
import traceback
import types

import numpy as np

# What a worker answers goes through here; what libraries print goes to stderr.
_ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import keras  # noqa: E402

import kerasgan  # noqa: E402
from kerasgan import backend, catalogue  # noqa: E402
from kerasgan.backend import private_random  # noqa: E402
from kerasgan.environment import accelerator, describe  # noqa: E402

BACKEND = keras.backend.backend()
ROUNDS = 5


def environment(tiny):
    """Return where the figures are measured."""
    return describe(BACKEND)


def agreement(tiny, variant, precision, weights, path):
    """Train some rounds with given noise; write the losses and 16 samples."""
    set_precision(precision)
    model = _model(variant, 32, 4 if tiny else 16)
    if not os.path.exists(weights):
        np.savez(weights, *model.get_weights())
    with np.load(weights) as stored:
        model.set_weights([stored[name] for name in stored.files])
    if os.environ.get("JAX_PLATFORMS") != "cpu" and os.environ.get("CUDA_VISIBLE_DEVICES") != "":
        os.unlink(weights)  # The second of the two has read them.
    rng = np.random.default_rng(0)
    batch = np.tanh(rng.standard_normal((16, *model.image_shape), "float32"))
    losses = []
    with private_random.noise_from(_SharedNoise()):
        while model.generator_steps < ROUNDS:
            found = model.train_on_batch(batch, return_dict=True)
            losses.append([float(found["critic_loss"]), float(found.get("generator_loss", 0.0))])
    losses = np.nan_to_num(np.array(losses))
    np.savez(path, losses=losses, samples=model.sample(16, seed=0))
    return {}


class _SharedNoise:
    """Numbers of NumPy in place of the backend's, the same on every device."""

    def __init__(self):
        self._rng = np.random.default_rng(1)

    def normal(self, shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        return self._tensor(mean + stddev * self._rng.standard_normal(shape), dtype)

    def uniform(self, shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        return self._tensor(self._rng.uniform(minval, maxval, shape), dtype)

    def randint(self, shape, minval, maxval, dtype="int32", seed=None):
        return self._tensor(self._rng.integers(minval, maxval, shape), dtype)

    def _tensor(self, values, dtype):
        return keras.ops.convert_to_tensor(values.astype(dtype or "float32"))


def contest(tiny, model, size, precision, width, batch):
    """Return the figures of `fit` and of the two loops written by hand."""
    from hand_written.contest import Contest

    set_precision(precision)
    options = types.SimpleNamespace(
        backend=BACKEND,
        image_size=size,
        channels=3,
        width=min(width, 4) if tiny else width,
        batch_size=min(batch, 8) if tiny else batch,
        rounds=1 if tiny else None,
        repeats=2 if tiny else 7,
        at_once=1,
    )
    # Of the few weights of a tiny network each moves by its own noise.
    tolerance = 0.1 if options.width >= 16 else 1.0
    return Contest(options, model, {"keras": 1.05, "native": 1.15}, tolerance).measure()


def speed(tiny, model, size, precision):
    """Return what `fit` takes on images in memory."""
    set_precision(precision)
    _reset_peak()
    batch = 8 if tiny else 64
    gan = _model(model, size, 4 if tiny else 64)
    images = np.random.default_rng(0).integers(0, 256, (batch * 8, *gan.image_shape), "uint8")
    data = kerasgan.data.ImageDataset(images, batch_size=batch)
    # Programs are made in the first rounds; JAX and TensorFlow compile, PyTorch traces.
    gan.fit(data, epochs=1 + 4 * gan.n_critic // 8, verbose=0)
    steps, began, data.seconds = 0, time.perf_counter(), 0.0
    while time.perf_counter() - began < (0.5 if tiny else 6):
        gan.fit(data, epochs=2, verbose=0)
        steps += 2 * data.batches_per_epoch
        _wait(gan)
    seconds = time.perf_counter() - began
    return {
        "milliseconds": 1e3 * seconds / steps,
        "images a second": steps * batch / seconds,
        "waiting": data.seconds / seconds,
        "peak MB": _peak(),
    }


def deterministic(tiny, model, size, precision):
    """Return `speed` with reproducible kernels, in a process that does nothing else."""
    backend.make_deterministic()
    return speed(tiny, model, size, precision)


def set_precision(precision):
    """Let networks that are built from now on compute so."""
    backend.set_float32_precision("tf32" if precision == "tf32" else "float32")
    keras.config.set_dtype_policy(precision if precision.startswith("mixed") else "float32")


def _model(variant, size, width):
    keras.utils.set_random_seed(0)
    kind = catalogue.VARIANTS[variant]
    cls = getattr(kerasgan, kind.class_name)
    architecture = "resnet" if variant == "r3gan" else kind.architectures[0]  # Its own.
    shape = {"image_size": size, "channels": 3}
    if architecture in ("dcgan", "resnet"):
        shape |= {"width": width}
    model = cls(*cls.default_networks(architecture, **shape))
    model.compile()
    return model


def _wait(model):
    model.synchronize()
    for network in (model.generator, model.critic):
        keras.ops.convert_to_numpy(network.weights[0])


def _reset_peak():
    if BACKEND == "torch" and accelerator(BACKEND):
        import torch

        torch.cuda.reset_peak_memory_stats()


def _peak():
    """Return the peak of the device's memory in MB; on JAX that of the whole process."""
    if accelerator(BACKEND) is None:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    if BACKEND == "torch":
        import torch

        return torch.cuda.max_memory_allocated() / 1e6
    import jax

    return jax.local_devices()[0].memory_stats()["peak_bytes_in_use"] / 1e6


TASKS = {f.__name__: f for f in (environment, agreement, contest, speed, deterministic)}


def answer(task):
    """Do a task; return its result or its error as JSON."""
    try:
        return {"result": TASKS[task["task"]](task["tiny"], **task["arguments"])}
    except (Exception, SystemExit):
        return {"error": traceback.format_exc()[-4000:]}


if __name__ == "__main__":
    if BACKEND == "torch":
        from kerasgan.backend import torch_traced

        torch_traced.WARM_UP = 0
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=_ANSWERS, flush=True)
