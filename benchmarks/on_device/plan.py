"""What `gpu.py` measures, in which order, and the processes that measure it.

It imports neither Keras nor a backend: each backend has a process of its own, `worker.py`, since
both would want the device, and one more that sees the CPU alone.
"""

import importlib.util
import json
import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

WORKER = Path(__file__).with_name("worker.py")
BENCHMARKS = Path(__file__).resolve().parents[1]
FIRST = ("gan", "wgan_gp", "r3gan")
OTHERS = ("wgan", "dragan", "sngan", "unrolled_gan", "infogan", "pacgan", "flow_gan")


def plan(backends, tiny):
    """Return the tasks, the most important first, with the seconds that each may take.

    Args:
        backends: Names of backends.
        tiny: Whether everything is as small as it can be.
    """
    sizes = (32,) if tiny else (64, 128, 256)
    groups = [
        [_task("environment", 30)],
        [_task("agreement", 25, variant=v, precision="float32") for v in FIRST],
        [_contest(m, sizes[0], "float32") for m in ("gan", "wgan_gp", "r1_r2")],
        [_speed("r3gan", sizes[0], p) for p in ("float32", "tf32", "mixed_bfloat16")],
        # Networks so small that the device waits for the host.
        [_task("contest", 30, model="wgan_gp", size=32, precision="float32", width=1, batch=2)],
        [_task("deterministic", 45, model="gan", size=sizes[0], precision="float32")],
        [_task("agreement", 25, variant=v, precision="tf32") for v in FIRST[: 1 if tiny else 3]],
        [_speed("r3gan", s, "tf32") for s in sizes[1:]],
        [_contest(m, s, "float32") for s in sizes[1:2] for m in ("gan", "r1_r2")],
        [_speed(m, sizes[0], p) for m in ("gan", "wgan_gp") for p in ("float32", "tf32")],
        [_task("agreement", 25, variant=v, precision="float32") for v in OTHERS],
        [_contest(m, sizes[0], "tf32") for m in ("gan", "r1_r2")],
        [_speed(m, s, "float32") for s in sizes[1:] for m in ("gan", "wgan_gp", "r3gan")],
        [_speed("r3gan", s, "mixed_bfloat16") for s in sizes[1:]],
    ]
    if tiny:
        groups = [group[:1] for group in groups if group]
    return [
        {**task, "backend": backend, "tiny": tiny, **({"takes": 0} if tiny else {})}
        for group in groups
        for task in group
        for backend in backends
    ]


def _task(name, takes, **arguments):
    return {"task": name, "takes": takes, "arguments": arguments}


def _contest(model, size, precision):
    takes = 30 * max(1, size / 64)
    return _task("contest", takes, model=model, size=size, precision=precision, width=64, batch=64)


def _speed(model, size, precision):
    takes = 20 * max(1, size / 64)
    return _task("speed", takes, model=model, size=size, precision=precision)


class Workers:
    """The processes: for each backend one on its device, and one on the CPU when it is needed.

    Args:
        backends: Names of backends; those that are not installed are left out.
        folder: Where arrays are exchanged, and what the processes print goes.

    Attributes:
        backends: Those that are installed.
    """

    def __init__(self, backends, folder):
        self.backends = [name for name in backends if importlib.util.find_spec(name)]
        if not self.backends:
            raise SystemExit(f"one of {', '.join(backends)} must be installed; none is")
        self.folder = folder
        self._processes = {}

    def do(self, task, timeout):
        """Return the `result` or the `error` of a task."""
        if task["task"] == "agreement":
            return self._agreement(task, timeout)
        key = task["backend"], "deterministic" if task["task"] == "deterministic" else ""
        return self._ask(key, task, timeout)

    def _agreement(self, task, timeout):
        """Do it on the CPU, then on the device with the same weights, and compare."""
        parts = []
        for place in ("cpu", ""):
            path = self.folder / f"agreement-{place or 'device'}.npz"
            weights = self.folder / "agreement-weights.npz"
            arguments = {**task["arguments"], "weights": str(weights), "path": str(path)}
            if place == "cpu":  # The reference is in float32.
                arguments["precision"] = "float32"
            asked = {**task, "arguments": arguments}
            answer = self._ask((task["backend"], place), asked, timeout)
            if "error" in answer:
                return answer
            with np.load(path) as stored:
                parts.append({name: stored[name] for name in ("losses", "samples")})
            path.unlink()
        ours, other = parts
        scale = np.maximum(np.abs(ours["losses"]), 1e-2)
        found = {
            "losses": float(np.max(np.abs(ours["losses"] - other["losses"]) / scale)),
            "samples": float(np.max(np.abs(ours["samples"] - other["samples"]))),
        }
        return {"result": found}

    def _ask(self, key, task, timeout):
        process = self._processes.get(key) or self._start(key)
        try:
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
            answer = _line(process, timeout)
        except BrokenPipeError:
            answer = None
        if answer:
            return json.loads(answer)
        process.kill()
        process.wait()
        self._processes.pop(key, None)
        log = self._log(key)
        end = log.read_text(errors="replace")[-500:] if log.exists() else ""
        return {"error": f"the process ended, or did not answer in {timeout:.0f} s: {end}"}

    def _log(self, key):
        return self.folder / f"worker-{'-'.join(filter(None, key))}.log"

    def _start(self, key):
        backend, place = key
        environment = {
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONPATH": _path(),
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # The processes share the device.
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        if place == "cpu":
            environment |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
        with open(self._log(key), "a") as log:
            process = subprocess.Popen(
                [sys.executable, str(WORKER)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._processes[key] = process
        return process

    def close(self):
        """End the processes."""
        for process in self._processes.values():
            process.stdin.close()
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self._processes.clear()


def _path():
    """Return the value of $PYTHONPATH with which kerasgan need not be installed."""
    own = [str(BENCHMARKS.parent), str(BENCHMARKS)]
    return os.pathsep.join([*own, os.environ.get("PYTHONPATH", "")])


def _line(process, timeout):
    """Return the next line that a process prints, or None if none comes in time."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        return process.stdout.readline() if selector.select(timeout) else None


def training(backend, out, seconds, tiny):
    """Train on drawn shapes for so many seconds, or go on with it, and return the row.

    Ctrl-C lets `kerasgan train` save its state, so a later call goes on from there.
    """
    size = 32 if tiny else 64
    data = out / "shapes.npy"
    if not data.exists():
        np.save(data, shapes(200 if tiny else 20_000, size))
    runs = sorted((out / "runs").glob("*/checkpoint.keras"))
    command = [sys.executable, "-m", "kerasgan_cli", "train"]
    if runs:
        command += ["--resume", str(runs[-1].parent)]
    else:
        small = ["gan", "--width", "4", "--batch-size", "16", "--epochs", "2"]
        large = ["r3gan", "--network", "resnet", "--epochs", "200", "--precision", "tf32"]
        command += [*(small if tiny else large), "--data", str(data)]
        command += ["--run-dir", str(out / "runs")]
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": _path()}
    row = {"task": "training", "backend": backend, "arguments": {"seconds": round(seconds)}}
    log = out / "training.log"
    with open(log, "a") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        try:
            process.wait(max(5.0, seconds - (0 if tiny else 30)))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.wait()
    end = log.read_text(errors="replace").strip().splitlines()
    if process.returncode in (0, 130):
        return {**row, "result": {"ended": end[-4:], "code": process.returncode}}
    return {**row, "error": "\n".join(end[-20:])}


def shapes(n, size):
    """Return pictures of one coloured disc, square or ring each, uint8 `(n, size, size, 3)`."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:size, 0:size] / size
    images = np.empty((n, size, size, 3), "uint8")
    for image in images:
        cx, cy, r = rng.uniform((0.3, 0.3, 0.1), (0.7, 0.7, 0.28))
        dx, dy = np.abs(x - cx), np.abs(y - cy)
        distance = np.hypot(dx, dy)
        inside = (distance < r, np.maximum(dx, dy) < r, np.abs(distance - r) < 0.05)
        shape = inside[rng.integers(3)][..., None]
        back, front = rng.uniform(0, 255, (2, 3))
        image[:] = np.where(shape, front, back + 20 * (y - 0.5)[..., None]).clip(0, 255)
    return images
